//! What is no request: marks below the bars, and what lasts: lives of components, and that they are frozen.

use std::fmt::{self, Write};

use base::session::pd::{Note, Shape};
use wire::trace::Event;

use super::{
    super::{Entry, Timeline, What, scale::Scale},
    escape, seconds,
};

/// Marks of a kind that are nearer than this become one.
const NEAR: f64 = 7.0;

/// Kinds of marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The component is made, or gone.
    Life,
    /// A thread is made, starts, stops, ends.
    Thread,
    /// Pages are mapped or unmapped.
    Map,
    /// A page that is not mapped is touched.
    Fault,
    /// A thread did what it may not.
    Exception,
    /// A signal is raised.
    Signal,
    /// An interrupt has come.
    Interrupt,
    /// It is frozen, or thawed.
    Freeze,
    /// A thread notes something.
    Note,
}

/// Something that happened, or several things of a kind that are close together.
pub(super) struct Mark {
    pub(super) lane: usize,
    pub(super) kind: Kind,
    x: f64,
    title: String,
    count: u32,
}

impl Kind {
    fn of(event: Event) -> Option<Self> {
        Some(match event {
            Event::Request { .. } | Event::Answer { .. } => return None,
            Event::Mapped { .. } | Event::Unmapped { .. } => Self::Map,
            Event::Fault { .. } | Event::Continued { .. } => Self::Fault,
            Event::Exception { .. } => Self::Exception,
            Event::Frozen { .. } | Event::Thawed { .. } => Self::Freeze,
            Event::ThreadMade { .. }
            | Event::ThreadStarted { .. }
            | Event::ThreadPaused { .. }
            | Event::ThreadResumed { .. }
            | Event::ThreadEnded { .. } => Self::Thread,
            Event::DomainMade { .. } | Event::DomainFreed => Self::Life,
            Event::Signal { .. } => Self::Signal,
            Event::Interrupt { .. } => Self::Interrupt,
            // Where a bar ends there needs no mark.
            Event::Note(Note { shape: Shape::End, .. }) => return None,
            Event::Note(_) => Self::Note,
        })
    }

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Life => "component made, gone",
            Self::Thread => "thread made, started, stopped, ended",
            Self::Map => "pages mapped, unmapped",
            Self::Fault => "page fault",
            Self::Exception => "exception",
            Self::Signal => "signal",
            Self::Interrupt => "interrupt",
            Self::Freeze => "frozen, thawed",
            Self::Note => "noted by a component",
        }
    }

    /// Where it stands across the row of marks, so that kinds at the same time can be told apart.
    const fn offset(self) -> f64 {
        match self {
            Self::Signal | Self::Interrupt | Self::Freeze | Self::Note => 4.0,
            Self::Life | Self::Thread | Self::Map | Self::Fault | Self::Exception => -4.0,
        }
    }

    /// Draws its sign around a point.
    pub(super) fn write(self, to: &mut String, x: f64, y: f64) -> fmt::Result {
        let (class, path) = match self {
            Self::Life => ("m-thread", "m-4-4h8v8h-8z"),
            Self::Thread => ("m-thread", "m-3-4l7 4l-7 4z"),
            Self::Map => ("m-map", "m-4-2h8v4h-8z"),
            Self::Fault => ("m-fault", "m0-4l4 4l-4 4l-4-4z"),
            Self::Exception => ("m-fault", "m-5-3l2-2l3 3l3-3l2 2l-3 3l3 3l-2 2l-3-3l-3 3l-2-2l3-3z"),
            Self::Signal => ("m-signal", "m0-4l4 8h-8z"),
            Self::Interrupt => ("m-interrupt", "m-4-4h8l-4 8z"),
            Self::Freeze => ("m-map", "m-1-5h2v4h4v2h-4v4h-2v-4h-4v-2h4z"),
            Self::Note => ("m-note", "m0-4a4 4 0 1 1 0 8a4 4 0 1 1 0-8z"),
        };
        write!(to, r#"<path class="{class}" d="M{x:.1} {y:.0}{path}"/>"#)
    }
}

impl Mark {
    pub(super) fn write(&self, to: &mut String, y: f64) -> fmt::Result {
        let mut sign = String::new();
        self.kind.write(&mut sign, self.x, y + self.kind.offset())?;
        let title = escape(&self.title);
        let title = match self.count {
            1 => title,
            count => format!("{count} times: {}, the first one: {title}", self.kind.text()),
        };
        writeln!(to, "<g>{sign}<title>{title}</title></g>")
    }
}

/// The marks of a timeline.
pub(super) fn marks(timeline: &Timeline, scale: &Scale) -> Vec<Mark> {
    let mut marks = Vec::<Mark>::new();
    for entry in &timeline.entries {
        let What::Event(event) = entry.what else { continue };
        let Some(kind) = Kind::of(event) else { continue };
        let (lane, x) = (entry.lane, scale.x(entry.time));
        let near = marks.iter_mut().rev().take_while(|mark| x - mark.x < NEAR);
        if let Some(before) = near.into_iter().find(|mark| mark.kind == kind && mark.lane == lane) {
            before.count += 1;
            continue;
        }
        let (who, what) = (timeline.who(lane, &entry.what), timeline.what(lane, &entry.what));
        marks.push(Mark { lane, kind, x, title: format!("{} {who} {what}", seconds(entry.time)), count: 1 });
    }
    marks
}

fn events(timeline: &Timeline, lane: usize) -> impl Iterator<Item = (u64, Event)> + '_ {
    let of_lane = timeline.entries.iter().filter(move |entry| entry.lane == lane);
    of_lane.filter_map(|&Entry { time, what, .. }| match what {
        What::Event(event) => Some((time, event)),
        _ => None,
    })
}

/// From when until when a component was there; it may be started again. Without an end it was there at the end.
pub(super) fn lives(timeline: &Timeline, lane: usize, first: u64) -> Vec<(u64, Option<u64>)> {
    let (mut lives, mut since) = (Vec::new(), Some(first));
    let mut heard = false;
    for (time, event) in events(timeline, lane) {
        match event {
            // What was heard of it before was of an earlier one.
            Event::DomainMade { .. } => {
                if let Some(from) = since.filter(|_| heard) {
                    lives.push((from, Some(time)));
                }
                since = Some(time);
            }
            Event::DomainFreed => {
                if let Some(from) = since.take() {
                    lives.push((from, Some(time)));
                }
            }
            _ => {}
        }
        heard = true;
    }
    lives.extend(since.map(|from| (from, None)));
    lives
}

/// Which components were frozen, from when and until when.
pub(super) fn frozen(timeline: &Timeline) -> Vec<(usize, u64, Option<u64>)> {
    let mut frozen = Vec::new();
    for lane in 0..timeline.lanes.len() {
        let mut since = None;
        for (time, event) in events(timeline, lane) {
            match event {
                Event::Frozen { .. } => since = since.or(Some(time)),
                Event::Thawed { depth: 0, .. } | Event::DomainFreed => {
                    if let Some(from) = since.take() {
                        frozen.push((lane, from, Some(time)));
                    }
                }
                _ => {}
            }
        }
        frozen.extend(since.map(|from| (lane, from, None)));
    }
    frozen
}
