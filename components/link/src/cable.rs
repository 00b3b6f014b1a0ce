//! One way of a cable: when a frame arrives, if it does, and as what.

use alloc::vec::Vec;

use rand_core::{Rng, SeedableRng};
use rand_xorshift::XorShiftRng;

/// Nanoseconds of a microsecond.
pub const MICROSECOND: u64 = 1000;
/// Bytes around a frame on a wire: preamble 8, checksum 4, gap 12.
const AROUND: u64 = 24;
/// Bytes that a frame takes on a wire at least, with those around it.
const LEAST: u64 = 84;
/// Of how many the probabilities count.
const MILLION: u32 = 1_000_000;
/// How far a sender may be ahead of a cable, in longest frames.
const AHEAD: u64 = 4;

/// What a cable is like. Probabilities are parts of a million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// Bits per second; not 0.
    pub speed: u64,
    /// Nanoseconds from the end of a frame's departure to its arrival.
    pub delay: u64,
    /// Frames that are lost.
    pub loss: u32,
    /// Frames that arrive twice.
    pub duplication: u32,
    /// Frames that are held up.
    pub reordering: u32,
    /// For up to so many nanoseconds.
    pub held_up: u64,
    /// Frames that arrive with one bit changed.
    pub corruption: u32,
}

impl Default for Conditions {
    /// Fast Ethernet without faults.
    fn default() -> Self {
        Self {
            speed: 100_000_000,
            delay: 0,
            loss: 0,
            duplication: 0,
            reordering: 0,
            held_up: 1000 * MICROSECOND,
            corruption: 0,
        }
    }
}

impl Conditions {
    /// Nanoseconds that a frame of so many bytes takes on the wire.
    pub fn time(&self, length: usize) -> u64 {
        let bits = (length as u64 + AROUND).max(LEAST) * 8;
        (bits * 1_000_000_000).div_ceil(self.speed.max(1))
    }
}

/// From when to when a cable is cut, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The first instant.
    pub from: u64,
    /// The first instant after it; none if it is for good.
    pub to: Option<u64>,
}

impl Cut {
    /// Whether the cable is cut at that instant.
    pub fn is_at(&self, instant: u64) -> bool {
        self.from <= instant && self.to.is_none_or(|to| instant < to)
    }

    /// Whether it is cut at any instant from `from` to `to`.
    fn is_within(&self, from: u64, to: u64) -> bool {
        self.from <= to && self.to.is_none_or(|end| from < end)
    }
}

/// What arrives of one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// When; none if it is lost.
    pub arrival: Option<u64>,
    /// Whether it arrives twice.
    pub twice: bool,
    /// Which bit is changed.
    pub changed: Option<usize>,
}

/// One way of a cable.
#[derive(Clone, Debug)]
pub struct Cable {
    conditions: Conditions,
    cuts: Vec<Cut>,
    random: XorShiftRng,
    /// When the last frame has departed.
    free: u64,
}

impl Cable {
    /// A cable whose randomness comes from that seed.
    pub fn new(conditions: Conditions, cuts: Vec<Cut>, seed: u64) -> Self {
        Self { conditions, cuts, random: XorShiftRng::seed_from_u64(seed), free: 0 }
    }

    /// When it takes a frame the next time: it lets its sender be some frames ahead, so that nothing pauses between them.
    pub fn ready(&self) -> u64 {
        self.free.saturating_sub(AHEAD * self.conditions.time(base::session::link::MAX_FRAME))
    }

    /// Whether it is whole at that instant.
    pub fn is_whole(&self, now: u64) -> bool {
        !self.cuts.iter().any(|cut| cut.is_at(now))
    }

    /// When it is cut or mended the next time.
    pub fn next_change(&self, now: u64) -> Option<u64> {
        self.cuts.iter().flat_map(|cut| [Some(cut.from), cut.to]).flatten().filter(|at| *at > now).min()
    }

    /// Sends a frame of that length.
    pub fn send(&mut self, now: u64, length: usize) -> Fate {
        // Always as many draws, whatever comes of them, so that a frame's fate does not depend on the others' conditions.
        let [lost, twice, held_up, longer, changed, bit] = core::array::from_fn(|_| self.random.next_u32());
        let Conditions { delay, loss, duplication, reordering, corruption, .. } = self.conditions;
        let departs = now.max(self.free);
        self.free = departs + self.conditions.time(length);
        let mut arrival = self.free + delay;
        if happens(held_up, reordering) {
            arrival += 1 + scaled(longer, self.conditions.held_up);
        }
        if happens(lost, loss) || self.cuts.iter().any(|cut| cut.is_within(departs, arrival)) {
            return Fate::default();
        }
        Fate {
            arrival: Some(arrival),
            twice: happens(twice, duplication),
            changed: (happens(changed, corruption) && length > 0).then(|| scaled(bit, length as u64 * 8) as usize),
        }
    }
}

/// Whether something of that probability happens.
fn happens(drawn: u32, probability: u32) -> bool {
    scaled(drawn, MILLION.into()) < probability.into()
}

/// A number below `limit`, or 0 if that is 0.
fn scaled(drawn: u32, limit: u64) -> u64 {
    ((u128::from(drawn) * u128::from(limit)) >> 32) as u64
}
