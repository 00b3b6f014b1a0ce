//! The kernel's ELF file, from the cache or built.

use kernel::{
    Configuration, Flavour,
    build::{self, Kernel},
    source,
};

use crate::{
    terminal,
    workspace::{self, Workspace},
};

/// Why there is no kernel.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The checkout cannot be used.
    #[error(transparent)]
    Workspace(#[from] workspace::Error),
    /// Its source cannot be had.
    #[error(transparent)]
    Source(#[from] source::Error),
    /// Its configuration is wrong.
    #[error(transparent)]
    Configuration(#[from] kernel::configuration::Error),
    /// It does not build.
    #[error(transparent)]
    Build(#[from] build::Error),
}

/// The kernel of that flavour; the first time it takes some seconds.
pub(super) fn find(workspace: &Workspace, flavour: Flavour) -> Result<Kernel, Error> {
    let step = terminal::step(format!("building the {flavour} kernel"));
    let source = source::locate(kernel::folder())?;
    let configuration = Configuration::load(kernel::folder(), &source)?;
    let cache = workspace.state_folder("kernel")?;
    Ok(build::build(&source, &configuration, flavour, &cache, &mut |what| step.detail(what))?)
}
