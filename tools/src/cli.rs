//! The command line.

use std::{error::Error, process::ExitCode};

use clap::{Command, CommandFactory, Parser, Subcommand};

use crate::{interrupt, terminal, verbs};

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
    Run(Box<verbs::run::Run>),
    Test(verbs::test::Test),
    Bench(verbs::bench::Bench),
    Check(verbs::check::Check),
    Image(verbs::image::Image),
    Inspect(verbs::inspect::Inspect),
    Doctor(verbs::doctor::Doctor),
    New(verbs::new::New),
}

/// The command line as data, for whoever documents it.
pub fn command() -> Command {
    Cli::command()
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    interrupt::install();
    let result = match cli.verb {
        Verb::Run(run) => run.run(),
        Verb::Test(test) => test.run(),
        Verb::Bench(bench) => bench.run(),
        Verb::Check(check) => check.run(),
        Verb::Image(image) => image.run(),
        Verb::Inspect(inspect) => inspect.run(),
        Verb::Doctor(doctor) => doctor.run(),
        Verb::New(new) => new.run(),
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

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
