//! What checkpoints and restores do, in figures: made of what [`Surroundings::event`](crate::surroundings::Surroundings::event) is
//! told.

use core::fmt;

use base::session::{
    figures::{Figures, KINDS, PHASES, Work},
    pd::PAGE,
};

use crate::{
    information::Information,
    object::Info,
    surroundings::{Event, Phase, Work as Kind},
};

/// What has been done so far, of one checkpoint or restore. Times are in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Pages that were copied to storages.
    pub saved: u32,
    /// Requests that were answered from journals.
    pub answered: u32,
    /// Objects that went in a restore.
    pub gone: u32,
    /// Objects that came.
    pub made: u32,
    /// Pages that were copied back and are no stack.
    pub pages: u32,
    /// Bytes of stacks that were copied back.
    pub repaired: u32,
    /// Threads that got registers.
    pub threads: u32,
    /// When it began.
    pub begun: u64,
    /// When the component was stopped; 0 if it was not.
    pub stopped: u64,
    /// When it went on; 0 if it did not.
    pub thawed: u64,
    /// How long each phase took.
    pub phases: [u64; PHASES.len()],
    /// The phase that there is now, and since when.
    phase: Option<(Phase, u64)>,
    /// The component stands still: nobody asks for the time.
    stands: bool,
}

impl Statistics {
    /// Counts what has been done. `now` asks for the time, in nanoseconds, which takes time itself: while the component stands
    /// still for a checkpoint it is asked for only when it was stopped.
    pub fn note(&mut self, event: &Event, now: impl FnOnce() -> u64) {
        match *event {
            Event::Begins(Kind::Restore) => self.stands = false,
            Event::Phase(phase) if !self.stands => self.begin(Some(phase), now()),
            Event::Stopped { .. } => {
                let now = now();
                (self.stopped, self.stands) = (now, true);
                self.begin(Some(Phase::Registers), now);
            }
            Event::Time { now } => self.begin(Some(Phase::Pages), now),
            Event::Thawed => {
                let now = now();
                (self.thawed, self.stands) = (now, false);
                self.begin(None, now);
            }
            Event::Objects { gone, made } => {
                self.gone = self.gone.saturating_add(gone);
                self.made = self.made.saturating_add(made);
            }
            Event::Saved { pages } => self.saved = self.saved.saturating_add(pages),
            Event::Answered { .. } => self.answered = self.answered.saturating_add(1),
            Event::Memory { pages } => self.pages = self.pages.saturating_add(pages),
            Event::Repair { bytes } => self.repaired = self.repaired.saturating_add(bytes),
            Event::Registers { threads } => self.threads = self.threads.saturating_add(threads),
            Event::Begins(_) | Event::Phase(_) | Event::Ends(_) | Event::Barrier => {}
        }
    }

    fn begin(&mut self, phase: Option<Phase>, now: u64) {
        match self.phase {
            Some((last, since)) => self.phases[last as usize] += now.saturating_sub(since),
            None if self.begun == 0 => self.begun = now,
            None => {}
        }
        self.phase = phase.map(|phase| (phase, now));
    }

    /// For how long the component stood still.
    pub const fn stood_still(&self) -> u64 {
        match self.stopped {
            0 => 0,
            stopped => self.thawed.saturating_sub(stopped),
        }
    }

    /// All that is known of the `work` with the checkpoint of that number, which says that.
    pub fn figures(&self, work: Work, checkpoint: u32, saved: &Information) -> Figures {
        let mut objects = [0; KINDS.len()];
        let mut skipped = 0;
        for object in &saved.objects {
            objects[kind(&object.info)] += 1;
            if let Info::RamDataspace(dataspace) = &object.info {
                skipped += dataspace.pages - dataspace.saved();
            }
        }
        let page = u64::from(PAGE);
        let (pages, bytes) = match work {
            Work::Checkpoint => (self.saved, u64::from(self.saved) * page),
            _ => {
                let stacks = self.repaired.div_ceil(PAGE);
                (self.pages + stacks, u64::from(self.pages) * page + u64::from(self.repaired))
            }
        };
        Figures {
            work,
            checkpoint,
            took: self.thawed.saturating_sub(self.begun),
            stopped: if work == Work::Checkpoint { self.stood_still() } else { 0 },
            phases: self.phases.map(|time| u32::try_from(time).unwrap_or(u32::MAX)),
            answered: self.answered,
            gone: self.gone,
            made: self.made,
            pages,
            bytes,
            skipped,
            objects,
        }
    }
}

/// The place of an object's kind among [`KINDS`].
const fn kind(info: &Info) -> usize {
    match info {
        Info::RamDataspace(_) => 0,
        Info::RomDataspace(_) => 1,
        Info::RegionMap(_) => 2,
        Info::Thread(_) => 3,
        Info::SignalContext(_) => 4,
        Info::Endpoint => 5,
        Info::Notification => 6,
        Info::Remnant => 7,
        Info::Session(_) => 8,
        Info::SharedDataspace(_) => 9,
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { saved, answered, gone, made, pages, repaired, threads, .. } = self;
        match pages {
            0 => write!(f, "{saved} pages saved"),
            _ => write!(
                f,
                "{answered} requests answered, {} objects put right, {pages} pages copied, {repaired} bytes of stack \
                 repaired, {threads} threads set",
                gone + made
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    fn noted(events: &[(Event, u64)]) -> Statistics {
        let mut statistics = Statistics::default();
        for (event, now) in events {
            statistics.note(event, || {
                assert_ne!(*now, 0, "{event:?} asks for the time");
                *now
            });
        }
        statistics
    }

    #[test]
    fn phases_of_a_checkpoint_are_its_whole_time() {
        let statistics = noted(&[
            (Event::Begins(Kind::Checkpoint), 0),
            (Event::Phase(Phase::Information), 100),
            (Event::Phase(Phase::Freeze), 130),
            (Event::Stopped { threads: 1 }, 140),
            (Event::Phase(Phase::Registers), 0),
            (Event::Phase(Phase::Signals), 0),
            (Event::Time { now: 160 }, 0),
            (Event::Phase(Phase::Pages), 0),
            (Event::Saved { pages: 2 }, 0),
            (Event::Phase(Phase::Thaw), 0),
            (Event::Thawed, 200),
            (Event::Ends(Kind::Checkpoint), 0),
        ]);
        let figures = statistics.figures(Work::Checkpoint, 7, &Information::default());
        assert_eq!((figures.took, figures.stopped, figures.pages, figures.bytes), (100, 60, 2, 8192));
        assert_eq!(figures.phases[..6], [30, 10, 20, 0, 40, 0]);
        assert_eq!(figures.phases.iter().sum::<u32>(), 100);
    }

    #[test]
    fn phases_of_a_restore_are_its_whole_time() {
        let statistics = noted(&[
            (Event::Begins(Kind::Restore), 0),
            (Event::Phase(Phase::Instance), 1000),
            (Event::Phase(Phase::Bootstrap), 1100),
            (Event::Answered { index: 0, interface: 1, operation: 1 }, 0),
            (Event::Phase(Phase::Freeze), 1300),
            (Event::Phase(Phase::Objects), 1310),
            (Event::Objects { gone: 1, made: 2 }, 0),
            (Event::Phase(Phase::Memory), 1350),
            (Event::Memory { pages: 3 }, 0),
            (Event::Repair { bytes: 100 }, 0),
            (Event::Phase(Phase::Thaw), 1400),
            (Event::Thawed, 1401),
        ]);
        let figures = statistics.figures(Work::Replay, 1, &Information::default());
        assert_eq!((figures.took, figures.stopped), (401, 0));
        assert_eq!((figures.pages, figures.bytes), (4, 3 * 4096 + 100));
        assert_eq!((figures.answered, figures.gone, figures.made), (1, 1, 2));
        assert_eq!(figures.phases.iter().sum::<u32>(), 401);
    }

    #[test]
    fn phases_have_the_names_that_traces_have() {
        let traced = crate::notes::KINDS.iter().skip_while(|kind| kind.name != PHASES[0]);
        assert!(traced.zip(PHASES).all(|(kind, name)| kind.name == name));
    }
}
