//! Checkpoints as bytes: an image that leaves the system, and comes back.
//!
//! The format is described in `docs/src/reference/checkpoint-image.md`, so that another program can read it. It has
//! types of its own (`record`), into and from which information is converted, so that a change of the library's types
//! does not change the format unnoticed.
//!
//! * [`write()`]: a checkpoint's information, and its pages one at a time, in order to a [`Sink`]; [`measure()`] is its first
//!   half, after which it is known how long the image will be.
//! * [`Reader`]: in order from a [`Source`], into room that the caller brings. Nothing in an image is trusted, and
//!   nothing is taken that is not what [`write()`] would have written.
//! * [`check()`]: what information must be like; asked by both.
//! * [`Given`]: what a parent gives to the component, whatever its image says.
//! * [`Image`]: all of it in memory, for tests and tools.

mod check;
mod fault;
mod given;
mod header;
mod input;
mod inventory;
mod read;
mod record;
mod section;
mod whole;
mod write;

use base::session::pd::PAGE;

pub use check::check;
pub use fault::{Fault, ObjectFault, PageFault, RegionFault};
pub use given::{Given, Refused};
pub(crate) use header::crc32;
pub use header::{ARM, Entry, Header, MAGIC, MAX_SECTIONS, VERSION, Version};
pub use read::{ReadError, Reader};
pub use section::{Description, Section, TABLE};
pub use whole::{Image, MemoryPages};
pub use write::{Measured, WriteError, measure, write};

use crate::object::{ModuleName, ThreadName};

/// Content of a page.
pub type Page = [u8; PAGE as usize];

/// Whose image it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// What the component is called.
    pub name: ThreadName,
    /// The module that is its program.
    pub module: ModuleName,
    /// What the program's content is known by.
    pub fingerprint: u64,
}

/// What a module is known by: FNV-1a in 64 bits over the file.
pub fn fingerprint(module: &[u8]) -> u64 {
    module.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// Where the bytes of an image go, in order.
pub trait Sink {
    /// Why they do not.
    type Error;

    /// Takes all of them.
    ///
    /// # Errors
    /// They are not taken; nothing more will come.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;
}

/// Where the bytes of an image come from, in order.
pub trait Source {
    /// Why they do not.
    type Error;

    /// Fills the beginning; tells how many bytes that were. None means that there are no more.
    ///
    /// # Errors
    /// There are no bytes; no more are asked for.
    fn read(&mut self, to: &mut [u8]) -> Result<usize, Self::Error>;
}

/// Where the content of a checkpoint's pages is.
pub trait PageSource {
    /// Why it cannot be seen.
    type Error;

    /// A page, counted from the checkpoint's first. Each is asked for at most twice, in ascending order.
    ///
    /// # Errors
    /// It cannot be seen.
    fn page(&mut self, index: u32) -> Result<&Page, Self::Error>;
}

/// Where the content of a checkpoint's pages goes.
pub trait PageSink {
    /// Why it does not.
    type Error;

    /// How many pages there is room for.
    fn room(&self) -> u32;

    /// A page to be written, counted from the checkpoint's first. Each is asked for at most once, in ascending order;
    /// what lies below a stack's pointer is not.
    ///
    /// # Errors
    /// It cannot be written.
    fn page(&mut self, index: u32) -> Result<&mut Page, Self::Error>;

    /// The same for a page that is zero.
    ///
    /// # Errors
    /// It cannot be written.
    fn zero(&mut self, index: u32) -> Result<(), Self::Error> {
        self.page(index)?.fill(0);
        Ok(())
    }
}

impl Sink for alloc::vec::Vec<u8> {
    type Error = core::convert::Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}

impl Source for &[u8] {
    type Error = core::convert::Infallible;

    fn read(&mut self, to: &mut [u8]) -> Result<usize, Self::Error> {
        let count = to.len().min(self.len());
        let (now, later) = self.split_at(count);
        to[..count].copy_from_slice(now);
        *self = later;
        Ok(count)
    }
}
