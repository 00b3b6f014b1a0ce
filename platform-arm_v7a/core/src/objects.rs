//! Kernel objects made from untyped memory, and the slots of the root task's capability space.
//!
//! Both are handed out in ascending order and never taken back here: a root task sets its system up once. What is given
//! back during a run is kept and recycled by whoever owns it.

use core::{fmt, mem, ops::Range};

use heapless::Vec;
use sel4::{
    BootInfo, CNode, Cap, Endpoint, Error, Frame, FrameSize, Node, Notification, ObjectKind, PageDirectory, PageTable,
    Tcb, Untyped, boot, untyped::MAX_OBJECTS,
};
use wire::layout::PAGE;

/// Most untypeds that a kernel hands out (`CONFIG_MAX_NUM_BOOTINFO_UNTYPED_CAPS` is below).
const MAX_UNTYPEDS: usize = 256;

/// What is left to make objects from.
#[derive(Debug)]
pub struct Objects {
    memory: Vec<Region, MAX_UNTYPEDS>,
    slots: Range<u32>,
    /// The CNode of the slots.
    node: Node,
}

/// An untyped object.
#[derive(Debug)]
pub(crate) struct Region {
    pub(crate) untyped: Cap<Untyped>,
    address: u32,
    /// In bytes; up to 2^31.
    pub(crate) size: u64,
    device: bool,
    used: u64,
}

/// Slots that are kept when [`Resources`](crate::resources::Resources) takes over, for frames of devices and what lies
/// before them.
const KEPT: u32 = 2048;

impl Region {
    /// Where an object of that size would start, counted from the region's beginning; the kernel aligns alike.
    pub(crate) fn place(&self, size: u64) -> u64 {
        self.used.next_multiple_of(size)
    }
}

/// Why an object cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// No untyped memory has room for this many bytes in one piece.
    Memory(u64),
    /// The capability space has no slot left.
    Slots,
    /// No device lies at this address, or memory behind it has been taken already.
    Device(u32),
    /// The kernel refused.
    Kernel(Error),
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(bytes) => write!(f, "core has no {bytes} bytes of memory left in one piece"),
            Self::Slots => write!(f, "core has no capability slot left"),
            Self::Device(address) => write!(f, "there is no free device at {address:#010x}"),
            Self::Kernel(error) => write!(f, "the kernel refused to make an object: {error}"),
        }
    }
}

impl From<Error> for Exhausted {
    fn from(error: Error) -> Self {
        Self::Kernel(error)
    }
}

/// Kinds of objects whose size is fixed.
pub trait Made {
    /// What the kernel is asked for.
    const KIND: ObjectKind;
}

macro_rules! made {
    ($($object:ident = $kind:expr;)*) => { $(impl Made for $object { const KIND: ObjectKind = $kind; })* };
}

made! {
    Tcb = ObjectKind::Tcb;
    Endpoint = ObjectKind::Endpoint;
    Notification = ObjectKind::Notification;
    PageTable = ObjectKind::PageTable;
    PageDirectory = ObjectKind::PageDirectory;
    Frame = ObjectKind::Frame(FrameSize::Small);
}

impl Objects {
    /// Everything that the kernel has handed to the root task.
    pub fn new(boot_info: &BootInfo) -> Self {
        let regions = boot_info.untypeds().map(|untyped| Region {
            untyped: untyped.cap,
            address: untyped.address,
            size: 1 << untyped.bits,
            device: untyped.device,
            used: 0,
        });
        Self { memory: regions.take(MAX_UNTYPEDS).collect(), slots: boot_info.empty(), node: boot::CNODE.into() }
    }

    /// An object of fixed size. Cost: one Retype, and a walk over the untypeds that are full.
    ///
    /// # Errors
    /// No memory or slot is left.
    pub fn make<T: Made>(&mut self) -> Result<Cap<T>, Exhausted> {
        self.make_of(T::KIND).map(Cap::new)
    }

    /// A CNode of 2^`bits` slots.
    ///
    /// # Errors
    /// No memory or slot is left.
    pub fn make_cnode(&mut self, bits: u8) -> Result<Cap<CNode>, Exhausted> {
        self.make_of(ObjectKind::CNode { bits }).map(Cap::new)
    }

    /// An untyped object of 2^`bits` bytes, for objects that are to be given back: memory is cleared and used again when
    /// everything made of it is gone. At least 4 bits.
    ///
    /// # Errors
    /// No memory or slot is left.
    pub fn make_untyped(&mut self, bits: u8) -> Result<Cap<Untyped>, Exhausted> {
        self.make_of(ObjectKind::Untyped { bits }).map(Cap::new)
    }

    /// `count` frames of 4 KiB in ascending slots; returns the first. Cost: a Retype for each 256.
    ///
    /// # Errors
    /// No memory or slots are left.
    pub fn make_frames(&mut self, count: u32) -> Result<Range<u32>, Exhausted> {
        let slots = self.take_slots(count)?;
        let mut next = slots.start;
        while next < slots.end {
            let batch = (slots.end - next).min(MAX_OBJECTS);
            self.retype(Frame::KIND, next, batch)?;
            next += batch;
        }
        Ok(slots)
    }

    /// The frame of a device's registers.
    ///
    /// # Errors
    /// There is no such device, or it or one behind it in the same untyped was taken before.
    pub fn make_device_frame(&mut self, address: u32) -> Result<Cap<Frame>, Exhausted> {
        let covers = |region: &Region| {
            let end = u64::from(region.address) + region.size;
            region.device && (region.address.into()..end).contains(&u64::from(address))
        };
        let index = self.memory.iter().position(covers).ok_or(Exhausted::Device(address))?;
        let offset = u64::from(address - self.memory[index].address);
        if offset < self.memory[index].used || !address.is_multiple_of(PAGE) {
            return Err(Exhausted::Device(address));
        }
        // Objects come in ascending order, and an untyped whose objects are all gone starts anew: so what lies before is
        // made too, and kept.
        loop {
            let slot = self.take_slots(1)?.start;
            let region = &mut self.memory[index];
            region.untyped.retype(Frame::KIND, self.node, slot, 1).map_err(Exhausted::Kernel)?;
            region.used += u64::from(PAGE);
            if region.used > offset {
                return Ok(Cap::new(slot));
            }
        }
    }

    /// So many frames of 1 MiB of a device's memory, from where it begins, in ascending slots; tells the first.
    ///
    /// # Errors
    /// There is no such device, it is smaller, or something was taken of it before.
    pub fn make_device_sections(&mut self, address: u32, count: u32) -> Result<u32, Exhausted> {
        let kind = ObjectKind::Frame(FrameSize::Section);
        let size = u64::from(count) << kind.memory_bits();
        let fits = |region: &&mut Region| {
            region.device && region.address == address && region.used == 0 && size <= region.size
        };
        let slots = self.slots.start..self.slots.start.saturating_add(count);
        let region = self.memory.iter_mut().find(fits).ok_or(Exhausted::Device(address))?;
        if slots.end > self.slots.end {
            return Err(Exhausted::Slots);
        }
        for first in slots.clone().step_by(MAX_OBJECTS as usize) {
            let batch = (slots.end - first).min(MAX_OBJECTS);
            region.untyped.retype(kind, self.node, first, batch).map_err(Exhausted::Kernel)?;
        }
        region.used = size;
        self.slots.start = slots.end;
        Ok(slots.start)
    }

    /// Empty slots, ascending.
    ///
    /// # Errors
    /// There are not so many.
    pub fn take_slots(&mut self, count: u32) -> Result<Range<u32>, Exhausted> {
        let start = self.slots.start;
        let end = start.checked_add(count).filter(|&end| end <= self.slots.end).ok_or(Exhausted::Slots)?;
        self.slots.start = end;
        Ok(start..end)
    }

    /// The slots lie in this CNode from now on, by the same numbers.
    pub(crate) fn set_node(&mut self, node: Node) {
        self.node = node;
    }

    /// Gives away all slots but a few.
    pub(crate) fn hand_over_slots(&mut self) -> Range<u32> {
        let Range { start, end } = self.slots;
        let kept = start.saturating_add(KEPT).min(end);
        self.slots = start..kept;
        kept..end
    }

    /// Gives away all memory that is not a device's.
    pub(crate) fn hand_over_memory(&mut self) -> alloc::vec::Vec<Region> {
        let (devices, memory) =
            mem::take(&mut self.memory).into_iter().partition::<alloc::vec::Vec<_>, _>(|region| region.device);
        self.memory = devices.into_iter().collect();
        memory
    }

    fn make_of(&mut self, kind: ObjectKind) -> Result<u32, Exhausted> {
        let slot = self.take_slots(1)?.start;
        self.retype(kind, slot, 1)?;
        Ok(slot)
    }

    /// Fills slots from the first ordinary memory with room for all of it.
    fn retype(&mut self, kind: ObjectKind, slot: u32, count: u32) -> Result<(), Exhausted> {
        let size = 1 << kind.memory_bits();
        let total = size * u64::from(count);
        let fits = |region: &&mut Region| !region.device && region.place(size) + total <= region.size;
        let region = self.memory.iter_mut().find(fits).ok_or(Exhausted::Memory(total))?;
        region.untyped.retype(kind, self.node, slot, count).map_err(Exhausted::Kernel)?;
        region.used = region.place(size) + total;
        Ok(())
    }
}
