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

/// Run the tests: all but those that are run only if they are named, or one suite.
///
/// The last line is `N passed, N failed`. Suites: host (everything that needs no board), boot (scenarios booted whole),
/// kernel (what is relied on, shown on the kernel itself), toolchains (a boot with what each of them builds), sweep
/// (checkpoints at thousands of instants), faults (whatever fails meanwhile). Run only if they are named: checkpoint (each
/// feature of a component, checkpointed and restored), long (thousands of checkpoints in a row); and, of host and boot, nodes
/// (several machines, and what joins them).
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
    /// Checkpoint at so many instants at least, or each component so often. For the suites sweep, which has 2000
    /// otherwise, and long, which has 1000.
    #[arg(long, value_name = "COUNT")]
    instants: Option<u32>,
    /// Checkpoint at this instant only, in microseconds from the component's start. For the suite sweep.
    #[arg(long, value_name = "MICROSECONDS", conflicts_with = "instants")]
    at: Option<u32>,
    /// Write what passed and failed as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// A named part of the tests.
struct Suite {
    name: &'static str,
    tests: Tests,
    /// It is run only if it is named: its tests are in other suites, or it takes too long for every change.
    only_named: bool,
    /// What the host must have for it.
    needs: &'static [Need],
}

/// What booting takes.
const BOARD: &[Need] = &[Need::Kernel, Need::Emulator];

const SUITES: [Suite; 11] = [
    Suite { name: "host", tests: Tests::Cargo(&[]), only_named: false, needs: &[Need::Kernel] },
    Suite { name: "boot", tests: Tests::Cargo(&["rtcr-tests"]), only_named: false, needs: BOARD },
    Suite { name: "kernel", tests: Tests::Board("tests/run/kernel_tests.toml"), only_named: false, needs: BOARD },
    Suite { name: "resources", tests: Tests::Board("tests/run/resources_tests.toml"), only_named: false, needs: BOARD },
    Suite { name: "system", tests: Tests::Board("tests/run/system_tests.toml"), only_named: false, needs: BOARD },
    Suite { name: "toolchains", tests: Tests::Toolchains, only_named: false, needs: BOARD },
    Suite { name: "checkpoint", tests: Tests::Features, only_named: true, needs: BOARD },
    Suite { name: "sweep", tests: Tests::Sweep, only_named: false, needs: BOARD },
    Suite { name: "faults", tests: Tests::Faults, only_named: false, needs: BOARD },
    Suite { name: "long", tests: Tests::Long, only_named: true, needs: BOARD },
    Suite { name: "nodes", tests: Tests::Nodes, only_named: true, needs: BOARD },
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
        let Self { suite, only, without_patches, instants, at, report } = self;
        let names = SUITES.map(|suite| suite.name);
        let suites: Vec<&Suite> = match &suite {
            None => SUITES.iter().filter(|suite| !suite.only_named).collect(),
            Some(wanted) => match SUITES.iter().find(|suite| suite.name == wanted) {
                Some(suite) => vec![suite],
                None => return Err(format!("there is no suite `{wanted}`; {}", suggest::hint(wanted, &names)).into()),
            },
        };
        if !without_patches.is_empty()
            && !suites.iter().all(|suite| matches!(suite.tests, Tests::Board(_) | Tests::Sweep))
        {
            return Err(
                "--without-patch is for tests on the board only; type `cargo rtcr test kernel --without-patch \
                        PATCH`"
                    .into(),
            );
        }
        let workspace = Workspace::find()?;
        let report = report.as_deref().map(file::Pending::create).transpose()?;
        let is_counted = |suite: &&Suite| matches!(suite.tests, Tests::Sweep | Tests::Long);
        if instants.is_some() && !suites.iter().all(is_counted) {
            return Err("--instants is for the suites sweep and long; type `cargo rtcr test sweep`".into());
        }
        if at.is_some() && !suites.iter().all(|suite| matches!(suite.tests, Tests::Sweep)) {
            return Err("--at is for the suite sweep; type `cargo rtcr test sweep`".into());
        }
        let options = Options { only, without_patches, instants, at };
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
