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
/// Size of the largest frames.
const LARGEST: u32 = 16 << 20;

/// The part of core's address space that grows.
#[derive(Debug)]
pub struct Window {
    /// Where the next small page goes; at the start of a page table, there is none yet.
    next: u32,
    /// From here on nothing is mapped or reserved.
    end: u32,
}

impl Window {
    /// An empty window; a root task has one.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self { next: START, end: START }
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

    /// Room of that many bytes, whole MiB, in which nothing is mapped; at a multiple of 16 MiB if that divides the size.
    ///
    /// # Errors
    /// No address is left.
    pub fn reserve(&mut self, size: u32) -> Result<u32, Exhausted> {
        let align = if size.is_multiple_of(LARGEST) { LARGEST } else { TABLE };
        let start = self.end.next_multiple_of(align);
        let end = start.checked_add(size).filter(|&end| end <= END && size.is_multiple_of(TABLE));
        self.end = end.ok_or(Exhausted::Kernel(Error::RangeError))?;
        Ok(start)
    }

    fn map_as(
        &mut self,
        objects: &mut Objects,
        frame: Cap<Frame>,
        attributes: VmAttributes,
    ) -> Result<*mut u8, Exhausted> {
        if self.next.is_multiple_of(TABLE) {
            self.next = self.reserve(TABLE)?;
            objects.make::<PageTable>()?.map(boot::ADDRESS_SPACE, self.next)?;
        }
        // SAFETY: nothing was ever mapped from `next` to the end of its page table.
        unsafe { frame.map(boot::ADDRESS_SPACE, self.next, Rights::READ_WRITE, attributes) }
            .map_err(Exhausted::Kernel)?;
        let address = self.next as *mut u8;
        self.next += PAGE;
        Ok(address)
    }
}
