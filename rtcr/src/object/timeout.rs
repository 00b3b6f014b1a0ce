//! Timeouts.

/// A timeout of a context, as far as it is not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeout {
    /// Raises once. It may have done so.
    Once,
    /// Raises again and again.
    Periodic {
        /// So many nanoseconds apart.
        period: u64,
    },
    /// The same after a restore. TIMER's periods begin when they are asked for; to go on in the old beat, each tick is
    /// asked for by itself, when the one before is fetched. Ticks in between are counted.
    InBeat {
        /// So many nanoseconds apart.
        period: u64,
        /// When the next one is due, in the parent's time.
        due: u64,
    },
}

/// What a timeout is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeoutInfo {
    /// Nanoseconds that remain.
    pub remaining: u64,
    /// Nanoseconds between two; none if it raises once.
    pub period: Option<u64>,
}

impl Timeout {
    /// Ticks of a beat that were missed since the one that was due, and when the next one is due.
    pub(crate) const fn missed(period: u64, due: u64, now: u64) -> (u64, u64) {
        let missed = now.saturating_sub(due) / period;
        (missed, due + (missed + 1) * period)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_is_kept_however_late_a_tick_is_fetched() {
        assert_eq!(Timeout::missed(100, 1000, 1000), (0, 1100));
        assert_eq!(Timeout::missed(100, 1000, 1099), (0, 1100));
        assert_eq!(Timeout::missed(100, 1000, 1100), (1, 1200));
        assert_eq!(Timeout::missed(100, 1000, 1350), (3, 1400));
    }
}
