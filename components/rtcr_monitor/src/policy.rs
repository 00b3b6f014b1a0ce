//! What becomes of a child that has crashed: a state machine that knows numbers and instants, and does nothing itself.
//!
//! It goes back to its newest checkpoint. One from which it has crashed at once is worth nothing: it is thrown away, and the one
//! before it is next, until there is none; then the child starts from its beginning. Each of that is a recovery, of which there
//! are at most so many in any time as long as the window. When there may be no more, the child is given up.

use alloc::collections::VecDeque;

/// What the scenario allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many recoveries there are at most within the window. With 0 a child that crashes has ended.
    pub recoveries: u32,
    /// In nanoseconds; 0 for the whole run.
    pub window: u64,
    /// An instance that goes on for less, in nanoseconds, has crashed at once.
    pub soon: u64,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The checkpoint of that number is restored.
    Restore(u32),
    /// There is none: it starts from its beginning.
    Start,
    /// Nothing more.
    GiveUp,
}

/// What is to be done, and which checkpoint is to be thrown away before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The child has crashed at once after it had gone back to this one, or could not.
    pub useless: Option<u32>,
    /// What is to be done.
    pub remedy: Remedy,
}

/// What is known of a child's crashes.
#[derive(Clone, Debug)]
pub struct Recovery {
    limits: Limits,
    /// When there were recoveries, within the last window; at most as many as are allowed. Unused where the window is the run.
    recent: VecDeque<u64>,
    /// How many recoveries there were.
    count: u32,
    /// The checkpoint from which the instance goes on that is there now, and since when.
    from: Option<(u32, u64)>,
}

impl Recovery {
    /// Of a child that has not crashed yet.
    pub const fn new(limits: Limits) -> Self {
        Self { limits, recent: VecDeque::new(), count: 0, from: None }
    }

    /// How many recoveries there were in all.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// An instance goes on from that checkpoint, or begins.
    pub fn goes_on(&mut self, from: Option<u32>, now: u64) {
        self.from = from.map(|number| (number, now));
    }

    /// The child has crashed. It was `alive` until then, which is before `now` if it was noticed later. `kept` are the numbers of
    /// its checkpoints, the newest last.
    pub fn crashed(&mut self, now: u64, alive: u64, kept: impl DoubleEndedIterator<Item = u32>) -> Verdict {
        let at_once = |since: u64| alive.saturating_sub(since) < self.limits.soon;
        let useless = self.from.filter(|&(_, since)| at_once(since)).map(|(number, _)| number);
        self.decide(now, useless, kept)
    }

    /// What was to be done could not be done, however often it was tried.
    pub fn failed(&mut self, now: u64, kept: impl DoubleEndedIterator<Item = u32>) -> Verdict {
        let useless = self.from.map(|(number, _)| number);
        self.decide(now, useless, kept)
    }

    fn decide(&mut self, now: u64, useless: Option<u32>, mut kept: impl DoubleEndedIterator<Item = u32>) -> Verdict {
        if !self.allows(now) {
            return Verdict { useless, remedy: Remedy::GiveUp };
        }
        let next = kept.rfind(|number| Some(*number) != useless);
        Verdict { useless, remedy: next.map_or(Remedy::Start, Remedy::Restore) }
    }

    /// Whether there may be one more recovery now; then it is counted.
    fn allows(&mut self, now: u64) -> bool {
        let Limits { recoveries, window, .. } = self.limits;
        if window == 0 {
            let is_allowed = self.count < recoveries;
            self.count += u32::from(is_allowed);
            return is_allowed;
        }
        while self.recent.front().is_some_and(|&at| now.saturating_sub(at) >= window) {
            self.recent.pop_front();
        }
        let is_allowed = self.recent.len() < recoveries as usize;
        if is_allowed {
            self.recent.push_back(now);
            self.count = self.count.saturating_add(1);
        }
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;
    use std::{vec, vec::Vec};

    const SOON: u64 = 10;

    /// What may happen to a child.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        /// It goes on for so long.
        Lives(u64),
        /// A checkpoint is taken of it.
        Checkpoint,
        Crash,
        /// It crashes, and what is to be done then fails.
        CrashAndFail,
    }

    /// A child, its keeper, and everything that was decided.
    struct World {
        limits: Limits,
        recovery: Recovery,
        now: u64,
        kept: Vec<u32>,
        most: usize,
        last: u32,
        recoveries: Vec<u64>,
        given_up: bool,
    }

    impl World {
        fn new(limits: Limits, most: usize) -> Self {
            let recovery = Recovery::new(limits);
            Self { limits, recovery, now: 0, kept: vec![], most, last: 0, recoveries: vec![], given_up: false }
        }

        fn obey(&mut self, verdict: Verdict) {
            let Verdict { useless, remedy } = verdict;
            if let Some(useless) = useless {
                self.kept.retain(|number| *number != useless);
            }
            match remedy {
                Remedy::Restore(number) => {
                    assert_eq!(self.kept.last(), Some(&number), "the newest that is not useless");
                    self.recovery.goes_on(Some(number), self.now);
                }
                Remedy::Start => {
                    assert!(self.kept.is_empty());
                    self.recovery.goes_on(None, self.now);
                }
                Remedy::GiveUp => self.given_up = true,
            }
            if remedy != Remedy::GiveUp {
                self.recoveries.push(self.now);
            }
            self.is_within_limits(remedy);
        }

        /// Never more than allowed, and never fewer.
        fn is_within_limits(&self, remedy: Remedy) {
            let Limits { recoveries, window, .. } = self.limits;
            let recent = |at: &&u64| window == 0 || self.now - **at < window;
            let count = self.recoveries.iter().filter(recent).count();
            assert!(count <= recoveries as usize, "{:?} at {}", self.recoveries, self.now);
            assert!(remedy != Remedy::GiveUp || count == recoveries as usize, "given up too soon");
            assert_eq!(self.recovery.count() as usize, self.recoveries.len());
            assert!(self.recovery.recent.len() <= recoveries as usize);
        }

        fn step(&mut self, step: Step) {
            match step {
                Step::Lives(time) => self.now += time,
                Step::Checkpoint => {
                    if self.kept.len() == self.most {
                        self.kept.remove(0);
                    }
                    self.last += 1;
                    self.kept.push(self.last);
                }
                Step::Crash | Step::CrashAndFail => {
                    let kept = self.kept.clone().into_iter();
                    let verdict = self.recovery.crashed(self.now, self.now, kept);
                    self.obey(verdict);
                    if matches!(step, Step::CrashAndFail) && !self.given_up {
                        let verdict = self.recovery.failed(self.now + 1, self.kept.clone().into_iter());
                        self.now += 1;
                        self.obey(verdict);
                    }
                }
            }
        }
    }

    /// All sequences of steps up to a length.
    #[test]
    fn whatever_happens_the_limits_hold() {
        let steps =
            [Step::Lives(SOON - 1), Step::Lives(SOON), Step::Checkpoint, Step::Crash, Step::CrashAndFail].as_slice();
        for (recoveries, window, most) in [(0, 0, 1), (1, 0, 1), (2, 0, 2), (1, 25, 1), (2, 25, 2), (3, 15, 3)] {
            let length = 7;
            for mut which in 0..steps.len().pow(length) {
                let mut world = World::new(Limits { recoveries, window, soon: SOON }, most);
                for _ in 0..length {
                    world.step(steps[which % steps.len()]);
                    which /= steps.len();
                    if world.given_up {
                        break;
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn nor_in_a_long_life(
            recoveries in 0..6u32,
            window in 0..200u64,
            most in 1..4usize,
            steps in prop::collection::vec((0..6u8, 0..60u64), 0..300),
        ) {
            let mut world = World::new(Limits { recoveries, window, soon: SOON }, most);
            for (kind, time) in steps {
                world.step(match kind {
                    0 | 1 => Step::Lives(time),
                    2 | 3 => Step::Checkpoint,
                    4 => Step::Crash,
                    _ => Step::CrashAndFail,
                });
                if world.given_up {
                    break;
                }
            }
        }

        /// One that does nothing but crash is given up, after as many recoveries as are allowed; each time no later than the
        /// window allows.
        #[test]
        fn who_crashes_for_ever_is_given_up(
            recoveries in 0..20u32,
            checkpoints in 0..4u32,
            lives in 0..40u64,
        ) {
            let window = lives * u64::from(recoveries) + 1;
            for window in [0, window] {
                let mut world = World::new(Limits { recoveries, window, soon: SOON }, 4);
                (0..checkpoints).for_each(|_| world.step(Step::Checkpoint));
                let mut crashes = 0;
                while !world.given_up {
                    world.step(Step::Lives(lives));
                    world.step(Step::Crash);
                    crashes += 1;
                    prop_assert!(crashes <= recoveries + 1);
                }
                prop_assert_eq!(crashes, recoveries + 1);
            }
        }
    }

    fn remedies(times: &[(u64, u64)], kept: &[u32]) -> Vec<Verdict> {
        let mut recovery = Recovery::new(Limits { recoveries: 9, window: 0, soon: SOON });
        let mut kept = kept.to_vec();
        let step = |&(now, alive): &(u64, u64)| {
            let verdict = recovery.crashed(now, alive, kept.clone().into_iter());
            kept.retain(|number| Some(*number) != verdict.useless);
            let from = if let Remedy::Restore(number) = verdict.remedy { Some(number) } else { None };
            recovery.goes_on(from, now);
            verdict
        };
        times.iter().map(step).collect()
    }

    const fn verdict(useless: Option<u32>, remedy: Remedy) -> Verdict {
        Verdict { useless, remedy }
    }

    #[test]
    fn who_crashes_at_once_goes_back_further_each_time() {
        let expected = [
            verdict(None, Remedy::Restore(3)),
            verdict(Some(3), Remedy::Restore(2)),
            verdict(Some(2), Remedy::Restore(1)),
            verdict(Some(1), Remedy::Start),
            verdict(None, Remedy::Start),
        ];
        assert_eq!(remedies(&[(100, 100), (101, 101), (102, 102), (103, 103), (104, 104)], &[1, 2, 3]), expected);
    }

    #[test]
    fn who_went_on_for_a_while_goes_back_to_the_same_again() {
        let expected = [verdict(None, Remedy::Restore(3)), verdict(None, Remedy::Restore(3))];
        assert_eq!(remedies(&[(100, 100), (100 + SOON, 100 + SOON)], &[2, 3]), expected);
    }

    /// A child that runs without asking for anything is noticed late.
    #[test]
    fn what_counts_is_how_long_it_was_alive() {
        let expected = [verdict(None, Remedy::Restore(3)), verdict(Some(3), Remedy::Restore(2))];
        assert_eq!(remedies(&[(100, 40), (500, 101)], &[2, 3]), expected);
    }
}
