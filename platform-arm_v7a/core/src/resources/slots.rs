//! Slots of core's own capability space, which has two levels here.
//!
//! The first level has 2^6 entries. Entry 0 is the CNode of 2^16 slots that the kernel made, so that every number from
//! before stays what it was; the others are CNodes of that size, made when they are needed.

use alloc::{boxed::Box, vec::Vec};
use core::ops::Range;

use sel4::{CNode, Cap, Guard, Node, ObjectKind, Rights, boot};

use super::blocks::Blocks;
use crate::{
    guardian,
    insist::insist,
    objects::{Exhausted, Objects},
};

/// Slots of the first level, as a power of two.
const FIRST_BITS: u8 = 6;
/// Slots of each CNode of the second level, as a power of two.
const NODE_BITS: u8 = 16;
/// Slots that remain when a CNode is made, to cut the memory for it.
const RESERVE: u32 = 32;

/// The slots.
pub(super) struct Slots {
    /// Never used, of the newest CNode.
    fresh: Range<u32>,
    /// Given back, by CNode.
    nodes: Vec<Box<Returned>>,
    /// Which of the CNodes have slots that were given back.
    some: u64,
    /// Handed out one by one.
    pub(super) taken: u32,
}

/// Slots of one CNode that were given back: a bit each, and two levels of summaries, so that one is found in three
/// steps.
struct Returned {
    words: [u32; 1 << (NODE_BITS - 5)],
    middle: [u32; 1 << (NODE_BITS - 10)],
    top: u64,
}

impl Slots {
    /// Extends the calling thread's space, and the guardian's, and takes over the empty slots but a few that `objects`
    /// keeps.
    pub(super) fn new(objects: &mut Objects) -> Result<Self, Exhausted> {
        extend(objects)?;
        let mut nodes = Vec::with_capacity(1 << FIRST_BITS);
        nodes.push(Returned::empty());
        Ok(Self { fresh: objects.hand_over_slots(), nodes, some: 0, taken: 0 })
    }

    /// An empty slot.
    pub(super) fn take(&mut self, blocks: &mut Blocks) -> Result<u32, Exhausted> {
        let slot = match self.take_returned() {
            Some(slot) => slot,
            None => self.range(1, blocks)?.start,
        };
        self.taken += 1;
        Ok(slot)
    }

    fn take_returned(&mut self) -> Option<u32> {
        let node = (self.some != 0).then(|| self.some.trailing_zeros())?;
        let returned = &mut self.nodes[node as usize];
        let index = returned.take();
        if returned.top == 0 {
            self.some &= !(1 << node);
        }
        Some(node << NODE_BITS | index)
    }

    /// Takes back what [`take`](Self::take) gave.
    pub(super) fn give(&mut self, slot: u32) {
        self.taken -= 1;
        self.put(slot);
    }

    fn put(&mut self, slot: u32) {
        let node = slot >> NODE_BITS;
        self.nodes[node as usize].put(slot & ((1 << NODE_BITS) - 1));
        self.some |= 1 << node;
    }

    /// Slots side by side in one CNode, for good. At most 1024.
    pub(super) fn range(&mut self, count: u32, blocks: &mut Blocks) -> Result<Range<u32>, Exhausted> {
        if (self.fresh.len() as u32) < count + RESERVE {
            self.grow(blocks)?;
        }
        self.reserved(count)
    }

    /// As [`range`](Self::range), without making room.
    pub(super) fn reserved(&mut self, count: u32) -> Result<Range<u32>, Exhausted> {
        let start = self.fresh.start;
        let end = start.checked_add(count).filter(|&end| end <= self.fresh.end).ok_or(Exhausted::Slots)?;
        self.fresh.start = end;
        Ok(start..end)
    }

    /// One more CNode. What is left of the one before is handed out one by one.
    fn grow(&mut self, blocks: &mut Blocks) -> Result<(), Exhausted> {
        let number = self.nodes.len() as u32;
        if number >= 1 << FIRST_BITS {
            return Err(Exhausted::Slots);
        }
        let block = blocks.small(self)?;
        insist(|| block.retype(ObjectKind::CNode { bits: NODE_BITS }, boot::CNODE, number, 1))?;
        self.nodes.push(Returned::empty());
        for slot in self.fresh.clone() {
            self.put(slot);
        }
        self.fresh = number << NODE_BITS..(number + 1) << NODE_BITS;
        Ok(())
    }
}

/// Where a slot is for [`Cap::retype`](sel4::Cap#method.retype): its CNode, and its number there.
pub(super) const fn place(slot: u32) -> (Node, u32) {
    (node(slot >> NODE_BITS), slot & ((1 << NODE_BITS) - 1))
}

/// A CNode of the second level.
const fn node(number: u32) -> Node {
    Node { root: boot::CNODE, index: number, depth: 32 - NODE_BITS }
}

/// Puts a first level above the kernel's CNode, for both threads of core's.
fn extend(objects: &mut Objects) -> Result<(), Exhausted> {
    let first = objects.make_cnode(FIRST_BITS)?;
    let spare: Cap<CNode> = Cap::new(objects.take_slots(1)?.start);
    let (none, front) = (Guard::new(0, 0), Guard::filling(FIRST_BITS + NODE_BITS));
    let (Some(none), Some(front)) = (none, front) else { return Err(Exhausted::Slots) };
    boot::CNODE.slot(boot::CNODE).mint_to(first.slot_at(0, FIRST_BITS), Rights::ALL, none.into())?;
    first.slot(boot::CNODE).mint_to(spare.slot(boot::CNODE), Rights::ALL, front.into())?;
    guardian::set_space(spare)?;
    // From here on numbers go through both levels. What names the space itself is put where it has always been.
    // SAFETY: the kernel's CNode stays, as entry 0; nothing but this capability to it goes.
    unsafe { boot::CNODE.slot(spare).delete() }?;
    spare.slot(spare).move_to(boot::CNODE.slot(spare))?;
    objects.set_node(node(0));
    Ok(())
}

impl Returned {
    fn empty() -> Box<Self> {
        Box::new(Self { words: [0; 1 << (NODE_BITS - 5)], middle: [0; 1 << (NODE_BITS - 10)], top: 0 })
    }

    /// The lowest; there is one.
    fn take(&mut self) -> u32 {
        let middle = self.top.trailing_zeros();
        let word = middle << 5 | self.middle[middle as usize].trailing_zeros();
        let bits = &mut self.words[word as usize];
        let index = word << 5 | bits.trailing_zeros();
        *bits &= *bits - 1;
        if *bits == 0 {
            let summary = &mut self.middle[middle as usize];
            *summary &= *summary - 1;
            if *summary == 0 {
                self.top &= self.top - 1;
            }
        }
        index
    }

    fn put(&mut self, index: u32) {
        self.words[(index >> 5) as usize] |= 1 << (index & 31);
        self.middle[(index >> 10) as usize] |= 1 << (index >> 5 & 31);
        self.top |= 1 << (index >> 10);
    }
}
