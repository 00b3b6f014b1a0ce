//! What a keeper tells of checkpoints and restores: lines for people, and figures for whoever reads the run's report.

use alloc::{format, string::String};
use core::fmt;

use base::session::{
    figures::{Figures, KINDS, PHASES, Work},
    parent::Event as Fate,
    pd::OWN,
};
use rtcr::{
    checkpoint::Checkpoint,
    information::Stage,
    object::{Info, ObjectInfo, ThreadInfo},
    statistics::Statistics,
};

use crate::{keeper::Keeper, plan::Way, shelf::Kept};

/// Time for people.
pub struct Micros(pub u64);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} us", self.0 / 1000, self.0 % 1000 / 100)
    }
}

/// So many of something, for people.
struct Count<N>(N, &'static str);

impl<N: fmt::Display + PartialEq + From<u8>> fmt::Display for Count<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0 == N::from(1) { "" } else { "s" };
        write!(f, "{} {}{plural}", self.0, self.1)
    }
}

/// What took how long, and of what there is how much: what is 0 is left out.
struct Details<'a>(&'a Figures);

impl fmt::Display for Details<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { took, phases, bytes, skipped, objects, .. } = self.0;
        write!(f, "{} in all", Micros(*took))?;
        for (name, time) in PHASES.iter().zip(phases).filter(|(_, time)| **time > 0) {
            write!(f, ", {name} {}", Micros((*time).into()))?;
        }
        write!(f, "; {} copied, {} skipped", Count(*bytes, "byte"), Count(*skipped, "page"))?;
        let mut separator = ';';
        for (name, count) in KINDS.into_iter().zip(*objects).filter(|(_, count)| *count > 0) {
            write!(f, "{separator} {}", Count(count, name))?;
            separator = ',';
        }
        Ok(())
    }
}

impl Keeper {
    /// A checkpoint was taken.
    pub(crate) fn tell_taken(&mut self, kept: &Kept) {
        let (number, name) = (kept.number, self.name());
        let information = kept.checkpoint.information();
        match information.stage {
            Stage::Running => log::info!(
                "Checkpoint {number} of {name}: stopped for {}, {} and {} saved.",
                Micros(self.home.done.stood_still()),
                Count(self.home.done.saved, "page"),
                Count(information.objects.len() as u32, "object"),
            ),
            Stage::Booting => {
                log::info!("Checkpoint {number} of {name}: it still starts; what it has asked for is saved.")
            }
        }
        self.tell_figures(Work::Checkpoint, kept);
    }

    /// The child was restored that way, and it took so many nanoseconds.
    pub(crate) fn tell_restored(&mut self, way: Way, kept: &Kept, took: u64) {
        let Statistics { answered, gone, made, pages, repaired, threads, .. } = self.home.done;
        log::info!(
            "A new {} goes on from checkpoint {}: restored {way} in {}, {} answered, {} put right, {} and {repaired} \
             bytes of stack copied, {} set.",
            self.name(),
            kept.number,
            Micros(took),
            Count(answered, "request"),
            Count(gone + made, "object"),
            Count(pages, "page"),
            Count(threads, "thread"),
        );
        let work = match way {
            Way::Replay => Work::Replay,
            Way::Direct => Work::Direct,
        };
        self.tell_figures(work, kept);
    }

    fn tell_figures(&mut self, work: Work, kept: &Kept) {
        let figures = self.home.done.figures(work, kept.number, kept.checkpoint.information());
        log::debug!("That took {}.", Details(&figures));
        self.home.report(Fate::Worked(figures));
    }

    /// How each thread stood, and how long after `asked` the child went on.
    pub(crate) fn tell_threads(&self, checkpoint: &Checkpoint, asked: u64) {
        let after = Micros(self.home.done.thawed.saturating_sub(asked));
        log::info!("{} went on {after} after that was asked for.", self.name());
        for ObjectInfo { number, info } in &checkpoint.information().objects {
            let Info::Thread(ThreadInfo { name, registers, activity, owes, paused, .. }) = info else { continue };
            let owes = owes.map_or_else(String::new, |client| format!(", owes {client}"));
            let pc = registers[0];
            log::info!("{}.{name} ({number}): {activity:?} at {pc:#x}, paused {paused}{owes}", self.name());
        }
    }

    /// What this component uses.
    pub(crate) fn tell_account(&self) {
        if let Ok(account) = self.env.pd().account(OWN) {
            log::debug!("{} bytes and {} capabilities are used here.", account.ram_used, account.caps_used);
        }
    }
}
