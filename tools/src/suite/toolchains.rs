//! Both ways to a toolchain for the board: what each builds has to boot.

use super::{Error, Options, Tally};
use crate::{
    explain::Kind,
    run::{self, Request},
    scenario,
    setup::Choice,
    workspace::Workspace,
};

/// What is built and booted.
const SCENARIO: &str = "hello";

/// Builds and boots by each toolchain. One that cannot be had has failed: nobody would notice a test that is skipped.
pub(super) fn run(workspace: &Workspace, options: &Options, mut tally: Tally) -> Result<Tally, Error> {
    let loaded = scenario::load(workspace, SCENARIO, &[])?;
    for (name, choice) in [("toolchains::rustup", Choice::Rustup), ("toolchains::debian", Choice::Debian)] {
        if options.wants(name) {
            let request = Request { toolchain: Some(choice), ..Request::new(loaded.clone()) };
            let failure = match run::run(workspace, request, |_| {}) {
                Ok(finished) if finished.explanation.kind == Kind::Passed => None,
                Ok(finished) => {
                    let lines = [vec![finished.summary(), finished.origin.compiler], finished.explanation.details];
                    Some(lines.concat().join("\n"))
                }
                Err(error) => Some(error.to_string()),
            };
            tally.take(name, failure.as_deref());
        }
    }
    Ok(tally)
}
