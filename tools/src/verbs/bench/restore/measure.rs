//! What a trace tells of a checkpoint and a restore: how long each phase took, and what was asked of core in it.
//!
//! A phase lasts from the event that begins it to the event that begins the next one, so phases have no gaps and their sum is the
//! whole. In a phase, core's time is that between requests of whoever restores and their answers; the rest is that one's
//! own, that of the way to core and back, and in a bootstrap the component's.

use std::collections::BTreeMap;

use base::{
    layout::{ANYWHERE, STACK_AREA},
    session::{INTERFACES, pd::Shape},
};
use serde::Serialize;
use wire::trace::{Event, Moment};

use crate::timeline::Recorded;

/// What is not in a trace of a checkpoint and a restore, or not as it must be.
#[derive(Debug, thiserror::Error)]
pub enum Missing {
    /// Events were lost.
    #[error("{0} events of the trace are lost: there is no room for so many")]
    Lost(u64),
    /// Nothing of that name.
    #[error("the trace has no `{0}`")]
    Nothing(&'static str),
    /// Parts that are not the whole.
    #[error("the parts of `{what}` are {parts} ns, and all of it is {whole} ns")]
    Sum {
        /// Of what.
        what: String,
        /// Their sum.
        parts: u64,
        /// The whole.
        whole: u64,
    },
}

/// A checkpoint and the restore from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Measured {
    /// The checkpoint.
    pub checkpoint: Work,
    /// The restore.
    pub restore: Work,
    /// From the instant at which core had stopped the threads until it let them go on, in the checkpoint.
    pub stopped: u64,
    /// Allocations of the first instance, all of them before the checkpoint.
    pub allocations: Scopes,
    /// What recording adds to each scope.
    pub empty_scope: u64,
    /// When the checkpoint began and the restore ended.
    #[serde(skip)]
    pub extent: (u64, u64),
}

/// Something with phases. Times are nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Work {
    /// From the beginning of its first phase to its end.
    pub total: u64,
    /// In order; a phase that comes twice is here once.
    pub phases: Vec<Phase>,
    /// Memory that was allocated meanwhile.
    pub allocations: Scopes,
    /// Stacks that were repaired meanwhile.
    pub repairs: Scopes,
    /// Core's time with requests to copy pages of stacks.
    pub repair_copies: u64,
    /// Pages that were mapped into address spaces, of the program, and others.
    pub mapped: Mapped,
    /// Bytes that were copied between the component and the storage; those of stacks.
    pub copied: u64,
    /// See there.
    pub stack_bytes: u64,
    /// Page faults, cured or not.
    pub faults: u64,
    /// Threads whose registers were read or set.
    pub threads: u64,
}

/// Pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Mapped {
    /// Of the program that are not its own, each with a capability of its own.
    pub shared: u64,
    /// Others.
    pub own: u64,
    /// Megabytes in which something was mapped: each needs a page table, unless it is one frame.
    pub megabytes: u64,
}

/// A phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Phase {
    /// What it is called.
    pub name: String,
    /// How long it took.
    pub time: u64,
    /// How much of that core took for requests.
    pub core: u64,
    /// What was asked of core, by interface and operation.
    pub requests: Vec<Requests>,
    /// Events that whoever restores has left: each is a request that is not counted among those.
    pub notes: u64,
}

/// Requests of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// As in `Pd.copy`.
    pub what: String,
    /// How many.
    pub count: u64,
    /// Core's time with them.
    pub core: u64,
}

/// Scopes of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Scopes {
    /// How many.
    pub count: u64,
    /// Their time, with what recording adds.
    pub time: u64,
}

impl Work {
    /// How many requests were made of core.
    pub fn requests(&self) -> u64 {
        self.kinds().map(|requests| requests.count).sum()
    }

    /// How many of one kind.
    pub fn count(&self, what: &str) -> u64 {
        self.kinds().filter(|requests| requests.what == what).map(|requests| requests.count).sum()
    }

    /// Events that were left.
    pub fn notes(&self) -> u64 {
        self.phases.iter().map(|phase| phase.notes).sum()
    }

    /// The phase of that name; one of no length if there was none.
    pub fn phase(&self, name: &str) -> u64 {
        self.phases.iter().find(|phase| phase.name == name).map_or(0, |phase| phase.time)
    }

    /// Core's time with requests of a kind in a phase.
    pub fn core(&self, phase: &str, what: &str) -> u64 {
        let phase = self.phases.iter().find(|known| known.name == phase);
        let requests = phase.and_then(|phase| phase.requests.iter().find(|requests| requests.what == what));
        requests.map_or(0, |requests| requests.core)
    }

    fn kinds(&self) -> impl Iterator<Item = &Requests> {
        self.phases.iter().flat_map(|phase| &phase.requests)
    }

    fn check(&self, what: &str) -> Result<(), Missing> {
        let parts = self.phases.iter().map(|phase| phase.time).sum();
        match parts == self.total {
            true => Ok(()),
            false => Err(Missing::Sum { what: what.into(), parts, whole: self.total }),
        }
    }
}

const STACK_AREA_START: u32 = STACK_AREA.start;

/// Which note an event is.
struct Kinds<'a>(BTreeMap<u8, &'a str>);

impl Kinds<'_> {
    fn of(&self, moment: &Moment) -> Option<(&str, Shape, u32)> {
        let Event::Note(note) = moment.event else { return None };
        Some((self.0.get(&note.kind)?, note.shape, note.value))
    }
}

impl Measured {
    /// What a trace tells of the first checkpoint and the first restore in it.
    ///
    /// # Errors
    /// There is none, or a part is missing.
    pub fn new(recorded: &Recorded) -> Result<Self, Missing> {
        if recorded.overwritten() > 0 {
            return Err(Missing::Lost(recorded.overwritten()));
        }
        let kinds = Kinds(recorded.kinds().collect());
        let all = recorded.moments();
        let (checkpoint, restore) = (span(all, &kinds, "checkpoint")?, span(all, &kinds, "restore")?);
        let frozen = checkpoint.iter().find(|moment| matches!(moment.event, Event::Frozen { .. }));
        let thawed = checkpoint.iter().find(|moment| matches!(moment.event, Event::Thawed { .. }));
        let (Some(frozen), Some(thawed)) = (frozen, thawed) else { return Err(Missing::Nothing("stop")) };
        let before = &all[..all.iter().position(|moment| std::ptr::eq(moment, &checkpoint[0])).unwrap_or(0)];
        let empty_scope = scopes(before, &kinds, "empty scope");
        let measured = Self {
            stopped: thawed.time - frozen.time,
            allocations: scopes(before, &kinds, "allocation"),
            empty_scope: empty_scope.time / empty_scope.count.max(1),
            extent: (checkpoint[0].time, restore.last().map_or(0, |last| last.time)),
            checkpoint: work(checkpoint, &kinds)?,
            restore: work(restore, &kinds)?,
        };
        measured.checkpoint.check("checkpoint")?;
        measured.restore.check("restore")?;
        Ok(measured)
    }
}

/// From the event that begins something to that which ends it.
fn span<'a>(all: &'a [Moment], kinds: &Kinds<'_>, what: &'static str) -> Result<&'a [Moment], Missing> {
    let find = |from: usize, shape: Shape| {
        let found = all[from..]
            .iter()
            .position(|moment| kinds.of(moment).is_some_and(|(name, known, _)| name == what && known == shape));
        found.map(|place| from + place).ok_or(Missing::Nothing(what))
    };
    let begin = find(0, Shape::Begin)?;
    Ok(&all[begin..=find(begin, Shape::End)?])
}

fn scopes(all: &[Moment], kinds: &Kinds<'_>, what: &str) -> Scopes {
    let (mut scopes, mut open) = (Scopes::default(), None);
    for moment in all {
        match kinds.of(moment) {
            Some((name, Shape::Begin, _)) if name == what => open = Some(moment.time),
            Some((name, Shape::End, _)) if name == what => {
                scopes.count += 1;
                scopes.time += open.take().map_or(0, |begin| moment.time - begin);
            }
            _ => {}
        }
    }
    scopes
}

fn work(all: &[Moment], kinds: &Kinds<'_>) -> Result<Work, Missing> {
    let (Some(first), Some(last)) = (all.first(), all.last()) else { return Err(Missing::Nothing("event")) };
    let is_step = |moment: &Moment| kinds.of(moment).is_some_and(|(_, shape, _)| shape == Shape::Step);
    let start = all.iter().position(is_step).ok_or(Missing::Nothing("phase"))?;
    let mut work = Work {
        total: last.time - all[start].time,
        phases: Vec::new(),
        allocations: scopes(all, kinds, "allocation"),
        repairs: scopes(all, kinds, "stack repair"),
        repair_copies: 0,
        mapped: Mapped::default(),
        copied: 0,
        stack_bytes: 0,
        faults: 0,
        threads: 0,
    };
    let mut megabytes = Vec::new();
    let (mut anywhere, mut managed_pages) = (0, 0);
    let mut program = Vec::new();
    let (mut asked, mut in_repair) = (None, false);
    let mut begun = all[start].time;
    let mut current = 0;
    for moment in &all[start..] {
        let Moment { time, domain, event, .. } = *moment;
        if let Some((name, shape, value)) = kinds.of(moment) {
            match (name, shape) {
                (name, Shape::Step) => {
                    if let Some(phase) = work.phases.get_mut(current) {
                        phase.time += time - begun;
                    }
                    begun = time;
                    current = work.phases.iter().position(|phase| phase.name == name).unwrap_or_else(|| {
                        let (time, core, notes) = (0, 0, 0);
                        work.phases.push(Phase { name: name.into(), time, core, requests: Vec::new(), notes });
                        work.phases.len() - 1
                    });
                }
                ("stack repair", shape) => in_repair = shape == Shape::Begin,
                ("memory saved" | "memory brought", _) => work.copied += u64::from(value),
                ("stacks repaired", _) => work.stack_bytes += u64::from(value),
                ("threads stopped" | "threads' registers set", _) => work.threads += u64::from(value),
                _ => {}
            }
            work.phases[current].notes += 1;
            continue;
        }
        match event {
            Event::Request { interface, operation, .. } if domain == first.domain => {
                asked = Some((time, name(interface, operation)));
            }
            Event::Answer { .. } if domain == first.domain => {
                let Some((begin, what)) = asked.take() else { continue };
                let phase = &mut work.phases[current];
                phase.core += time - begin;
                if in_repair && what == "Pd.copy" {
                    work.repair_copies += time - begin;
                }
                let place = phase.requests.iter().position(|known| known.what == what).unwrap_or_else(|| {
                    phase.requests.push(Requests { what, count: 0, core: 0 });
                    phase.requests.len() - 1
                });
                phase.requests[place].count += 1;
                phase.requests[place].core += time - begin;
            }
            Event::Mapped { page, pages, managed } => {
                let address = page << 12;
                let count = match address {
                    _ if managed => &mut managed_pages,
                    ..STACK_AREA_START => {
                        program.push((address, u64::from(pages)));
                        &mut 0
                    }
                    _ if ANYWHERE.contains(&address) => &mut anywhere,
                    _ => &mut work.mapped.own,
                };
                *count += u64::from(pages);
                if !managed {
                    megabytes.extend((page >> 8)..=((page + pages - 1) >> 8));
                }
            }
            Event::Fault { .. } => work.faults += 1,
            _ => {}
        }
    }
    work.phases[current].time += last.time - begun;
    // Managed region maps are attached while they are empty: what is in them is mapped when it is attached there.
    work.mapped.own += if managed_pages > 0 { managed_pages } else { anywhere };
    // The last segment of a program is the one that is its own.
    program.sort_unstable();
    if let Some((_, own)) = program.pop() {
        work.mapped.own += own;
    }
    work.mapped.shared = program.iter().map(|(_, pages)| pages).sum();
    megabytes.sort_unstable();
    megabytes.dedup();
    work.mapped.megabytes = megabytes.len() as u64;
    Ok(work)
}

fn name(interface: u8, operation: u8) -> String {
    let known = INTERFACES.iter().find(|known| known.id == u16::from(interface));
    let name = known.and_then(|known| Some((known.name, known.operation(operation)?.name)));
    name.map_or_else(|| format!("{interface}.{operation}"), |(interface, operation)| format!("{interface}.{operation}"))
}
