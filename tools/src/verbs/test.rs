//! `cargo rtcr test`: everything, or one suite.

use std::{
    io::{self, BufRead, BufReader, Write},
    path::PathBuf,
    process::{Command, Stdio},
};

use clap::Args;
use serde::Serialize;

use super::{Ending, Result};
use crate::{
    file,
    process::Process,
    setup::{self, Need},
    suggest,
    terminal::{self, Tone},
    workspace::Workspace,
};

/// Run the tests: all of them, or one suite.
///
/// The last line is `N passed, N failed`. Suites: host (everything that needs no board), boot (scenarios booted whole).
#[derive(Debug, Args)]
pub struct Test {
    /// The suite; all of them if none is named.
    suite: Option<String>,
    /// Only tests whose name contains this.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Write what passed and failed as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// A named part of the tests.
struct Suite {
    name: &'static str,
    /// The packages that cargo tests; none for the workspace's default members.
    packages: &'static [&'static str],
    /// What the host must have for it.
    needs: &'static [Need],
}

const SUITES: [Suite; 2] = [
    Suite { name: "host", packages: &[], needs: &[Need::Kernel] },
    Suite { name: "boot", packages: &["rtcr-tests"], needs: &[Need::Kernel, Need::Emulator] },
];

/// How one suite went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct Tally {
    suite: String,
    passed: Vec<String>,
    failed: Vec<String>,
    /// Cargo failed without any test having failed: something did not build.
    broken: bool,
}

#[derive(Serialize)]
struct Report {
    passed: usize,
    failed: usize,
    suites: Vec<Tally>,
}

impl Test {
    /// Does it.
    ///
    /// # Errors
    /// No such suite, or cargo cannot be run.
    pub fn run(&self) -> Result {
        let names = SUITES.map(|suite| suite.name);
        let suites: Vec<&Suite> = match &self.suite {
            None => SUITES.iter().collect(),
            Some(wanted) => match SUITES.iter().find(|suite| suite.name == wanted) {
                Some(suite) => vec![suite],
                None => return Err(format!("there is no suite `{wanted}`; {}", suggest::hint(wanted, &names)).into()),
            },
        };
        let workspace = Workspace::find()?;
        let report = self.report.as_deref().map(file::Pending::create).transpose()?;
        let mut tallies = Vec::new();
        for suite in suites {
            setup::ensure(suite.needs)?;
            terminal::say(format_args!("suite {}", suite.name));
            tallies.push(run(&workspace, suite, self.only.as_deref())?);
        }
        let passed = tallies.iter().map(|tally| tally.passed.len()).sum();
        // What does not build has not passed; it counts as one.
        let failed = tallies.iter().map(|tally| tally.failed.len() + usize::from(tally.broken)).sum();
        for tally in &tallies {
            tally.failed.iter().for_each(|name| terminal::say(format_args!("FAILED {}: {name}", tally.suite)));
            if tally.broken {
                terminal::say(format_args!("FAILED {}: cargo ended with an error, see above", tally.suite));
            }
        }
        if let Some(mut report) = report {
            report.write(&file::json(&Report { passed, failed, suites: tallies })?)?;
            report.keep()?;
        }
        // A name that fits nothing is a mistake, not a success.
        let good = failed == 0 && passed > 0;
        terminal::say_in(if good { Tone::Good } else { Tone::Bad }, format_args!("{passed} passed, {failed} failed"));
        Ok(if good { Ending::Passed } else { Ending::Failed })
    }
}

/// Runs cargo for a suite, passes on what it prints, and counts.
fn run(workspace: &Workspace, suite: &Suite, only: Option<&str>) -> io::Result<Tally> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Every test is run even if one fails, each program's own summary is counted.
    command.current_dir(workspace.root()).args(["test", "--no-fail-fast", "--color"]);
    command.arg(if terminal::colour() { "always" } else { "never" });
    suite.packages.iter().for_each(|package| _ = command.args(["--package", package]));
    command.args(["--", "--color", "never"]).args(only);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let (process, stdout) = Process::start(&mut command, |child| child.stdout.take())?;
    let mut tally = Tally { suite: suite.name.into(), ..Tally::default() };
    for line in stdout.map(|stdout| BufReader::new(stdout).lines()).into_iter().flatten() {
        let line = line?;
        tally.count(&line);
        let _ = writeln!(io::stdout().lock(), "{line}");
    }
    let failed = !process.wait()?.success();
    tally.broken = failed && tally.failed.is_empty();
    Ok(tally)
}

impl Tally {
    /// Takes a line of libtest: `test NAME ... ok` or `test NAME ... FAILED`.
    fn count(&mut self, line: &str) {
        if let Some((name, result)) = line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... ")) {
            match result {
                "ok" => self.passed.push(name.into()),
                "FAILED" => self.failed.push(name.into()),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_tests_are_counted_and_nothing_else() {
        let mut tally = Tally::default();
        for line in [
            "running 4 tests",
            "test scenario::a ... ok",
            "test image::b - should panic ... ok",
            "test src/lib.rs - c (line 3) ... FAILED",
            "test d ... ignored, takes long",
            "test result: FAILED. 2 passed; 1 failed; 1 ignored",
        ] {
            tally.count(line);
        }
        assert_eq!(tally.passed, ["scenario::a", "image::b - should panic"]);
        assert_eq!(tally.failed, ["src/lib.rs - c (line 3)"]);
    }
}
