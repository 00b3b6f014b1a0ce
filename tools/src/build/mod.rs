//! From source to executables for the board: cargo builds loader, core and programs, [`kernel`] the kernel.
//!
//! Each program is built by a cargo call of its own, so that what it is linked from does not depend on what else a
//! scenario holds. The paths of the checkout and of cargo's folders are replaced in what the compiler writes, so that
//! the bytes do not depend on where it works.

mod cargo;
mod kernel_file;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use base::scenario::Scenario;
use kernel::{Flavour, build::Kernel};

use crate::{
    executable,
    image::{self, Parts},
    setup::Toolchain,
    terminal,
    workspace::{self, Workspace},
};

pub use cargo::Error as CargoError;
pub use kernel_file::Error as KernelError;

/// Cargo's name for the board.
pub const TARGET: &str = "armv7a-none-eabi";
/// The root task of scenarios that name none.
const ROOT_TASK: &str = "rtcr-core";
/// The feature of core that has it record what it does.
const TRACE: &str = "trace";
/// Feature of core by which it can be told to lose things.
const LOSSES: &str = "losses";
/// What cargo puts the checkout's path to, in debug information.
pub const SOURCE_PREFIX: &str = "/rtcr";

/// Why nothing was built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The checkout cannot be used.
    #[error(transparent)]
    Workspace(#[from] workspace::Error),
    /// Cargo failed.
    #[error(transparent)]
    Cargo(#[from] CargoError),
    /// The kernel could not be had.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// What was built cannot be read.
    #[error(transparent)]
    Executable(#[from] executable::Error),
    /// What cargo made, or made once and takes for finished, is no executable.
    #[error(
        "{path} is {reason}. If it was damaged on the disk, delete the folder {folder}, and it is built again",
        path = path.display(), folder = folder.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        reason: wire::executable::Error,
        /// Everything that cargo has built: the file is linked into it under a second name, and would come back.
        folder: PathBuf,
    },
}

/// Which kernel to build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelRequest {
    /// Which of the two.
    pub flavour: Flavour,
    /// Patches to leave out, by number or name, to see what they are good for.
    pub without_patches: Vec<String>,
}

impl From<Flavour> for KernelRequest {
    fn from(flavour: Flavour) -> Self {
        Self { flavour, without_patches: Vec::new() }
    }
}

/// What was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The executables.
    pub parts: Parts,
    /// Which kernel is among them, and where its source lies.
    pub kernel: Kernel,
    /// The full names of the patches that it lacks.
    pub without_patches: Vec<String>,
}

/// Builds everything that a scenario needs. Waits while somebody else builds in the same checkout.
///
/// # Errors
/// Whatever the compilers say, or what is missing to run them.
pub fn build(
    workspace: &Workspace,
    toolchain: &Toolchain,
    scenario: &Scenario,
    kernel: &KernelRequest,
) -> Result<Built, Error> {
    let _lock = workspace.lock()?;
    let cargo = cargo::Cargo::new(workspace, toolchain)?;
    // Names are checked before anything takes time.
    let names: BTreeSet<_> = image::programs(scenario);
    let packages = names.iter().map(|name| cargo.package_of(name)).collect::<Result<Vec<_>, _>>()?;
    let root_task = scenario.root_task.as_deref().unwrap_or(ROOT_TASK);
    let root_task_package = cargo.root_task(root_task)?;
    let (kernel, without_patches) = kernel_file::find(workspace, kernel)?;
    let built = |package: &str, binary: &str, features: &[&str]| -> Result<Vec<u8>, Error> {
        let step = terminal::step(format!("building {binary}"));
        let file = cargo.build(package, binary, features, |detail| step.detail(detail))?;
        read(&file, &cargo.folder())
    };
    let loader = built("rtcr-loader", "loader", &[])?;
    let features = [(scenario.trace, TRACE), (scenario.losses, LOSSES)];
    let features: Vec<_> = features.into_iter().filter_map(|(wanted, feature)| wanted.then_some(feature)).collect();
    let core = built(root_task_package, root_task, &features)?;
    let mut programs = BTreeMap::new();
    for (name, package) in names.into_iter().zip(packages) {
        programs.insert(name.to_owned(), built(package, name, &[])?);
    }
    // Read while the lock is held: the next build may replace the files.
    let parts = Parts { kernel: executable::read(&kernel.elf)?, loader, core, programs };
    Ok(Built { parts, kernel, without_patches })
}

/// Reads what was built in `folder`, and checks that it can be used.
fn read(file: &Path, folder: &Path) -> Result<Vec<u8>, Error> {
    let bytes = executable::read(file)?;
    match wire::executable::open(&bytes) {
        Ok(_) => Ok(bytes),
        Err(reason) => Err(Error::Damaged { path: file.into(), reason, folder: folder.into() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_program_is_named_with_what_to_delete() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hello");
        let segment = wire::executable::Segment {
            address: 0x1_0000,
            physical: 0x1_0000,
            size: 8,
            bytes: &[0; 8],
            writable: false,
            executable: true,
        };
        let whole = executable::write("hello", 0x1_0000, [segment]).unwrap();
        std::fs::write(&file, &whole).unwrap();
        assert_eq!(read(&file, folder.path()).unwrap(), whole);
        for length in [0, 20, 4096 + 7] {
            std::fs::write(&file, &whole[..length]).unwrap();
            let error = read(&file, folder.path()).unwrap_err().to_string();
            let (file, folder) = (file.display(), folder.path().display());
            assert!(error.starts_with(&format!("{file} is ")), "{error}");
            assert!(error.contains(&format!("delete the folder {folder}, and it is built again")), "{error}");
        }
    }
}
