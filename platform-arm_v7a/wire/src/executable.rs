//! Executables for this board; what they are is in [`base::executable`].

pub use base::executable::{Error, Executable, Segment};

/// Number of the processor in ELF files: ARM.
pub const MACHINE: u16 = 40;

/// Checks a file.
///
/// # Errors
/// The first thing that is wrong.
pub fn open(file: &[u8]) -> Result<Executable<'_>, Error> {
    Executable::new(file, MACHINE)
}
