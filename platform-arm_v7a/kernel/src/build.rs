//! From source, configuration and patches to `kernel.elf`.
//!
//! The kernel's own Makefile does the work, in a folder of its own: a copy of the source, patched, with the configured
//! header. A finished kernel is kept under the hash of everything that went into it, so it is built once; it appears
//! there by a rename, so a folder of that name was complete. The hash of what came out is kept beside it: a kernel that
//! was damaged or removed later is built again. Two processes that need the same cache take turns.
//!
//! # Same input, same kernel
//! The Makefile is given the source by a relative path, and the compiler is told to write [`DEBUG_ROOT`] for the folder
//! that it works in. So both flavours come out byte for byte the same wherever they are built; the debug kernel's
//! assertions print paths such as `../src/src/object/tcb.c`. Neither contains a date. Both carry debug information,
//! which does not change what is loaded.

use std::{
    collections::VecDeque,
    env,
    ffi::OsString,
    fs,
    io::{self, BufRead, BufReader, Write},
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use sha2::{Digest, Sha256};

use crate::{Configuration, Flavour, Source, patch};

/// A built kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// The ELF file, with symbols and debug information.
    pub elf: PathBuf,
    /// SHA-256, in hexadecimal, of everything it was made from: source, options, patches, flavour, compiler.
    pub hash: String,
    /// Which of the two.
    pub flavour: Flavour,
    /// What it was compiled with, as the compiler says it.
    pub compiler: String,
    /// What stands for [`DEBUG_ROOT`] on this machine; for gdb, `set substitute-path DEBUG_ROOT` this. The patched
    /// source lies in it as `src`, generated headers as `out`.
    pub debug_root: PathBuf,
    /// Whether it was built just now; otherwise it was in the cache.
    pub fresh: bool,
}

/// The folder that the debug information names in place of the one where the kernel was built.
pub const DEBUG_ROOT: &str = "/sel4";

/// Why there is no kernel.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A program that the build needs is not there.
    #[error("{program} could not be started ({error}); install the Debian package {package}")]
    NoProgram {
        /// Which.
        program: String,
        /// Where it comes from.
        package: &'static str,
        /// Why it could not be started.
        error: io::Error,
    },
    /// A patch does not apply.
    #[error(transparent)]
    Patch(#[from] patch::Error),
    /// The kernel's Makefile failed.
    #[error("the {flavour} kernel does not build. The last lines of {log}:\n{tail}")]
    Make {
        /// Which kernel.
        flavour: Flavour,
        /// The whole output.
        log: PathBuf,
        /// Its end.
        tail: String,
    },
}

/// Changes when this file's way of building changes what comes out, so that older kernels are not taken from the cache.
const RECIPE: u32 = 1;
/// How many lines of a failed build's log an error shows.
const TAIL: usize = 20;
/// What of the source is copied; the rest (manual, gdb macros) is not built from.
const PARTS: [&str; 7] = ["Makefile", "VERSION", "include", "libsel4", "manual/tools", "src", "tools"];
/// Debian's own Python, since another one earlier on the path does not see Debian's modules.
const PYTHON: &str = "/usr/bin/python3";
/// What was built.
const KERNEL: &str = "kernel.elf";
/// SHA-256 of that, in hexadecimal.
const KERNEL_HASH: &str = "kernel.elf.sha256";
/// Where kernels are built inside the cache.
const WORK: &str = "building-";

/// Takes a kernel from the folder `cache`, or builds it there, which takes some seconds, and tells `progress` what is
/// being done.
///
/// # Errors
/// See [`Error`]. After a failure the cache is as before, but for the log of a failed build.
pub fn build(
    source: &Source,
    configuration: &Configuration,
    flavour: Flavour,
    cache: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<Kernel, Error> {
    let prefix = configuration.make_variables(flavour).remove("TOOLPREFIX").unwrap_or_default();
    let compiler = version(&format!("{prefix}gcc"), "gcc-arm-none-eabi")?;
    let linker = version(&format!("{prefix}ld"), "binutils-arm-none-eabi")?;
    let hash = hash(source, configuration, flavour, &[&compiler, &linker])?;
    let home = cache.join(format!("{flavour}-{}", &hash[..16]));
    let kernel = |fresh| Kernel {
        elf: home.join(KERNEL),
        hash: hash.clone(),
        flavour,
        compiler: compiler.clone(),
        debug_root: home.clone(),
        fresh,
    };
    if is_whole(&home) {
        return Ok(kernel(false));
    }

    fs::create_dir_all(cache).map_err(file(cache))?;
    let lock_path = cache.join("lock");
    let lock = fs::File::create(&lock_path).map_err(file(&lock_path))?;
    if lock.try_lock().is_err() {
        progress("waiting for another build of the kernel");
        lock.lock().map_err(file(&lock_path))?;
    }
    if is_whole(&home) {
        return Ok(kernel(false));
    }
    remove_leftovers(cache)?;
    if home.exists() {
        progress("the kernel in the cache is damaged; building it again");
        fs::remove_dir_all(&home).map_err(file(&home))?;
    }

    let work = tempfile::Builder::new().prefix(WORK).tempdir_in(cache);
    // The error itself would name a folder that nobody knows.
    let work = work.map_err(|error| file(cache)(error.kind().into()))?;
    progress("copying and patching the kernel's source");
    let copy = work.path().join("src");
    for part in PARTS {
        copy_all(&source.path(part), &copy.join(part))?;
    }
    for patch in configuration.patches() {
        patch.apply(&copy)?;
    }
    let header = copy.join(configuration.header_path());
    fs::write(&header, configuration.header(flavour)).map_err(file(&header))?;

    let log = work.path().join("build.log");
    if !make(work.path(), configuration, flavour, &log, progress)? {
        let kept = cache.join(format!("{flavour}-failed.log"));
        fs::rename(&log, &kept).map_err(file(&kept))?;
        return Err(Error::Make { flavour, tail: tail(&kept)?, log: kept });
    }
    let elf = work.path().join(KERNEL);
    fs::rename(work.path().join("out/kernel.elf"), &elf).map_err(file(&elf))?;
    let sum = work.path().join(KERNEL_HASH);
    fs::write(&sum, hexadecimal(Sha256::digest(fs::read(&elf).map_err(file(&elf))?))).map_err(file(&sum))?;
    for large in ["kernel_all.c", "kernel_all.c_pp", "kernel_final.c", "kernel_final.s", "kernel.o", "kernel.elf.strip"]
    {
        let path = work.path().join("out").join(large);
        fs::remove_file(&path).map_err(file(&path))?;
    }
    fs::rename(work.keep(), &home).map_err(file(&home))?;
    Ok(kernel(true))
}

/// Runs the Makefile in `work/out`; whether it succeeded.
fn make(
    work: &Path,
    configuration: &Configuration,
    flavour: Flavour,
    log: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<bool, Error> {
    let (links, out) = (work.join("links"), work.join("out"));
    for folder in [&links, &out] {
        fs::create_dir(folder).map_err(file(folder))?;
    }
    // The kernel's scripts ask for both names.
    for name in ["python", "python3"] {
        symlink(PYTHON, links.join(name)).map_err(file(&links))?;
    }
    // The Makefile puts its whole path in quotes that become part of the first and the last entry: what matters must
    // be neither.
    let mut path = OsString::from("../links:");
    path.push(env::var_os("PATH").unwrap_or_else(|| "/usr/bin".into()));
    path.push(":/bin:/nonexistent");

    let map = shell_word(work);
    let mut log_file = fs::File::create(log).map_err(file(log))?;
    let mut command = Command::new("make");
    // Only what is named here: variables of the caller would become variables of the Makefile.
    command.env_clear().env("PATH", path).env("LC_ALL", "C").env("PYTHONHASHSEED", "0").env("PYTHON", "python3");
    command.env("SOURCE_ROOT", "../src");
    command.env("CFLAGS", format!("-g -ffile-prefix-map={map}={DEBUG_ROOT}"));
    // GCC does not hand the former on to the assembler.
    command.env("ASFLAGS", format!("-g -Xassembler --debug-prefix-map -Xassembler {map}={DEBUG_ROOT}"));
    command.envs(configuration.make_variables(flavour));
    command.args(["-f", "../src/Makefile"]);
    // The check for circular includes trips over the line markers of this compiler; its place is taken by something
    // that reads its input and says nothing.
    command.arg("CIRCULAR_INCLUDES=cat > /dev/null");
    command.current_dir(&out).stdin(Stdio::null()).stdout(Stdio::piped());
    command.stderr(log_file.try_clone().map_err(file(log))?);
    let no_make = |error| Error::NoProgram { program: "make".to_owned(), package: "make", error };
    let mut child = command.spawn().map_err(no_make)?;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let mut line = line.map_err(file(log))?;
            line.push(b'\n');
            log_file.write_all(&line).map_err(file(log))?;
            // The Makefile announces its steps like ` [CC] kernel_final.s`.
            let text = String::from_utf8_lossy(&line);
            if let Some(step) = text.trim().strip_prefix('[') {
                progress(&format!("building the {flavour} kernel: {}", step.replacen(']', "", 1)));
            }
        }
    }
    Ok(child.wait().map_err(no_make)?.success())
}

/// The first line of what a program says about its version.
fn version(program: &str, package: &'static str) -> Result<String, Error> {
    let output = Command::new(program).arg("--version").env("LC_ALL", "C").stdin(Stdio::null()).output();
    let output = output.map_err(|error| Error::NoProgram { program: program.to_owned(), package, error })?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or("").trim().to_owned())
}

/// Hash of all that decides how the kernel comes out. The source counts by its files, not only by the checksum that
/// cargo verified when it unpacked them: somebody may have changed them since.
fn hash(source: &Source, configuration: &Configuration, flavour: Flavour, tools: &[&str]) -> Result<String, Error> {
    let mut hash = Sha256::new();
    // The length in front keeps neighbours apart.
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    add(&RECIPE.to_le_bytes());
    add(source.checksum.as_bytes());
    for part in PARTS {
        walk(&source.path(part), &mut |path| {
            add(path.strip_prefix(&source.root).unwrap_or(path).as_os_str().as_bytes());
            add(&fs::read(path).map_err(file(path))?);
            Ok(())
        })?;
    }
    add(configuration.header_path().as_bytes());
    add(configuration.header(flavour).as_bytes());
    for (name, value) in configuration.make_variables(flavour) {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    for patch in configuration.patches() {
        add(patch.text.as_bytes());
    }
    for tool in tools {
        add(tool.as_bytes());
    }
    Ok(hexadecimal(hash.finalize()))
}

fn hexadecimal(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a folder of the cache holds the kernel that was built there.
fn is_whole(home: &Path) -> bool {
    match (fs::read(home.join(KERNEL)), fs::read(home.join(KERNEL_HASH))) {
        (Ok(kernel), Ok(sum)) => hexadecimal(Sha256::digest(kernel)).as_bytes() == sum,
        _ => false,
    }
}

/// Visits the files below `path`, or `path` itself, in the order of their names.
fn walk(path: &Path, visit: &mut dyn FnMut(&Path) -> Result<(), Error>) -> Result<(), Error> {
    if !path.is_dir() {
        return visit(path);
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).map_err(file(path))? {
        entries.push(entry.map_err(file(path))?.path());
    }
    entries.sort();
    entries.iter().try_for_each(|entry| walk(entry, visit))
}

fn copy_all(from: &Path, to: &Path) -> Result<(), Error> {
    walk(from, &mut |path| {
        let target = match path.strip_prefix(from) {
            Ok(below) if !below.as_os_str().is_empty() => to.join(below),
            _ => to.to_owned(),
        };
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(file(folder))?;
        }
        // Permissions come along: the Makefile executes scripts.
        fs::copy(path, &target).map_err(file(&target))?;
        Ok(())
    })
}

/// Removes what builds left that were killed. Only with the lock held, when no build is going on.
fn remove_leftovers(cache: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(cache).map_err(file(cache))? {
        let path = entry.map_err(file(cache))?.path();
        if path.file_name().is_some_and(|name| name.as_bytes().starts_with(WORK.as_bytes())) {
            fs::remove_dir_all(&path).map_err(file(&path))?;
        }
    }
    Ok(())
}

/// A path as one word of a shell command inside a variable of a Makefile.
fn shell_word(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''").replace('$', "$$"))
}

fn tail(log: &Path) -> Result<String, Error> {
    let bytes = fs::read(log).map_err(file(log))?;
    let text = String::from_utf8_lossy(&bytes);
    let mut last = VecDeque::with_capacity(TAIL + 1);
    for line in text.lines() {
        last.push_back(line);
        if last.len() > TAIL {
            last.pop_front();
        }
    }
    Ok(Vec::from(last).join("\n"))
}

fn file(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |error| Error::File { path, error }
}
