//! What goes on while nothing runs: clocks and timeouts.

use crate::object::{SignalContextInfo, TimeoutInfo};

/// The clocks of two checkpoints.
pub(super) struct Times {
    one: u64,
    other: u64,
    apart: u64,
}

impl Times {
    /// Of these checkpoints; what is due may be so many nanoseconds apart.
    pub const fn new(one: u64, other: u64, apart: u64) -> Self {
        Self { one, other, apart }
    }

    /// Whether one of these contexts is what the other one is at the other's time.
    pub fn agree(&self, one: &SignalContextInfo, other: &SignalContextInfo) -> bool {
        match (one.timeout, other.timeout) {
            (None, None) => one.pending == other.pending,
            (Some(left), Some(right)) if left.period == right.period => {
                // A beat goes on: each tick that was raised has moved the next one.
                let ticks = |context: &SignalContextInfo| i128::from(left.period.map_or(0, |_| context.pending));
                let period = i128::from(left.period.unwrap_or(0));
                let due = |clock: u64, timeout: TimeoutInfo| i128::from(clock) + i128::from(timeout.remaining);
                let left = due(self.one, left) - ticks(one) * period;
                let right = due(self.other, right) - ticks(other) * period;
                (period > 0 || one.pending == other.pending) && left.abs_diff(right) <= self.apart.into()
            }
            // It has raised in between, if it was due.
            (Some(left), None) => self.has_fired(left, (self.one, one.pending), (self.other, other.pending)),
            (None, Some(right)) => self.has_fired(right, (self.other, other.pending), (self.one, one.pending)),
            (Some(_), Some(_)) => false,
        }
    }

    fn has_fired(&self, timeout: TimeoutInfo, (clock, before): (u64, u32), (now, after): (u64, u32)) -> bool {
        let was_due = clock.saturating_add(timeout.remaining) <= now.saturating_add(self.apart);
        timeout.period.is_none() && was_due && after == before.saturating_add(1)
    }
}
