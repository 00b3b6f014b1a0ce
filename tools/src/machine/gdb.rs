//! A debugger for a run: a script that finds symbols and sources, and what to type.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{build::SOURCE_PREFIX, image::Parts, terminal};

/// Where sources lie on this machine; debug information names them by other paths.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The checkout.
    pub checkout: PathBuf,
    /// What stands for [`kernel::build::DEBUG_ROOT`].
    pub kernel: PathBuf,
}

/// Writes the programs with their symbols and a script for gdb into `folder`.
///
/// # Errors
/// The file that cannot be written.
pub(super) fn write(
    folder: &Path,
    socket: &Path,
    parts: &Parts,
    sources: &Sources,
) -> Result<PathBuf, (PathBuf, io::Error)> {
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        match fs::write(&path, bytes) {
            Ok(()) => Ok(path),
            Err(error) => Err((path, error)),
        }
    };
    let kernel = put("kernel.elf", &parts.kernel)?;
    let core = put("core.elf", &parts.core)?;
    let loader = put("loader.elf", &parts.loader)?;
    let mut script = format!(
        "set confirm off\nset pagination off\nset substitute-path {SOURCE_PREFIX} {}\nset substitute-path {} {}\n",
        sources.checkout.display(),
        kernel::build::DEBUG_ROOT,
        sources.kernel.display(),
    );
    let common = format!(
        "file {}\nadd-symbol-file {}\nadd-symbol-file {}\n",
        kernel.display(),
        core.display(),
        loader.display()
    );
    // Programs are linked at the same address, so there can be symbols of one at a time.
    for (name, program) in &parts.programs {
        let file = put(&format!("program-{name}.elf"), program)?;
        let add = format!("add-symbol-file {}", file.display());
        script.push_str(&format!("define symbols-{name}\n{common}{add}\nend\n"));
    }
    match parts.programs.keys().next() {
        Some(first) => script.push_str(&format!("symbols-{first}\n")),
        None => script.push_str(&common),
    }
    script.push_str(&format!("target remote {}\n", socket.display()));
    put("attach.gdb", script.as_bytes())
}

/// Says how to attach.
pub(super) fn announce(script: &Path, parts: &Parts, sources: &Sources) {
    let program = parts.programs.keys().next().map_or("NAME", String::as_str);
    terminal::note(format_args!(
        "the board waits for a debugger; in another terminal, type\n  cd {} && gdb-multiarch -x {}\n\
         then, for example: hbreak {program}::construct, continue. `symbols-NAME` switches to the symbols of program NAME.",
        sources.checkout.display(),
        script.display()
    ));
}
