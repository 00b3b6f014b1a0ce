//! What `secretive` fills all that it has with, and `searcher` looks for.

use core::{hint::black_box, ptr};

/// The pattern, turned: the programs' own images have only this.
const TURNED: u32 = 0x5ec4_e7f3;
const TURNS: u32 = 7;

/// The pattern: an address of the kernel's, so that it is none of a component's.
#[allow(dead_code, reason = "one of the two uses it")]
pub fn pattern() -> u32 {
    black_box(TURNED).rotate_left(TURNS)
}

/// Whether a word is the pattern, which is in no register or memory of its own for that.
#[allow(dead_code, reason = "the other one uses it")]
pub fn is_pattern(word: u32) -> bool {
    black_box(word.rotate_right(TURNS)) == TURNED
}

/// Fills memory.
#[allow(dead_code, reason = "one of the two uses it")]
pub fn fill(address: u32, size: u32) {
    let pattern = pattern();
    for at in (address..address + size).step_by(4) {
        // SAFETY: the caller has attached memory there that Rust knows nothing of.
        unsafe { ptr::write_volatile(at as *mut u32, pattern) };
    }
}
