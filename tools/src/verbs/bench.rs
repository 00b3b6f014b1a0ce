//! `cargo rtcr bench`: deterministic figures.

use std::{fmt, path::PathBuf};

use clap::Args;
use serde::Serialize;

use super::{Ending, Result};
use crate::{
    explain::Kind,
    file,
    machine::{control::Report, qemu},
    run::{self, Origin, Request},
    scenario, suggest,
    terminal::{self, Tone},
    workspace::Workspace,
};

/// Measure, in virtual time, and print a table.
///
/// Equal builds give equal figures, so figures are compared only with those of the same compiler, kernel and QEMU; the
/// report names them. Benchmarks: kernel (what system calls, mappings and objects cost; the floor for everything else).
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
}

/// The benchmarks: each a scenario of this path below the checkout.
const BENCHMARKS: [(&str, &str); 1] = [("kernel", "tests/run/kernel_bench.toml")];

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Figure {
    name: String,
    picoseconds: u64,
}

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
}

impl Bench {
    /// Does it.
    ///
    /// # Errors
    /// No such benchmark, or nothing ran.
    pub fn run(self) -> Result {
        let Self { name, without_patches, report } = self;
        let Some((_, file)) = BENCHMARKS.iter().find(|(known, _)| *known == name) else {
            let known = BENCHMARKS.map(|(name, _)| name);
            return Err(format!("there is no benchmark `{name}`; {}", suggest::hint(&name, &known)).into());
        };
        let workspace = Workspace::find()?;
        let loaded = scenario::load(&workspace, &workspace.root().join(file).display().to_string(), &[])?;
        let report = report.as_deref().map(file::Pending::create).transpose()?;
        let finished = run::run(&workspace, Request { without_patches, ..Request::new(loaded) }, |_| {})?;
        let emulator = qemu::version(&qemu::program())?;

        let figures = figures(&finished.outcome.reports);
        let explanation = &finished.explanation;
        if let Some(mut report) = report {
            report.write(&file::json(&Measured {
                benchmark: &name,
                about: &finished.loaded.scenario.about,
                result: explanation.kind,
                reason: &explanation.reason,
                origin: &finished.origin,
                emulator: &emulator,
                figures: &figures,
            })?)?;
            report.keep()?;
        }
        let Origin { compiler, kernel } = &finished.origin;
        terminal::say(format_args!("{}{compiler}; kernel {}; {emulator}", Table(&figures), kernel.flavour));
        for patch in &kernel.without_patches {
            terminal::say(format_args!("without {patch}"));
        }
        explanation.details.iter().for_each(terminal::say);
        let (tone, ending) = match explanation.kind {
            Kind::Passed => (Tone::Good, Ending::Passed),
            Kind::Failed => (Tone::Bad, Ending::Failed),
            Kind::TimedOut => (Tone::Bad, Ending::TimedOut),
        };
        terminal::say_in(tone, finished.summary());
        Ok(ending)
    }
}

fn figures(reports: &[Report]) -> Vec<Figure> {
    let figure = |report: &Report| match report {
        Report::Figure { name, picoseconds } => Some(Figure { name: name.clone(), picoseconds: *picoseconds }),
        _ => None,
    };
    reports.iter().filter_map(figure).collect()
}

/// Figures in lines, in the order in which they were measured; those whose names begin alike, up to the first `/`, stand
/// below a heading.
struct Table<'a>(&'a [Figure]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let split = |figure: &Figure| match figure.name.split_once('/') {
            Some((group, name)) => (group.to_owned(), name.to_owned()),
            None => (String::new(), figure.name.clone()),
        };
        let rows: Vec<_> = self.0.iter().map(|figure| (split(figure), nanoseconds(figure.picoseconds))).collect();
        let name_width = rows.iter().map(|((_, name), _)| name.chars().count()).max().unwrap_or(0);
        let value_width = rows.iter().map(|(_, value)| value.len()).max().unwrap_or(0);
        let mut groups: Vec<&str> = Vec::new();
        for ((group, _), _) in &rows {
            if !groups.contains(&group.as_str()) {
                groups.push(group);
            }
        }
        for group in groups {
            if !group.is_empty() {
                writeln!(f, "{group}")?;
            }
            for ((_, name), value) in rows.iter().filter(|((of, _), _)| of == group) {
                writeln!(f, "  {name:name_width$}  {value:>value_width$} ns")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// With one decimal, and the thousands apart.
fn nanoseconds(picoseconds: u64) -> String {
    let tenths = picoseconds.saturating_add(50) / 100;
    let digits = (tenths / 10).to_string();
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{text}.{}", tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_are_rounded_to_tenths() {
        for (picoseconds, text) in [
            (0, "0.0"),
            (49, "0.0"),
            (50, "0.1"),
            (309_960, "310.0"),
            (1_593_949, "1,593.9"),
            (1_234_567_890, "1,234,567.9"),
            (u64::MAX, "18,446,744,073,709,551.6"),
        ] {
            assert_eq!(nanoseconds(picoseconds), text);
        }
    }

    #[test]
    fn figures_are_aligned_below_their_groups() {
        let figure = |name: &str, picoseconds| Report::Figure { name: name.into(), picoseconds };
        let reports = [
            Report::Started,
            figure("ipc/call, 0 words", 310_000),
            figure("memory/map", 590_040),
            figure("ipc/call, 120 words/slow", 2_393_000),
            figure("boot", 1_000),
            Report::Passed,
        ];
        let text = Table(&figures(&reports)).to_string();
        let expected = [
            "ipc",
            "  call, 0 words           310.0 ns",
            "  call, 120 words/slow  2,393.0 ns",
            "",
            "memory",
            "  map                     590.0 ns",
            "",
            "  boot                      1.0 ns",
            "",
            "",
        ];
        assert_eq!(text.split('\n').collect::<Vec<_>>(), expected);
    }
}
