//! Memory that nothing has been made of yet, in untyped objects of 1 MiB and 16 MiB.

use alloc::vec::Vec;

use sel4::{Cap, ObjectKind, Untyped};

use super::slots::{Slots, place};
use crate::{
    insist::insist,
    objects::{Exhausted, Region},
};

const SMALL_BITS: u8 = 20;
const LARGE_BITS: u8 = 24;
pub(super) const SMALL: u64 = 1 << SMALL_BITS;
pub(super) const LARGE: u64 = 1 << LARGE_BITS;

/// The memory.
pub(super) struct Blocks {
    small: Vec<u32>,
    large: Vec<u32>,
}

impl Blocks {
    /// Cuts what the kernel handed out, the smallest regions first, until there is so much memory. The kernel clears
    /// each region as a whole when it is first cut, about 1 ms for each MiB: so that is done at the start, and for what is
    /// needed only.
    pub(super) fn new(mut regions: Vec<Region>, slots: &mut Slots, enough: u64) -> Result<Self, Exhausted> {
        regions.sort_unstable_by_key(|region| region.size);
        let total: u64 = regions.iter().map(|region| region.size).sum();
        let mut blocks = Self {
            small: Vec::with_capacity((total / SMALL) as usize),
            large: Vec::with_capacity((total / LARGE) as usize),
        };
        for region in regions {
            let mut used = region.place(SMALL);
            while used < region.size && blocks.bytes() < enough {
                let whole = (region.size - used) / LARGE;
                let (bits, count) = if used.is_multiple_of(LARGE) && whole > 0 {
                    (LARGE_BITS, whole)
                } else {
                    (SMALL_BITS, (used + 1).next_multiple_of(LARGE).min(region.size).saturating_sub(used) / SMALL)
                };
                if count == 0 {
                    break;
                }
                blocks.cut(region.untyped, bits, count as u32, slots)?;
                used += count << bits;
            }
        }
        Ok(blocks)
    }

    fn cut(&mut self, of: Cap<Untyped>, bits: u8, count: u32, slots: &mut Slots) -> Result<(), Exhausted> {
        let range = slots.reserved(count)?;
        let (node, first) = place(range.start);
        insist(|| of.retype(ObjectKind::Untyped { bits }, node, first, count))?;
        let list = if bits == SMALL_BITS { &mut self.small } else { &mut self.large };
        list.extend(range.rev());
        Ok(())
    }

    /// A block of 1 MiB; one of 16 MiB is cut if need be.
    pub(super) fn small(&mut self, slots: &mut Slots) -> Result<Cap<Untyped>, Exhausted> {
        if self.small.is_empty() {
            let large = self.large.pop().ok_or(Exhausted::Memory(SMALL))?;
            self.cut(Cap::new(large), SMALL_BITS, 1 << (LARGE_BITS - SMALL_BITS), slots)?;
        }
        self.small.pop().map(Cap::new).ok_or(Exhausted::Memory(SMALL))
    }

    /// A block of 16 MiB.
    pub(super) fn large(&mut self) -> Result<Cap<Untyped>, Exhausted> {
        self.large.pop().map(Cap::new).ok_or(Exhausted::Memory(LARGE))
    }

    /// What is left.
    pub(super) fn bytes(&self) -> u64 {
        self.small.len() as u64 * SMALL + self.large.len() as u64 * LARGE
    }
}
