//! Whether a child is alive, by what it asks for anyway: it does nothing for that and knows nothing of it.
//!
//! Signs of life are requests to its keeper and to services, and that it waits: a child all of whose threads wait for something
//! may do so for as long as it likes. One that runs and asks for nothing is looked at several times; when there was no sign of
//! life at any of them, it has stopped answering.

/// How often a child is looked at within the time that it may be silent.
pub const LOOKS: u32 = 8;

/// What is known of a child's life.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pulse {
    /// How many requests there were when it was looked at last.
    requests: u32,
    /// How many looks there were since without a sign of life.
    silent: u32,
    /// When it was alive for sure.
    alive: u64,
}

impl Pulse {
    /// Of an instance that begins, or goes on.
    pub const fn begins(requests: u32, now: u64) -> Self {
        Self { requests, silent: 0, alive: now }
    }

    /// When it was alive for sure.
    pub const fn alive(&self) -> u64 {
        self.alive
    }

    /// A look at a child that has made so many requests until now. Whether it runs is asked only if there was none since. Tells
    /// whether it has stopped answering.
    pub fn look(&mut self, now: u64, requests: u32, runs: impl FnOnce() -> bool) -> bool {
        if requests != self.requests || !runs() {
            *self = Self::begins(requests, now);
        } else {
            self.silent += 1;
        }
        self.silent >= LOOKS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// At which look it is found to be silent, if each look finds so many requests and whether it runs.
    fn found(looks: impl IntoIterator<Item = (u32, bool)>) -> Option<usize> {
        let mut pulse = Pulse::begins(0, 0);
        looks.into_iter().zip(1..).position(|((requests, runs), now)| pulse.look(now, requests, || runs))
    }

    #[test]
    fn who_runs_and_asks_for_nothing_is_silent() {
        assert_eq!(found([(0, true); 20]), Some(LOOKS as usize - 1));
    }

    #[test]
    fn who_waits_is_not_however_long() {
        assert_eq!(found([(0, false); 1000]), None);
        // Nor one that waits now and then.
        assert_eq!(found((0..1000).map(|look| (0, look % LOOKS != 0))), None);
    }

    #[test]
    fn nor_is_who_asks_now_and_then() {
        assert_eq!(found((0..1000).map(|look| (look / LOOKS + 1, true))), None);
        // Numbers of requests begin again some time.
        assert_eq!(found((0..1000).map(|look| (u32::MAX.wrapping_sub(20).wrapping_add(look / LOOKS), true))), None);
    }

    proptest! {
        /// Silence begins with the last sign of life, and is noticed not before its time, and at the next look.
        #[test]
        fn silence_is_as_long_as_it_may_be(looks in prop::collection::vec((any::<bool>(), any::<bool>()), 0..100)) {
            let (mut pulse, mut requests, mut last) = (Pulse::begins(0, 0), 0_u32, 0);
            for ((asks, runs), now) in looks.into_iter().zip(1..) {
                requests += u32::from(asks);
                if asks || !runs {
                    last = now;
                }
                let is_silent = pulse.look(now, requests, || runs);
                prop_assert_eq!(is_silent, now - last >= u64::from(LOOKS));
                prop_assert_eq!(pulse.alive(), last);
            }
        }
    }
}
