//! Shows what components print, tells the host what happens, and lets the oracle of the scenario end the run.
//!
//! Components are known by the names that their parents give them: as labels of LOG sessions, and in what the first
//! component reports. Both may come from anybody above, so a name is checked before it is shown.

use alloc::{string::String, vec::Vec};

use base::{
    oracle::{Judgement, Oracle},
    scenario::Success,
    session::parent::Event,
    text::Line,
};
use wire::record::{Fault, Place, Record, Verdict};

use crate::{console::Lines, trace};

/// Most bytes that may be printed under one name in a run. The console is a serial line and the host keeps all of it.
const MAX_PRINTED: u64 = 1 << 20;
/// Most names under which anything is printed; each costs a line's room, for good.
const MAX_NAMES: usize = 256;
/// Longest name in bytes.
const MAX_NAME: usize = 64;
/// Longest reason told to the host, in bytes; the console has no such limit.
const MAX_REASON: usize = 400;

/// The judge of one run.
pub struct Judge {
    lines: Lines,
    oracle: Oracle,
    printers: Vec<Printer>,
}

/// What is printed under one name.
struct Printer {
    name: String,
    line: Line,
    printed: u64,
}

impl Judge {
    /// The judge of a run that is to bring `success`.
    pub fn new(lines: Lines, success: &Success) -> Self {
        Self { lines, oracle: Oracle::new(success), printers: Vec::new() }
    }

    /// The number by which text of that name is printed; none if it is no name, or one too many. Names stay, so that
    /// opening a session again does not start a new count of what was printed.
    pub fn printer(&mut self, name: &str) -> Option<u32> {
        let known = self.printers.iter().position(|printer| printer.name == name);
        if let Some(number) = known {
            return Some(number as u32);
        }
        if !is_name(name) || self.printers.len() == MAX_NAMES {
            return None;
        }
        self.printers.push(Printer { name: name.into(), line: Line::new(), printed: 0 });
        Some(self.printers.len() as u32 - 1)
    }

    /// Prints bytes under the name of that number; shows the lines that they complete.
    pub fn print(&mut self, printer: u32, bytes: &[u8]) {
        let Self { lines, oracle, printers } = self;
        let Some(printer) = printers.get_mut(printer as usize) else { return };
        let Printer { name, line, printed } = printer;
        line.write(bytes, |text| show(lines, oracle, name, text));
        *printed += bytes.len() as u64;
        if *printed > MAX_PRINTED {
            let reason = alloc::format!("{name} printed more than {} MiB", MAX_PRINTED >> 20);
            self.fail(&reason);
        }
        self.conclude(self.oracle.judgement());
    }

    /// What became of a component, as the first component tells.
    pub fn event(&mut self, component: &str, event: Event) {
        if !is_name(component) {
            self.fail("something was reported of a component without a name");
        }
        self.finish_line(component);
        match event {
            Event::Exited(code) => {
                self.lines.report(&Record::Exit { component, code });
                let judgement = self.oracle.exit(component, code);
                self.conclude(judgement);
            }
            Event::Panicked(place) => {
                self.lines.report(&Record::Panic { component, place });
                self.fail(&alloc::format!("{component} panicked"))
            }
            Event::Faulted(cause, place) => {
                self.lines.report(&Record::Fault(Fault { component, cause, place }));
                self.fail(&alloc::format!("{component} faulted"))
            }
            Event::Failed(reason) => self.fail(&alloc::format!("{component}: {reason}")),
        }
    }

    /// A benchmark has measured something.
    pub fn figure(&mut self, name: &str, picoseconds: u64) {
        // Longer than any figure's name, and short enough for a record.
        self.lines.report(&Record::Figure { name: shorten(name), picoseconds });
    }

    /// Nothing more can happen.
    pub fn all_ended(&mut self) -> ! {
        let missing = self.oracle.missing();
        self.fail(&alloc::format!("every component has ended, but {missing}"))
    }

    /// The limit has passed; `running` is a component that was not waiting, and where it was.
    pub fn timed_out(&mut self, running: Option<(&str, Place)>) -> ! {
        for number in 0..self.printers.len() {
            self.finish(number);
        }
        self.conclude(self.oracle.judgement());
        let missing = self.oracle.missing();
        self.end(Verdict::TimedOut { missing: shorten(&missing), running })
    }

    /// The run has failed.
    pub fn fail(&mut self, reason: &str) -> ! {
        self.end(Verdict::Failed { reason: shorten(reason) })
    }

    fn end(&mut self, verdict: Verdict<'_>) -> ! {
        trace::tell(&mut self.lines);
        self.lines.report(&Record::Verdict(verdict));
        crate::halt()
    }

    /// Shows what was printed under a name of a line that is not complete.
    fn finish_line(&mut self, name: &str) {
        let number = self.printers.iter().position(|printer| printer.name == name);
        if let Some(number) = number {
            self.finish(number);
        }
    }

    fn finish(&mut self, number: usize) {
        let Self { lines, oracle, printers } = self;
        let Printer { name, line, .. } = &mut printers[number];
        line.finish(|text| show(lines, oracle, name, text));
    }

    fn conclude(&mut self, judgement: Judgement) {
        match judgement {
            Judgement::Open => {}
            Judgement::Passed => self.end(Verdict::Passed),
            Judgement::Failed(reason) => self.fail(&reason),
        }
    }
}

fn show(lines: &mut Lines, oracle: &mut Oracle, name: &str, text: &str) {
    let line = alloc::format!("[{name}] {text}");
    lines.line(format_args!("{line}"));
    oracle.line(&line);
}

/// Whether a name can be shown in front of a line without being taken for something else.
fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b']')
}

fn shorten(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(MAX_REASON)]
}
