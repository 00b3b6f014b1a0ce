//! The 32-bit count of the [GPT](crate::gpt) made into nanoseconds that never turn over.
//!
//! 66 steps are a microsecond, so 33 steps are 500 ns exactly: nothing is lost, however long it runs, and no division is
//! wider than 32 bits, which this processor does by multiplying.

/// Steps that are a whole number of nanoseconds.
const STEPS: u32 = 33;
/// That number.
const NANOS: u32 = 500;

/// The time since some count, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    /// Whole 500 ns that have passed at `count`.
    nanos: u64,
    count: u32,
}

impl Time {
    /// Furthest ahead that [`count_at`](Self::count_at) goes: a quarter of a turn, about 17 s.
    pub const FURTHEST: u64 = (1 << 34) - 1;

    /// Time 0 is when the timer counts that.
    pub const fn since(count: u32) -> Self {
        Self { nanos: 0, count }
    }

    /// The time when the timer counts that. It must be asked for at least once in a turn of the counter, 65 s.
    #[inline]
    pub const fn at(&mut self, count: u32) -> u64 {
        let passed = count.wrapping_sub(self.count);
        let (whole, rest) = (passed / STEPS, passed % STEPS);
        self.count = self.count.wrapping_add(whole * STEPS);
        self.nanos += whole as u64 * NANOS as u64;
        self.nanos + (rest * NANOS / STEPS) as u64
    }

    /// The first count at which [`at`](Self::at) tells `time` or more, or a count [`FURTHEST`](Self::FURTHEST) ahead of
    /// when it was last asked for, if that comes first. A time that has passed gives a count that has.
    pub const fn count_at(&self, time: u64) -> u32 {
        let ahead = time.saturating_sub(self.nanos);
        let ahead = if ahead < Self::FURTHEST { ahead } else { Self::FURTHEST };
        // 500 = 4 * 125, and a quarter of what is ahead has 32 bits.
        let whole = (ahead >> 2) as u32 / (NANOS / 4);
        let rest = (ahead - whole as u64 * NANOS as u64) as u32;
        self.count.wrapping_add(whole * STEPS + (rest * STEPS).div_ceil(NANOS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts of several turns, in uneven strides.
    fn strides() -> impl Iterator<Item = u64> {
        (0..40_000).map(|n: u64| n * 4_321_987 + n % 7)
    }

    #[test]
    fn time_is_exact_over_many_turns() {
        const START: u32 = 0xffff_0000;
        let mut time = Time::since(START);
        for steps in strides() {
            assert_eq!(time.at(START.wrapping_add(steps as u32)), steps * 500 / 33);
        }
    }

    #[test]
    fn the_count_of_a_time_is_the_first_that_reaches_it() {
        let (mut time, mut asked) = (Time::since(7), 0u64);
        for steps in strides() {
            time.at((steps as u32).wrapping_add(7));
            let ahead = asked % (Time::FURTHEST - 500);
            asked = asked.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let wanted = steps * 500 / 33 + ahead;
            let count = time.count_at(wanted);
            // Seen from now, as many steps ahead.
            let reached = steps + u64::from(count.wrapping_sub((steps as u32).wrapping_add(7)));
            assert!(reached * 500 / 33 >= wanted, "{steps} {ahead}");
            assert!(ahead == 0 || (reached - 1) * 500 / 33 < wanted, "{steps} {ahead}");
        }
    }

    #[test]
    fn what_is_far_is_reached_in_parts() {
        let time = Time::since(0);
        assert_eq!(time.count_at(u64::MAX), time.count_at(Time::FURTHEST));
        assert!(time.count_at(u64::MAX) < 1 << 31);
    }
}
