//! How much of what a component prints is shown: a component that prints for ever harms only itself.
//!
//! Each name has room for [`BURST`] bytes, which fills up again by a byte each [`NANOSECONDS`], and [`TOTAL`] bytes for the
//! whole run. When there is no room for a line, it and those after it are left out, and counted, until half of the room is
//! free again: so what is shown comes in whole stretches, and there is one line about each that is missing.

/// Bytes that can be shown at once.
pub const BURST: u32 = 256 << 10;
/// Bytes that can be shown in a run.
pub const TOTAL: u32 = 4 << 20;
/// How long it takes until there is room for another byte, as a power of two: about 30 KiB a second.
const SHIFT: u32 = 15;
/// The same as a number.
pub const NANOSECONDS: u64 = 1 << SHIFT;

/// What is left of a name's room.
#[derive(Clone, Debug)]
pub struct Allowance {
    room: u32,
    total: u32,
    /// Until when it was filled up.
    since: u64,
    /// How many lines in a row were left out.
    left_out: u32,
}

/// What is to be done with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Show it.
    Show,
    /// Show it after saying how many are missing before it.
    ShowAfter(u32),
    /// Leave it out, and say that more will be.
    First,
    /// Leave it out.
    Omit,
}

impl Allowance {
    /// All of it.
    pub const fn new() -> Self {
        Self { room: BURST, total: TOTAL, since: 0, left_out: 0 }
    }

    /// A line of so many bytes is to be shown at that time, in nanoseconds.
    pub fn line(&mut self, bytes: u32, now: u64) -> Line {
        let more = now.saturating_sub(self.since) >> SHIFT;
        self.since = self.since.saturating_add(more << SHIFT);
        self.room = u32::try_from(more).map_or(BURST, |more| self.room.saturating_add(more).min(BURST));
        let wanted = if self.left_out > 0 { bytes.max(BURST / 2) } else { bytes };
        if self.room < wanted || self.total < bytes {
            self.left_out = self.left_out.saturating_add(1);
            return if self.left_out == 1 { Line::First } else { Line::Omit };
        }
        self.room -= bytes;
        self.total -= bytes;
        match core::mem::take(&mut self.left_out) {
            0 => Line::Show,
            missing => Line::ShowAfter(missing),
        }
    }

    /// How many lines were left out since one was shown.
    pub const fn left_out(&self) -> u32 {
        self.left_out
    }
}

impl Default for Allowance {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn what_is_too_much_at_once_is_left_out_and_told() {
        let mut allowance = Allowance::new();
        for _ in 0..BURST / 512 {
            assert_eq!(allowance.line(512, 0), Line::Show);
        }
        assert_eq!((allowance.line(1, 0), allowance.line(1, 0)), (Line::First, Line::Omit));
        // It takes half of the room to go on, which is more than four seconds.
        assert_eq!(allowance.line(1, 4 * SECOND), Line::Omit);
        assert_eq!(allowance.left_out(), 3);
        assert_eq!(allowance.line(1, 5 * SECOND), Line::ShowAfter(3));
        assert_eq!((allowance.line(1, 5 * SECOND), allowance.left_out()), (Line::Show, 0));
    }

    #[test]
    fn who_prints_now_and_then_is_shown() {
        let mut allowance = Allowance::new();
        for second in 0..100 {
            for _ in 0..60 {
                assert_eq!(allowance.line(500, second * SECOND), Line::Show);
            }
        }
    }

    #[test]
    fn a_run_shows_so_much_of_a_name() {
        let mut allowance = Allowance::new();
        let mut shown = 0;
        for hour in 0..100 {
            while let Line::Show | Line::ShowAfter(_) = allowance.line(512, hour * 3600 * SECOND) {
                shown += 512;
            }
        }
        assert_eq!(shown, TOTAL);
        assert_eq!(allowance.line(1, u64::MAX), Line::Omit);
    }
}
