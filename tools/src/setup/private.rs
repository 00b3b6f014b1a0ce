//! A private copy of QEMU, for machines whose apt-get may not install it, or would have to remove something for it.
//!
//! apt-get tells which packages QEMU takes beside those that are installed, fetches exactly these (which checks them as
//! for installing), and `dpkg-deb` unpacks them into a folder of the user. Nothing of the system is changed, and no root
//! is needed. A script in that folder starts QEMU with the library path that this takes; nobody else sees the path.
//!
//! The folder is the user's cache and not cargo's `target`: what is in it belongs to the machine, so every checkout uses
//! it, and `cargo clean` does not mean another download. Removing it is harmless. QEMU on the PATH wins over the copy.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::{Machine, apt, install, requirement::Requirement};
use crate::terminal;

/// Why there is no private copy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody knows where to put it.
    #[error("there is no folder for it; set HOME, or XDG_CACHE_HOME to an absolute path")]
    NoFolder,
    /// Packages cannot be unpacked.
    #[error("there is no dpkg-deb on the PATH, which unpacks packages")]
    NoUnpacker,
    /// apt-get does not know which packages it takes, or cannot fetch them.
    #[error(
        "apt-get could not {what}; if the package archive cannot be reached, try again with a network. Its last lines:\n{tail}"
    )]
    Apt {
        /// What it was to do.
        what: &'static str,
        /// The end of what it said.
        tail: String,
    },
    /// A package cannot be unpacked.
    #[error(
        "{package} cannot be unpacked; if there is space on the disk, try again. The last lines of dpkg-deb:\n{tail}"
    )]
    Unpack {
        /// The file.
        package: String,
        /// The end of what dpkg-deb said.
        tail: String,
    },
    /// It does not start.
    #[error("it was unpacked but does not start:\n{output}")]
    Unusable {
        /// What it said.
        output: String,
    },
    /// A file cannot be had.
    #[error("cannot use {path} ({source}); make its folder writable, or set XDG_CACHE_HOME to another", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Whatever lies in the cache and begins like this is half-made.
const WORK: &str = "unpacking-";
/// Says, inside a copy, why it was made.
const REASON: &str = "reason";
/// Holds, inside a copy, what was unpacked.
const ROOT: &str = "root";

fn folder(machine: &Machine, program: &str) -> Option<PathBuf> {
    Some(machine.cache.as_ref()?.join(program))
}

/// The script that starts the private copy of a program, if there is one.
pub(super) fn script(machine: &Machine, program: &str) -> Option<PathBuf> {
    Some(folder(machine, program)?.join(program)).filter(|script| script.is_file())
}

/// The same, if it works.
///
/// Asked each time, which takes some hundredths of a second: the copy uses the system's libraries where they were there
/// when it was made, and they may have gone since.
pub(super) fn find(machine: &Machine, program: &str) -> Option<PathBuf> {
    script(machine, program).filter(|script| start(machine, script).is_ok())
}

/// Why the private copy was made.
pub(super) fn reason(machine: &Machine, program: &str) -> Option<String> {
    fs::read_to_string(folder(machine, program)?.join(REASON)).ok()
}

/// Starts the copy for its version only; an error is what it said.
fn start(machine: &Machine, script: &Path) -> Result<(), String> {
    // By the shell: a script that was written this moment may not be started directly, while a program that another
    // thread is starting has inherited the open file.
    let mut command = machine.command("sh");
    match command.arg(script).arg("--version").output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim_end().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Makes a private copy, with the lock held. `reason` tells why it is not installed, such as `installing it would remove
/// qemu-utils`. What was half-made before is removed, and a copy is in place only when it works.
pub(super) fn make(machine: &Machine, wanted: &Requirement, program: &str, reason: &str) -> Result<PathBuf, Error> {
    let (Some(cache), Some(home)) = (&machine.cache, folder(machine, program)) else { return Err(Error::NoFolder) };
    if machine.find("dpkg-deb").is_none() {
        return Err(Error::NoUnpacker);
    }
    let step = terminal::step(format!("unpacking a private copy of {program}, since {reason}"));
    fs::create_dir_all(cache).map_err(file(cache))?;
    remove_leftovers(cache)?;
    let work = tempfile::Builder::new().prefix(WORK).tempdir_in(cache);
    let work = work.map_err(|error| file(cache)(error.kind().into()))?;
    let [packages, copy, old] = ["packages", "copy", "old"].map(|name| work.path().join(name));
    for path in [&packages, &copy] {
        fs::create_dir(path).map_err(file(path))?;
    }

    let archive = apt::Archive::open(machine, work.path()).map_err(|source| file(work.path())(source))?;
    fetch(&archive, wanted.package, &packages, &step)?;
    let root = copy.join(ROOT);
    for package in files(&packages)? {
        unpack(machine, &package, &root)?;
    }
    let script = copy.join(program);
    write_script(&copy, program).map_err(file(&script))?;
    fs::write(copy.join(REASON), reason).map_err(file(&copy))?;
    start(machine, &script).map_err(|output| Error::Unusable { output })?;

    // What still runs out of the old copy has its files open, and needs their names no more.
    if home.exists() {
        fs::rename(&home, &old).map_err(file(&home))?;
    }
    fs::rename(&copy, &home).map_err(file(&home))?;
    Ok(home.join(program))
}

/// Fetches a package, and all it takes that is not installed. Where apt-get knows no packages, or no longer the right
/// ones, it is asked once more after a look into the archive, which does not change what the system knows.
fn fetch(archive: &apt::Archive<'_>, package: &str, into: &Path, step: &terminal::Step) -> Result<(), Error> {
    let attempt = |updated| {
        let failed = |what| move |tail| Error::Apt { what, tail };
        let names = archive.closure(package, updated).map_err(failed("tell what QEMU takes"))?;
        archive.download(&names, into, updated, step).map_err(failed("fetch packages"))
    };
    attempt(false).or_else(|_| {
        let complaints =
            archive.update(step).map_err(|tail| Error::Apt { what: "look into the package archive", tail })?;
        attempt(true).map_err(|error| match error {
            Error::Apt { what, tail } => Error::Apt { what, tail: [complaints, tail].concat() },
            error => error,
        })
    })
}

fn unpack(machine: &Machine, package: &Path, root: &Path) -> Result<(), Error> {
    let mut tail = Default::default();
    let mut command = machine.command("dpkg-deb");
    let done = install::run(command.arg("-x").args([package, root]), &mut |line| install::keep(&mut tail, line));
    let failed = |tail| {
        let package = package.file_name().unwrap_or_default().display().to_string();
        Error::Unpack { package, tail }
    };
    match done {
        Ok(true) => Ok(()),
        Ok(false) => Err(failed(Vec::from(tail).join("\n"))),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// Writes the script that starts the copy around it, wherever that lies.
fn write_script(copy: &Path, program: &str) -> io::Result<()> {
    let root = copy.join(ROOT);
    let mut libraries = Vec::new();
    for folder in ["lib", "usr/lib"] {
        find_libraries(&root.join(folder), &mut libraries)?;
    }
    let inside = libraries.iter().filter_map(|path| path.strip_prefix(copy).ok());
    let paths = inside.map(|path| format!("$here/{}", path.display())).collect::<Vec<_>>().join(":");
    let text = format!(
        "#!/bin/sh\n\
         # Starts a private copy of {program}; made by `cargo rtcr`, and made again when its folder is removed.\n\
         here=${{0%/*}}\n\
         export LD_LIBRARY_PATH=\"{paths}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\"\n\
         exec \"$here/{ROOT}/usr/bin/{program}\" -L \"$here/{ROOT}/usr/share/qemu\" \"$@\"\n"
    );
    let script = copy.join(program);
    fs::write(&script, text)?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))
}

/// Adds the folders below `folder` that hold shared libraries: some packages have a folder of their own for them, whose
/// place in the system is written into those who use them.
fn find_libraries(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?.collect::<io::Result<Vec<_>>>()?,
    };
    let is_library = |name: &str| name.starts_with("lib") && name.contains(".so");
    if entries.iter().any(|entry| entry.file_name().to_str().is_some_and(is_library)) {
        found.push(folder.to_owned());
    }
    let mut folders = Vec::new();
    for entry in entries {
        // A link to a folder is not followed: what it leads to has a name of its own.
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    folders.iter().try_for_each(|folder| find_libraries(folder, found))
}

fn remove_leftovers(cache: &Path) -> Result<(), Error> {
    for path in files(cache)? {
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(WORK)) {
            fs::remove_dir_all(&path).map_err(file(&path))?;
        }
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut paths: Vec<_> = entries.map_err(file(folder))?;
    paths.sort();
    Ok(paths)
}

fn file(path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::File { path: path.to_owned(), source }
}
