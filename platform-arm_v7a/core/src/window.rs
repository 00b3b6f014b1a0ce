//! Frames mapped for the root task itself, side by side from 1 GiB on.
//!
//! What is mapped here stays mapped: a frame that core has given to a component can be read and filled at any time
//! without mapping it again.

use sel4::{Cap, Error, Frame, PageTable, Rights, VmAttributes, boot};
use wire::layout::PAGE;

use crate::objects::{Exhausted, Objects};

/// Where the window begins: 1 GiB, above any image.
const START: u32 = 0x4000_0000;
/// Where it ends, below the kernel.
const END: u32 = 0xe000_0000;
/// What one page table covers.
const TABLE: u32 = 1 << 20;

/// The part of core's address space that grows.
#[derive(Debug)]
pub struct Window {
    next: u32,
}

impl Window {
    /// An empty window; a root task has one.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self { next: START }
    }

    /// Maps a frame of memory; returns where. Cost: a map, and a page table for each 256 frames.
    ///
    /// # Errors
    /// No address, memory or slot is left, or the frame is mapped already.
    pub fn map(&mut self, objects: &mut Objects, frame: Cap<Frame>) -> Result<*mut u8, Exhausted> {
        self.map_as(objects, frame, VmAttributes::DATA)
    }

    /// Maps a frame of device registers, uncached; returns where.
    ///
    /// # Errors
    /// As [`Window::map`].
    pub fn map_device(&mut self, objects: &mut Objects, frame: Cap<Frame>) -> Result<usize, Exhausted> {
        self.map_as(objects, frame, VmAttributes::UNCACHED).map(|address| address.addr())
    }

    fn map_as(
        &mut self,
        objects: &mut Objects,
        frame: Cap<Frame>,
        attributes: VmAttributes,
    ) -> Result<*mut u8, Exhausted> {
        if self.next >= END {
            return Err(Exhausted::Kernel(Error::RangeError));
        }
        if self.next.is_multiple_of(TABLE) {
            objects.make::<PageTable>()?.map(boot::ADDRESS_SPACE, self.next)?;
        }
        // SAFETY: nothing was ever mapped at or above `next`.
        unsafe { frame.map(boot::ADDRESS_SPACE, self.next, Rights::READ_WRITE, attributes) }
            .map_err(Exhausted::Kernel)?;
        let address = self.next as *mut u8;
        self.next += PAGE;
        Ok(address)
    }
}
