//! `cargo rtcr inspect`: what is in a checkpoint image?

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Ending, Result};
use crate::{
    inspect::{self, Difference, Dump, Program, Shown},
    terminal,
    workspace::Workspace,
};

/// Show what is in a checkpoint image, or what two of them differ in.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Inspect {
    #[command(subcommand)]
    what: Option<What>,
    /// The image.
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// Print it as JSON.
    #[arg(long, conflicts_with = "memory")]
    json: bool,
    /// Print the bytes that the component had at this address instead.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    memory: Option<u32>,
    /// The executable of its program, for names of functions; else the newest of that name that was built here.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show what two images differ in: objects, regions, registers, pages. Exit status 0 if in nothing, 1 otherwise.
    Diff {
        /// The older image.
        a: PathBuf,
        /// The newer one.
        b: PathBuf,
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// An address as people write them.
fn address(text: &str) -> std::result::Result<u32, std::num::ParseIntError> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    }
}

impl Inspect {
    /// Does it.
    ///
    /// # Errors
    /// There is no image, or nothing at the address.
    pub fn run(&self) -> Result {
        if let Some(What::Diff { a, b, json }) = &self.what {
            let difference = Difference::new(&inspect::read(a)?, &inspect::read(b)?);
            match json {
                true => terminal::say(serde_json::to_string_pretty(&difference)?),
                false => terminal::say(difference.to_string().trim_end()),
            }
            return Ok(if difference.is_empty() { Ending::Passed } else { Ending::Failed });
        }
        let file = self.file.as_deref().ok_or("which image?")?;
        let image = inspect::read(file)?;
        if let Some(address) = self.memory {
            terminal::say(Dump::new(&image, address)?.to_string().trim_end());
            return Ok(Ending::Passed);
        }
        let program = match &self.program {
            Some(file) => {
                Some(Program::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?)
            }
            // An image can be looked at anywhere.
            None => Workspace::find().ok().and_then(|workspace| Program::find(&workspace, &image.identity)),
        };
        let shown = Shown { image: &image, program: program.as_ref() };
        match self.json {
            true => terminal::say(serde_json::to_string_pretty(&inspect::json(shown))?),
            false => terminal::say(shown.to_string().trim_end()),
        }
        Ok(Ending::Passed)
    }
}
