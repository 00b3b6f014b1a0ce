//! What the programs share: how many steps they take, and numbers that look like chance.
//!
//! A program prints one line for each of its steps, all of which follow from the step's number. So what it prints does not
//! depend on when its threads run, and a run in which it was restored can be compared with one in which it was not.
#![no_std]
#![forbid(unsafe_code)]

use base::Env;

/// The numbers of the steps: as many as the value `steps` says, 50 if there is none.
pub fn steps(env: &Env) -> core::ops::RangeInclusive<u32> {
    1..=env.value("steps").unwrap_or(50)
}

/// Numbers that look like chance, the same ones for the same seed (xorshift, Marsaglia 2003).
#[derive(Clone, Debug)]
pub struct Random(u32);

impl Random {
    /// Begins with that seed.
    pub const fn new(seed: u32) -> Self {
        // Zero would stay zero.
        Self(seed.wrapping_mul(0x9e37_79b9) | 1)
    }

    /// The next number.
    #[expect(clippy::should_implement_trait, reason = "it never ends, and nothing iterates over it")]
    pub fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// A number below that one.
    pub fn below(&mut self, end: u32) -> u32 {
        self.next() % end
    }
}

/// A hash of words (FNV-1a).
pub fn hash(words: impl IntoIterator<Item = u32>) -> u32 {
    words
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
