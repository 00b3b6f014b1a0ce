//! How a run ended, in words: which component, what it did, where in the source.

pub mod symbols;

use base::scenario::{INIT, Scenario};
use wire::record::{Access, Cause, Crash, Place, Remedy};

use crate::{
    image::Parts,
    machine::{End, HALTED_IN, Outcome, control::Report, monitor::Registers},
};
use symbols::{Frame, Symbols};

/// Size of an ARM instruction: a return address lies that far behind its call.
const INSTRUCTION: u32 = 4;
/// The kernel's function for system calls that are neither messages nor yielding.
const SYSTEM_CALLS: &str = "handleUnknownSyscall";
/// An access this near to the stack pointer is most likely a stack that was too small.
const NEAR_STACK: u32 = 16 << 10;

/// An outcome in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Passed, failed, timed out.
    pub kind: Kind,
    /// Why, in one line; empty if it passed.
    pub reason: String,
    /// What is known about it, in lines.
    pub details: Vec<String>,
}

/// The three ways for a run to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The oracle was satisfied.
    Passed,
    /// It cannot be.
    Failed,
    /// It was not within the limit.
    TimedOut,
}

/// Explains an outcome of `scenario`, packed from `parts`.
pub fn explain(outcome: &Outcome, scenario: &Scenario, parts: &Parts) -> Explanation {
    let explainer = Explainer { scenario, parts };
    let mut details: Vec<String> = Vec::new();
    for report in &outcome.reports {
        details.extend(explainer.report(report));
    }
    let failed = |reason: String, details| Explanation { kind: Kind::Failed, reason, details };
    match (&outcome.end, outcome.reports.last()) {
        (End::Verdict, Some(Report::Passed)) => {
            Explanation { kind: Kind::Passed, reason: String::new(), details: Vec::new() }
        }
        (End::Verdict, Some(Report::Failed { reason })) => failed(reason.clone(), details),
        (End::Verdict, Some(Report::TimedOut { missing, .. })) => {
            let reason = format!("not done within its limit of {}: {missing}", scenario.limit);
            Explanation { kind: Kind::TimedOut, reason, details }
        }
        (End::Verdict | End::Core, _) => failed("core itself stopped working".into(), details),
        (End::Loader(said), _) => failed(format!("the loader stopped: {said}"), details),
        (End::Kernel { registers, stack }, _) => {
            let caller = explainer.halted_by(registers, stack);
            details.extend(explainer.processor(registers, &caller));
            let asked_to = caller.iter().any(|(_, frame)| frame.as_ref().is_some_and(|f| f.function == SYSTEM_CALLS));
            // Only the debug kernel checks itself.
            match (Symbols::new(&parts.kernel).range("_assert_fail").is_some(), asked_to) {
                (true, true) => {
                    let offers = "the debug kernel does that for everybody; the release kernel does not know the call";
                    details.push(offers.into());
                    let who = scenario.root_task.as_deref().unwrap_or("a component");
                    return failed(
                        format!("the kernel has halted: {who} asked it to, by a Debug system call"),
                        details,
                    );
                }
                (true, false) => details.push("why, the kernel has said on the console".into()),
                (false, _) => details.push("`--kernel debug` makes the kernel say why on the console".into()),
            }
            failed("the kernel crashed and has halted".into(), details)
        }
        (End::Malformed, _) => failed(wire::record::Malformed.to_string(), details),
        (End::Qemu { status, said }, _) => {
            if !said.is_empty() {
                details.push(format!("it said: {said}"));
            }
            failed(format!("QEMU ended by itself ({status})"), details)
        }
        (End::Stopped, _) => failed("it was ended from outside".into(), details),
        (End::Silent(registers), last) => {
            match registers {
                Some(registers) => details.extend(explainer.processor(registers, &[])),
                None => details.push("QEMU's monitor does not answer either".into()),
            }
            let who = if last.is_some() { "core gave no verdict" } else { "core never reported that it runs" };
            failed(format!("{who}, long after the limit of {}", scenario.limit), details)
        }
    }
}

struct Explainer<'a> {
    scenario: &'a Scenario,
    parts: &'a Parts,
}

impl Explainer<'_> {
    fn report(&self, report: &Report) -> Vec<String> {
        match report {
            Report::Fault { component, cause, place } => {
                let mut lines = vec![format!("{component} faulted: {}", self.cause(component, *cause, place))];
                lines.extend(self.place(component, place, false));
                lines
            }
            Report::Panic { component, place } => {
                let mut lines = vec![format!("{component} panicked; its message is on the console")];
                lines.extend(self.place(component, place, true));
                lines
            }
            Report::Crashed { component, crash, remedy, .. } => self.crash(component, crash, *remedy),
            Report::Test { name, failure: Some(failure) } => vec![format!("{name} FAILED: {failure}")],
            Report::TimedOut { running: Some((component, place)), .. } => {
                let mut lines = vec![format!("{component} was still running")];
                lines.extend(self.place(component, place, false));
                lines
            }
            Report::Started
            | Report::Kernel(_)
            | Report::Test { failure: None, .. }
            | Report::Figure { .. }
            | Report::Checked { .. }
            | Report::Worked { .. }
            | Report::Exit { .. }
            | Report::Passed
            | Report::Failed { .. }
            | Report::TimedOut { running: None, .. } => Vec::new(),
        }
    }

    /// One crash of several. What became of a component that was given up is told by itself.
    fn crash(&self, component: &str, crash: &Crash, remedy: Remedy) -> Vec<String> {
        let then = match remedy {
            Remedy::Restored(number) => format!("it went back to checkpoint {number}"),
            Remedy::Started => "it started from its beginning".into(),
            Remedy::GivenUp => return vec![format!("{component} was given up")],
        };
        let (how, place) = match crash {
            Crash::Faulted(cause, place) => (format!("faulted: {}", self.cause(component, *cause, place)), Some(place)),
            Crash::Panicked(place) => ("panicked".into(), Some(place)),
            Crash::Exited(code) => (format!("exited with {code}"), None),
            Crash::Silent(time, place) => (format!("ran and asked for nothing for {time} us"), Some(place)),
            Crash::Unrestored => ("could not be recovered like that".into(), None),
        };
        let mut lines = vec![format!("{component} {how}; {then}")];
        let is_panic = matches!(crash, Crash::Panicked(_));
        lines.extend(place.into_iter().flat_map(|place| self.place(component, place, is_panic)));
        lines
    }

    fn cause(&self, component: &str, cause: Cause, place: &Place) -> String {
        match cause {
            Cause::Memory { address, access, status } => {
                let what = match access {
                    Access::Read => "it read address",
                    Access::Write => "it wrote to address",
                    Access::Execute => "it jumped to address",
                };
                let why = match (status & 0xf, access) {
                    (0x1, _) => "which is not aligned for that",
                    (0x5 | 0x7, _) => "where nothing is mapped",
                    (0xd | 0xf, Access::Read) => "which it may not read",
                    (0xd | 0xf, Access::Write) => "which it may only read",
                    (0xd | 0xf, Access::Execute) => "which it may not execute",
                    _ => "which the hardware refused",
                };
                let hint = match address.abs_diff(place.sp) <= NEAR_STACK && matches!(status & 0xf, 0x5 | 0x7) {
                    true => format!("; that is near its stack's end, so component.{component}.stack may be too small"),
                    false => String::new(),
                };
                format!("{what} {address:#010x}, {why} (fault status {status:#x}){hint}")
            }
            Cause::Capability { slot } => format!("it used slot {slot:#x} of its capability space, which is empty"),
            Cause::SystemCall { number } => {
                // The kernel's own are negative.
                format!("it made system call {}, which the kernel does not know", number.cast_signed())
            }
            Cause::Instruction { number, code } => {
                format!("it ran an instruction that does not exist or is not allowed (exception {number}, code {code})")
            }
            Cause::Forged { label } => {
                format!("it sent a message (label {label}) to the endpoint on which the kernel reports its faults")
            }
            Cause::Unknown { label } => format!("a fault of kind {label}, which this version does not know"),
        }
    }

    /// Where a component was: the instruction, then who called.
    fn place(&self, component: &str, place: &Place, panicked: bool) -> Vec<String> {
        let symbols = Symbols::new(self.executable(component));
        let mut frames = frames_at(&symbols, place.pc, place.pc);
        // A jump to where no code is has left its origin in the link register only; elsewhere that may be stale.
        let origin = frames.iter().all(|(_, frame)| frame.is_none()).then_some(place.lr);
        for address in origin.into_iter().chain(place.backtrace.iter().copied()) {
            frames.extend(frames_at(&symbols, address, address.wrapping_sub(INSTRUCTION)));
        }
        if panicked {
            // The machinery of the panic is of no interest, unless it is all there is.
            let machinery = frames.iter().rposition(|(_, frame)| frame.as_ref().is_some_and(is_panic));
            let own = machinery.map_or(0, |last| last + 1);
            if own < frames.len() {
                frames.drain(..own);
            }
        }
        lines(&frames)
    }

    /// Who called the function in which a kernel halted. The link register tells it, unless that function has made
    /// calls of its own; then its caller is the first return address on the stack.
    fn halted_by(&self, registers: &Registers, stack: &[u32]) -> Vec<(u32, Option<Frame>)> {
        let symbols = Symbols::new(&self.parts.kernel);
        let halting = |frame: &Frame| HALTED_IN.contains(&frame.function.as_str());
        let called = |&address: &u32| frames_at(&symbols, address, address.wrapping_sub(INSTRUCTION));
        let known = |frames: &Vec<(u32, Option<Frame>)>| {
            frames.iter().all(|(_, frame)| frame.as_ref().is_some_and(|frame| !halting(frame)))
        };
        [registers.general[14]].iter().chain(stack).map(called).find(known).unwrap_or_default()
    }

    /// Where the processor was, whatever it ran, and who had called that.
    fn processor(&self, registers: &Registers, caller: &[(u32, Option<Frame>)]) -> Vec<String> {
        let pc = registers.pc();
        let candidates =
            [("the kernel", &self.parts.kernel), ("the loader", &self.parts.loader), ("core", &self.parts.core)];
        let inside = |elf: &[u8]| wire::executable::open(elf).is_ok_and(|executable| executable.extent().contains(&pc));
        let who = candidates.iter().find(|(_, elf)| inside(elf));
        // Programs share their addresses, so which of them it is cannot be told from the address alone.
        let (name, elf) = match who {
            Some((name, elf)) => (*name, elf.as_slice()),
            None => match self.parts.programs.iter().find(|(_, elf)| inside(elf)) {
                Some((name, elf)) => (name.as_str(), elf.as_slice()),
                None => return vec![format!("the processor was at {pc:#010x}, in nothing that was loaded")],
            },
        };
        let symbols = Symbols::new(elf);
        let mut told = vec![format!("the processor was in {name}")];
        let mut frames = frames_at(&symbols, pc, pc);
        frames.extend_from_slice(caller);
        told.extend(lines(&frames));
        told
    }

    fn executable(&self, component: &str) -> &[u8] {
        match self.scenario.components.get(component) {
            Some(known) => self.parts.programs.get(known.binary(component)).map_or(&[], Vec::as_slice),
            None if component == "core" => &self.parts.core,
            None if component == INIT => self.parts.programs.get(INIT).map_or(&[], Vec::as_slice),
            None => &[],
        }
    }
}

/// The functions at `lookup`, shown under `address`; one entry without a function where nothing is known. What the
/// standard library inlined into code of ours is left out.
fn frames_at(symbols: &Symbols<'_>, address: u32, lookup: u32) -> Vec<(u32, Option<Frame>)> {
    let mut frames = symbols.frames(lookup);
    if let Some(own) = frames.iter().position(|frame| !is_library(frame)) {
        frames.drain(..own);
    }
    match frames.is_empty() {
        true => vec![(address, None)],
        false => frames.into_iter().map(|frame| (address, Some(frame))).collect(),
    }
}

/// Whether a frame belongs to Rust's library, wherever its source lies.
pub(crate) fn is_library(frame: &Frame) -> bool {
    let in_library = |(file, _): &(String, u32)| file.contains("/library/core/") || file.contains("/library/alloc/");
    frame.source.as_ref().is_some_and(in_library)
}

/// Whether a frame belongs to the way from `panic!` or a failed check to the panic handler.
fn is_panic(frame: &Frame) -> bool {
    let function = frame.function.trim_start_matches('<');
    [
        "core::panicking::",
        "core::option::",
        "core::result::",
        "core::slice::index::",
        "core::str::",
        "core::cell::panic",
    ]
    .iter()
    .any(|start| function.starts_with(start))
        || function.ends_with("rust_begin_unwind")
}

/// Frames as lines; recursion is told once.
fn lines(frames: &[(u32, Option<Frame>)]) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, run) in frames.chunk_by(|one, next| one == next).enumerate() {
        let Some((address, frame)) = run.first() else { continue };
        let place = match frame {
            None => "?".into(),
            Some(Frame { function, source: None }) => function.clone(),
            Some(Frame { function, source: Some((file, line)) }) => format!("{function} ({file}:{line})"),
        };
        let often = if run.len() > 1 { format!(", {} times", run.len()) } else { String::new() };
        lines.push(format!("  {} {address:#010x} {place}{often}", if index == 0 { "at" } else { "  " }));
    }
    lines
}

#[cfg(test)]
mod tests;
