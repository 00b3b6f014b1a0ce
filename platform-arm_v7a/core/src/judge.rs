//! Shows what components print, tells the host what happens, and lets the oracle of the scenario end the run.

use alloc::{string::String, vec::Vec};

use base::{
    oracle::{Judgement, Oracle},
    scenario::Success,
    text::Line,
};
use wire::record::{Fault, Place, Record, Verdict};

use crate::console::Lines;

/// Most bytes that one component may print in a run. The console is a serial line and the host keeps all of it.
const MAX_PRINTED: u64 = 1 << 20;
/// Longest reason told to the host, in bytes; the console has no such limit.
const MAX_REASON: usize = 400;

/// The judge of one run.
pub struct Judge {
    lines: Lines,
    oracle: Oracle,
    components: Vec<Printer>,
}

/// What one component prints.
struct Printer {
    name: String,
    line: Line,
    printed: u64,
}

impl Judge {
    /// A judge over components, numbered in this order.
    pub fn new(lines: Lines, success: &Success, components: impl Iterator<Item = String>) -> Self {
        let components = components.map(|name| Printer { name, line: Line::new(), printed: 0 }).collect();
        Self { lines, oracle: Oracle::new(success), components }
    }

    /// A component printed bytes; shows the lines that they complete.
    pub fn print(&mut self, component: usize, bytes: &[u8]) {
        let Self { lines, oracle, components } = self;
        let Printer { name, line, printed } = &mut components[component];
        line.write(bytes, |text| show(lines, oracle, name, text));
        *printed += bytes.len() as u64;
        if *printed > MAX_PRINTED {
            let reason = alloc::format!("{name} printed more than {} MiB", MAX_PRINTED >> 20);
            self.fail(reason);
        }
        self.conclude(self.oracle.judgement());
    }

    /// A component ended itself.
    pub fn exit(&mut self, component: usize, code: i32) {
        self.finish_line(component);
        let name = &self.components[component].name;
        self.lines.report(&Record::Exit { component: name, code });
        let judgement = self.oracle.exit(name, code);
        self.conclude(judgement);
    }

    /// A component panicked at `place`.
    pub fn panic(&mut self, component: usize, place: Place) -> ! {
        self.finish_line(component);
        let name = &self.components[component].name;
        self.lines.report(&Record::Panic { component: name, place });
        self.fail(alloc::format!("{name} panicked"))
    }

    /// A component did what it may not.
    pub fn fault(&mut self, component: usize, cause: wire::record::Cause, place: Place) -> ! {
        self.finish_line(component);
        let name = &self.components[component].name;
        self.lines.report(&Record::Fault(Fault { component: name, cause, place }));
        self.fail(alloc::format!("{name} faulted"))
    }

    /// Nothing more can happen.
    pub fn all_ended(&mut self) -> ! {
        self.fail(alloc::format!("every component has ended, but {}", self.oracle.missing()))
    }

    /// The limit has passed; `running` is a component that was not waiting, and where it was.
    pub fn timed_out(&mut self, running: Option<(usize, Place)>) -> ! {
        (0..self.components.len()).for_each(|component| self.finish_line(component));
        self.conclude(self.oracle.judgement());
        let missing = self.oracle.missing();
        let running = running.map(|(component, place)| (self.components[component].name.as_str(), place));
        self.lines.report(&Record::Verdict(Verdict::TimedOut { missing: shorten(&missing), running }));
        crate::halt()
    }

    /// The run has failed.
    pub fn fail(&mut self, reason: String) -> ! {
        self.lines.report(&Record::Verdict(Verdict::Failed { reason: shorten(&reason) }));
        crate::halt()
    }

    fn finish_line(&mut self, component: usize) {
        let Self { lines, oracle, components } = self;
        let Printer { name, line, .. } = &mut components[component];
        line.finish(|text| show(lines, oracle, name, text));
    }

    fn conclude(&mut self, judgement: Judgement) {
        match judgement {
            Judgement::Open => {}
            Judgement::Passed => {
                self.lines.report(&Record::Verdict(Verdict::Passed));
                crate::halt()
            }
            Judgement::Failed(reason) => self.fail(reason),
        }
    }
}

fn show(lines: &mut Lines, oracle: &mut Oracle, name: &str, text: &str) {
    let line = alloc::format!("[{name}] {text}");
    lines.line(format_args!("{line}"));
    oracle.line(&line);
}

fn shorten(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(MAX_REASON)]
}
