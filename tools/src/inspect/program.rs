//! The executable of an image's program, if it was built here: for the names of functions.

use std::{fs, path::Path};

use rtcr::image::{Identity, fingerprint};

use crate::{
    executable,
    explain::symbols::{Frame, Symbols},
    workspace::Workspace,
};

/// Where the board's executables are in a build's folder.
const EXECUTABLES: &str = "armv7a-none-eabi/system";

/// An executable.
#[derive(Debug)]
pub struct Program {
    bytes: Vec<u8>,
}

impl Program {
    /// The one in a file.
    ///
    /// # Errors
    /// There is no such file.
    pub fn read(path: &Path) -> std::io::Result<Self> {
        Ok(Self { bytes: fs::read(path)? })
    }

    /// The newest one of that name that was built in this checkout. It may be of another build than the image's.
    pub fn find(workspace: &Workspace, identity: &Identity) -> Option<Self> {
        // The name is part of a path, and comes from the image.
        if !identity.module.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
            return None;
        }
        let builds = fs::read_dir(workspace.state().join("build")).ok()?;
        let files = builds.filter_map(|build| {
            let file = build.ok()?.path().join(EXECUTABLES).join(identity.module.as_str());
            Some((fs::metadata(&file).ok()?.modified().ok()?, file))
        });
        Self::read(&files.max()?.1).ok()
    }

    /// Whether it is what the image's component ran, as far as that is known: modules are executables without what only a
    /// debugger wants.
    pub fn is_of(&self, identity: &Identity) -> bool {
        let module = executable::strip(&identity.module, &self.bytes);
        module.is_ok_and(|module| fingerprint(&module) == identity.fingerprint)
    }

    /// Where an address is in the source, innermost function first.
    pub fn frames(&self, address: u32) -> Vec<Frame> {
        Symbols::new(&self.bytes).frames(address)
    }

    /// The same in a word or two.
    pub fn place(&self, address: u32) -> Option<String> {
        let Frame { function, source } = self.frames(address).into_iter().next()?;
        Some(match source {
            Some((file, line)) => format!("{function} ({file}:{line})"),
            None => function,
        })
    }
}
