//! Slots as places: where a capability lies, not what it is.
//!
//! The kernel names a place by three values: a capability to the CNode at which the path starts, an index, and how many
//! bits of the index count. A [`Slot`] is these three. In a capability space that resolves all 32 bits, and the root
//! task's does, every number is its own index with depth 32, also through several levels: [`Cap::slot`]. A CNode that is
//! not (yet) the root of a space has no guard in front of it; there the depth is the CNode's own bits, and the path starts
//! at that CNode: [`slot_at`](Cap#method.slot_at).
//!
//! ```no_run
//! use sel4::{Badge, CNode, Cap, Endpoint, Rights, boot};
//!
//! # fn example(endpoint: Cap<Endpoint>, child: Cap<CNode>, badge: Badge) -> Result<(), sel4::Error> {
//! // From our own space, into slot 5 of a CNode of 2^8 slots that we made for a child.
//! endpoint.slot(boot::CNODE).mint_to(child.slot_at(5, 8), Rights::CALL, badge.into())
//! # }
//! ```

use sel4_raw as raw;

use crate::{CNode, Cap, CapData, Error, Rights};

/// A place for a capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    /// Where the path starts: a capability to a CNode in the caller's own space.
    pub root: Cap<CNode>,
    /// Where it leads: the lowest `depth` bits, most significant first.
    pub index: u32,
    /// How many bits of `index` are resolved.
    pub depth: u8,
}

/// A place for many capabilities: a CNode, named by a path (`root`, `node_index`, `node_depth` of `seL4_Untyped_Retype`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// Where the path starts.
    pub root: Cap<CNode>,
    /// Where it leads.
    pub index: u32,
    /// How many bits of `index` are resolved; 0 means the root itself.
    pub depth: u8,
}

impl From<Cap<CNode>> for Node {
    /// The CNode itself.
    fn from(root: Cap<CNode>) -> Self {
        Self { root, index: 0, depth: 0 }
    }
}

impl<T> Cap<T> {
    /// The place in which this capability lies, in the caller's own space, whose root is `root`.
    pub const fn slot(self, root: Cap<CNode>) -> Slot {
        Slot { root, index: self.number(), depth: 32 }
    }
}

impl Cap<CNode> {
    /// Slot `index` of a CNode that has 2^`bits` slots and a capability without guard.
    pub const fn slot_at(self, index: u32, bits: u8) -> Slot {
        Slot { root: self, index, depth: bits }
    }

    /// The CNode in slot `index` of this CNode, which has 2^`bits` slots, as a place for many capabilities.
    pub const fn node_at(self, index: u32, bits: u8) -> Node {
        Node { root: self, index, depth: bits }
    }
}

impl Slot {
    /// What lies here, taken for a `T`, if the path starts at the root of the caller's own space and has depth 32.
    pub const fn cap<T>(self) -> Cap<T> {
        Cap::new(self.index)
    }

    /// Puts a copy of what lies here into `dst`, with at most these rights. 818 ns.
    ///
    /// Corresponds to `seL4_CNode_Copy` (manual, "CNode - Copy").
    ///
    /// # Errors
    /// `DeleteFirst`: `dst` is taken. `FailedLookup`: one of the places does not exist, or nothing lies here. `RangeError`: a
    /// depth of 0 or above 32.
    #[inline]
    pub fn copy_to(self, dst: Slot, rights: Rights) -> Result<(), Error> {
        let Slot { root, index, depth } = dst;
        // SAFETY: the thread has its message buffer; memory is not touched.
        Error::check(unsafe {
            raw::seL4_CNode_Copy(root.number(), index, depth, self.root.number(), self.index, self.depth, rights.raw())
        })
    }

    /// Puts a copy of what lies here into `dst`, with at most these rights, and with a badge or guard.
    ///
    /// Corresponds to `seL4_CNode_Mint` (manual, "CNode - Mint").
    ///
    /// # Errors
    /// As [`copy_to`](Self::copy_to); `IllegalOperation` also: it has a badge already.
    #[inline]
    pub fn mint_to(self, dst: Slot, rights: Rights, data: CapData) -> Result<(), Error> {
        let Slot { root, index, depth } = dst;
        let (rights, data) = (rights.raw(), data.raw());
        // SAFETY: the thread has its message buffer; memory is not touched.
        Error::check(unsafe {
            raw::seL4_CNode_Mint(root.number(), index, depth, self.root.number(), self.index, self.depth, rights, data)
        })
    }

    /// Moves what lies here into `dst`. What was derived from it stays so; mappings stay.
    ///
    /// Corresponds to `seL4_CNode_Move` (manual, "CNode - Move").
    ///
    /// # Errors
    /// As [`copy_to`](Self::copy_to).
    #[inline]
    pub fn move_to(self, dst: Slot) -> Result<(), Error> {
        let Slot { root, index, depth } = dst;
        // SAFETY: the thread has its message buffer; memory is not touched.
        Error::check(unsafe {
            raw::seL4_CNode_Move(root.number(), index, depth, self.root.number(), self.index, self.depth)
        })
    }

    /// Moves what lies here into `dst` and gives it a badge or guard.
    ///
    /// Corresponds to `seL4_CNode_Mutate` (manual, "CNode - Mutate").
    ///
    /// # Errors
    /// As [`mint_to`](Self::mint_to).
    #[inline]
    pub fn mutate_to(self, dst: Slot, data: CapData) -> Result<(), Error> {
        let Slot { root, index, depth } = dst;
        let data = data.raw();
        // SAFETY: the thread has its message buffer; memory is not touched.
        Error::check(unsafe {
            raw::seL4_CNode_Mutate(root.number(), index, depth, self.root.number(), self.index, self.depth, data)
        })
    }

    /// Moves what lies in `pivot` into `dst`, and what lies here into `pivot`, each with its new badge or guard. `dst` is
    /// empty, or this very slot.
    ///
    /// Corresponds to `seL4_CNode_Rotate` (manual, "CNode - Rotate").
    ///
    /// # Errors
    /// As [`mint_to`](Self::mint_to).
    #[inline]
    pub fn rotate(self, pivot: Slot, pivot_data: CapData, dst: Slot, dst_data: CapData) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; memory is not touched.
        Error::check(unsafe {
            raw::seL4_CNode_Rotate(
                dst.root.number(),
                dst.index,
                dst.depth,
                dst_data.raw(),
                pivot.root.number(),
                pivot.index,
                pivot.depth,
                pivot_data.raw(),
                self.root.number(),
                self.index,
                self.depth,
            )
        })
    }

    /// Deletes what lies here; a place that is empty already is no error. With the last capability the object goes. 681
    /// ns, 787 for a frame that is mapped.
    ///
    /// Corresponds to `seL4_CNode_Delete` (manual, "CNode - Delete").
    ///
    /// # Errors
    /// `FailedLookup`: the place does not exist.
    ///
    /// # Safety
    /// No Rust reference is into memory that goes: deleting the capability by which a frame was mapped unmaps it, deleting
    /// a page table or address space unmaps all that is in it.
    #[inline]
    pub unsafe fn delete(self) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; the caller vouches for memory.
        Error::check(unsafe { raw::seL4_CNode_Delete(self.root.number(), self.index, self.depth) })
    }

    /// Deletes everything derived from what lies here, which itself stays: copies, and the objects made of an untyped
    /// object. The kernel takes its time: it lets interrupts in, but nothing of lower priority than the caller.
    ///
    /// Corresponds to `seL4_CNode_Revoke` (manual, "CNode - Revoke").
    ///
    /// # Errors
    /// `FailedLookup`: the place does not exist.
    ///
    /// # Safety
    /// As [`delete`](Self::delete), for everything derived.
    #[inline]
    pub unsafe fn revoke(self) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; the caller vouches for memory.
        Error::check(unsafe { raw::seL4_CNode_Revoke(self.root.number(), self.index, self.depth) })
    }

    /// Lets every thread that is queued to send with the badge of the endpoint capability here try again, so that the
    /// badge can be used anew when no capability with it is left.
    ///
    /// Corresponds to `seL4_CNode_CancelBadgedSends` (manual, "CNode - Cancel Badged Sends").
    ///
    /// # Errors
    /// `IllegalOperation`: no endpoint capability with all rights lies here.
    #[inline]
    pub fn cancel_badged_sends(self) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; memory is not touched.
        Error::check(unsafe { raw::seL4_CNode_CancelBadgedSends(self.root.number(), self.index, self.depth) })
    }

    /// Keeps the authority to answer the last caller here, as a [`Cap<Reply>`](crate::Reply), so that others can be
    /// received before it is answered.
    ///
    /// Corresponds to `seL4_CNode_SaveCaller` (manual, "CNode - Save Caller").
    ///
    /// # Errors
    /// `DeleteFirst`: the place is taken.
    #[inline]
    pub fn save_caller(self) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; memory is not touched.
        Error::check(unsafe { raw::seL4_CNode_SaveCaller(self.root.number(), self.index, self.depth) })
    }
}
