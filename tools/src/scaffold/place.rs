//! Files put into a checkout, all or none.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::Error;
use crate::file::{self, Pending};

/// What has been done so far, and is taken back unless it becomes complete.
#[derive(Default)]
struct Changes {
    folders: Vec<PathBuf>,
    created: Vec<PathBuf>,
    replaced: Vec<(PathBuf, Vec<u8>)>,
}

/// Writes all these files, in that order; their paths are below `root`, and folders are made where there are none.
pub(super) fn all(root: &Path, files: &[(String, String)]) -> Result<(), Error> {
    let mut changes = Changes::default();
    let mut pending = Vec::new();
    for (path, text) in files {
        let path = root.join(path);
        changes.make_folders(&path)?;
        let mut file = Pending::create(&path)?;
        file.write(text.as_bytes())?;
        pending.push((path, file));
    }
    for (path, file) in pending {
        let before = match fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(Error::Unreadable { path, source }),
        };
        file.keep()?;
        match before {
            Some(bytes) => changes.replaced.push((path, bytes)),
            None => changes.created.push(path),
        }
    }
    changes.complete();
    Ok(())
}

impl Changes {
    /// Makes the folders above `path` that are missing.
    fn make_folders(&mut self, path: &Path) -> Result<(), Error> {
        let missing: Vec<_> = path.ancestors().skip(1).take_while(|folder| !folder.exists()).collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(folder).map_err(|source| Error::Folder { path: folder.into(), source })?;
            self.folders.push(folder.into());
        }
        Ok(())
    }

    fn complete(mut self) {
        self.folders.clear();
        self.created.clear();
        self.replaced.clear();
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        // What cannot be taken back either is left: the first error is the one to tell.
        for (path, bytes) in self.replaced.drain(..).rev() {
            let _ = file::write(&path, &bytes);
        }
        for path in self.created.drain(..).rev() {
            let _ = fs::remove_file(path);
        }
        for folder in self.folders.drain(..).rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join("list"), "old").unwrap();
        fs::create_dir(root.join("taken")).unwrap();
        let file = |path: &str| (path.to_owned(), "new".to_owned());
        // The last one cannot be written: it is a folder.
        assert!(all(root, &[file("a/b/c"), file("list"), file("taken")]).is_err());
        assert_eq!(fs::read_to_string(root.join("list")).unwrap(), "old");
        assert_eq!(fs::read_dir(root).unwrap().count(), 2);
        all(root, &[file("a/b/c"), file("list")]).unwrap();
        assert_eq!(fs::read_to_string(root.join("a/b/c")).unwrap(), "new");
        assert_eq!(fs::read_to_string(root.join("list")).unwrap(), "new");
    }

    #[test]
    fn what_was_put_in_place_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join("list"), "old").unwrap();
        let mut changes = Changes::default();
        changes.make_folders(&root.join("a/b/c")).unwrap();
        for (path, before) in [("a/b/c", None), ("list", Some(b"old".to_vec()))] {
            let path = root.join(path);
            fs::write(&path, "new").unwrap();
            match before {
                Some(bytes) => changes.replaced.push((path, bytes)),
                None => changes.created.push(path),
            }
        }
        drop(changes);
        assert_eq!(fs::read_to_string(root.join("list")).unwrap(), "old");
        assert_eq!(fs::read_dir(root).unwrap().count(), 1);
    }
}
