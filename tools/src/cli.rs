//! The command line.

use std::{error::Error, process::ExitCode};

use clap::{Args, Parser, Subcommand, ValueEnum};
use kernel::Flavour;

use crate::{
    interrupt,
    scenario::{self, Loaded, Setting},
    terminal, verbs,
    workspace::Workspace,
};

/// Exit status when a verb could not do what it was asked: wrong usage or something missing.
const UNABLE: u8 = 2;

/// Build, boot and test component systems with checkpoint and restore on seL4.
#[derive(Debug, Parser)]
#[command(
    name = "cargo rtcr",
    bin_name = "cargo rtcr",
    version,
    after_help = "Exit status: 0 success; 1 the run or a test failed; 2 wrong usage or something is missing; 124 the \
                  run reached its limit; 130 interrupted."
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Run(verbs::run::Run),
    Test(verbs::test::Test),
    Bench(verbs::bench::Bench),
    Image(verbs::image::Image),
    Doctor(verbs::doctor::Doctor),
}

/// A scenario and its overrides.
#[derive(Clone, Debug, Args)]
pub struct ScenarioArgs {
    /// A scenario: NAME for run/NAME.toml, or a path ending in .toml.
    #[arg(value_name = "SCENARIO")]
    which: String,
    /// Override a value of the scenario, as in limit=3 or component.hello.priority=50; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<Setting>,
}

impl ScenarioArgs {
    /// Reads, overrides and checks it.
    ///
    /// # Errors
    /// As of [`scenario::load`].
    pub fn load(&self, workspace: &Workspace) -> Result<Loaded, scenario::Error> {
        scenario::load(workspace, &self.which, &self.settings)
    }

    /// Adds an override.
    pub fn set(&mut self, setting: Setting) {
        self.settings.push(setting);
    }
}

/// Which kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum KernelChoice {
    /// Without assertions and output: fast, and the same bytes wherever it is built.
    #[default]
    Release,
    /// With assertions; says on the console why a thread or the kernel stopped.
    Debug,
}

impl From<KernelChoice> for Flavour {
    fn from(choice: KernelChoice) -> Self {
        match choice {
            KernelChoice::Release => Self::Release,
            KernelChoice::Debug => Self::Debug,
        }
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    interrupt::install();
    let result = match cli.verb {
        Verb::Run(run) => run.run(),
        Verb::Test(test) => test.run(),
        Verb::Bench(bench) => bench.run(),
        Verb::Image(image) => image.run(),
        Verb::Doctor(doctor) => doctor.run(),
    };
    match result {
        Ok(ending) => ending.into(),
        Err(error) => {
            let error: &dyn Error = &*error;
            terminal::error(error);
            ExitCode::from(UNABLE)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
