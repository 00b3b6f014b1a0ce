//! The kernel's ELF file, from the cache or built.

use kernel::{
    Configuration,
    build::{self, Kernel},
    source,
};

use super::KernelRequest;
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

/// The kernel that was asked for, and the full names of the patches that it lacks; the first time it takes some seconds.
pub(super) fn find(workspace: &Workspace, request: &KernelRequest) -> Result<(Kernel, Vec<String>), Error> {
    let flavour = request.flavour;
    let step = terminal::step(format!("building the {flavour} kernel"));
    let source = source::locate(kernel::folder())?;
    let mut configuration = Configuration::load(kernel::folder(), &source)?;
    let mut missing: Vec<String> = configuration.patches().iter().map(|patch| patch.name.clone()).collect();
    for name in &request.without_patches {
        configuration = configuration.without_patch(&full_number(name))?;
    }
    missing.retain(|name| configuration.patches().iter().all(|patch| patch.name != *name));
    let cache = workspace.state_folder("kernel")?;
    let kernel = build::build(&source, &configuration, flavour, &cache, &mut |what| step.detail(what))?;
    Ok((kernel, missing))
}

/// Patches are numbered with four digits; people write `3`.
fn full_number(name: &str) -> String {
    match !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) {
        true => format!("{name:0>4}"),
        false => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_patches_may_be_short() {
        assert_eq!(full_number("3"), "0003");
        assert_eq!(full_number("0003"), "0003");
        assert_eq!(full_number("0003-stale"), "0003-stale");
        assert_eq!(full_number(""), "");
    }
}
