//! Suites about checkpoints: whole scenarios under `rtcr_monitor`, many checkpoints in one boot, judged by what the components
//! print and what the monitor tells.

pub(super) mod faults;
pub mod features;
pub(super) mod long;
pub(super) mod stands;
mod story;
pub(super) mod sweep;

use std::collections::BTreeMap;

use super::{Error, Options};
use crate::{
    explain::Kind,
    run::{self, Finished, Request},
    scenario::{self, Loaded, Setting},
    workspace::Workspace,
};

/// In how many ways each feature is tried.
pub const MODES: usize = features::MODES.len();
/// How many scenarios are swept.
pub const SCENARIOS_SWEPT: usize = sweep::SWEPT.len();

/// What the monitor is called in these scenarios.
const MONITOR: &str = "rtcr";

/// Boots scenarios.
struct Board<'a> {
    workspace: &'a Workspace,
    options: &'a Options,
}

/// A run that has ended.
struct Ran {
    finished: Finished,
    text: String,
}

impl Board<'_> {
    /// A scenario of `tests/run`, or else of `run`, with these settings.
    fn load(&self, name: &str, settings: &[String]) -> Result<Loaded, Error> {
        let own = self.workspace.root().join(format!("tests/run/{name}.toml"));
        let which = if own.exists() { own.display().to_string() } else { name.to_owned() };
        let settings: Vec<Setting> = settings
            .iter()
            .map(|text| text.parse().map_err(|reason| Error::Setting(format!("{text}: {reason}"))))
            .collect::<Result<_, _>>()?;
        Ok(scenario::load(self.workspace, &which, &settings)?)
    }

    fn run(&self, loaded: Loaded) -> Result<Ran, Error> {
        let without_patches = self.options.without_patches.clone();
        let request = Request { without_patches, ..Request::new(loaded) };
        let finished = run::run(self.workspace, request, |_| {}).map_err(Box::new)?;
        let text = String::from_utf8_lossy(&finished.outcome.console).into_owned();
        Ok(Ran { finished, text })
    }
}

impl Ran {
    /// What is wrong with it as a whole, if anything.
    fn wrong(&self) -> Option<String> {
        let explanation = &self.finished.explanation;
        if explanation.kind != Kind::Passed {
            let last: Vec<_> = self.text.lines().rev().take(10).collect();
            let last: Vec<_> = last.into_iter().rev().collect();
            let details = explanation.details.join("\n");
            return Some(format!("{}\n{details}\nthe last lines:\n{}", self.finished.summary(), last.join("\n")));
        }
        self.text.contains("left out").then(|| "lines are missing: more was printed than is shown".into())
    }

    /// What a component has printed.
    fn said<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s str> {
        let own = format!("[{name}] ");
        self.text.lines().filter_map(move |line| line.strip_prefix(&*own))
    }

    /// What all but the monitor have printed, each by itself.
    fn components(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut all = BTreeMap::<_, Vec<_>>::new();
        for line in self.text.lines() {
            if let Some((name, said)) = line.strip_prefix('[').and_then(|line| line.split_once("] "))
                && name != MONITOR
            {
                all.entry(name).or_default().push(said);
            }
        }
        all
    }
}
