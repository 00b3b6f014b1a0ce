//! What images are kept on.

use alloc::vec::Vec;
use core::convert::Infallible;

/// Bytes that are read and written at an offset, and outlive whoever does that.
pub trait Medium {
    /// Why that fails.
    type Error;

    /// How many bytes there are.
    fn size(&self) -> u64;

    /// Reads as many bytes as there is room for; all of them lie within the medium.
    ///
    /// # Errors
    /// What was read means nothing.
    fn read(&mut self, at: u64, to: &mut [u8]) -> Result<(), Self::Error>;

    /// Writes bytes; all of them lie within the medium. Cut off, or with an error, each of them is as before or as written.
    ///
    /// # Errors
    /// Some may have been written.
    fn write(&mut self, at: u64, bytes: &[u8]) -> Result<(), Self::Error>;

    /// What was written before is there before anything that is written later.
    ///
    /// # Errors
    /// It is not known what is there.
    fn flush(&mut self) -> Result<(), Self::Error>;
}

impl<M: Medium> Medium for &mut M {
    type Error = M::Error;

    fn size(&self) -> u64 {
        (**self).size()
    }

    fn read(&mut self, at: u64, to: &mut [u8]) -> Result<(), M::Error> {
        (**self).read(at, to)
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> Result<(), M::Error> {
        (**self).write(at, bytes)
    }

    fn flush(&mut self) -> Result<(), M::Error> {
        (**self).flush()
    }
}

/// Bytes in memory, for tests and tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryMedium {
    /// All of them.
    pub bytes: Vec<u8>,
}

impl Medium for MemoryMedium {
    type Error = Infallible;

    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read(&mut self, at: u64, to: &mut [u8]) -> Result<(), Infallible> {
        let at = at as usize;
        to.copy_from_slice(&self.bytes[at..at + to.len()]);
        Ok(())
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> Result<(), Infallible> {
        let at = at as usize;
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
