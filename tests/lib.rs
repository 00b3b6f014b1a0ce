//! What tests that boot images have in common.
#![forbid(unsafe_code)]

use kernel::Flavour;
use tools::{
    checkup::{self, Checkup, Looks},
    nodes,
    run::{self, Finished, Request},
    scenario::{self, Loaded, Setting},
    workspace::Workspace,
};

/// Runs `tests/run/NAME.toml`, or `run/NAME.toml` if there is none, on the release kernel.
///
/// # Panics
/// Nothing ran: the test fails with the reason.
pub fn run(name: &str) -> Finished {
    run_on(name, Flavour::Release)
}

/// Runs a scenario on the kernel of that flavour.
///
/// # Panics
/// Nothing ran: the test fails with the reason.
pub fn run_on(name: &str, kernel: Flavour) -> Finished {
    start(name, kernel, &[])
}

/// Runs a scenario with some of its values set, each as in `--set`.
///
/// # Panics
/// Nothing ran, or there is no such value: the test fails with the reason.
pub fn run_with(name: &str, settings: &[&str]) -> Finished {
    let settings: Vec<Setting> =
        settings.iter().map(|text| text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))).collect();
    start(name, Flavour::Release, &settings)
}

/// As [`run_with`], on a kernel without one of its patches.
///
/// # Panics
/// As [`run_with`].
pub fn run_without_patch(name: &str, patch: &str, settings: &[&str]) -> Finished {
    let workspace = Workspace::find().unwrap_or_else(|error| panic!("{error}"));
    let settings: Vec<Setting> =
        settings.iter().map(|text| text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))).collect();
    let loaded = load(&workspace, name, &settings);
    let request = Request { without_patches: vec![patch.into()], ..Request::new(loaded) };
    run::run(&workspace, request, |_| {}).unwrap_or_else(|error| panic!("{error}"))
}

/// Looks which components of a scenario can be checkpointed, as `cargo rtcr check` does.
///
/// # Panics
/// Nothing ran: the test fails with the reason.
pub fn check(name: &str) -> Checkup {
    let workspace = Workspace::find().unwrap_or_else(|error| panic!("{error}"));
    let loaded = load(&workspace, name, &[]);
    let plan = checkup::plan(&loaded.scenario, Looks { count: 20, every: 1700 });
    let run = |scenario| {
        let request = Request::new(Loaded { name: loaded.name.clone(), scenario });
        run::run(&workspace, request, |_| {}).unwrap_or_else(|error| panic!("{error}")).outcome.reports
    };
    let reports = plan.scenario.clone().map_or(Vec::new(), run);
    Checkup::new(&loaded, &plan, &reports)
}

/// Runs a scenario of several nodes with some of its values set.
///
/// # Panics
/// Nothing ran: the test fails with the reason.
pub fn run_nodes(name: &str, settings: &[&str]) -> nodes::Finished {
    let settings: Vec<Setting> =
        settings.iter().map(|text| text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))).collect();
    let workspace = Workspace::find().unwrap_or_else(|error| panic!("{error}"));
    let request = Request::new(load(&workspace, name, &settings));
    nodes::run(&workspace, &request, |_| {}).unwrap_or_else(|error| panic!("{error}"))
}

fn load(workspace: &Workspace, name: &str, settings: &[Setting]) -> Loaded {
    let own = workspace.root().join(format!("tests/run/{name}.toml"));
    let which = if own.exists() { own.display().to_string() } else { name.to_owned() };
    scenario::load(workspace, &which, settings).unwrap_or_else(|error| panic!("{error}"))
}

fn start(name: &str, kernel: Flavour, settings: &[Setting]) -> Finished {
    let workspace = Workspace::find().unwrap_or_else(|error| panic!("{error}"));
    let loaded = load(&workspace, name, settings);
    let request = Request { kernel, ..Request::new(loaded) };
    run::run(&workspace, request, |_| {}).unwrap_or_else(|error| panic!("{error}"))
}

/// The console of a run as text.
///
/// # Panics
/// It is no text.
pub fn console(finished: &Finished) -> &str {
    std::str::from_utf8(&finished.outcome.console).expect("core prints text only")
}
