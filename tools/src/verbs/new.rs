//! `cargo rtcr new`: something that builds and runs, to begin with.

use clap::{Args, ValueEnum};

use super::{Ending, Result};
use crate::{scaffold, terminal, workspace::Workspace};

/// Make a new component that builds and runs: its library, its program, its scenario, and their lines in the workspace.
///
/// Either all of it is made or nothing.
#[derive(Debug, Args)]
pub struct New {
    /// What to make.
    #[arg(value_enum)]
    kind: Kind,
    /// What to call it: up to 25 of a-z, 0-9 and _, the first one a letter.
    name: String,
}

/// What can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A component.
    Component,
}

impl New {
    /// Does it.
    ///
    /// # Errors
    /// Nothing has changed then.
    pub fn run(&self) -> Result {
        let Kind::Component = self.kind;
        let made = scaffold::component(&Workspace::find()?, &self.name)?;
        let files: String = made.files.iter().map(|path| format!("  {}\n", path.display())).collect();
        let Self { name, .. } = self;
        terminal::say(format_args!(
            "made the component {name}:\n{files}\nWhat it does is in components/{name}/src/lib.rs. To run it:\n\n  \
             cargo rtcr run {}",
            made.scenario
        ));
        Ok(Ending::Passed)
    }
}
