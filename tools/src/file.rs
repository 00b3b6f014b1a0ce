//! Files that appear whole or not at all.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::interrupt;

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {source}; choose another file, or make the folder writable", path = path.display())]
pub struct WriteError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// A file under construction beside its destination; it vanishes unless it is [kept](Self::keep), also on Ctrl-C.
#[derive(Debug)]
pub struct Pending {
    file: NamedTempFile,
    path: PathBuf,
    _cleanup: interrupt::Registration,
}

impl Pending {
    /// Starts to write what will be `path`.
    ///
    /// # Errors
    /// The folder does not exist or cannot be written, or the path is a folder.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        let error = |source| WriteError { path: path.to_owned(), source };
        if path.is_dir() {
            return Err(error(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let file = tempfile::Builder::new().prefix(".rtcr-").suffix(".tmp").tempfile_in(folder).map_err(error)?;
        let temporary = file.path().to_owned();
        let cleanup = interrupt::on_interrupt(move || drop(fs::remove_file(&temporary)));
        Ok(Self { file, path: path.to_owned(), _cleanup: cleanup })
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// As of the operating system.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        use io::Write;
        let path = &self.path;
        self.file.write_all(bytes).map_err(|source| WriteError { path: path.clone(), source })
    }

    /// Puts the file in place of whatever was there, with the permissions that any new file would have.
    ///
    /// # Errors
    /// As of the operating system.
    pub fn keep(self) -> Result<(), WriteError> {
        use std::os::unix::fs::PermissionsExt;
        let Self { file, path, _cleanup } = self;
        // Temporary files are private; the user's umask is not to be had without a system call, so 0644 stands for it.
        let permissions = fs::Permissions::from_mode(0o644);
        if let Err(source) = file.as_file().set_permissions(permissions) {
            return Err(WriteError { path, source });
        }
        file.persist(&path).map(drop).map_err(|error| WriteError { path, source: error.error })
    }
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
    fn an_impossible_place_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no/such/file");
        assert!(write(&missing, b"").unwrap_err().to_string().contains("no/such/file"));
        assert!(write(folder.path(), b"").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
