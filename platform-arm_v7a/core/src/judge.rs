//! Shows what components print, tells the host what happens, and lets the oracle of the scenario end the run.
//!
//! Components are known by the names that their parents give them: as labels of LOG sessions, and in what the first
//! component reports. Both may come from anybody above, so a name is checked before it is shown.

use alloc::{string::String, vec::Vec};

use base::{
    allowance::{self, Allowance},
    oracle::{Judgement, Oracle},
    scenario::Success,
    session::parent::Event,
    text::Line,
};
use wire::record::{Fault, Place, Record, Verdict};

use crate::{console::Lines, trace};

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
    /// The console is a serial line, and the host keeps all of it.
    allowance: Allowance,
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
        self.printers.push(Printer { name: name.into(), line: Line::new(), allowance: Allowance::new() });
        Some(self.printers.len() as u32 - 1)
    }

    /// The name of that number.
    pub fn name(&self, printer: u32) -> &str {
        self.printers.get(printer as usize).map_or("", |printer| &printer.name)
    }

    /// Prints bytes under the name of that number; shows the lines that they complete, unless they are too many. `now` is the
    /// time in nanoseconds.
    pub fn print(&mut self, printer: u32, bytes: &[u8], now: u64) {
        let Self { lines, oracle, printers } = self;
        let Some(printer) = printers.get_mut(printer as usize) else { return };
        let Printer { name, line, allowance } = printer;
        line.write(bytes, |text| show_some(lines, oracle, name, text, allowance.line(shown(name, text), now)));
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
            Event::Overdue => {
                let judgement = self.oracle.overdue(component);
                self.conclude(judgement);
            }
            Event::Checked { obstacles, refused } => {
                self.lines.report(&Record::Checked { component, obstacles: &obstacles, refused: &refused });
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
        for Printer { name, allowance, .. } in &self.printers {
            missing(&mut self.lines, name, allowance.left_out());
        }
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

/// Bytes that a line takes on the console.
fn shown(name: &str, text: &str) -> u32 {
    (name.len() + text.len() + "[] \n".len()) as u32
}

/// Shows a line, or that there would be one.
fn show_some(lines: &mut Lines, oracle: &mut Oracle, name: &str, text: &str, what: allowance::Line) {
    match what {
        allowance::Line::Show => show(lines, oracle, name, text),
        allowance::Line::ShowAfter(count) => {
            missing(lines, name, count);
            show(lines, oracle, name, text);
        }
        allowance::Line::First => {
            lines.line(format_args!("[core] {name} prints too much; lines of it are left out."));
        }
        allowance::Line::Omit => {}
    }
}

/// Says how many lines of a name are missing.
fn missing(lines: &mut Lines, name: &str, count: u32) {
    if count > 0 {
        lines.line(format_args!("[core] {count} lines of {name} were left out."));
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
