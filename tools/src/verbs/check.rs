//! `cargo rtcr check`: can components be checkpointed?

use std::path::PathBuf;

use clap::Args;

use super::{Ending, Result, arguments::ScenarioArgs};
use crate::{
    checkup::{self, Checkup, Looks},
    explain::Kind,
    file,
    run::{self, Request},
    scenario::Loaded,
    terminal::{self, Tone},
    workspace::Workspace,
};

/// Tell of each component of a scenario whether it can be checkpointed, and if not, what stands in the way.
///
/// The scenario is run with its components under a parent that looks at them now and then; nothing is stopped, and nothing
/// is restored. Exit status 0 if each component can be checkpointed at some of those instants and has asked for nothing
/// that is not supported.
#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// How often each component is looked at.
    #[arg(long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    looks: u32,
    /// Microseconds of virtual time from one look to the next.
    #[arg(long, value_name = "MICROSECONDS", default_value_t = 1700, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    every: u32,
    /// Write the findings as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl Check {
    /// Does it.
    ///
    /// # Errors
    /// Nothing ran.
    pub fn run(&self) -> Result {
        let workspace = Workspace::find()?;
        let loaded = self.scenario.load(&workspace)?;
        if loaded.scenario.root_task.is_some() {
            return Err(format!("{} has no components: a root task of its own runs in it", loaded.name).into());
        }
        let plan = checkup::plan(&loaded.scenario, Looks { count: self.looks, every: self.every });
        let [report] = file::Pending::create_each([("--report", self.report.as_deref())])?;
        let reports = match &plan.scenario {
            None => Vec::new(),
            Some(scenario) => {
                scenario.check().map_err(|error| {
                    format!("{} cannot be run with its components under a parent that looks: {error}", loaded.name)
                })?;
                let moved = Loaded { name: loaded.name.clone(), scenario: scenario.clone() };
                let finished = run::run(&workspace, Request::new(moved), |_| {})?;
                if finished.explanation.kind == Kind::Failed {
                    terminal::say(format_args!("the run ended early: {}", finished.explanation.reason));
                }
                finished.outcome.reports
            }
        };
        let checkup = Checkup::new(&loaded, &plan, &reports);
        if let Some(mut report) = report {
            report.write(&file::json(&checkup)?)?;
            report.keep()?;
        }
        let (tone, ending) = match checkup.is_good() {
            true => (Tone::Good, Ending::Passed),
            false => (Tone::Bad, Ending::Failed),
        };
        terminal::say_in(tone, &checkup);
        Ok(ending)
    }
}
