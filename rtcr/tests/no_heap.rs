//! A checkpoint asks for no memory: an allocator that counts while it is armed.
//!
//! The parent in memory does, so it is disarmed while that is asked.

mod support;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use base::rpc::{Answer, Long, Registers, Selector, Slot, Transport};
use rtcr::{
    child::Child,
    storage::Pool,
    upstream::{Counted, Upstream},
};
use support::{world::World, *};

thread_local! {
    static ARMED: Cell<bool> = const { Cell::new(false) };
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    if ARMED.get() {
        ASKED.set(ASKED.get() + 1);
    }
}

// SAFETY: everything is done by the system's allocator; counting touches nothing of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count();
        // SAFETY: as promised by the caller.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Not armed while the parent's own parent works.
struct Disarmed<'a>(&'a World);

impl Transport for Disarmed<'_> {
    fn call(&self, to: Slot, selector: Selector, request: Registers) -> Answer {
        let armed = ARMED.replace(false);
        let answer = self.0.call(to, selector, request);
        ARMED.set(armed);
        answer
    }

    fn call_long(&self, to: Slot, selector: Selector, request: Long<'_>, reply: &mut [u32]) -> Answer {
        let armed = ARMED.replace(false);
        let answer = self.0.call_long(to, selector, request, reply);
        ARMED.set(armed);
        answer
    }
}

#[test]
fn a_checkpoint_asks_for_no_memory() {
    let world = world();
    // Everything that there can be, made by another instance of the same program.
    let mut other = pool(&world, 1);
    let player = started(&world);
    furnish(&world, &player);
    let saved = player.with(|child, embedder| child.checkpoint(&mut other, embedder)).unwrap();
    drop(player);

    let disarmed = Disarmed(&world);
    let counted = Counted::new(&disarmed);
    let up = Upstream::new(&counted);
    let mut pool = Pool::new(up, 3, &ROOM, 1000).unwrap();
    let mut embedder = Embedder { quiet: true, ..Embedder::default() };
    let mut child = Child::restore_directly(up, &settings(), &saved, &mut embedder).unwrap();
    random::scribble(&world, 5);
    let before = counted.requests();

    ARMED.set(true);
    let first = child.checkpoint(&mut pool, &mut embedder);
    let second = child.checkpoint(&mut pool, &mut embedder);
    ARMED.set(false);
    assert_eq!(ASKED.get(), 0, "a checkpoint asks for memory");
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.information().objects, second.information().objects);
    assert!(counted.requests() > before + 20);

    ARMED.set(true);
    pool.discard(first);
    let third = child.checkpoint(&mut pool, &mut embedder);
    ARMED.set(false);
    assert_eq!(ASKED.get(), 0, "room that was given back is used again without asking");
    drop(third);

    ARMED.set(true);
    drop(Box::new(1));
    ARMED.set(false);
    assert_eq!(ASKED.get(), 2, "and the allocator does count");
}
