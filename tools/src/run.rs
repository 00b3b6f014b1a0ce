//! A scenario, from its file to how it ended: the steps of this library in a row, for the command line and for tests.

use std::{collections::BTreeMap, path::PathBuf};

use kernel::{Flavour, build::Kernel};
use serde::Serialize;

use crate::{
    build::{self, KernelRequest},
    explain::{self, Explanation, Kind},
    image,
    machine::{self, Clock, Heard, Options, Outcome, control::Report, gdb, qemu, replay},
    scenario::Loaded,
    setup::{self, Need},
    terminal,
    trace::{self, Trace},
    workspace::Workspace,
};

/// What to run and how. [`Request::new`] is how `cargo rtcr run NAME` does without options.
#[derive(Clone, Debug)]
pub struct Request {
    /// The scenario.
    pub loaded: Loaded,
    /// Which kernel.
    pub kernel: Flavour,
    /// Kernel patches to leave out; see [`KernelRequest::without_patches`].
    pub without_patches: Vec<String>,
    /// Which toolchain builds it; none for whichever there is, as RTCR_TOOLCHAIN says.
    pub toolchain: Option<setup::Choice>,
    /// Where virtual time comes from.
    pub clock: Clock,
    /// Hand standard input to the console.
    pub interactive: bool,
    /// Wait for a debugger.
    pub gdb: bool,
    /// Instructions to look at; not with [`Clock::Real`].
    pub trace: Option<trace::Request>,
    /// Real time without a byte on the console after which the run is ended; none for what its limit suggests.
    pub watchdog: Option<std::time::Duration>,
    /// The RAM as a file that outlives the run, of [`qemu::RAM`] bytes; not with `trace`.
    pub memory: Option<PathBuf>,
}

impl Request {
    /// The release kernel with all patches, instructions as clock, nobody at the keyboard.
    pub fn new(loaded: Loaded) -> Self {
        Self {
            loaded,
            kernel: Flavour::Release,
            without_patches: Vec::new(),
            toolchain: None,
            clock: Clock::Instructions,
            interactive: false,
            gdb: false,
            trace: None,
            watchdog: None,
            memory: None,
        }
    }
}

/// A run that has ended, one way or the other.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The scenario that ran.
    pub loaded: Loaded,
    /// What was booted.
    pub image: image::Report,
    /// What made it.
    pub origin: Origin,
    /// What happened.
    pub outcome: Outcome,
    /// What that means.
    pub explanation: Explanation,
    /// The instructions that were asked for.
    pub trace: Option<Trace>,
    /// The programs that ran, by name: executables.
    pub programs: BTreeMap<String, Vec<u8>>,
}

/// Why nothing ran.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something is missing on this host.
    #[error(transparent)]
    Setup(#[from] setup::Error),
    /// No toolchain.
    #[error(transparent)]
    Toolchain(#[from] setup::ToolchainError),
    /// It does not build.
    #[error(transparent)]
    Build(#[from] build::Error),
    /// It does not fit.
    #[error(transparent)]
    Image(#[from] image::Error),
    /// There is nothing to trace.
    #[error(transparent)]
    Trace(#[from] trace::Error),
    /// It does not boot.
    #[error(transparent)]
    Machine(#[from] machine::Error),
}

/// What a figure depends on besides the sources of this project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The Rust compiler, as it names itself.
    pub compiler: String,
    /// The kernel.
    pub kernel: KernelOrigin,
}

/// Which kernel was booted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KernelOrigin {
    /// Which of the two.
    pub flavour: Flavour,
    /// Hash of everything that it was made from: source, options, patches, compiler.
    pub hash: String,
    /// The C compiler, as it names itself.
    pub compiler: String,
    /// The patches that were left out.
    pub without_patches: Vec<String>,
}

/// Sets up what is missing, builds, packs, boots and explains. `show` hears console and reports as they come.
///
/// # Errors
/// Nothing ran. Whatever goes wrong in the run itself is told by what is returned.
pub fn run(workspace: &Workspace, request: Request, show: impl FnMut(Heard<'_>)) -> Result<Finished, Error> {
    setup::ensure(&[Need::Kernel])?;
    if !qemu::is_overridden() {
        setup::ensure(&[Need::Emulator])?;
    }
    if request.gdb
        && let Err(error) = setup::ensure(&[Need::Debugger])
    {
        // Another debugger will do.
        terminal::note(error);
    }
    let Request { loaded, kernel, without_patches, toolchain, clock, interactive, gdb, trace, watchdog, memory } =
        request;
    let toolchain = toolchain.map_or_else(setup::toolchain, setup::toolchain_of)?;
    let kernel = KernelRequest { flavour: kernel, without_patches };
    let built = build::build(workspace, &toolchain, &loaded.scenario, &kernel)?;
    let image = image::assemble(&loaded.name, &loaded.scenario, &built.parts)?;
    let window = trace.as_ref().map(|trace| trace.window(&loaded.scenario, &built.parts)).transpose()?;
    let recording = window.as_ref().map(|_| replay::Recording::new()).transpose()?;
    let limit = loaded.scenario.limit;
    let patient = interactive && watchdog.is_none();
    let options = Options {
        qemu: qemu::program(),
        clock,
        limit,
        watchdog: (!patient).then(|| watchdog.unwrap_or_else(|| machine::watchdog(limit))),
        interactive,
        gdb: gdb
            .then(|| gdb::Sources { checkout: workspace.root().to_owned(), kernel: built.kernel.debug_root.clone() }),
        record: recording.as_ref().map(replay::Recording::path),
        memory,
        cable: None,
        stop: None,
    };
    let outcome = machine::run(&image.bytes, &built.parts, &options, show)?;
    let explanation = explain::explain(&outcome, &loaded.scenario, &built.parts);
    let trace = match (trace, window, recording) {
        (Some(trace), Some(window), Some(recording)) => {
            let step = terminal::step(format!("replaying the run up to {}", trace.function));
            let longest = machine::watchdog(limit);
            let seen = replay::look(&image.bytes, &built.parts, &options.qemu, &recording, &window, longest)?;
            drop(step);
            Some(Trace::new(&trace, &seen, &loaded.scenario, &built.parts))
        }
        _ => None,
    };
    let Kernel { flavour, hash, compiler, .. } = built.kernel;
    let kernel = KernelOrigin { flavour, hash, compiler, without_patches: built.without_patches };
    let origin = Origin { compiler: toolchain.label, kernel };
    let programs = built.parts.programs;
    Ok(Finished { loaded, image: image.report, origin, outcome, explanation, trace, programs })
}

/// A run in numbers and words, equal for equal runs: free of paths, dates and real time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunReport<'a> {
    scenario: &'a str,
    about: &'a str,
    result: Kind,
    reason: &'a str,
    details: &'a [String],
    reports: &'a [Report],
    console: Console,
    image: &'a image::Report,
    kernel: &'a KernelOrigin,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a Trace>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Console {
    bytes: usize,
    lines: usize,
    sha256: String,
}

impl Finished {
    /// The report of this run.
    pub fn report(&self) -> RunReport<'_> {
        let console = &self.outcome.console;
        RunReport {
            scenario: &self.loaded.name,
            about: &self.loaded.scenario.about,
            result: self.explanation.kind,
            reason: &self.explanation.reason,
            details: &self.explanation.details,
            reports: &self.outcome.reports,
            console: Console {
                bytes: console.len(),
                lines: console.iter().filter(|&&byte| byte == b'\n').count(),
                sha256: image::hash(console),
            },
            image: &self.image,
            kernel: &self.origin.kernel,
            trace: self.trace.as_ref(),
        }
    }

    /// The line that says how it ended: `NAME passed`, `NAME FAILED: why`, `NAME TIMED OUT: why`.
    pub fn summary(&self) -> String {
        let (name, reason) = (&self.loaded.name, &self.explanation.reason);
        match self.explanation.kind {
            Kind::Passed => format!("{name} passed"),
            Kind::Failed => format!("{name} FAILED: {reason}"),
            Kind::TimedOut => format!("{name} TIMED OUT: {reason}"),
        }
    }
}
