//! `cargo rtcr doctor`: what is installed, what is missing, what to type.

use std::path::PathBuf;

use clap::Args;

use super::{Ending, Result};
use crate::{file, setup, terminal};

/// Tell what this project needs on this host, what of it is there, and what to type for the rest. Changes nothing.
///
/// Exit status 1 if something is missing that is not optional.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Write the same as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl Doctor {
    /// Does it.
    ///
    /// # Errors
    /// The report cannot be written.
    pub fn run(&self) -> Result {
        let diagnosis = setup::doctor::examine()?;
        if let Some(path) = &self.report {
            file::write(path, &file::json(&diagnosis)?)?;
        }
        terminal::say(&diagnosis);
        Ok(if diagnosis.complete { Ending::Passed } else { Ending::Failed })
    }
}
