//! Where the kernel's source lies.
//!
//! `pin/Cargo.lock` names a crate and its checksum. [`locate`] asks cargo where that crate is; cargo downloads it when it
//! is not there yet and verifies the checksum then. Once fetched, no network is needed.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use cargo_metadata::{CargoOpt, MetadataCommand};
use serde::Deserialize;

/// The crate that carries the kernel's source.
const CRATE: &str = "sel4-sys";
/// The kernel's folder in it.
const FOLDER: &str = "seL4";

/// The kernel's source, complete and unpatched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The kernel's top folder: `Makefile`, `src`, `include`, `libsel4`, `tools`. To be read only; it belongs to cargo.
    pub root: PathBuf,
    /// The kernel's version, as its file `VERSION` has it.
    pub version: String,
    /// SHA-256 of the downloaded crate, in hexadecimal, as the lock file has it.
    pub checksum: String,
}

/// Why the kernel's source was not found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Cargo could not be started.
    #[error("cargo could not be started to find the kernel's source ({0}); install Rust, or set CARGO to its path")]
    NoCargo(io::Error),
    /// The source is not on this machine and could not be downloaded.
    #[error(
        "the kernel's source (inside the crate {CRATE}) is not on this machine and cargo could not fetch it:\n{0}\n\
         It is needed once: connect to the crate registry, or name a mirror of it in cargo's configuration \
         ([source.crates-io] replace-with), and try again"
    )]
    NotFetched(String),
    /// `pin/Cargo.toml` and `pin/Cargo.lock` disagree.
    #[error(
        "{manifest} and its Cargo.lock disagree, so nothing pins the kernel's source; restore both from git:\n{cargo}"
    )]
    Unlocked {
        /// The manifest.
        manifest: PathBuf,
        /// What cargo says about it.
        cargo: String,
    },
    /// Cargo answered something else than expected.
    #[error("cargo could not tell where the kernel's source is: {0}")]
    Cargo(cargo_metadata::Error),
    /// The lock file cannot be read as one, or does not pin the crate.
    #[error("{path} does not pin {CRATE} by checksum ({detail}); restore it from git")]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The crate was found without a kernel in it.
    #[error("{path} is incomplete ({detail}); delete the crate's folder, so that cargo unpacks it again")]
    Incomplete {
        /// The kernel's folder in it.
        path: PathBuf,
        /// What was missing.
        detail: io::Error,
    },
}

/// Finds the kernel's source that `folder/pin` names, fetching it if need be.
///
/// Runs the cargo that the environment variable `CARGO` names, as cargo itself sets it, or the first on the path. Costs
/// one call of cargo, without network, when the source is there.
///
/// # Errors
/// See [`Error`]; the messages say what to do.
pub fn locate(folder: &Path) -> Result<Source, Error> {
    ask(folder, &["--locked"])
}

/// As [`locate`], but fetches nothing.
///
/// # Errors
/// As of [`locate`]; [`Error::NotFetched`] when the source is not on this machine.
pub fn locate_offline(folder: &Path) -> Result<Source, Error> {
    ask(folder, &["--locked", "--offline"])
}

fn ask(folder: &Path, options: &[&str]) -> Result<Source, Error> {
    let manifest = folder.join("pin/Cargo.toml");
    let mut command = MetadataCommand::new();
    command.manifest_path(&manifest).current_dir(folder.join("pin"));
    command.cargo_path(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.features(CargoOpt::AllFeatures).other_options(options.iter().map(ToString::to_string).collect::<Vec<_>>());
    let metadata = command.exec().map_err(|error| match error {
        cargo_metadata::Error::Io(error) => Error::NoCargo(error),
        cargo_metadata::Error::CargoMetadata { stderr } if stderr.contains("--locked") => {
            Error::Unlocked { manifest: manifest.clone(), cargo: stderr.trim().to_owned() }
        }
        cargo_metadata::Error::CargoMetadata { stderr } => Error::NotFetched(stderr.trim().to_owned()),
        other => Error::Cargo(other),
    })?;

    let lock = folder.join("pin/Cargo.lock");
    let checksum = checksum(&lock)?;
    let package = metadata.packages.iter().find(|package| package.name.as_str() == CRATE);
    let package = package
        .ok_or_else(|| Error::Lock { path: lock, detail: "cargo does not list it among the packages".to_owned() })?;
    let root = package.manifest_path.with_file_name(FOLDER).into_std_path_buf();
    let version = fs::read_to_string(root.join("VERSION"))
        .map_err(|detail| Error::Incomplete { path: root.clone(), detail })?
        .trim()
        .to_owned();
    Ok(Source { root, version, checksum })
}

impl Source {
    /// The file at `path` below the kernel's top folder.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    checksum: Option<String>,
}

fn checksum(path: &Path) -> Result<String, Error> {
    let wrong = |detail: String| Error::Lock { path: path.to_owned(), detail };
    let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let lock: Lock = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let package = lock.package.into_iter().find(|package| package.name == CRATE);
    package.and_then(|package| package.checksum).ok_or_else(|| wrong("no such entry".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pinned_source_is_the_kernel() {
        let source = locate(crate::folder()).unwrap();
        assert_eq!(source.version, "5.0.0");
        assert_eq!(source.checksum.len(), 64);
        assert!(source.path("libsel4/include/interfaces/sel4.xml").is_file());
    }

    #[test]
    fn a_lock_that_pins_nothing_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Cargo.lock");
        for text in ["", "version = 4", "[[package]]\nname = \"sel4-sys\"\n", "["] {
            fs::write(&path, text).unwrap();
            assert!(matches!(checksum(&path), Err(Error::Lock { .. })), "{text}");
        }
    }

    #[test]
    fn a_manifest_that_differs_from_its_lock_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let pin = folder.path().join("pin");
        fs::create_dir_all(pin.join("src")).unwrap();
        for file in ["Cargo.lock", "src/lib.rs"] {
            fs::copy(crate::folder().join("pin").join(file), pin.join(file)).unwrap();
        }
        let manifest = fs::read_to_string(crate::folder().join("pin/Cargo.toml")).unwrap();
        fs::write(pin.join("Cargo.toml"), manifest.replace("0.0.28", "0.0.27")).unwrap();
        assert!(matches!(locate(folder.path()), Err(Error::Unlocked { .. } | Error::NotFetched(_))));
    }
}
