//! The boot modules: the scenario, and a program for each of its components.

use core::{fmt, slice};

use base::scenario::{self, Scenario};
use wire::archive::{self, Archive, HEADER};

unsafe extern "C" {
    /// First byte after the root task's image, where the loader has put the modules (link.ld).
    static __image_end: u8;
}

/// Why the modules cannot be used.
#[derive(Debug)]
pub enum Error {
    /// There is no archive, or a damaged one.
    Archive(archive::Error),
    /// There is no scenario in it.
    NoScenario,
    /// The scenario cannot be read: tool and core are of different versions.
    Scenario,
    /// The scenario breaks a rule.
    Invalid(scenario::Invalid),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archive(error) => error.fmt(f),
            Self::NoScenario => write!(f, "the boot modules hold no scenario"),
            Self::Scenario => write!(f, "the scenario cannot be read; tool and core are of different versions"),
            Self::Invalid(invalid) => invalid.fmt(f),
        }
    }
}

/// The archive that lies behind the image.
///
/// # Errors
/// It is not there or damaged.
pub fn archive() -> Result<Archive<'static>, Error> {
    let start = &raw const __image_end;
    // SAFETY: the loader starts core only when the archive is there and whole, and the kernel has mapped it as part of
    // the image; nobody writes to it.
    let header = unsafe { slice::from_raw_parts(start, HEADER) };
    let length = Archive::stated_length(header).map_err(Error::Archive)?;
    // SAFETY: as above.
    Archive::new(unsafe { slice::from_raw_parts(start, length) }).map_err(Error::Archive)
}

/// The scenario of this run.
///
/// # Errors
/// It is not there, cannot be read, or breaks a rule.
pub fn scenario(modules: &Archive<'_>) -> Result<Scenario, Error> {
    let file = modules.find(scenario::MODULE).ok_or(Error::NoScenario)?;
    let scenario: Scenario = postcard::from_bytes(file.bytes).map_err(|_| Error::Scenario)?;
    scenario.check().map_err(Error::Invalid)?;
    Ok(scenario)
}
