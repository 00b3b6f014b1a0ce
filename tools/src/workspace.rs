//! The checkout: where things lie, and who builds in it.

use std::{
    env,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crate::terminal;

/// A checkout of the project.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    state: PathBuf,
}

/// Why there is no usable checkout.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Called from outside.
    #[error("no checkout of this project here or above; call `cargo rtcr` inside one")]
    NotFound,
    /// The folder for what is built cannot be made or locked.
    #[error("cannot use {path}: {source}; make it writable, or set CARGO_TARGET_DIR to another folder", path = path.display())]
    State {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Proof that nobody else builds in this checkout; ends when dropped, and with the process.
#[derive(Debug)]
pub struct BuildLock(#[expect(dead_code, reason = "held, not read")] File);

impl Workspace {
    /// The checkout around the current folder, else the one this program was built from.
    ///
    /// # Errors
    /// There is none.
    pub fn find() -> Result<Self, Error> {
        let here = env::current_dir().ok();
        let built = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let root = [here.as_deref(), built.as_deref()]
            .into_iter()
            .flatten()
            .flat_map(Path::ancestors)
            .find(|folder| is_root(folder))
            .and_then(|folder| folder.canonicalize().ok())
            .ok_or(Error::NotFound)?;
        let target = match env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty()) {
            Some(folder) => here.unwrap_or_default().join(folder),
            None => root.join("target"),
        };
        Ok(Self { state: target.join("rtcr"), root })
    }

    /// The folder with the workspace's `Cargo.toml`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder for everything that this tool makes: cargo's `target` folder, or CARGO_TARGET_DIR, and `rtcr` in it.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// A folder inside [`state`](Self::state), made if need be.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn state_folder(&self, name: &str) -> Result<PathBuf, Error> {
        let path = self.state.join(name);
        match fs::create_dir_all(&path) {
            Ok(()) => Ok(path),
            Err(source) => Err(Error::State { path, source }),
        }
    }

    /// A path as people in this checkout would write it.
    pub fn relative<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }

    /// Waits until nobody else builds here.
    ///
    /// # Errors
    /// The lock file cannot be made.
    pub fn lock(&self) -> Result<BuildLock, Error> {
        let path = self.state_folder("")?.join("lock");
        let error = |source| Error::State { path: path.clone(), source };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(error)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let _step = terminal::step("waiting for another build in this checkout");
                file.lock().map_err(error)?;
            }
            Err(TryLockError::Error(source)) => return Err(error(source)),
        }
        Ok(BuildLock(file))
    }
}

fn is_root(folder: &Path) -> bool {
    folder.join("run").is_dir()
        && folder.join("tools").is_dir()
        && fs::read_to_string(folder.join("Cargo.toml"))
            .is_ok_and(|manifest| manifest.lines().any(|l| l.trim() == "[workspace]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_checkout_is_found() {
        let workspace = Workspace::find().unwrap();
        assert!(workspace.root().join("tools/src/workspace.rs").is_file());
        let path = workspace.root().join("run/hello.toml");
        assert_eq!(workspace.relative(&path), Path::new("run/hello.toml"));
    }

    #[test]
    fn only_one_builds_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace { root: folder.path().into(), state: folder.path().join("rtcr") };
        let lock = workspace.lock().unwrap();
        let other = File::open(folder.path().join("rtcr/lock")).unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        drop(lock);
        // A program that another test is starting has the file open for a moment too.
        let free = (0..500).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            other.try_lock().is_ok()
        });
        assert!(free, "the lock outlives its proof");
    }
}
