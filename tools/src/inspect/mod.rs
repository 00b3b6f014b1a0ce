//! A checkpoint image, for people and for programs.

mod diff;
mod memory;
mod program;
mod shown;

pub use diff::Difference;
pub use memory::{Dump, NotThere};
pub use program::Program;
pub use shown::{Shown, json};

#[cfg(test)]
mod tests;

use std::{fs, io, path::Path};

use rtcr::{
    image::{Fault, Image},
    information::Need,
};

/// More than any component can have, so that a wrong image takes no more memory than that.
pub(crate) const MOST: Need =
    Need { objects: 1 << 17, regions: 1 << 18, words: 16 << 10, served: 1 << 16, pages: 1 << 18 };

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No file.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// No image.
    #[error("{path}: {fault}")]
    Fault {
        /// Which.
        path: String,
        /// Why.
        fault: Fault,
    },
}

/// Reads an image.
///
/// # Errors
/// There is none.
pub fn read(path: &Path) -> Result<Image, Error> {
    let shown = || path.display().to_string();
    let bytes = fs::read(path).map_err(|source| Error::Read { path: shown(), source })?;
    Image::decode(&bytes, &MOST).map_err(|fault| Error::Fault { path: shown(), fault })
}
