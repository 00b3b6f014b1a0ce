//! Virtual time, and the limit of a run.
//!
//! The GPT counts 32 bits, once around in 65 s; a longer limit is taken in steps of at most half a turn, each ended by an
//! interrupt.

use base::scenario::Duration;
use board::gpt::{Gpt, STEPS_PER_MICROSECOND};

/// Most steps of the timer between two interrupts.
const HALF_TURN: u64 = 1 << 31;

/// What is left of a run's time.
#[derive(Debug)]
pub struct Limit {
    timer: Gpt,
    /// Count at which the current step ends.
    target: u32,
    /// Steps left after that.
    left: u64,
}

impl Limit {
    /// Starts now.
    pub fn new(timer: Gpt, limit: Duration) -> Self {
        let target = timer.count();
        let mut limit = Self { timer, target, left: limit.micros.saturating_mul(STEPS_PER_MICROSECOND.into()) };
        limit.next_step();
        limit
    }

    /// The timer has interrupted. True when the limit has passed; else the next step has begun.
    pub fn interrupted(&mut self) -> bool {
        self.timer.clear_interrupt();
        if self.left == 0 {
            return true;
        }
        self.next_step();
        false
    }

    fn next_step(&mut self) {
        let step = self.left.min(HALF_TURN);
        self.left -= step;
        self.target = self.target.wrapping_add(step as u32);
        self.timer.interrupt_at(self.target);
    }
}
