//! A trace put together: who is who, and which answer belongs to which request.

use std::collections::BTreeMap;

use wire::trace::{Event, Moment};

use super::{Recorded, Window};

/// What core did, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// Core, then the components in the order in which they are first heard of.
    pub lanes: Vec<Lane>,
    /// Requests and events, by time.
    pub entries: Vec<Entry>,
    /// How many events came before and are lost.
    pub overwritten: u64,
}

/// A component, or core. One that is started again is the same lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// What it is called; with a number behind it if another one is called alike.
    pub name: String,
    /// Names of its threads, as far as they are known.
    pub threads: BTreeMap<u8, String>,
}

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it began, in nanoseconds.
    pub time: u64,
    /// Whose it is.
    pub lane: usize,
    /// It happened while core served a request.
    pub within: bool,
    /// What it was.
    pub what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A request.
    Request {
        /// Which thread asked.
        thread: u8,
        /// Number of the interface.
        interface: u8,
        /// Number of the operation.
        operation: u8,
        /// How it ended; none if that is not known: the run ended in it.
        end: Option<End>,
    },
    /// The end of a request of which the beginning is lost.
    Answer {
        /// Which thread had asked.
        thread: u8,
        /// Number of the interface.
        interface: u8,
        /// Number of the operation.
        operation: u8,
        /// Label of the answer.
        status: Option<u32>,
    },
    /// Something else: no request, and no answer.
    Event(Event),
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// When, in nanoseconds.
    pub time: u64,
    /// Label of the answer; none if nobody was answered.
    pub status: Option<u32>,
}

impl Entry {
    /// When it ended; when it was, if it took no time.
    pub fn end(&self) -> u64 {
        match self.what {
            What::Request { end: Some(end), .. } => end.time,
            _ => self.time,
        }
    }
}

/// The lane of core.
pub const CORE: usize = 0;

impl Timeline {
    /// What a trace tells of a part of the run.
    pub fn new(recorded: &Recorded, window: Window) -> Self {
        let mut lanes = Lanes::default();
        lanes.of(recorded, 0, 0);
        let mut entries = Vec::<Entry>::new();
        // Core serves one request after the other.
        let mut open: Option<usize> = None;
        for &Moment { time, domain, name, event } in recorded.moments() {
            let lane = lanes.of(recorded, domain, name);
            let mut push = |within, what| entries.push(Entry { time, lane, within, what });
            match event {
                Event::Request { thread, interface, operation, .. } => {
                    push(false, What::Request { thread, interface, operation, end: None });
                    open = Some(entries.len() - 1);
                }
                Event::Answer { thread, interface, operation, status } => {
                    let asked = open.take().and_then(|index| entries.get_mut(index));
                    match asked {
                        Some(Entry { what: What::Request { end, .. }, .. }) => *end = Some(End { time, status }),
                        _ => entries.push(Entry {
                            time,
                            lane,
                            within: false,
                            what: What::Answer { thread, interface, operation, status },
                        }),
                    }
                }
                event => {
                    if let Event::ThreadMade { thread, name, .. } = event
                        && let Some(name) = recorded.name(name)
                    {
                        lanes.all[lane].threads.insert(thread, name.to_owned());
                    }
                    push(open.is_some(), What::Event(event));
                }
            }
        }
        entries.retain(|entry| entry.time <= window.to && entry.end() >= window.from);
        Self { lanes: lanes.all, entries, overwritten: recorded.overwritten() }
    }

    /// When the first entry begins and the last one ends; none if there is no entry.
    pub fn extent(&self) -> Option<(u64, u64)> {
        let first = self.entries.first()?.time;
        Some((first, self.entries.iter().map(Entry::end).max()?))
    }
}

/// Gives each component a lane.
#[derive(Default)]
struct Lanes {
    all: Vec<Lane>,
    by_who: BTreeMap<(u16, u8), usize>,
    /// How many are called alike.
    alike: BTreeMap<String, u32>,
}

impl Lanes {
    fn of(&mut self, recorded: &Recorded, domain: u16, name: u8) -> usize {
        // Core has no name before it makes itself a protection domain.
        let who = if domain == 0 { (0, 0) } else { (domain, name) };
        if let Some(&lane) = self.by_who.get(&who) {
            return lane;
        }
        let name = match (domain, recorded.name(name)) {
            (0, _) => "core".to_owned(),
            (_, Some(name)) => name.to_owned(),
            (_, None) => format!("domain {domain}"),
        };
        let alike = self.alike.entry(name.clone()).or_insert(0);
        *alike += 1;
        let name = if *alike == 1 { name } else { format!("{name} ({alike})") };
        self.all.push(Lane { name, threads: BTreeMap::new() });
        self.by_who.insert(who, self.all.len() - 1);
        self.all.len() - 1
    }
}
