//! Memory for `alloc`: a buddy allocator over pieces of memory that come when they are needed.
//!
//! Asking for a piece is a request to core, and no lock is held meanwhile: two threads that find the heap empty each bring
//! a piece. Pieces are never given back. They lie one after the other in [`layout::HEAP`](crate::layout::HEAP), each
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
    /// A heap without memory; the first allocation brings some.
    pub const fn new(env: Env) -> Self {
        let blocks = Blocks { buddies: Buddies::new(), next: layout::HEAP.start };
        Self { env, blocks: Lock::new(blocks) }
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
