//! What tests and benchmarks use up: slots, memory of a given size, addresses, address spaces.

use alloc::vec::Vec;
use core::{
    ptr,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use rtcr_core::objects::Exhausted;
use sel4::{
    CNode, Cap, CapData, Error, Frame, FrameSize, ObjectKind, PageDirectory, PageTable, Rights, Slot, Untyped,
    VmAttributes, boot,
};
use wire::layout::{CORE_VIRTUAL, PAGE};

use crate::Ground;

/// What a page table covers.
const TABLE: u32 = 1 << 20;
/// Addresses that neither the root task's image nor its window reaches: from here to the kernel.
const ADDRESSES: u32 = 0x8000_0000;

static NEXT: AtomicU32 = AtomicU32::new(ADDRESSES);

/// A capability to an object that no Rust reference is into: memory behind it is read and written through
/// [`read()`] and [`write()`] and by the threads of tests, word by word. So mapping and deleting it is safe.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Loose<T>(Cap<T>);

impl<T> Loose<T> {
    /// The capability.
    pub const fn cap(self) -> Cap<T> {
        self.0
    }

    /// Where it lies.
    pub const fn slot(self) -> Slot {
        self.0.slot(boot::CNODE)
    }

    /// The one made `index` places after it in the same batch.
    pub const fn offset(self, index: u32) -> Self {
        Self(Cap::new(self.0.number() + index))
    }

    /// Deletes it; with the last capability the object goes.
    ///
    /// # Errors
    /// The place does not exist.
    pub fn delete(self) -> Result<(), Error> {
        // SAFETY: no reference is into the object (the type's promise).
        unsafe { self.slot().delete() }
    }

    /// Deletes what was derived from it: what is derived from a loose object is loose.
    ///
    /// # Errors
    /// The place does not exist.
    pub fn revoke(self) -> Result<(), Error> {
        // SAFETY: as for `delete`; what is derived from a loose object is loose.
        unsafe { self.slot().revoke() }
    }
}

impl Loose<Untyped> {
    /// Makes an object of it, in a slot of its own.
    ///
    /// # Errors
    /// As `Untyped_Retype`, or no slot is left.
    pub fn make<T>(self, ground: &mut Ground, kind: ObjectKind) -> Result<Loose<T>, Exhausted> {
        self.make_batch(ground, kind, 1)
    }

    /// Makes `count` objects of it, in slots of their own; returns the first.
    ///
    /// # Errors
    /// As `Untyped_Retype`, or no slots are left.
    pub fn make_batch<T>(self, ground: &mut Ground, kind: ObjectKind, count: u32) -> Result<Loose<T>, Exhausted> {
        let slots = ground.objects.take_slots(count)?;
        Ok(self.make_at(kind, slots.start, count)?)
    }

    /// Makes `count` objects of it in empty slots from `first` on; returns the first.
    ///
    /// # Errors
    /// As `Untyped_Retype`.
    #[inline(always)]
    pub fn make_at<T>(self, kind: ObjectKind, first: u32, count: u32) -> Result<Loose<T>, Error> {
        self.0.retype(kind, boot::CNODE, first, count)?;
        Ok(Loose(Cap::new(first)))
    }
}

impl Loose<Frame> {
    /// Maps it for the root task, where no page was, or was a loose one. The page table must be there.
    ///
    /// # Errors
    /// As `Page_Map`.
    pub fn map(self, address: u32, rights: Rights) -> Result<(), Error> {
        self.map_as(address, rights, VmAttributes::DATA)
    }

    /// The same with attributes.
    ///
    /// # Errors
    /// As `Page_Map`.
    pub fn map_as(self, address: u32, rights: Rights, attributes: VmAttributes) -> Result<(), Error> {
        if address < ADDRESSES {
            return Err(Error::RangeError);
        }
        // SAFETY: at these addresses there are loose frames only.
        unsafe { self.0.map(boot::ADDRESS_SPACE, address, rights, attributes) }
    }

    /// Changes the rights of the root task's mapping.
    ///
    /// # Errors
    /// As `Page_Remap`.
    pub fn remap(self, rights: Rights) -> Result<(), Error> {
        // SAFETY: no reference is into the frame.
        unsafe { self.0.remap(boot::ADDRESS_SPACE, rights, VmAttributes::DATA) }
    }

    /// Unmaps it.
    ///
    /// # Errors
    /// As `Page_Unmap`.
    pub fn unmap(self) -> Result<(), Error> {
        // SAFETY: no reference is into the frame.
        unsafe { self.0.unmap() }
    }
}

/// A word of memory, wherever it is mapped; it faults, and so ends the run, where nothing is.
pub fn read(address: u32) -> u32 {
    // SAFETY: memory that anything refers to is not changed by reading; elsewhere the guardian reports the fault.
    unsafe { ptr::read_volatile(address as *const u32) }
}

/// Sets a word of loose memory.
///
/// # Panics
/// The address is below those of loose memory.
pub fn write(address: u32, word: u32) {
    assert!(address >= ADDRESSES, "{address:#x} is no address of loose memory");
    // SAFETY: at these addresses there is loose memory only, into which there are no references.
    unsafe { ptr::write_volatile(address as *mut u32, word) }
}

impl Ground {
    /// An empty slot of the root task's capability space.
    ///
    /// # Errors
    /// None is left.
    pub fn slot(&mut self) -> Result<Slot, Exhausted> {
        Ok(Cap::<CNode>::new(self.objects.take_slots(1)?.start).slot(boot::CNODE))
    }

    /// Memory to be made into objects and given back.
    ///
    /// # Errors
    /// None is left.
    pub fn untyped(&mut self, bits: u8) -> Result<Loose<Untyped>, Exhausted> {
        self.objects.make_untyped(bits).map(Loose)
    }

    /// An object in memory of its own.
    ///
    /// # Errors
    /// None is left.
    pub fn loose<T>(&mut self, kind: ObjectKind) -> Result<Loose<T>, Exhausted> {
        self.untyped(kind.memory_bits())?.make(self, kind)
    }

    /// A frame in memory of its own.
    ///
    /// # Errors
    /// None is left.
    pub fn frame(&mut self, size: FrameSize) -> Result<Loose<Frame>, Exhausted> {
        self.loose(ObjectKind::Frame(size))
    }

    /// A copy of a capability, with at most these rights.
    ///
    /// # Errors
    /// No slot is left.
    pub fn copy<T>(&mut self, cap: Cap<T>, rights: Rights) -> Result<Loose<T>, Exhausted> {
        let slot = self.slot()?;
        cap.slot(boot::CNODE).copy_to(slot, rights)?;
        Ok(Loose(slot.cap()))
    }

    /// Addresses at which nothing is mapped and never was: at least `size`, a power of two, aligned to it, and to a
    /// megabyte, so that no page table is there.
    pub fn addresses(&mut self, size: u32) -> u32 {
        let size = size.next_multiple_of(TABLE);
        let start = NEXT.load(Relaxed).next_multiple_of(size);
        NEXT.store(start + size, Relaxed);
        start
    }

    /// Addresses with a page table: a megabyte for pages.
    ///
    /// # Errors
    /// Nothing is left to make the table of.
    pub fn megabyte(&mut self) -> Result<u32, Exhausted> {
        let address = self.addresses(TABLE);
        self.objects.make::<PageTable>()?.map(boot::ADDRESS_SPACE, address)?;
        Ok(address)
    }
}

/// An address space beside the root task's own.
#[derive(Debug)]
pub struct AddressSpace {
    /// The kernel's object.
    pub directory: Cap<PageDirectory>,
    tables: Vec<u32>,
}

impl AddressSpace {
    /// An empty one.
    ///
    /// # Errors
    /// Nothing is left.
    pub fn new(ground: &mut Ground) -> Result<Self, Exhausted> {
        let directory = ground.objects.make::<PageDirectory>()?;
        boot::ASID_POOL.assign(directory)?;
        Ok(Self { directory, tables: Vec::new() })
    }

    /// One in which the root task's image lies where it lies for the root task itself, heap included, so that threads
    /// can run its code.
    ///
    /// # Errors
    /// Nothing is left.
    pub fn with_image(ground: &mut Ground) -> Result<Self, Exhausted> {
        let mut space = Self::new(ground)?;
        let boot_info = ground.boot_info;
        for (frame, address) in boot_info.image_frames().zip((CORE_VIRTUAL..).step_by(PAGE as usize)) {
            space.map_with(ground, frame, address, Rights::READ_WRITE, VmAttributes::EXECUTABLE)?;
        }
        Ok(space)
    }

    /// Maps a copy of a frame's capability, and returns the copy.
    ///
    /// # Errors
    /// Nothing is left, or the kernel refuses.
    pub fn map(
        &mut self,
        ground: &mut Ground,
        frame: Cap<Frame>,
        address: u32,
        rights: Rights,
    ) -> Result<Loose<Frame>, Exhausted> {
        self.map_with(ground, frame, address, rights, VmAttributes::DATA)
    }

    fn map_with(
        &mut self,
        ground: &mut Ground,
        frame: Cap<Frame>,
        address: u32,
        rights: Rights,
        attributes: VmAttributes,
    ) -> Result<Loose<Frame>, Exhausted> {
        let table = address & !(TABLE - 1);
        if !self.tables.contains(&table) {
            ground.objects.make::<PageTable>()?.map(self.directory, table)?;
            self.tables.push(table);
        }
        let copy = ground.copy(frame, Rights::ALL)?;
        // SAFETY: the space is new and nothing of Rust lies in it but what the caller maps alike in both.
        unsafe { copy.cap().map(self.directory, address, rights, attributes) }?;
        Ok(copy)
    }

    /// Changes the rights of a mapping in this space.
    ///
    /// # Errors
    /// As `Page_Remap`.
    pub fn remap(&self, frame: Loose<Frame>, rights: Rights) -> Result<(), Error> {
        // SAFETY: no reference is into the frame.
        unsafe { frame.cap().remap(self.directory, rights, VmAttributes::DATA) }
    }

    /// The spaces of a thread that lives here with the root task's capability space.
    pub fn space(&self, fault_endpoint: u32) -> sel4::thread::Space {
        sel4::thread::Space {
            fault_endpoint,
            root: boot::CNODE,
            root_data: CapData::None,
            address_space: self.directory,
        }
    }
}
