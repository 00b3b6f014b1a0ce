//! Shows what components print, tells the host what happens, and lets the oracle of the scenario end the run.
//!
//! Components are known by the names that their parents give them: as labels of LOG sessions, and in what the first
//! component reports. Both may come from anybody above, so a name is checked before it is shown.

use alloc::{string::String, vec::Vec};

use base::{
    allowance::{self, Allowance},
    oracle::{Judgement, Oracle},
    scenario::{RESERVED, Scenario},
    session::parent::Event,
    text::Line,
};
use wire::record::{Fault, Place, Record, Verdict};

use crate::{console::Lines, trace};

/// Most names that components have invented, under which anything is printed; each costs a line's room, for good.
const MAX_INVENTED: usize = 256;
/// Most that one component of the scenario has, with all that it has made: so it takes none from the others.
const MAX_INVENTED_EACH: usize = 16;
/// Longest name in bytes.
const MAX_NAME: usize = 64;
/// Longest reason told to the host, in bytes; the console has no such limit.
const MAX_REASON: usize = 400;

/// The judge of one run.
pub struct Judge {
    lines: Lines,
    oracle: Oracle,
    /// Somebody else decides whether it has passed.
    outside: bool,
    printers: Vec<Printer>,
    /// How many of them, the first, are the scenario's.
    known: usize,
}

/// What is printed under one name.
struct Printer {
    name: String,
    /// The number of the component of the scenario that invented the name, or which it is; none if nobody knows.
    of: Option<u32>,
    line: Line,
    /// The console is a serial line, and the host keeps all of it.
    allowance: Allowance,
}

impl Printer {
    fn new(name: &str, of: Option<u32>) -> Self {
        Self { name: name.into(), of, line: Line::new(), allowance: Allowance::new() }
    }
}

impl Judge {
    /// The judge of a run of that scenario. Its components can be printed for whatever they do.
    pub fn new(lines: Lines, scenario: &Scenario) -> Self {
        let reserved = RESERVED.iter().copied().filter(|name| !scenario.components.contains_key(*name));
        let names = reserved.chain(scenario.components.keys().map(String::as_str));
        let own = |(number, name): (usize, &str)| Printer::new(name, Some(number as u32));
        let printers: Vec<_> = names.enumerate().map(own).collect();
        let known = printers.len();
        Self { lines, oracle: Oracle::new(&scenario.success), outside: scenario.judged_outside, printers, known }
    }

    /// The number by which text of that name is printed; none if it is no name, or one too many. Names stay, so that
    /// opening a session again does not start a new count of what was printed. `by` is the number by which who asks prints.
    pub fn printer(&mut self, name: &str, by: Option<u32>) -> Option<u32> {
        let known = self.printers.iter().position(|printer| printer.name == name);
        if let Some(number) = known {
            return Some(number as u32);
        }
        let of = by.and_then(|by| self.printers.get(by as usize)?.of);
        let invented = &self.printers[self.known..];
        let own = invented.iter().filter(|printer| printer.of == of).count();
        if !is_name(name) || invented.len() == MAX_INVENTED || own == MAX_INVENTED_EACH {
            return None;
        }
        self.printers.push(Printer::new(name, of));
        Some(self.printers.len() as u32 - 1)
    }

    /// The name of that number.
    pub fn name(&self, printer: u32) -> &str {
        self.printers.get(printer as usize).map_or("", |printer| &printer.name)
    }

    /// Prints bytes under the name of that number; shows the lines that they complete, unless they are too many. `now` is the
    /// time in nanoseconds.
    pub fn print(&mut self, printer: u32, bytes: &[u8], now: u64) {
        let Self { lines, oracle, printers, .. } = self;
        let Some(printer) = printers.get_mut(printer as usize) else { return };
        let Printer { name, line, allowance, .. } = printer;
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
            Event::Crashed { crash, remedy, recoveries } => {
                self.lines.report(&Record::Crashed { component, crash, remedy, recoveries });
            }
            Event::Worked(figures) => self.lines.report(&Record::Worked { component, figures }),
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
        if self.outside {
            self.end(Verdict::Passed);
        }
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
        let Self { lines, oracle, printers, .. } = self;
        let Printer { name, line, .. } = &mut printers[number];
        line.finish(|text| show(lines, oracle, name, text));
    }

    fn conclude(&mut self, judgement: Judgement) {
        match judgement {
            Judgement::Open => {}
            Judgement::Passed if self.outside => {}
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
