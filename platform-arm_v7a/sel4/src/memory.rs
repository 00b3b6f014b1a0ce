//! Frames, page tables, address spaces (manual, chapter 7).
//!
//! An address space is a [`PageDirectory`] that an [`AsidPool`] has given a number. Sections are mapped into it directly,
//! pages through a [`PageTable`] that covers their megabyte. A frame capability remembers where it is mapped, once: to map
//! a frame twice, copy its capability. Addresses are words, of the address space that the call names.

use core::ops::Range;

use sel4_raw as raw;

use crate::{AsidControl, AsidPool, Cap, Error, Frame, PageDirectory, PageTable, Rights, Slot, Untyped};

/// How large a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FrameSize {
    /// 4 KiB, `seL4_ARM_SmallPageObject`.
    Small,
    /// 64 KiB, `seL4_ARM_LargePageObject`; 16 entries of a page table.
    Large,
    /// 1 MiB, `seL4_ARM_SectionObject`; an entry of the page directory.
    Section,
    /// 16 MiB, `seL4_ARM_SuperSectionObject`; 16 entries of the page directory.
    SuperSection,
}

impl FrameSize {
    /// All, in ascending order.
    pub const ALL: [Self; 4] = [Self::Small, Self::Large, Self::Section, Self::SuperSection];

    /// The size is 2 to this power in bytes; frames are mapped at multiples of it.
    pub const fn bits(self) -> u8 {
        (match self {
            Self::Small => raw::seL4_PageBits,
            Self::Large => raw::seL4_LargePageBits,
            Self::Section => raw::seL4_SectionBits,
            Self::SuperSection => raw::seL4_SuperSectionBits,
        }) as u8
    }

    /// The size in bytes.
    pub const fn bytes(self) -> u32 {
        1 << self.bits()
    }
}

/// How memory is accessed. Stands for `seL4_ARM_VMAttributes` (manual, section 7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VmAttributes(u32);

impl VmAttributes {
    /// Cached, executable: code.
    pub const EXECUTABLE: Self = Self(raw::seL4_ARM_Default_VMAttributes);
    /// Cached, not executable: data. `seL4_ARM_Default_VMAttributes` with `seL4_ARM_ExecuteNever`.
    pub const DATA: Self = Self(raw::seL4_ARM_Default_VMAttributes | raw::seL4_ARM_ExecuteNever);
    /// Not cached, not executable: device registers, and memory that a device reads or writes.
    pub const UNCACHED: Self = Self(raw::seL4_ARM_ExecuteNever);

    /// The kernel's word for it.
    pub const fn word(self) -> u32 {
        self.0
    }
}

impl Cap<Frame> {
    /// Maps the frame at `address`, a multiple of its size; 590 ns. Without the read right it is mapped for the kernel
    /// only.
    ///
    /// Another frame that is mapped there is replaced, if it has the size of a small page; its capability does not learn
    /// of it.
    ///
    /// Corresponds to `seL4_ARM_Page_Map` (manual, section 10.5).
    ///
    /// # Errors
    /// `FailedLookup`: a page is to be mapped where there is no page table. `DeleteFirst`: pages lie where a section is to
    /// go, or the reverse. `InvalidCapability`: this capability is mapped already. `InvalidArgument`: `address` is the kernel's.
    /// `InvalidCapability`: `space` is no address space with a number. `AlignmentError`.
    ///
    /// # Safety
    /// If `space` is one in which Rust code runs: nothing that it refers to is mapped in the range, and while the frame is
    /// mapped in several places (here or elsewhere), references into it keep Rust's rules for aliases.
    #[inline]
    pub unsafe fn map(
        self,
        space: Cap<PageDirectory>,
        address: u32,
        rights: Rights,
        attributes: VmAttributes,
    ) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; the caller vouches for memory.
        Error::check(unsafe {
            raw::seL4_ARM_Page_Map(self.number(), space.number(), address, rights.raw(), attributes.word())
        })
    }

    /// Changes rights and attributes of the mapping, in place; 587 ns.
    ///
    /// Corresponds to `seL4_ARM_Page_Remap` (manual, section 10.5).
    ///
    /// # Errors
    /// `InvalidArgument`, `InvalidCapability`: this capability is not mapped, or not in `space`.
    ///
    /// # Safety
    /// If `space` is one in which Rust code runs: references into the frame remain valid with the new rights.
    #[inline]
    pub unsafe fn remap(
        self,
        space: Cap<PageDirectory>,
        rights: Rights,
        attributes: VmAttributes,
    ) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; the caller vouches for memory.
        Error::check(unsafe {
            raw::seL4_ARM_Page_Remap(self.number(), space.number(), rights.raw(), attributes.word())
        })
    }

    /// Takes the frame from where this capability mapped it; if it is mapped nowhere, nothing happens. 507 ns.
    ///
    /// Corresponds to `seL4_ARM_Page_Unmap` (manual, section 10.5).
    ///
    /// # Errors
    /// The slot holds something else.
    ///
    /// # Safety
    /// No reference into the frame, in that address space, is used again.
    #[inline]
    pub unsafe fn unmap(self) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; the caller vouches for memory.
        Error::check(unsafe { raw::seL4_ARM_Page_Unmap(self.number()) })
    }

    /// The physical address of the frame.
    ///
    /// Corresponds to `seL4_ARM_Page_GetAddress` (manual, section 10.5).
    ///
    /// # Errors
    /// The slot holds something else.
    #[inline]
    pub fn address(self) -> Result<u32, Error> {
        // SAFETY: the thread has its message buffer; memory is not touched.
        let answer = unsafe { raw::seL4_ARM_Page_GetAddress(self.number()) };
        Error::check(answer.error).map(|()| answer.paddr)
    }

    /// Writes cached data of these bytes of the frame to memory. The frame is mapped by this capability.
    ///
    /// Corresponds to `seL4_ARM_Page_Clean_Data` (manual, section 10.5).
    ///
    /// # Errors
    /// `IllegalOperation`: not mapped. `InvalidArgument`: the range is empty or not inside the frame.
    #[inline]
    pub fn clean(self, bytes: Range<u32>) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; the content that programs see does not change.
        Error::check(unsafe { raw::seL4_ARM_Page_Clean_Data(self.number(), bytes.start, bytes.end) })
    }

    /// Forgets cached data of these bytes of the frame, so that they are read from memory again.
    ///
    /// Corresponds to `seL4_ARM_Page_Invalidate_Data` (manual, section 10.5).
    ///
    /// # Errors
    /// As [`clean`](Self::clean).
    ///
    /// # Safety
    /// What was written and not cleaned is lost: nothing of Rust lies in the cache lines that the range touches.
    #[inline]
    pub unsafe fn invalidate(self, bytes: Range<u32>) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; the caller vouches for memory.
        Error::check(unsafe { raw::seL4_ARM_Page_Invalidate_Data(self.number(), bytes.start, bytes.end) })
    }

    /// [`clean`](Self::clean)s, then forgets.
    ///
    /// Corresponds to `seL4_ARM_Page_CleanInvalidate_Data` (manual, section 10.5).
    ///
    /// # Errors
    /// As [`clean`](Self::clean).
    #[inline]
    pub fn clean_invalidate(self, bytes: Range<u32>) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; what programs wrote is kept.
        Error::check(unsafe { raw::seL4_ARM_Page_CleanInvalidate_Data(self.number(), bytes.start, bytes.end) })
    }

    /// Makes data written to these bytes of the frame visible to instruction fetches.
    ///
    /// Corresponds to `seL4_ARM_Page_Unify_Instruction` (manual, section 10.5).
    ///
    /// # Errors
    /// As [`clean`](Self::clean).
    #[inline]
    pub fn unify_instruction(self, bytes: Range<u32>) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; the content that programs see as data does not change.
        Error::check(unsafe { raw::seL4_ARM_Page_Unify_Instruction(self.number(), bytes.start, bytes.end) })
    }
}

impl Cap<PageTable> {
    /// Lets the table cover the megabyte around `address`. It is empty, so nothing is mapped by that.
    ///
    /// Corresponds to `seL4_ARM_PageTable_Map` (manual, section 10.5).
    ///
    /// # Errors
    /// `DeleteFirst`: a table or section covers it already. `InvalidCapability`: this table is in use, or `space` is no
    /// address space with a number. `InvalidArgument`: the address is the kernel's.
    #[inline]
    pub fn map(self, space: Cap<PageDirectory>, address: u32) -> Result<(), Error> {
        let attributes = VmAttributes::EXECUTABLE.word();
        // SAFETY: the thread has its message buffer; an empty table maps nothing, and replaces nothing.
        Error::check(unsafe { raw::seL4_ARM_PageTable_Map(self.number(), space.number(), address, attributes) })
    }

    /// Takes the table, with all that is mapped through it, out of its address space, and empties it.
    ///
    /// Corresponds to `seL4_ARM_PageTable_Unmap` (manual, section 10.5).
    ///
    /// # Errors
    /// `RevokeFirst`: there are copies of this capability.
    ///
    /// # Safety
    /// No reference into the megabyte, in that address space, is used again.
    #[inline]
    pub unsafe fn unmap(self) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; the caller vouches for memory.
        Error::check(unsafe { raw::seL4_ARM_PageTable_Unmap(self.number()) })
    }
}

impl Cap<PageDirectory> {
    /// Writes cached data of these addresses, inside one page or section, to memory.
    ///
    /// Corresponds to `seL4_ARM_PageDirectory_Clean_Data` (manual, section 10.5).
    ///
    /// # Errors
    /// `RangeError`, `InvalidArgument`: the range is empty, crosses pages, or is the kernel's.
    #[inline]
    pub fn clean(self, addresses: Range<u32>) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; the content that programs see does not change.
        Error::check(unsafe { raw::seL4_ARM_PageDirectory_Clean_Data(self.number(), addresses.start, addresses.end) })
    }

    /// Forgets cached data of these addresses, inside one page or section.
    ///
    /// Corresponds to `seL4_ARM_PageDirectory_Invalidate_Data` (manual, section 10.5).
    ///
    /// # Errors
    /// As [`clean`](Self::clean).
    ///
    /// # Safety
    /// What was written and not cleaned is lost: nothing of Rust lies in the cache lines that the range touches.
    #[inline]
    pub unsafe fn invalidate(self, addresses: Range<u32>) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; the caller vouches for memory.
        Error::check(unsafe {
            raw::seL4_ARM_PageDirectory_Invalidate_Data(self.number(), addresses.start, addresses.end)
        })
    }

    /// [`clean`](Self::clean)s, then forgets.
    ///
    /// Corresponds to `seL4_ARM_PageDirectory_CleanInvalidate_Data` (manual, section 10.5).
    ///
    /// # Errors
    /// As [`clean`](Self::clean).
    #[inline]
    pub fn clean_invalidate(self, addresses: Range<u32>) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; what programs wrote is kept.
        Error::check(unsafe {
            raw::seL4_ARM_PageDirectory_CleanInvalidate_Data(self.number(), addresses.start, addresses.end)
        })
    }

    /// Makes data written at these addresses, inside one page or section, visible to instruction fetches.
    ///
    /// Corresponds to `seL4_ARM_PageDirectory_Unify_Instruction` (manual, section 10.5).
    ///
    /// # Errors
    /// As [`clean`](Self::clean).
    #[inline]
    pub fn unify_instruction(self, addresses: Range<u32>) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; the content that programs see as data does not change.
        Error::check(unsafe {
            raw::seL4_ARM_PageDirectory_Unify_Instruction(self.number(), addresses.start, addresses.end)
        })
    }
}

impl Cap<AsidControl> {
    /// Makes a pool of 1024 numbers out of an untyped object of 4 KiB, and puts it into `dst`.
    ///
    /// Corresponds to `seL4_ARM_ASIDControl_MakePool` (manual, section 10.5).
    ///
    /// # Errors
    /// `InvalidCapability`: `untyped` is no untyped object of 4 KiB. `RevokeFirst`: it is in use. `DeleteFirst`: there are
    /// 64 pools already, or `dst` is taken.
    #[inline]
    pub fn make_pool(self, untyped: Cap<Untyped>, dst: Slot) -> Result<(), Error> {
        let Slot { root, index, depth } = dst;
        // SAFETY: the thread has its message buffer; memory that is in use is not touched.
        Error::check(unsafe {
            raw::seL4_ARM_ASIDControl_MakePool(self.number(), untyped.number(), root.number(), index, depth)
        })
    }
}

impl Cap<AsidPool> {
    /// Gives a page directory a number, once, so that frames can be mapped into it. 480 ns.
    ///
    /// Corresponds to `seL4_ARM_ASIDPool_Assign` (manual, section 10.5).
    ///
    /// # Errors
    /// `DeleteFirst`: the pool is used up. `InvalidCapability`: `space` is no page directory, or has a number.
    #[inline]
    pub fn assign(self, space: Cap<PageDirectory>) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; memory is not touched.
        Error::check(unsafe { raw::seL4_ARM_ASIDPool_Assign(self.number(), space.number()) })
    }
}
