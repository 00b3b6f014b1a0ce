//! A trace put together: who is who, and which answer belongs to which request.

use std::collections::BTreeMap;

use base::session::pd::{Note, Shape};
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
    /// Names of the kinds of notes.
    pub(super) kinds: BTreeMap<u8, String>,
}

/// A component, or core, or what a thread notes. A component that is started again is the same lane.
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
    /// It happened while core served a request, or in what a thread notes.
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
    /// A thread says that it does something, or the next step of that.
    Span {
        /// What it says.
        note: Note,
        /// When that ended, in nanoseconds; none if the run ended in it.
        end: Option<u64>,
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
            What::Span { end: Some(end), .. } => end,
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
        let mut spans = Spans::default();
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
                Event::Note(note) => {
                    let lane = lanes.notes(lane, note.thread.number());
                    spans.note(&mut entries, (time, lane), note);
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
        let kinds = recorded.kinds().map(|(number, name)| (number, name.to_owned())).collect();
        Self { lanes: lanes.all, entries, overwritten: recorded.overwritten(), kinds }
    }

    /// When the first entry begins and the last one ends; none if there is no entry.
    pub fn extent(&self) -> Option<(u64, u64)> {
        let first = self.entries.first()?.time;
        Some((first, self.entries.iter().map(Entry::end).max()?))
    }
}

/// What threads have begun and not ended, by lane: what it is, and its last step.
#[derive(Default)]
struct Spans(BTreeMap<usize, Vec<Open>>);

struct Open {
    kind: u8,
    entry: usize,
    step: Option<usize>,
}

impl Spans {
    fn note(&mut self, entries: &mut Vec<Entry>, (time, lane): (u64, usize), note: Note) {
        let open = self.0.entry(lane).or_default();
        let close = |entries: &mut Vec<Entry>, entry: Option<usize>| {
            if let Some(Entry { what: What::Span { end, .. }, .. }) = entry.and_then(|entry| entries.get_mut(entry)) {
                *end = Some(time);
            }
        };
        let mut what = What::Event(Event::Note(note));
        match note.shape {
            Shape::Instant => {}
            Shape::Begin => {
                what = What::Span { note, end: None };
                open.push(Open { kind: note.kind, entry: entries.len(), step: None });
            }
            Shape::Step => {
                what = What::Span { note, end: None };
                if let Some(open) = open.last_mut() {
                    close(entries, open.step.replace(entries.len()));
                }
            }
            Shape::End => {
                if let Some(place) = open.iter().rposition(|open| open.kind == note.kind) {
                    // What began in it and was not ended ends with it.
                    for Open { entry, step, .. } in open.drain(place..) {
                        close(entries, step);
                        close(entries, Some(entry));
                    }
                }
            }
        }
        let depth = open.len() - usize::from(note.shape == Shape::Begin);
        entries.push(Entry { time, lane, within: depth > 0, what });
    }
}

/// Gives each component a lane, and each thread that notes something.
#[derive(Default)]
struct Lanes {
    all: Vec<Lane>,
    by_who: BTreeMap<(u16, u8), usize>,
    by_thread: BTreeMap<(usize, u8), usize>,
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
        let name = self.unique(name);
        self.all.push(Lane { name, threads: BTreeMap::new() });
        self.by_who.insert(who, self.all.len() - 1);
        self.all.len() - 1
    }

    /// With a number behind it if another one is called alike.
    fn unique(&mut self, name: String) -> String {
        let alike = self.alike.entry(name.clone()).or_insert(0);
        *alike += 1;
        if *alike == 1 { name } else { format!("{name} ({alike})") }
    }

    /// Of what a thread notes.
    fn notes(&mut self, component: usize, thread: u8) -> usize {
        if let Some(&lane) = self.by_thread.get(&(component, thread)) {
            return lane;
        }
        let Lane { name, threads } = &self.all[component];
        let thread_name = threads.get(&thread).cloned().unwrap_or_else(|| thread.to_string());
        let name = self.unique(format!("{name}/{thread_name}"));
        self.all.push(Lane { name, threads: BTreeMap::new() });
        self.by_thread.insert((component, thread), self.all.len() - 1);
        self.all.len() - 1
    }
}
