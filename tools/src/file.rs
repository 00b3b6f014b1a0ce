//! Files that appear whole or not at all, where that can be; and no two results in one file.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::interrupt;

/// A result that has no place.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It could not be written.
    #[error("cannot write {path}: {reason}", path = path.display(), reason = reason(path, *kind))]
    Failed {
        /// Which file.
        path: PathBuf,
        /// Why. The operating system's error itself may name a temporary file, which nobody asked for.
        kind: io::ErrorKind,
    },
    /// Two results were to go into one file.
    #[error("{one} and {other} are the same file, {path}; give each a file of its own", path = path.display())]
    Same {
        /// The option that names it.
        one: &'static str,
        /// Another option that does.
        other: &'static str,
        /// The file.
        path: PathBuf,
    },
}

/// What is wrong with writing there, and what to do.
fn reason(path: &Path, kind: io::ErrorKind) -> String {
    let folder = folder_of(path).display();
    match kind {
        io::ErrorKind::NotFound => format!("there is no folder {folder}; make it first"),
        io::ErrorKind::IsADirectory => "it is a folder; name a file in it".into(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            format!("{kind}; choose another file, or make {folder} writable")
        }
        _ => format!("{kind}; choose another file"),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file under construction. One that did not exist, or is an ordinary file, is made beside its destination: it
/// vanishes unless it is [kept](Self::keep), also on Ctrl-C. What a path leads to by symbolic links is replaced, not the
/// link. A pipe, a terminal or another device stays what it is, and is written to.
#[derive(Debug)]
pub struct Pending {
    destination: Destination,
    path: PathBuf,
}

#[derive(Debug)]
enum Destination {
    /// An ordinary file, at a path without links in its last step.
    Replaced { file: NamedTempFile, target: PathBuf, _cleanup: interrupt::Registration },
    /// Something else, that is opened when there is something to write: opening a pipe waits for its reader.
    Direct(Vec<u8>),
}

impl Pending {
    /// Starts to write what will be `path`.
    ///
    /// # Errors
    /// The folder does not exist or cannot be written, or the path is a folder.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        let destination = match target_of(path).map_err(failed(path))? {
            None => Destination::Direct(Vec::new()),
            Some(target) => {
                let file = tempfile::Builder::new().prefix(".rtcr-").suffix(".tmp").tempfile_in(folder_of(&target));
                let file = file.map_err(failed(path))?;
                let temporary = file.path().to_owned();
                let cleanup = interrupt::on_interrupt(move || drop(fs::remove_file(&temporary)));
                Destination::Replaced { file, target, _cleanup: cleanup }
            }
        };
        Ok(Self { destination, path: path.to_owned() })
    }

    /// Starts to write several files; those that were not asked for are none. Each has the option that names it.
    ///
    /// # Errors
    /// As of [`create`](Self::create), or two are the same file.
    pub fn create_each<const N: usize>(
        wanted: [(&'static str, Option<&Path>); N],
    ) -> Result<[Option<Self>; N], WriteError> {
        let mut taken: Vec<(&'static str, PathBuf)> = Vec::new();
        let mut files = [const { None }; N];
        for (file, (option, path)) in files.iter_mut().zip(wanted) {
            let Some(path) = path else { continue };
            let pending = Self::create(path)?;
            if let Destination::Replaced { target, .. } = &pending.destination {
                // The folder is there, since a file was just made in it.
                let folder = folder_of(target).canonicalize().map_err(failed(path))?;
                let place = folder.join(target.file_name().unwrap_or_default());
                if let Some((one, _)) = taken.iter().find(|(_, other)| *other == place) {
                    return Err(WriteError::Same { one, other: option, path: path.to_owned() });
                }
                taken.push((option, place));
            }
            *file = Some(pending);
        }
        Ok(files)
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// As of the operating system.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        use io::Write;
        match &mut self.destination {
            Destination::Replaced { file, .. } => file.write_all(bytes).map_err(failed(&self.path)),
            Destination::Direct(held) => {
                held.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Puts the file in place of whatever was there, with the permissions that any new file would have; or writes to
    /// what is no ordinary file.
    ///
    /// # Errors
    /// As of the operating system.
    pub fn keep(self) -> Result<(), WriteError> {
        use io::Write;
        use std::os::unix::fs::PermissionsExt;
        match self.destination {
            Destination::Replaced { file, target, _cleanup } => {
                // Temporary files are private; the user's umask is not to be had without a system call, so 0644 stands
                // for it.
                let permissions = fs::Permissions::from_mode(0o644);
                file.as_file().set_permissions(permissions).map_err(failed(&self.path))?;
                file.persist(&target).map(drop).map_err(|error| failed(&self.path)(error.error))
            }
            Destination::Direct(bytes) => {
                let file = fs::File::options().append(true).open(&self.path);
                file.and_then(|mut file| file.write_all(&bytes)).map_err(failed(&self.path))
            }
        }
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> WriteError {
    let path = path.to_owned();
    move |error| WriteError::Failed { path, kind: error.kind() }
}

/// Most links from one to the next, as Linux has it.
const MOST_LINKS: usize = 40;

/// The ordinary file, perhaps still to be made, that `path` leads to; none if there is something else.
fn target_of(path: &Path) -> io::Result<Option<PathBuf>> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() => return Ok(None),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    if !matches!(path.components().next_back(), Some(Component::Normal(_))) {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut target = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(next) = fs::read_link(&target) else { return Ok(Some(target)) };
        // An open file of a process: whoever opened it has that file, not whatever would take its name.
        if target.starts_with("/proc") {
            return Ok(None);
        }
        target = folder_of(&target).join(next);
    }
    Err(io::ErrorKind::InvalidInput.into())
}

/// Writes a whole file.
///
/// # Errors
/// As of [`Pending`].
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let mut pending = Pending::create(path)?;
    pending.write(bytes)?;
    pending.keep()
}

/// JSON as reports have it: indented, ending with a line end.
///
/// # Errors
/// The value has a map whose keys are no strings.
pub fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut pending = Pending::create(&path).unwrap();
        pending.write(b"half").unwrap();
        drop(pending);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        write(&path, b"whole").unwrap();
        write(&path, b"again").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"again");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_impossible_place_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no/such/file");
        let shown = missing.display();
        let error = write(&missing, b"").unwrap_err().to_string();
        let parent = folder.path().join("no/such");
        assert_eq!(error, format!("cannot write {shown}: there is no folder {}; make it first", parent.display()));
        let error = write(folder.path(), b"").unwrap_err().to_string();
        assert!(error.ends_with("it is a folder; name a file in it"), "{error}");
        fs::write(folder.path().join("file"), b"").unwrap();
        let error = write(&folder.path().join("file/below"), b"").unwrap_err().to_string();
        assert!(!error.contains(".rtcr-"), "{error}");
        assert!(write(Path::new(""), b"").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn links_lead_to_what_is_replaced() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("real")).unwrap();
        symlink("real/target", path("link")).unwrap();
        symlink("link", path("link to link")).unwrap();
        // First through a link that leads nowhere yet.
        for bytes in [b"new", b"old"] {
            write(&path("link to link"), bytes).unwrap();
            assert_eq!(fs::read(path("real/target")).unwrap(), bytes);
            assert!(path("link").is_symlink() && path("link to link").is_symlink());
        }
        symlink("loop", path("loop")).unwrap();
        assert!(write(&path("loop"), b"").is_err());
        assert_eq!(fs::read_dir(path("real")).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_ordinary_file_stays_what_it_is() {
        use std::os::unix::fs::FileTypeExt;
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap()
        });
        write(&pipe, b"through the pipe").unwrap();
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
        assert_eq!(reader.join().unwrap(), b"through the pipe");
        write(Path::new("/dev/null"), b"gone").unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }

    #[test]
    fn a_file_that_a_process_has_open_is_written_to() {
        use std::os::fd::AsRawFd;
        let folder = tempfile::tempdir().unwrap();
        let open = fs::File::create(folder.path().join("open")).unwrap();
        write(Path::new(&format!("/proc/self/fd/{}", open.as_raw_fd())), b"more").unwrap();
        assert_eq!(open.metadata().unwrap().len(), 4, "it was replaced");
    }

    #[test]
    fn two_results_cannot_share_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        fs::write(&one, b"before").unwrap();
        std::os::unix::fs::symlink("one", folder.path().join("link")).unwrap();
        let around = folder.path().join("../").join(folder.path().file_name().unwrap()).join("two");
        for (console, report) in [(&one, &one), (&one, &folder.path().join("link")), (&two, &around)] {
            let wanted = [("--console", Some(console.as_path())), ("--trace", None), ("--report", Some(report))];
            let error = Pending::create_each(wanted).unwrap_err().to_string();
            let shown = report.display();
            assert_eq!(
                error,
                format!("--console and --report are the same file, {shown}; give each a file of its own")
            );
        }
        assert_eq!((fs::read(&one).unwrap().as_slice(), two.exists()), (b"before".as_slice(), false));
        let null = Some(Path::new("/dev/null"));
        let files = Pending::create_each([("--console", null), ("--report", null), ("-o", Some(&two))]).unwrap();
        assert!(files.iter().all(Option::is_some));
    }
}
