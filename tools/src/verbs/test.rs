//! `cargo rtcr test`: everything, or one suite.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{Ending, Result};
use crate::{
    file,
    setup::{self, Need},
    suggest,
    suite::{self, Options, Tally, Tests},
    terminal::{self, Tone},
    workspace::Workspace,
};

/// Run the tests: all of them, or one suite.
///
/// The last line is `N passed, N failed`. Suites: host (everything that needs no board), boot (scenarios booted whole),
/// kernel (what is relied on, shown on the kernel itself), toolchains (a boot with what each of them builds).
#[derive(Debug, Args)]
pub struct Test {
    /// The suite; all of them if none is named.
    suite: Option<String>,
    /// Only tests whose name contains this. Tests on the board are run all the same, but neither shown nor counted.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Boot a kernel without this patch, to see which tests need it: its number or name; may be repeated. For the suite
    /// kernel.
    #[arg(long = "without-patch", value_name = "PATCH")]
    without_patches: Vec<String>,
    /// Write what passed and failed as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// A named part of the tests.
struct Suite {
    name: &'static str,
    tests: Tests,
    /// What the host must have for it.
    needs: &'static [Need],
}

/// What booting takes.
const BOARD: &[Need] = &[Need::Kernel, Need::Emulator];

const SUITES: [Suite; 6] = [
    Suite { name: "host", tests: Tests::Cargo(&[]), needs: &[Need::Kernel] },
    Suite { name: "boot", tests: Tests::Cargo(&["rtcr-tests"]), needs: BOARD },
    Suite { name: "kernel", tests: Tests::Board("tests/run/kernel_tests.toml"), needs: BOARD },
    Suite { name: "resources", tests: Tests::Board("tests/run/resources_tests.toml"), needs: BOARD },
    Suite { name: "system", tests: Tests::Board("tests/run/system_tests.toml"), needs: BOARD },
    Suite { name: "toolchains", tests: Tests::Toolchains, needs: BOARD },
];

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
    /// No such suite, or a suite cannot be run.
    pub fn run(self) -> Result {
        let Self { suite, only, without_patches, report } = self;
        let names = SUITES.map(|suite| suite.name);
        let suites: Vec<&Suite> = match &suite {
            None => SUITES.iter().collect(),
            Some(wanted) => match SUITES.iter().find(|suite| suite.name == wanted) {
                Some(suite) => vec![suite],
                None => return Err(format!("there is no suite `{wanted}`; {}", suggest::hint(wanted, &names)).into()),
            },
        };
        if !without_patches.is_empty() && !suites.iter().all(|suite| matches!(suite.tests, Tests::Board(_))) {
            return Err(
                "--without-patch is for tests on the board only; type `cargo rtcr test kernel --without-patch \
                        PATCH`"
                    .into(),
            );
        }
        let workspace = Workspace::find()?;
        let report = report.as_deref().map(file::Pending::create).transpose()?;
        let options = Options { only, without_patches };
        let mut tallies = Vec::new();
        for suite in suites {
            setup::ensure(suite.needs)?;
            terminal::say(format_args!("suite {}", suite.name));
            tallies.push(suite::run(&workspace, suite.name, suite.tests, &options)?);
        }
        let passed = tallies.iter().map(|tally| tally.passed.len()).sum();
        let failed = tallies.iter().map(Tally::failures).sum();
        for tally in &tallies {
            for failure in tally.failed.iter().chain(&tally.broken) {
                terminal::say(format_args!("FAILED {}: {failure}", tally.suite));
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
