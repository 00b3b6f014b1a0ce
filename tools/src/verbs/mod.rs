//! What `cargo rtcr` can do: one file per verb, and the arguments that several take.

pub mod arguments;
pub mod bench;
pub mod check;
pub mod doctor;
pub mod image;
pub mod inspect;
pub mod new;
pub mod run;
mod run_nodes;
pub mod test;

use std::{error::Error, process::ExitCode};

/// How a verb ended that did what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Exit status 0.
    Passed,
    /// Exit status 1: what was run failed.
    Failed,
    /// Exit status 124, as of timeout(1): what was run reached its limit.
    TimedOut,
}

/// What a verb returns; an error means that it could not do what it was asked, exit status 2.
pub type Result = std::result::Result<Ending, Box<dyn Error>>;

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Passed => Self::SUCCESS,
            Ending::Failed => Self::from(1),
            Ending::TimedOut => Self::from(124),
        }
    }
}
