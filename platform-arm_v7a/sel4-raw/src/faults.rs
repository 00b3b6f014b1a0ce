//! Faults on purpose: one of the methods that a root task calls is refused instead of being called, so that tests see what
//! becomes of that. Only with the feature `faults`.
//!
//! Methods are counted while somebody [watches](watch). The one that is to be refused leaves the kernel alone and tells
//! `IllegalOperation`.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use crate::{seL4_IllegalOperation, seL4_MessageInfo_t, seL4_Word};

static WATCHED: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicU32 = AtomicU32::new(0);
static REFUSED: AtomicU32 = AtomicU32::new(0);

/// The method with that number from now on is refused, counted from 1, of those that are called while it is watched; with 0
/// none is. Tells how many there were since this was called last.
pub fn refuse(number: u32) -> u32 {
    REFUSED.store(number, Relaxed);
    COUNT.swap(0, Relaxed)
}

/// Methods count from now on, or do not.
pub fn watch(is_watched: bool) {
    WATCHED.store(is_watched, Relaxed);
}

/// What a method is answered that is refused. One thread only is watched.
pub(crate) fn next() -> Option<(seL4_MessageInfo_t, [seL4_Word; 4])> {
    if !WATCHED.load(Relaxed) {
        return None;
    }
    let count = COUNT.load(Relaxed) + 1;
    COUNT.store(count, Relaxed);
    (count == REFUSED.load(Relaxed)).then(|| (seL4_MessageInfo_t::new(seL4_IllegalOperation, 0, 0, 0), [0; 4]))
}
