//! Suites of tests: how each kind is run, and what is counted.
//!
//! Whatever runs them, tests are shown and counted alike: a line `test NAME ... ok` or `test NAME ... FAILED`, as
//! libtest has them.

mod board;
pub mod checkpoints;
mod libtest;
mod toolchains;

use std::io;

use serde::Serialize;

use crate::{run, scenario, terminal, workspace::Workspace};

/// What a suite is made of.
#[derive(Clone, Copy, Debug)]
pub enum Tests {
    /// Tests that cargo runs: of these packages, or of the workspace's default members if there are none.
    Cargo(&'static [&'static str]),
    /// What concerns several nodes: the protocol's model and simulation, then what is booted.
    Nodes,
    /// Tests of a root task, booted by this scenario; a path below the checkout.
    Board(&'static str),
    /// A boot with what each toolchain builds.
    Toolchains,
    /// A small program for each feature, checkpointed and restored.
    Features,
    /// Checkpoints at thousands of instants.
    Sweep,
    /// Whatever fails while a component is checkpointed or restored.
    Faults,
    /// Thousands of checkpoints and restores in a row.
    Long,
}

/// How to run a suite.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only tests whose name contains this.
    pub only: Option<String>,
    /// Kernel patches to leave out, for tests on the board.
    pub without_patches: Vec<String>,
    /// How many instants there are to be in a sweep, and checkpoints in a long run.
    pub instants: Option<u32>,
    /// The one instant of a sweep, in microseconds from the start.
    pub at: Option<u32>,
}

impl Options {
    fn wants(&self, name: &str) -> bool {
        self.only.as_deref().is_none_or(|part| name.contains(part))
    }
}

/// How one suite went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// The suite.
    pub suite: String,
    /// The tests that passed.
    pub passed: Vec<String>,
    /// The tests that failed.
    pub failed: Vec<String>,
    /// Why the suite failed other than by a failed test: something did not build, or the run did not come to its end. It
    /// counts as one that failed.
    pub broken: Option<String>,
}

/// Why a suite was not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Cargo cannot be run.
    #[error("cannot run cargo: {0}; `cargo rtcr doctor` tells what is missing")]
    Cargo(#[from] io::Error),
    /// Its scenario cannot be used.
    #[error(transparent)]
    Scenario(#[from] scenario::Error),
    /// A setting of a scenario's is none.
    #[error("{0}")]
    Setting(String),
    /// Nothing was booted.
    #[error(transparent)]
    Run(#[from] Box<run::Error>),
}

/// Runs a suite and shows how each test went.
///
/// # Errors
/// Nothing was run.
pub fn run(workspace: &Workspace, name: &str, tests: Tests, options: &Options) -> Result<Tally, Error> {
    let tally = Tally { suite: name.into(), ..Tally::default() };
    match tests {
        Tests::Cargo(packages) => Ok(libtest::run(workspace, packages, None, options, tally)?),
        Tests::Nodes => {
            let tally = libtest::run(workspace, &["handover", "node_agent", "link", "enet"], None, options, tally)?;
            let tally = libtest::run(workspace, &["rtcr-tests"], Some("nodes"), options, tally)?;
            Ok(libtest::run(workspace, &["rtcr-tests"], Some("migration"), options, tally)?)
        }
        Tests::Board(scenario) => board::run(workspace, scenario, options, tally),
        Tests::Toolchains => toolchains::run(workspace, options, tally),
        Tests::Features => checkpoints::features::run(workspace, options, tally),
        Tests::Faults => checkpoints::faults::run(workspace, options, tally),
        Tests::Long => checkpoints::long::run(workspace, options, tally),
        Tests::Sweep => checkpoints::sweep::run(workspace, options, tally),
    }
}

impl Tally {
    /// Everything in it that failed.
    pub fn failures(&self) -> usize {
        self.failed.len() + usize::from(self.broken.is_some())
    }

    /// Shows and counts a test.
    fn take(&mut self, name: &str, failure: Option<&str>) {
        match failure {
            None => {
                terminal::say(format_args!("test {name} ... ok"));
                self.passed.push(name.into());
            }
            Some(failure) => {
                terminal::say(format_args!("test {name} ... FAILED"));
                failure.lines().for_each(|line| terminal::say(format_args!("    {line}")));
                self.failed.push(name.into());
            }
        }
    }
}
