//! `--trace-exec`: which instructions of which functions ran, one by one, for a window of a run.

use std::{collections::HashMap, fmt};

use base::scenario::{INIT, Scenario};
use serde::Serialize;

use crate::{
    explain::{is_library, symbols::Symbols},
    image::Parts,
    machine::{
        remote,
        replay::{Part, Seen, Step, Window},
    },
    suggest,
};

/// Instructions that are traced unless somebody says how many.
const USUAL: usize = 1000;
/// The most; each takes some tenths of a millisecond.
const MOST: usize = 1_000_000;

/// Where the processor looks for exception vectors.
const HIGH_VECTORS: u32 = 0xffff_0000;

/// Where a trace begins and how long it is: `WHO:FUNCTION[:COUNT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// A component, `core`, `kernel` or `loader`.
    pub who: String,
    /// The function whose first execution begins it, as in `hello::construct`; its last parts are enough.
    pub function: String,
    /// How many instructions.
    pub count: usize,
}

/// Why there is no trace.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing of that name runs.
    #[error("--trace-exec {who}:{function}: there is no component `{who}`; {hint}")]
    Who {
        /// The name.
        who: String,
        /// The function.
        function: String,
        /// What there is.
        hint: String,
    },
    /// It has no function of that name.
    #[error("--trace-exec {who}:{function}: {who} has no function `{function}` of its own in its code{hint}")]
    Function {
        /// Whose.
        who: String,
        /// The name.
        function: String,
        /// What is near, or why that may be.
        hint: String,
    },
    /// It has several.
    #[error("--trace-exec {who}:{function}: which one? {all}")]
    Ambiguous {
        /// Whose.
        who: String,
        /// The name.
        function: String,
        /// Their full names.
        all: String,
    },
}

impl std::str::FromStr for Request {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let usage = "write WHO:FUNCTION or WHO:FUNCTION:COUNT, as in hello:hello::construct:500";
        let (rest, count) = match text.rsplit_once(':') {
            Some((rest, digits)) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                let count = digits.parse().ok().filter(|count| (1..=MOST).contains(count));
                (rest, count.ok_or_else(|| format!("a trace has 1 to {MOST} instructions"))?)
            }
            _ => (text, USUAL),
        };
        let (who, function) = rest.split_once(':').ok_or(usage)?;
        if who.is_empty() || function.is_empty() || function.starts_with(':') || function.ends_with(':') {
            return Err(usage.into());
        }
        Ok(Self { who: who.into(), function: function.into(), count })
    }
}

impl Request {
    /// The window that this stands for in a run of `scenario`, packed from `parts`.
    ///
    /// # Errors
    /// There is no such function, or more than one.
    pub fn window(&self, scenario: &Scenario, parts: &Parts) -> Result<Window, Error> {
        let Self { who, function, count } = self;
        let part = self.part(scenario)?;
        let symbols = Symbols::new(file(&part, parts));
        let all = symbols.functions();
        let mut found: Vec<_> = all.iter().filter(|(name, _)| name == function).collect();
        if found.is_empty() {
            let end = format!("::{function}");
            found = all.iter().filter(|(name, _)| name.ends_with(&end)).collect();
        }
        match found.as_slice() {
            [(_, start)] => Ok(Window { start: *start, part, count: *count }),
            [] => {
                let names = all.iter().map(|(name, _)| name.as_str());
                let hint = match suggest::near(function, names).as_slice() {
                    [] => "; the compiler may have put it into its callers".into(),
                    near => format!("; did you mean `{}`?", near.join("` or `")),
                };
                Err(Error::Function { who: who.clone(), function: function.clone(), hint })
            }
            several => {
                let all = several.iter().map(|(name, start)| format!("`{name}` at {start:#010x}"));
                let all = all.collect::<Vec<_>>().join(", ");
                Err(Error::Ambiguous { who: who.clone(), function: function.clone(), all })
            }
        }
    }

    fn part(&self, scenario: &Scenario) -> Result<Part, Error> {
        match (scenario.components.get(&self.who), self.who.as_str()) {
            (Some(component), name) => Ok(Part::Program(component.binary(name).into())),
            (None, "core") => Ok(Part::Core),
            (None, INIT) if !scenario.components.is_empty() => Ok(Part::Program(INIT.into())),
            (None, "kernel") => Ok(Part::Kernel),
            (None, "loader") => Ok(Part::Loader),
            (None, who) => {
                let others = ["core", INIT, "kernel", "loader"];
                let known: Vec<_> = scenario.components.keys().map(String::as_str).chain(others).collect();
                let hint = suggest::hint(who, &known);
                Err(Error::Who { who: who.into(), function: self.function.clone(), hint })
            }
        }
    }
}

fn file<'a>(part: &Part, parts: &'a Parts) -> &'a [u8] {
    match part {
        Part::Kernel => &parts.kernel,
        Part::Loader => &parts.loader,
        Part::Core => &parts.core,
        Part::Program(name) => parts.programs.get(name).map_or(&[], Vec::as_slice),
        Part::Unknown => &[],
    }
}

/// A window of a run, for people and for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// The function that it begins with.
    pub of: String,
    /// The instructions in the order in which they ran.
    pub instructions: Vec<Instruction>,
    /// Why there are fewer than were wanted, if there are.
    pub cut_short: Option<String>,
}

/// One that ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Instruction {
    /// Its virtual address.
    pub address: u32,
    /// Whose it is: a component, or all that run the same program; `core`, `kernel`, `loader`; `?` if that is open.
    pub who: String,
    /// The function that it is in, and how far from its start.
    pub function: Option<(String, u32)>,
    /// File and line.
    pub source: Option<(String, u32)>,
}

impl Trace {
    /// Gives names to what was seen.
    pub fn new(request: &Request, seen: &Seen, scenario: &Scenario, parts: &Parts) -> Self {
        let mut symbols = HashMap::new();
        let mut known: HashMap<&Step, Instruction> = HashMap::new();
        let mut name = |step: &'_ Step| {
            let Step { pc, part } = step;
            let symbols = symbols.entry(part.clone()).or_insert_with(|| Symbols::new(file(part, parts)));
            let place = linked(*pc, part, symbols);
            let frames = symbols.frames(place);
            // What the standard library inlined is told by where it was inlined.
            let own = frames.iter().position(|frame| !is_library(frame)).unwrap_or(0);
            let source = frames.into_iter().nth(own).and_then(|frame| frame.source);
            Instruction { address: *pc, who: who(part, scenario), function: symbols.function(place), source }
        };
        let instructions = seen.steps.iter().map(|step| known.entry(step).or_insert_with(|| name(step)).clone());
        let instructions: Vec<_> = instructions.collect();
        let cut_short = seen.cut_short.as_ref().map(|error| match error {
            remote::Error::Ended if instructions.is_empty() => "the run ended without it".into(),
            remote::Error::Ended => "the run ended".into(),
            error => error.to_string(),
        });
        Self { of: format!("{}:{}", request.who, request.function), instructions, cut_short }
    }
}

/// Where the linker put the code at an address. The kernel maps its vectors a second time, where the processor looks for
/// them (high vectors; ARM ARM B1.8.1).
fn linked(pc: u32, part: &Part, symbols: &Symbols<'_>) -> u32 {
    let vectors = || symbols.range("arm_vector_table").map(|range| range.start);
    match pc.checked_sub(HIGH_VECTORS) {
        Some(offset) if *part == Part::Kernel => vectors().map_or(pc, |start| start.wrapping_add(offset)),
        _ => pc,
    }
}

fn who(part: &Part, scenario: &Scenario) -> String {
    match part {
        Part::Kernel => "kernel".into(),
        Part::Loader => "loader".into(),
        Part::Core => scenario.root_task.clone().unwrap_or_else(|| "core".into()),
        Part::Unknown => "?".into(),
        Part::Program(program) => {
            let runs = |(name, component): &(&String, &base::scenario::Component)| component.binary(name) == program;
            let all = scenario.components.iter().filter(runs).map(|(name, _)| name.as_str());
            let all = all.chain((program == INIT).then_some(INIT));
            all.collect::<Vec<_>>().join("|")
        }
    }
}

impl fmt::Display for Trace {
    /// Instructions below the function that they are in, with their distance from its start.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |instruction: &Instruction| instruction.function.as_ref().map(|(name, _)| name.clone());
        let same = |one: &Instruction, next: &Instruction| one.who == next.who && name(one) == name(next);
        for run in self.instructions.chunk_by(same) {
            writeln!(f, "{} {}", run[0].who, name(&run[0]).as_deref().unwrap_or("?"))?;
            for instruction in run {
                let offset = instruction.function.as_ref().map_or_else(String::new, |(_, at)| format!("+{at:#x}"));
                let source = instruction.source.as_ref();
                let source = source.map_or_else(String::new, |(file, line)| format!("{}:{line}", shown(file)));
                let line = format!("  {:#010x}  {offset:8}{source}", instruction.address);
                writeln!(f, "{}", line.trim_end())?;
            }
        }
        write!(f, "{} instructions from {}", self.instructions.len(), self.of)?;
        match &self.cut_short {
            Some(reason) => write!(f, ", and no more: {reason}"),
            None => Ok(()),
        }
    }
}

/// A path without where the standard library lay when it was compiled, and without the way from the folder in which the
/// kernel was built to its source.
fn shown(file: &str) -> String {
    match file.strip_prefix("/rustc/").and_then(|rest| rest.split_once('/')) {
        Some((_, rest)) => rest.into(),
        None => file.replacen("/out/../", "/", 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario() -> Scenario {
        let text = "about = \"\"\nlimit = 1\n[component.a]\nbinary = \"x\"\n[component.b]\nbinary = \"x\"\n\
                    [component.hello]\n[success]\nexit = { hello = 0 }";
        toml::from_str(text).unwrap()
    }

    fn parts() -> Parts {
        Parts { kernel: Vec::new(), loader: Vec::new(), core: Vec::new(), programs: Default::default() }
    }

    fn request(text: &str) -> Request {
        text.parse().unwrap()
    }

    #[test]
    fn windows_are_read() {
        let of = |who: &str, function: &str, count| Request { who: who.into(), function: function.into(), count };
        assert_eq!(request("hello:hello::construct"), of("hello", "hello::construct", USUAL));
        assert_eq!(request("hello:hello::construct:5"), of("hello", "hello::construct", 5));
        assert_eq!(request("kernel:handleSyscall:1000000"), of("kernel", "handleSyscall", 1_000_000));
        let trait_method = "core:<&T as core::fmt::Display>::fmt";
        assert_eq!(request(trait_method), of("core", "<&T as core::fmt::Display>::fmt", USUAL));
        for wrong in ["", "hello", "hello::construct", "hello:", ":x", "hello:x:", "hello:x:0", "hello:x:1000001", "5"]
        {
            assert!(wrong.parse::<Request>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_does_not_exist_is_named_with_what_does() {
        let error = |text| request(text).window(&scenario(), &parts()).unwrap_err().to_string();
        assert_eq!(error("helo:x"), "--trace-exec helo:x: there is no component `helo`; did you mean `hello`?");
        let unknown = "--trace-exec core:x: core has no function `x` of its own in its code; the compiler may have put it \
                       into its callers";
        assert_eq!(error("core:x"), unknown);
    }

    #[test]
    fn instructions_stand_below_their_function() {
        let at = |address, who: &str, function: &str, offset, source: Option<(&str, u32)>| Instruction {
            address,
            who: who.into(),
            function: (!function.is_empty()).then(|| (function.into(), offset)),
            source: source.map(|(file, line)| (file.into(), line)),
        };
        let trace = Trace {
            of: "hello:construct".into(),
            instructions: vec![
                at(0x100_0f90, "hello", "hello::construct", 0, Some(("components/hello/src/lib.rs", 8))),
                at(0x100_0f94, "hello", "hello::construct", 4, None),
                at(0xffff_0008, "kernel", "arm_vector_table", 8, Some(("/sel4/out/../src/src/traps.S", 25))),
                at(0x100_0f98, "hello", "hello::construct", 8, Some(("/rustc/0123/library/core/src/x.rs", 1))),
                at(0x30, "?", "", 0, None),
            ],
            cut_short: Some("the run ended".into()),
        };
        let expected = [
            "hello hello::construct",
            "  0x01000f90  +0x0    components/hello/src/lib.rs:8",
            "  0x01000f94  +0x4",
            "kernel arm_vector_table",
            "  0xffff0008  +0x8    /sel4/src/src/traps.S:25",
            "hello hello::construct",
            "  0x01000f98  +0x8    library/core/src/x.rs:1",
            "? ?",
            "  0x00000030",
            "5 instructions from hello:construct, and no more: the run ended",
        ];
        assert_eq!(trace.to_string().lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn components_of_one_program_are_told_together() {
        let step = |part| Step { pc: 0x100_0000, part };
        let steps = vec![step(Part::Program("x".into())), step(Part::Program("hello".into())), step(Part::Core)];
        let seen = Seen { steps, cut_short: Some(remote::Error::Ended) };
        let trace = Trace::new(&request("a:x"), &seen, &scenario(), &parts());
        let who: Vec<_> = trace.instructions.iter().map(|instruction| instruction.who.as_str()).collect();
        assert_eq!(who, ["a|b", "hello", "core"]);
        assert_eq!(trace.cut_short.as_deref(), Some("the run ended"));
    }
}
