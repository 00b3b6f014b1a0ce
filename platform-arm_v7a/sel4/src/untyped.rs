//! Making objects from memory (manual, section 2.4).

use sel4_raw as raw;

use crate::{Cap, Error, FrameSize, Node, Untyped};

/// A kind of object, with its size where that is a choice. Stands for `seL4_ObjectType` and `seL4_ArchObjectType`; the
/// numbers are the kernel's, from its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// Memory, cut smaller: 2^`bits` bytes, 4 to 29 bits.
    Untyped {
        /// The size is 2 to this power.
        bits: u8,
    },
    /// A thread.
    Tcb,
    /// An endpoint.
    Endpoint,
    /// A notification.
    Notification,
    /// 2^`bits` slots.
    CNode {
        /// There are 2 to this power.
        bits: u8,
    },
    /// Memory to be mapped.
    Frame(FrameSize),
    /// A part of an address space.
    PageTable,
    /// An address space.
    PageDirectory,
}

impl ObjectKind {
    /// The memory that such an object takes is 2 to this power bytes, and it is aligned to that (manual, section 2.4.2).
    pub const fn memory_bits(self) -> u8 {
        match self {
            Self::Untyped { bits } => bits,
            Self::Tcb => raw::seL4_TCBBits as u8,
            Self::Endpoint => raw::seL4_EndpointBits as u8,
            Self::Notification => raw::seL4_NotificationBits as u8,
            Self::CNode { bits } => bits.saturating_add(raw::seL4_SlotBits as u8),
            Self::Frame(size) => size.bits(),
            Self::PageTable => raw::seL4_PageTableBits as u8,
            Self::PageDirectory => raw::seL4_PageDirBits as u8,
        }
    }

    /// The kernel's number of the kind.
    const fn number(self) -> u32 {
        match self {
            Self::Untyped { .. } => raw::seL4_UntypedObject,
            Self::Tcb => raw::seL4_TCBObject,
            Self::Endpoint => raw::seL4_EndpointObject,
            Self::Notification => raw::seL4_NotificationObject,
            Self::CNode { .. } => raw::seL4_CapTableObject,
            Self::Frame(FrameSize::Small) => raw::seL4_ARM_SmallPageObject,
            Self::Frame(FrameSize::Large) => raw::seL4_ARM_LargePageObject,
            Self::Frame(FrameSize::Section) => raw::seL4_ARM_SectionObject,
            Self::Frame(FrameSize::SuperSection) => raw::seL4_ARM_SuperSectionObject,
            Self::PageTable => raw::seL4_ARM_PageTableObject,
            Self::PageDirectory => raw::seL4_ARM_PageDirectoryObject,
        }
    }

    /// What the kernel calls the size of an object: a choice for two kinds only.
    const fn size(self) -> u32 {
        match self {
            Self::Untyped { bits } | Self::CNode { bits } => bits as u32,
            _ => 0,
        }
    }
}

/// Most objects that one call makes: 256.
pub const MAX_OBJECTS: u32 = raw::seL4_UntypedRetypeMaxObjects;

impl Cap<Untyped> {
    /// Makes `count` objects of a kind and puts capabilities to them, with all rights, into the slots of `node` from
    /// `first` on, which are empty. `count` is at most [`MAX_OBJECTS`].
    ///
    /// Memory is taken from the start of the untyped object upwards, aligned to the object's size, and comes back only when
    /// every object made of it is gone; the next call then clears it. A frame of 4 KiB costs 818 ns alone, 70 in batches
    /// of 256 from memory that was never used, 4,270 from memory that was.
    ///
    /// Corresponds to `seL4_Untyped_Retype` (manual, "Untyped - Retype").
    ///
    /// # Errors
    /// `NotEnoughMemory`: less is left. `DeleteFirst`: a slot is taken. `RangeError`: `count`, a size, or slots beyond the
    /// node. `InvalidArgument`: device memory for something else than frames. `FailedLookup`: there is no such node.
    #[inline]
    pub fn retype(self, kind: ObjectKind, node: impl Into<Node>, first: u32, count: u32) -> Result<(), Error> {
        let Node { root, index, depth } = node.into();
        // SAFETY: the thread has its message buffer. Memory under objects that exist is not touched, and memory without
        // objects is mapped nowhere.
        Error::check(unsafe {
            raw::seL4_Untyped_Retype(
                self.number(),
                kind.number(),
                kind.size(),
                root.number(),
                index,
                depth.into(),
                first,
                count,
            )
        })
    }
}
