//! Memory for `alloc`: a buddy allocator over pieces of memory that come when they are needed.
//!
//! Asking for a piece is a request to core, and no lock is held meanwhile: two threads that find the heap empty each bring
//! a piece. Pieces are never given back. They lie one after the other in [`layout::HEAP`], each
//! aligned to what it was asked for.
#![allow(unsafe_code)]

use core::{
    alloc::{GlobalAlloc, Layout},
    ptr::{NonNull, null_mut},
};

use buddy_system_allocator::Heap as Buddies;

use crate::{Env, env::slots, layout, memory::MemoryError, session::rm::Placement, sync::Lock};

/// Sizes of blocks: up to 2^31 bytes, more than any piece has.
const ORDERS: usize = 32;
/// Smallest piece: what `allocate` and `attach` do with one request each.
const PIECE: usize = 64 << 10;

/// The heap of a component, its global allocator.
pub struct Heap {
    env: Env,
    blocks: Lock<Blocks>,
}

struct Blocks {
    buddies: Buddies<ORDERS>,
    /// Where the next piece goes.
    next: u32,
}

impl Heap {
    /// A heap without memory; [`Self::begin`] or the first allocation brings some.
    pub const fn new(env: Env) -> Self {
        let blocks = Blocks { buddies: Buddies::new(), next: layout::HEAP.start };
        Self { env, blocks: Lock::new(blocks) }
    }

    /// Brings the first piece, so that it is there before the component is constructed. Without memory for it the first
    /// allocation tries again.
    pub fn begin(&self) {
        let _ = self.grow(Layout::new::<usize>());
    }

    fn try_allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        self.blocks.lock(self.env).buddies.alloc(layout).ok()
    }

    /// Brings a piece in which a block of that layout fits.
    fn grow(&self, layout: Layout) -> Option<()> {
        // Buddies are powers of two, aligned to their size.
        let block = layout.size().max(layout.align()).max(size_of::<usize>()).checked_next_power_of_two()?;
        let size = block.max(PIECE);
        let size_word = u32::try_from(size).ok()?;
        let (place, before) = self.reserve(size_word)?;
        if self.bring(place, size).is_err() {
            self.give_back(place, size_word, before);
            return None;
        }
        let start = self.env.platform().memory(place) as usize;
        // SAFETY: `size` bytes of memory that was attached for this, to stay; nobody else knows of it.
        unsafe { self.blocks.lock(self.env).buddies.add_to_heap(start, start + size) };
        Some(())
    }

    /// Takes addresses; tells where they begin, and where the next would have begun before.
    fn reserve(&self, size: u32) -> Option<(u32, u32)> {
        let mut blocks = self.blocks.lock(self.env);
        let before = blocks.next;
        let place = before.checked_next_multiple_of(size)?;
        let end = place.checked_add(size).filter(|end| *end <= layout::HEAP.end)?;
        blocks.next = end;
        Some((place, before))
    }

    /// Gives addresses back, if nobody has taken more since.
    fn give_back(&self, place: u32, size: u32, before: u32) {
        let mut blocks = self.blocks.lock(self.env);
        if blocks.next == place + size {
            blocks.next = before;
        }
    }

    fn bring(&self, place: u32, size: usize) -> Result<(), MemoryError> {
        let dataspace = self.env.allocate(size)?;
        self.env.attach_in(slots::ADDRESS_SPACE, &dataspace, Placement::at(place))?.leak();
        dataspace.leak();
        Ok(())
    }
}

// SAFETY: blocks come from the buddy allocator, whose memory is attached for good and nobody else's; it is used under a
// lock. Nothing here panics: sizes are checked, and a failure is a null pointer.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let block = self.try_allocate(layout).or_else(|| {
            self.grow(layout)?;
            // Another thread may have been faster; then the answer is no, as it would be without this piece.
            self.try_allocate(layout)
        });
        block.map_or(null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if let Some(block) = NonNull::new(block) {
            // The caller has promised that it came from `alloc` with this layout.
            self.blocks.lock(self.env).buddies.dealloc(block, layout);
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::testing::Machine;
    use std::vec::Vec;

    #[test]
    fn the_heap_grows_by_what_is_needed() {
        let machine = Machine::new();
        let heap = Heap::new(machine.env());
        let layout = |size, align| Layout::from_size_align(size, align).unwrap();
        // SAFETY: no layout is empty, and what is freed was allocated so.
        let (allocate, free) =
            (|layout| unsafe { heap.alloc(layout) }, |block, layout| unsafe { heap.dealloc(block, layout) });
        heap.begin();
        assert_eq!(machine.world().calls, [(slots::PD, 2), (slots::RM, 3)]);
        let first = allocate(layout(100, 8));
        assert_eq!(machine.world().calls, [(slots::PD, 2), (slots::RM, 3)]);
        let blocks: Vec<_> =
            (0..400).map(|at| (layout(64 + at % 64, 64), allocate(layout(64 + at % 64, 64)))).collect();
        assert_eq!(machine.world().calls.len(), 2);
        let large = allocate(layout(400 << 10, 4096));
        assert_eq!(machine.world().account.ram_used, (64 << 10) + (512 << 10) + 2 * 64);
        for (at, (layout, block)) in blocks.iter().enumerate() {
            assert!(!block.is_null() && block.align_offset(64) == 0);
            // SAFETY: just allocated.
            unsafe { block.write_bytes(at as u8, layout.size()) };
        }
        for (at, (layout, block)) in blocks.into_iter().enumerate() {
            // SAFETY: allocated and written above.
            assert!(unsafe { std::slice::from_raw_parts(block, layout.size()) }.iter().all(|byte| *byte == at as u8));
            free(block, layout);
        }
        free(first, layout(100, 8));
        free(large, layout(400 << 10, 4096));
        // What was freed is used again.
        let again = allocate(layout(512 << 10, 8));
        assert!(!again.is_null() && machine.world().account.caps_used == 2);
        machine.world().account.ram = 600 << 10;
        for _ in 0..10_000 {
            assert!(allocate(layout(1 << 20, 8)).is_null());
        }
        machine.world().account.ram = 6 << 20;
        assert!(!allocate(layout(1 << 20, 8)).is_null());
        assert!(allocate(layout(isize::MAX as usize & !7, 8)).is_null());
    }
}
