//! Timeouts: which signal is raised when, and the end of the run's time.

use base::{deadlines::Deadlines, scenario::Duration, session::timer::TimeoutError};

use super::{Context, Id, System, signal::MAX_CONTEXTS};
use crate::clock::Clock;

/// The end of the run's time is a deadline like others, behind those of contexts.
const LIMIT: u32 = MAX_CONTEXTS;
/// Furthest ahead that a timeout can be.
const FURTHEST: u64 = 1 << 62;
/// Most signals that one interrupt raises.
const AT_ONCE: usize = 16;
/// How long others run before the next are raised.
const PAUSE: u64 = 10_000;

/// The clock, and who waits for what time.
pub struct Timeouts {
    clock: Clock,
    deadlines: Deadlines,
}

impl Timeouts {
    /// Nobody waits, except for the end of the run.
    pub fn new(clock: Clock, limit: Duration) -> Self {
        let mut timeouts = Self { clock, deadlines: Deadlines::new(MAX_CONTEXTS + 1) };
        let limit = timeouts.now().saturating_add(limit.micros.saturating_mul(1000));
        timeouts.deadlines.set(LIMIT, limit, 0);
        timeouts.clock.interrupt_at(limit);
        timeouts
    }

    /// How many wait, without the end of the run.
    pub fn waiting(&self) -> usize {
        self.deadlines.len().saturating_sub(1)
    }

    /// Nanoseconds since the system was started.
    #[inline]
    pub fn now(&mut self) -> u64 {
        self.clock.now()
    }

    /// Raises a context's signal in `after` nanoseconds, and then each `period`, if that is not 0; in place of what it
    /// waits for now.
    ///
    /// # Errors
    /// `Time`.
    pub fn set(&mut self, context: Id<Context>, after: u64, period: u64) -> Result<(), TimeoutError> {
        if after > FURTHEST || period > FURTHEST {
            return Err(TimeoutError::Time);
        }
        let time = self.now() + after;
        let next = self.deadlines.next();
        self.deadlines.set(context.index(), time, period);
        if next.is_none_or(|next| time < next) {
            self.arm(0);
        }
        Ok(())
    }

    /// Takes a timeout back; tells what remained of it. The timer is left alone: it interrupts for nothing then.
    pub fn cancel(&mut self, context: Id<Context>) -> Option<u64> {
        let time = self.deadlines.cancel(context.index())?;
        Some(time.saturating_sub(self.now()))
    }

    /// What remains of a timeout.
    pub fn remaining(&mut self, context: Id<Context>) -> Option<u64> {
        let time = self.deadlines.of(context.index())?;
        Some(time.saturating_sub(self.now()))
    }

    /// Asks for the next interrupt, which comes not before `earliest`.
    fn arm(&mut self, earliest: u64) {
        let mut time = self.deadlines.next().unwrap_or(u64::MAX).max(earliest);
        while !self.clock.interrupt_at(time) {
            // Passed by now. It is served by the interrupt, too, so one has to come; a microsecond is enough for that.
            time = self.clock.now() + 1000;
        }
    }
}

impl System {
    /// The timer has interrupted: raises signals whose time has come. True if the run's time has passed.
    ///
    /// A bounded number at once, so that timers of one component do not keep others from running; those that are late
    /// count what they have missed.
    pub fn timer_interrupted(&mut self) -> bool {
        self.timeouts.clock.acknowledge();
        let now = self.timeouts.now();
        let mut raised = 0;
        while let Some(due) = self.timeouts.deadlines.due(now) {
            if due.thing == LIMIT {
                return true;
            }
            if let Some((id, _)) = self.contexts.at(due.thing) {
                self.raise(id, u32::try_from(due.count).unwrap_or(u32::MAX));
            }
            raised += 1;
            if raised == AT_ONCE {
                self.timeouts.arm(now + PAUSE);
                return false;
            }
        }
        self.timeouts.arm(0);
        false
    }
}
