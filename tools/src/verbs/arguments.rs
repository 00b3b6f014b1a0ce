//! Arguments that several verbs take.

use clap::{Args, ValueEnum};
use kernel::Flavour;

use crate::{
    scenario::{self, Loaded, Setting},
    workspace::Workspace,
};

/// A scenario and its overrides.
#[derive(Clone, Debug, Args)]
pub struct ScenarioArgs {
    /// A scenario: NAME for run/NAME.toml, or a path ending in .toml.
    #[arg(value_name = "SCENARIO")]
    which: String,
    /// Override something of the scenario, as in limit=3 or component.hello.priority=50; one of its [values] by its
    /// name alone, as in rounds=20. May be repeated.
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
