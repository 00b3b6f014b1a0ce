//! `cargo rtcr bench`: deterministic figures.

mod floor;
mod lifecycle;
mod pages;
mod restore;
mod table;

use std::{error::Error, path::PathBuf, result::Result as Either};

use clap::Args;
use serde::Serialize;

use self::table::{Figure, Table};
use super::{Ending, Result};
use crate::{
    explain::Kind,
    file,
    machine::{control::Report, qemu},
    run::{self, Finished, Origin, Request},
    scenario, suggest,
    terminal::{self, Tone},
    workspace::Workspace,
};

/// Measure, in virtual time, and print a table.
///
/// Equal builds give equal figures, so figures are compared only with those of the same compiler, kernel and QEMU; the
/// report names them. Benchmarks: kernel (what system calls, mappings and objects cost; the floor for everything else),
/// rpc (what requests and memory cost a component, beside that floor), lifecycle (what starting, killing and restarting a
/// component costs, part by part, beside that floor), objects (that what RTCR does with an object costs the same however
/// many there are), responses (how soon a component is answered while another one is checkpointed and restored), restore (what
/// checkpoints and restores take, part by part, beside what the same work takes at least). `pages` is none: it writes the tables
/// of docs/src/results again, each by the command that stands there.
#[derive(Debug, Args)]
pub struct Bench {
    /// The benchmark.
    name: String,
    /// Measure on a kernel without this patch, to see what it is good for: its number or name; may be repeated.
    #[arg(long = "without-patch", value_name = "PATCH")]
    without_patches: Vec<String>,
    /// Write the figures as JSON, and what they were measured with.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Of `restore`: draw a timeline of each checkpoint and restore there, as SVG.
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// Of `restore`: only these cases; may be repeated.
    #[arg(long, value_enum)]
    only: Vec<restore::Group>,
    /// Of `restore`: how many rounds the counting programs run before they are checkpointed.
    #[arg(long, value_name = "ROUNDS", default_value_t = 16)]
    rounds: u32,
    /// Of `pages`: write nothing, and show how what the code says now differs.
    #[arg(long)]
    check: bool,
    /// Of `pages`: only tables whose command has this in it; may be repeated.
    #[arg(long, value_name = "TEXT")]
    like: Vec<String>,
}

/// A benchmark.
struct Benchmark {
    name: &'static str,
    about: &'static str,
    /// What is run, one after the other, by paths below the checkout.
    scenarios: &'static [&'static str],
    /// What is made of the figures of all.
    prepare: fn(Vec<Figure>) -> Either<Vec<Figure>, floor::Missing>,
}

const KERNEL: &str = "tests/run/kernel_bench.toml";

const BENCHMARKS: [Benchmark; 6] = [
    Benchmark {
        name: "kernel",
        about: "What system calls, mappings and objects cost: the floor for everything else.",
        scenarios: &[KERNEL],
        prepare: Ok,
    },
    Benchmark {
        name: "rpc",
        about: "What requests and memory cost a component, beside what the kernel's part of it costs.",
        scenarios: &[
            KERNEL,
            "tests/run/rpc_direct.toml",
            "tests/run/rpc_one_parent.toml",
            "tests/run/rpc_two_parents.toml",
        ],
        prepare: floor::beside,
    },
    Benchmark {
        name: "lifecycle",
        about: "What starting, killing and restarting a component costs its parent, part by part, beside what the kernel's \
                part of it costs.",
        scenarios: &[KERNEL, "tests/run/lifecycle_bench.toml"],
        prepare: lifecycle::beside,
    },
    Benchmark {
        name: "objects",
        about: "What RTCR takes to make, find and remove a functional object, with 10 and with 1,000 there.",
        scenarios: &["tests/run/objects_bench.toml"],
        prepare: Ok,
    },
    Benchmark {
        name: "responses",
        about: "How soon a component wakes and is answered while another one under the same monitor is checkpointed and \
                restored.",
        scenarios: &[
            "tests/run/responses_alone.toml",
            "tests/run/responses_large.toml",
            "tests/run/responses_small.toml",
            "tests/run/responses_equal.toml",
        ],
        prepare: Ok,
    },
    Benchmark {
        name: RESTORE,
        about: "What checkpoints and restores take, part by part, beside what the same work takes at least.",
        scenarios: &[KERNEL],
        prepare: Ok,
    },
];

/// The one that has cases and tables of its own.
const RESTORE: &str = "restore";
/// What is no benchmark, and calls them all.
const PAGES: &str = "pages";

/// The same as the table, free of paths, dates and real time.
#[derive(Debug, Serialize)]
struct Measured<'a> {
    benchmark: &'a str,
    about: &'a str,
    result: Kind,
    reason: &'a str,
    #[serde(flatten)]
    origin: &'a Origin,
    emulator: &'a str,
    figures: &'a [Figure],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    cases: &'a [restore::Outcome],
}

impl Bench {
    /// Does it.
    ///
    /// # Errors
    /// No such benchmark, or nothing ran.
    pub fn run(self) -> Result {
        let Self { name, without_patches, report, plots, only, rounds, check, like } = self;
        if name == PAGES {
            return pages::run(&Workspace::find()?, &like, check);
        }
        let Some(benchmark) = BENCHMARKS.iter().find(|known| known.name == name) else {
            let known: Vec<_> = BENCHMARKS.iter().map(|benchmark| benchmark.name).chain([PAGES]).collect();
            return Err(format!("there is no benchmark `{name}`; {}", suggest::hint(&name, &known)).into());
        };
        let workspace = Workspace::find()?;
        let report = report.as_deref().map(file::Pending::create).transpose()?;
        let (mut last, mut figures) = benchmark.run(&workspace, &without_patches)?;
        let mut cases = Vec::new();
        if benchmark.name == RESTORE && last.explanation.kind == Kind::Passed {
            let groups = if only.is_empty() { restore::Group::ALL.to_vec() } else { only };
            let wanted = restore::Wanted { groups: &groups, rounds, without_patches: &without_patches };
            let traces;
            restore::Ran { last, outcomes: cases, traces } = restore::run(&workspace, &wanted, &figures)?;
            if let Some(directory) = &plots {
                restore::draw(directory, &cases, &traces)?;
            }
            // They are in the floors.
            figures.clear();
        }
        // Only now: on a new machine the run has brought it.
        let emulator = qemu::version(&qemu::program())?;

        let explanation = &last.explanation;
        if let Some(mut report) = report {
            report.write(&file::json(&Measured {
                benchmark: benchmark.name,
                about: benchmark.about,
                result: explanation.kind,
                reason: &explanation.reason,
                origin: &last.origin,
                emulator: &emulator,
                figures: &figures,
                cases: &cases,
            })?)?;
            report.keep()?;
        }
        let Origin { compiler, kernel } = &last.origin;
        terminal::say(format_args!(
            "{}{}{compiler}; kernel {}; {emulator}",
            restore::Tables(&cases),
            Table(&figures),
            kernel.flavour
        ));
        for patch in &kernel.without_patches {
            terminal::say(format_args!("without {patch}"));
        }
        explanation.details.iter().for_each(terminal::say);
        let (tone, ending) = match explanation.kind {
            Kind::Passed => (Tone::Good, Ending::Passed),
            Kind::Failed => (Tone::Bad, Ending::Failed),
            Kind::TimedOut => (Tone::Bad, Ending::TimedOut),
        };
        terminal::say_in(tone, last.summary());
        Ok(ending)
    }
}

impl Benchmark {
    /// Runs its scenarios up to the first that does not pass; the last one that ran, and the figures of all.
    fn run(
        &self,
        workspace: &Workspace,
        without_patches: &[String],
    ) -> Either<(Finished, Vec<Figure>), Box<dyn Error>> {
        let mut all = Vec::new();
        let mut last = None;
        for file in self.scenarios {
            let loaded = scenario::load(workspace, &workspace.root().join(file).display().to_string(), &[])?;
            let request = Request { without_patches: without_patches.to_vec(), ..Request::new(loaded) };
            let finished = run::run(workspace, request, |_| {})?;
            all.extend(figures(&finished.outcome.reports));
            all.extend(said(&finished.outcome.console));
            let passed = finished.explanation.kind == Kind::Passed;
            last = Some(finished);
            if !passed {
                // What there is is shown as it is.
                break;
            }
        }
        let last = last.ok_or("a benchmark without scenarios")?;
        match last.explanation.kind {
            Kind::Passed => Ok((last, (self.prepare)(all)?)),
            _ => Ok((last, all)),
        }
    }
}

fn figures(reports: &[Report]) -> Vec<Figure> {
    let figure = |report: &Report| match report {
        Report::Figure { name, picoseconds } => Some(Figure::new(name, *picoseconds)),
        _ => None,
    };
    reports.iter().filter_map(figure).collect()
}

/// Figures that are said on the console, since a component under checkpoint has no session that takes them:
/// `[who] figure NAME: N ns`.
fn said(console: &[u8]) -> Vec<Figure> {
    let read = |line: &str| {
        let (name, nanoseconds) = line.split_once("] figure ")?.1.rsplit_once(": ")?;
        let nanoseconds: u64 = nanoseconds.strip_suffix(" ns")?.parse().ok()?;
        Some(Figure::new(name, nanoseconds.checked_mul(1000)?))
    };
    String::from_utf8_lossy(console).lines().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_the_console() {
        let console =
            b"[a] figure here/a: b, longest: 15 ns\n[a] figures: 3 ns\n[a] figure x: many ns\n[b] figure y: 7 ns\n";
        assert_eq!(said(console), [Figure::new("here/a: b, longest", 15_000), Figure::new("y", 7_000)]);
    }
}
