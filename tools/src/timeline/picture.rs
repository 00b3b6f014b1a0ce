//! A timeline as a picture: a lane for core and each component, against time, as SVG.
//!
//! Requests are bars, in the lane of who asks and, while core serves them, in core's; colours tell interfaces. Everything else
//! is a mark. Time in which nothing happens is cut out, with its length in its place. What lies too close to be told apart is
//! one bar, or one mark, that says how many it stands for. Everything says what it is when it is pointed at.

mod marks;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write},
};

use base::session::pd::Shape;

use super::{
    Entry, Timeline, What,
    model::CORE,
    scale::Scale,
    words::{self, duration},
};
use marks::Kind;

/// Most pixels from the first event to the last.
const WIDTH: f64 = 6000.0;
/// Pixels that a letter of a name takes.
const BOLD: f64 = 7.6;
const RIGHT: f64 = 40.0;
/// Least width of a picture: its legend needs that.
const LEAST: f64 = 760.0;
const TOP: f64 = 62.0;
/// Height of a lane, and what is in it, from its top.
const LANE: f64 = 50.0;
const BAR: f64 = 6.0;
const BAR_HEIGHT: f64 = 18.0;
const MARKS: f64 = 37.0;
/// Bars that are narrower than this become one if they touch.
const THIN: f64 = 1.5;
/// Pixels that a letter takes, in bars.
const LETTER: f64 = 6.3;
/// How often names are repeated.
const AGAIN: f64 = 1500.0;
/// Least pixels between two ticks.
const TICK: f64 = 95.0;

/// Colours of interfaces: a class of the style sheet, what it stands for, and which interfaces.
const COLOURS: [(&str, &str, &[u8]); 11] = [
    ("domain", "protection domains, dataspaces (PD)", &[1]),
    ("map", "region maps (RM)", &[3]),
    ("rom", "modules (ROM)", &[5]),
    ("thread", "threads (CPU)", &[4]),
    ("time", "time (TIMER)", &[6]),
    ("signal", "signals (SIGNAL)", &[7]),
    ("talk", "output, parent (LOG, PARENT, REPORT)", &[2, 8, 11]),
    ("device", "devices (IRQ, IO_MEM, PERSISTENT)", &[9, 10, 15]),
    ("other", "others", &[]),
    ("span", "what a component says it does", &[]),
    ("step", "a step of that", &[]),
];

/// A request, or what a component says it does, or several that cannot be told apart.
#[derive(Clone)]
struct Bar {
    lane: usize,
    x: f64,
    end: f64,
    interface: u8,
    title: String,
    label: String,
    /// It did not succeed.
    wrong: bool,
    count: u32,
    row: Row,
}

/// What a bar is of, and so where in its lane it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Row {
    /// A request.
    Request,
    /// What a component says it does.
    Span,
    /// A step of that.
    Step,
}

impl Row {
    /// Where it begins below a lane's top, and how high it is.
    const fn place(self) -> (f64, f64) {
        match self {
            Self::Request => (BAR, BAR_HEIGHT),
            Self::Span => (3.0, 13.0),
            Self::Step => (17.0, 13.0),
        }
    }
}

impl Bar {
    fn class(&self) -> &'static str {
        match self.row {
            Row::Request => colour(self.interface),
            Row::Span => "span",
            Row::Step => "step",
        }
    }

    /// What several are called.
    const fn many(&self) -> &'static str {
        match self.row {
            Row::Request => "requests",
            Row::Span | Row::Step => "of these",
        }
    }
}

/// The picture of a timeline.
pub fn svg(timeline: &Timeline, title: &str) -> String {
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = Picture::new(timeline).write(&mut svg, title);
    svg
}

struct Picture<'a> {
    timeline: &'a Timeline,
    left: f64,
    scale: Scale,
    bars: Vec<Bar>,
}

impl<'a> Picture<'a> {
    fn new(timeline: &'a Timeline) -> Self {
        let times = timeline.entries.iter().flat_map(|entry| [entry.time, entry.end()]).collect();
        let longest = timeline.lanes.iter().map(|lane| lane.name.chars().count()).max().unwrap_or(0);
        // Time begins right of the names.
        let left = (30.0 + BOLD * longest as f64).max(90.0);
        let scale = Scale::new(times, left, WIDTH);
        let bars = bars(timeline, &scale);
        Self { timeline, left, scale, bars }
    }

    fn top(lane: usize) -> f64 {
        TOP + LANE * lane as f64
    }

    fn write(&self, to: &mut String, title: &str) -> fmt::Result {
        let Self { timeline, scale, bars, .. } = self;
        let marks = marks::marks(timeline, scale);
        let bottom = Self::top(timeline.lanes.len());
        let (width, height) = ((scale.width + RIGHT).max(LEAST), bottom + 96.0);
        write!(to, r#"<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:.0}" height="{height:.0}" "#)?;
        writeln!(to, r#"viewBox="0 0 {width:.0} {height:.0}">"#)?;
        writeln!(to, "<title>{}</title>\n<style>\n{}</style>", escape(title), include_str!("style.css"))?;
        to.write_str(r#"<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" "#)?;
        writeln!(to, r#"patternTransform="rotate(45)"><path class="hatch" d="M0 0V6"/></pattern></defs>"#)?;
        writeln!(to, r#"<rect class="paper" width="100%" height="100%"/>"#)?;
        writeln!(to, r#"<text class="title" x="10" y="22">{}</text>"#, escape(title))?;
        let Some((first, last)) = timeline.extent() else {
            return writeln!(to, "<text class=\"dim\" x=\"10\" y=\"42\">nothing happened in core</text>\n</svg>");
        };
        let lost = match timeline.overwritten {
            0 => String::new(),
            lost => format!("; {lost} earlier events are lost"),
        };
        let entries = timeline.entries.len();
        let took = duration(last - first);
        writeln!(to, r#"<text class="dim" x="10" y="40">{entries} requests and events in {took}{lost}</text>"#)?;
        self.lanes(to, first)?;
        self.axis(to, bottom)?;
        self.frozen(to)?;
        for bar in bars {
            self.bar(to, bar)?;
        }
        for mark in &marks {
            mark.write(to, Self::top(mark.lane) + MARKS)?;
        }
        self.names(to)?;
        self.legend(to, bottom + 34.0, marks.iter().map(|mark| mark.kind).collect())?;
        writeln!(to, "</svg>")
    }

    fn lanes(&self, to: &mut String, first: u64) -> fmt::Result {
        for lane in 0..self.timeline.lanes.len() {
            let lives = marks::lives(self.timeline, lane, first);
            for (from, until) in lives {
                let x = self.scale.x(from) - if from == first { 4.0 } else { 0.0 };
                let end = until.map_or(self.scale.width + 4.0, |time| self.scale.x(time));
                let (y, width) = (Self::top(lane) + 2.0, (end - x).max(1.0));
                writeln!(to, r#"<rect class="life" x="{x:.1}" y="{y}" width="{width:.1}" height="{}"/>"#, LANE - 4.0)?;
            }
        }
        Ok(())
    }

    /// Lines and times of ticks, and what is cut out.
    fn axis(&self, to: &mut String, bottom: f64) -> fmt::Result {
        let Self { scale, .. } = self;
        writeln!(to, r#"<text class="tick" x="10" y="{:.0}">seconds</text>"#, TOP - 8.0)?;
        let step = step(TICK / scale.factor);
        let mut room = 0.0;
        for (index, stretch) in scale.stretches.iter().enumerate() {
            let ticks = (stretch.from / step + 1..=stretch.to / step).map(|tick| tick * step);
            for time in std::iter::once(stretch.from).chain(ticks) {
                let x = scale.x(time);
                writeln!(to, r#"<path class="grid" d="M{x:.1} {:.0}V{bottom:.0}"/>"#, TOP - 4.0)?;
                if x >= room {
                    writeln!(to, r#"<text class="tick" x="{x:.1}" y="{:.0}">{}</text>"#, TOP - 8.0, seconds(time))?;
                    room = x + TICK - 10.0;
                }
            }
            let Some(next) = scale.stretches.get(index + 1) else { continue };
            let (x, width) = (scale.end(stretch), scale.gap);
            writeln!(
                to,
                r#"<rect class="break" x="{x:.1}" y="{TOP}" width="{width:.1}" height="{:.0}"/>"#,
                bottom - TOP
            )?;
            let (middle, out) = (x + width / 2.0, duration(next.from - stretch.to));
            writeln!(
                to,
                r#"<path class="zigzag" d="M{middle:.1} {TOP}V{bottom:.0}"><title>nothing for {out}</title></path>"#
            )?;
            if width >= 20.0 {
                let y = bottom + if index % 2 == 0 { 10.0 } else { 21.0 };
                writeln!(to, r#"<text class="tick" text-anchor="middle" x="{middle:.1}" y="{y:.0}">{out}</text>"#)?;
            }
        }
        Ok(())
    }

    fn frozen(&self, to: &mut String) -> fmt::Result {
        for (lane, from, until) in marks::frozen(self.timeline) {
            let (x, y) = (self.scale.x(from), Self::top(lane) + 2.0);
            let width = (until.map_or(self.scale.width, |time| self.scale.x(time)) - x).max(2.0);
            let took = until.map_or("until the end".into(), |time| format!("for {}", duration(time - from)));
            write!(to, r#"<rect class="frozen" x="{x:.1}" y="{y}" width="{width:.1}" height="{}">"#, LANE - 4.0)?;
            writeln!(to, "<title>{} is frozen {took}</title></rect>", escape(&self.timeline.lanes[lane].name))?;
        }
        Ok(())
    }

    fn bar(&self, to: &mut String, bar: &Bar) -> fmt::Result {
        let (top, height) = bar.row.place();
        let (y, width) = (Self::top(bar.lane) + top, (bar.end - bar.x).max(1.0));
        let class = bar.class();
        // A wrong one is seen however thin it is.
        let edge = match (bar.wrong, width < 4.0) {
            (true, _) => " wrong",
            (false, true) => " thin",
            (false, false) => "",
        };
        let title = match bar.count {
            1 => escape(&bar.title),
            count => format!("{count} {}, the first one: {}", bar.many(), escape(&bar.title)),
        };
        if bar.row == Row::Request && bar.lane != CORE && width > THIN {
            let from = Self::top(CORE) + BAR + BAR_HEIGHT;
            writeln!(to, r#"<path class="ask" d="M{:.1} {from:.0}V{y:.0}"/>"#, bar.x)?;
        }
        write!(to, r#"<rect class="bar {class}{edge}" x="{:.1}" y="{y:.0}" width="{width:.1}" "#, bar.x)?;
        writeln!(to, r#"height="{height}" rx="2"><title>{title}</title></rect>"#)?;
        if bar.count == 1 && bar.label.chars().count() as f64 * LETTER < width {
            let label = escape(&bar.label);
            writeln!(
                to,
                r#"<text class="in" x="{:.1}" y="{:.0}">{label}</text>"#,
                bar.x + 3.0,
                y + height / 2.0 + 3.5
            )?;
        }
        Ok(())
    }

    fn names(&self, to: &mut String) -> fmt::Result {
        for (lane, component) in self.timeline.lanes.iter().enumerate() {
            let (y, name) = (Self::top(lane) + 27.0, escape(&component.name));
            writeln!(
                to,
                r#"<rect class="paper" x="0" y="{:.0}" width="{:.0}" height="20"/>"#,
                y - 14.0,
                self.left - 8.0
            )?;
            writeln!(to, r#"<text class="name" x="10" y="{y:.0}">{name}</text>"#)?;
            let mut x = self.left + AGAIN;
            while x < self.scale.width {
                writeln!(to, r#"<text class="again" x="{x:.0}" y="{:.0}">{name}</text>"#, y + 12.0)?;
                x += AGAIN;
            }
        }
        Ok(())
    }

    fn legend(&self, to: &mut String, y: f64, kinds: BTreeSet<Kind>) -> fmt::Result {
        let used: BTreeSet<_> = self.bars.iter().map(Bar::class).collect();
        let mut x = 10.0;
        let advance = |text: &str| 28.0 + 6.9 * text.chars().count() as f64;
        for (class, text, _) in COLOURS.iter().filter(|(class, ..)| used.contains(class)) {
            write!(to, r#"<rect class="bar {class}" x="{x:.0}" y="{:.0}" width="12" height="12" rx="2"/>"#, y - 10.0)?;
            writeln!(to, r#"<text x="{:.0}" y="{y:.0}">{text}</text>"#, x + 16.0)?;
            x += advance(text);
        }
        let y = y + 24.0;
        x = 10.0;
        for kind in kinds {
            kind.write(to, x + 5.0, y - 4.0)?;
            writeln!(to, r#"<text x="{:.0}" y="{y:.0}">{}</text>"#, x + 16.0, kind.text())?;
            x += advance(kind.text());
        }
        let y = y + 24.0;
        let note = "a bar is a request, in the lane of who asks and in core's; a red edge: it was refused or failed";
        writeln!(to, r#"<text class="dim" x="10" y="{y:.0}">{note}</text>"#)
    }
}

/// The requests, in their own lanes and in core's, and what components say they do.
fn bars(timeline: &Timeline, scale: &Scale) -> Vec<Bar> {
    let mut bars = Vec::<Bar>::new();
    // The last one in each row of each lane.
    let mut last = BTreeMap::<(usize, Row), usize>::new();
    for entry in &timeline.entries {
        let Some(bar) = bar(timeline, scale, entry) else { continue };
        let lanes = if bar.row == Row::Request { BTreeSet::from([CORE, bar.lane]) } else { BTreeSet::from([bar.lane]) };
        for lane in lanes {
            let before = last.get(&(lane, bar.row)).and_then(|&index| bars.get_mut(index));
            if let Some(before) = before.filter(|before| bar.end - before.x < THIN * 2.0 && bar.x - before.end < 0.5) {
                before.end = before.end.max(bar.end);
                before.count += 1;
                before.wrong |= bar.wrong;
                continue;
            }
            last.insert((lane, bar.row), bars.len());
            bars.push(Bar { lane, ..bar.clone() });
        }
    }
    bars
}

fn bar(timeline: &Timeline, scale: &Scale, entry: &Entry) -> Option<Bar> {
    let who = timeline.who(entry.lane, &entry.what);
    let took = |end: Option<u64>| end.map_or(String::new(), |end| format!(", {}", duration(end - entry.time)));
    let x = scale.x(entry.time);
    let (row, interface, end, label, title, wrong) = match entry.what {
        What::Request { interface, operation, end, .. } => {
            let status = end.map_or("the run ended".into(), |end| words::status(interface, operation, end.status));
            let what = words::request(interface, operation);
            let end = end.map(|end| end.time);
            let label = words::short(interface, operation);
            (Row::Request, interface, end, label, format!("{what}: {status}"), is_wrong(&status))
        }
        What::Span { note, end } => {
            let row = if note.shape == Shape::Begin { Row::Span } else { Row::Step };
            let what = timeline.what(entry.lane, &entry.what);
            (row, 0, end, what.clone(), what, false)
        }
        What::Answer { .. } | What::Event(_) => return None,
    };
    let title = format!("{} {who}: {title}{}", seconds(entry.time), took(end));
    let end = end.map_or(scale.width, |end| scale.x(end));
    Some(Bar { lane: entry.lane, x, end, interface, title, label, wrong, count: 1, row })
}

fn is_wrong(status: &str) -> bool {
    !["done", "pending", "not answered", "the run ended"].contains(&status)
}

fn colour(interface: u8) -> &'static str {
    let colour = COLOURS.iter().find(|(_, _, interfaces)| interfaces.contains(&interface));
    colour.map_or("other", |(class, ..)| class)
}

/// A round length of time, at least that many nanoseconds.
fn step(nanos: f64) -> u64 {
    let tens = (0..18).map(|digits| 10u64.pow(digits));
    let steps = tens.flat_map(|ten| [ten, 2 * ten, 5 * ten]);
    steps.into_iter().find(|&step| step as f64 >= nanos).unwrap_or(1 << 62)
}

fn seconds(time: u64) -> String {
    format!("{}.{:09}", time / 1_000_000_000, time % 1_000_000_000)
}

/// Text as it is written in XML.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            character => escaped.push(character),
        }
    }
    escaped
}
