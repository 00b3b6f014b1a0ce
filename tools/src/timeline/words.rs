//! Events in words.

use base::{
    rpc::{Interface, Status},
    session::{
        INTERFACES,
        pd::{Note, Shape, Unit},
    },
};
use wire::{
    record::Access,
    trace::{Event, FaultEnd, Misdeed},
};

use super::{Lane, Timeline, What};

const PAGE: u64 = 4096;

/// The interface of that number.
pub(super) fn interface(number: u8) -> Option<&'static Interface> {
    INTERFACES.iter().find(|interface| interface.id == u16::from(number))
}

/// An operation, as in `Pd.allocate`.
pub(super) fn request(number: u8, operation: u8) -> String {
    match interface(number) {
        Some(interface) => format!("{}.{}", interface.name, short(number, operation)),
        None => format!("interface {number}, operation {operation}"),
    }
}

/// An operation's name alone.
pub(super) fn short(number: u8, operation: u8) -> String {
    let known = interface(number).and_then(|interface| interface.operation(operation));
    known.map_or_else(|| format!("operation {operation}"), |operation| operation.name.to_owned())
}

/// How a request ended.
pub(super) fn status(number: u8, operation: u8, label: Option<u32>) -> String {
    let Some(label) = label else { return "not answered".into() };
    match Status::from_label(label) {
        Status::Done => "done".into(),
        Status::Pending => "pending".into(),
        Status::PeerGone => "peer gone".into(),
        Status::Malformed => "malformed".into(),
        Status::TooLong => "too long".into(),
        Status::Refused => "refused".into(),
        Status::Interrupted => "interrupted".into(),
        Status::UnknownOperation => "unknown operation".into(),
        Status::Foreign(label) => format!("label {label:#x}"),
        Status::Error(code) => {
            let operation = interface(number).and_then(|interface| interface.operation(operation));
            let errors = operation.map_or(&[][..], |operation| operation.errors);
            let name = errors.iter().find(|(known, _)| *known == code.get()).map(|(_, name)| *name);
            name.map_or_else(|| format!("error {code}"), |name| format!("error {name}"))
        }
    }
}

/// A length of time, with three digits that count.
pub(super) fn duration(nanos: u64) -> String {
    // What would be rounded to a thousand is one of the next unit.
    let (value, unit) = match nanos {
        0..1_000 => return format!("{nanos} ns"),
        1_000..999_500 => (nanos as f64 / 1e3, "us"),
        999_500..999_500_000 => (nanos as f64 / 1e6, "ms"),
        _ => (nanos as f64 / 1e9, "s"),
    };
    let decimals = match value {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {unit}")
}

impl Timeline {
    /// Who an entry is about: the component, and which of its threads if not the first. A thread goes by its name, if that
    /// tells it from the others.
    pub(super) fn who(&self, lane: usize, what: &What) -> String {
        let Lane { name, threads } = &self.lanes[lane];
        let Some(number) = thread(what).filter(|&number| number > 0) else { return name.clone() };
        match threads.get(&number) {
            Some(thread) if threads.values().filter(|other| *other == thread).count() == 1 => {
                format!("{name}/{thread}")
            }
            _ => format!("{name}/{number}"),
        }
    }

    /// What happened, in words; of a request, what was asked for.
    pub(super) fn what(&self, lane: usize, what: &What) -> String {
        match *what {
            What::Request { interface, operation, .. } | What::Answer { interface, operation, .. } => {
                request(interface, operation)
            }
            What::Span { note, .. } => self.note(note),
            What::Event(event) => self.event(lane, event),
        }
    }

    fn event(&self, lane: usize, event: Event) -> String {
        match event {
            // Told as entries of their own.
            Event::Request { interface, operation, .. } | Event::Answer { interface, operation, .. } => {
                request(interface, operation)
            }
            Event::Mapped { page, pages, managed } => format!("maps {}", range(page, pages, managed)),
            Event::Unmapped { page, pages, managed } => format!("unmaps {}", range(page, pages, managed)),
            Event::Fault { access, end, address, .. } => {
                let end = match end {
                    FaultEnd::Cured => "is mapped now",
                    FaultEnd::Waits => "waits for it",
                    FaultEnd::Exception => "may not",
                };
                format!("{} {address:#010x}: {end}", touches(access))
            }
            Event::Exception { misdeed, value, .. } => match misdeed {
                Misdeed::Memory => format!("stops: memory at {value:#010x}"),
                Misdeed::Capability => format!("stops: slot {value}"),
                Misdeed::SystemCall => format!("stops: system call {}", value as i32),
                Misdeed::Instruction => format!("stops: exception {value}"),
                Misdeed::Forged => format!("stops: forged fault, label {value:#x}"),
                Misdeed::Unknown => format!("stops: unknown fault, label {value:#x}"),
            },
            Event::Continued { .. } => "goes on: the page is there".into(),
            Event::Frozen { threads, depth } => format!("is frozen{}, {}", again(depth, 1), threads_of(threads)),
            Event::Thawed { threads, depth } => {
                format!("{}, {}", if depth == 0 { "is thawed" } else { "is frozen still" }, threads_of(threads))
            }
            Event::ThreadMade { thread, priority, .. } => match self.lanes[lane].threads.get(&thread) {
                Some(name) => format!("thread {thread} is made: {name}, priority {priority}"),
                None => format!("thread {thread} is made, priority {priority}"),
            },
            Event::ThreadStarted { thread } => format!("thread {thread} starts"),
            Event::ThreadPaused { thread } => format!("thread {thread} is paused"),
            Event::ThreadResumed { thread } => format!("thread {thread} is resumed"),
            Event::ThreadEnded { thread } => format!("thread {thread} ends"),
            Event::DomainMade { .. } => "is made".into(),
            Event::DomainFreed => "is gone".into(),
            Event::Signal { cookie, rings } => {
                format!("signal {cookie:#x}{}", if rings { "" } else { ", pending already" })
            }
            Event::Interrupt { lines } => {
                let names: Vec<_> = (0..u32::BITS).filter(|bit| lines >> bit & 1 != 0).map(line).collect();
                format!("interrupt: {}", names.join(", "))
            }
            Event::Note(note) => self.note(note),
        }
    }
}

impl Timeline {
    fn note(&self, Note { kind, shape, unit, value, .. }: Note) -> String {
        let name = self.kinds.get(&kind).cloned().unwrap_or_else(|| format!("kind {kind}"));
        let ends = if shape == Shape::End { " ends" } else { "" };
        let value = match unit {
            Unit::Nothing => String::new(),
            Unit::Number => format!(": {value}"),
            Unit::Bytes => format!(": {value} bytes"),
            Unit::Operation => format!(": request {}, {}", value >> 16, request((value >> 8) as u8, value as u8)),
        };
        format!("{name}{ends}{value}")
    }
}

fn thread(what: &What) -> Option<u8> {
    match *what {
        What::Request { thread, .. } | What::Answer { thread, .. } => Some(thread),
        What::Event(Event::Fault { thread, .. } | Event::Exception { thread, .. } | Event::Continued { thread }) => {
            Some(thread)
        }
        // What is done to a thread is told of its component, and what it notes has a lane of its own.
        What::Event(_) | What::Span { .. } => None,
    }
}

fn line(bit: u32) -> String {
    if bit == 0 { "timer".into() } else { format!("line {bit}") }
}

fn touches(access: Access) -> &'static str {
    match access {
        Access::Read => "reads",
        Access::Write => "writes",
        Access::Execute => "executes",
    }
}

fn threads_of(count: u8) -> String {
    if count == 1 { "1 thread".into() } else { format!("{count} threads") }
}

fn again(depth: u32, first: u32) -> String {
    if depth > first { format!(" ({depth} times)") } else { String::new() }
}

fn range(page: u32, pages: u32, managed: bool) -> String {
    let (address, what) = (u64::from(page) * PAGE, if pages == 1 { "page" } else { "pages" });
    match managed {
        false => format!("{pages} {what} at {address:#010x}"),
        true => format!("{pages} {what} at {address:#x} of a region map"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits() {
        for (nanos, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.00 us"),
            (9_994, "9.99 us"),
            (9_996, "10.0 us"),
            (99_960, "100 us"),
            (999_499, "999 us"),
            (999_985, "1.00 ms"),
            (999_499_999, "999 ms"),
            (12_345_678_901, "12.3 s"),
        ] {
            assert_eq!(duration(nanos), text);
        }
    }

    #[test]
    fn answers_are_told_by_the_names_of_the_interface() {
        assert_eq!(request(1, 2), "Pd.allocate");
        assert_eq!(request(1, 255), "Pd.operation 255");
        assert_eq!(request(200, 3), "interface 200, operation 3");
        assert_eq!(status(3, 3, Some(0x8101)), "error Nothing");
        assert_eq!(status(3, 3, Some(0x81ff)), "error 255");
        assert_eq!(status(3, 3, Some(0x8005)), "pending");
        assert_eq!(status(3, 3, Some(5)), "label 0x5");
        assert_eq!(status(3, 3, None), "not answered");
    }
}
