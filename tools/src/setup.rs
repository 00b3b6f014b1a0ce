//! What the host must have, and how it gets it.
//!
//! A fresh clone needs nothing but Rust and git to start with; the rest is set up when it is first needed. Three kinds
//! of things are missing then, and each is tried, told and undone in its own way:
//!
//! * programs and Python modules, which are Debian packages: [`ensure`]. Nothing is removed or downgraded for them; where
//!   QEMU cannot be installed otherwise, there is a private copy of it;
//! * a Rust toolchain that builds for the board: [`toolchain`];
//! * the kernel's source, which cargo fetches: [`kernel::source::locate`].
//!
//! Everything is checked by what it provides, not by which package is installed, so other systems than Debian do as
//! well when they have the same programs; only installing knows apt-get. Where this program may not install, its errors
//! say exactly what to type. [`doctor`] tells all of it without changing anything.
//!
//! | variable | effect |
//! |---|---|
//! | `RTCR_NO_INSTALL=1` | nothing is installed or fetched |
//! | `RTCR_QEMU=PROGRAM` | another QEMU than the one on the PATH, or the private copy |
//! | `RTCR_TOOLCHAIN=rustup` | only the toolchain in use builds for the board, with a target from rustup |
//! | `RTCR_TOOLCHAIN=debian` | only Debian's toolchain does |

mod apt;
pub mod doctor;
mod install;
mod machine;
mod private;
mod requirement;
#[cfg(test)]
mod tests;
mod toolchain;

use std::path::PathBuf;

pub use install::Error;
pub use machine::Machine;
pub use private::Error as CopyError;
pub use requirement::Need;
pub use toolchain::{Choice, Error as ToolchainError, Toolchain, prove};

/// Makes sure that what `needs` stand for is there, installing what is missing where that is allowed.
///
/// When nothing is missing this costs a look along the search path and, for [`Need::Kernel`], one start of Python; where
/// the emulator is a private copy, one start of that.
///
/// # Errors
/// Something is missing and could not be installed; the message says what to type.
pub fn ensure(needs: &[Need]) -> Result<(), Error> {
    install::ensure(&Machine::here(), needs)
}

/// The QEMU that is there: the one on the PATH, else the private copy that [`ensure`] has made.
pub fn emulator() -> Option<PathBuf> {
    requirement::emulator(&Machine::here())
}

/// The toolchain that builds for the board, set up if there is none; RTCR_TOOLCHAIN says which come into question.
///
/// What is there wins over what would have to be fetched: the toolchain in use if it has the target, Debian's if it is
/// complete, then the target by rustup, then Debian's packages.
///
/// # Errors
/// There is none and none could be installed; the message says what to type.
pub fn toolchain() -> Result<Toolchain, ToolchainError> {
    toolchain_of(Choice::from_environment()?)
}

/// The same, whatever RTCR_TOOLCHAIN says.
///
/// # Errors
/// As of [`toolchain`].
pub fn toolchain_of(choice: Choice) -> Result<Toolchain, ToolchainError> {
    toolchain::find(&Machine::here(), choice)
}
