//! Tests that a root task runs on the board, reported one by one.

use super::{Error, Options, Tally};
use crate::{
    explain::{Explanation, Kind},
    machine::{Heard, control::Report},
    run::{self, Request},
    scenario, terminal,
    workspace::Workspace,
};

/// Lines of the console that are shown of a run that did not come to its end.
const LAST_LINES: usize = 20;

/// Boots the scenario, shows and counts what it reports.
pub(super) fn run(workspace: &Workspace, file: &str, options: &Options, mut tally: Tally) -> Result<Tally, Error> {
    let path = workspace.root().join(file).display().to_string();
    let loaded = scenario::load(workspace, &path, &[])?;
    let request = Request { without_patches: options.without_patches.clone(), ..Request::new(loaded) };
    let finished = run::run(workspace, request, |heard| {
        if let Heard::Report(Report::Test { name, failure }) = heard
            && options.wants(name)
        {
            tally.take(name, failure.as_deref());
        }
    })
    .map_err(Box::new)?;
    tally.broken = broken(&finished.explanation, &finished.outcome.reports);
    if tally.broken.is_some() {
        finished.explanation.details.iter().for_each(terminal::say);
        show_end(&finished.outcome.console);
    }
    Ok(tally)
}

/// What was wrong besides the tests that say that they failed, whether they were shown or not.
fn broken(explanation: &Explanation, reports: &[Report]) -> Option<String> {
    let mut tests = reports.iter().filter_map(|report| match report {
        Report::Test { name, failure } => Some((name, failure.is_some())),
        _ => None,
    });
    let verdict = reports.last().is_some_and(Report::is_verdict);
    let explained = verdict && explanation.kind == Kind::Failed && tests.clone().any(|(_, failed)| failed);
    if explanation.kind == Kind::Passed || explained {
        return None;
    }
    let place = match tests.next_back() {
        None => "before the first test had ended".to_owned(),
        Some((name, _)) => format!("after the test {name}, in the next one"),
    };
    Some(format!("the run ended {place}: {}", explanation.reason))
}

fn show_end(console: &[u8]) {
    let mut harmless = terminal::Harmless::default();
    let text = harmless.push(console) + &harmless.finish();
    let lines: Vec<_> = text.lines().collect();
    if let Some(last) = lines.len().checked_sub(1) {
        terminal::say("the console's last lines:");
        lines[last.saturating_sub(LAST_LINES - 1)..].iter().for_each(|line| terminal::say(format_args!("    {line}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(name: &str, failure: Option<&str>) -> Report {
        Report::Test { name: name.into(), failure: failure.map(Into::into) }
    }

    fn explanation(kind: Kind, reason: &str) -> Explanation {
        Explanation { kind, reason: reason.into(), details: Vec::new() }
    }

    #[test]
    fn only_what_no_test_explains_is_broken() {
        let failed = Report::Failed { reason: "1 of 2 tests failed".into() };
        let verdict = explanation(Kind::Failed, "1 of 2 tests failed");
        let reports = [Report::Started, test("a", None), test("b", Some("no")), failed.clone()];
        assert_eq!(broken(&verdict, &reports), None);
        assert_eq!(broken(&explanation(Kind::Passed, ""), &[Report::Started, test("a", None), Report::Passed]), None);
        let told = broken(&verdict, &[Report::Started, test("a", None), failed]).unwrap();
        assert!(told.ends_with("1 of 2 tests failed"), "{told}");
    }

    #[test]
    fn a_run_that_dies_tells_where() {
        let died = explanation(Kind::Failed, "core itself stopped working");
        let told = broken(&died, &[Report::Started]).unwrap();
        assert_eq!(told, "the run ended before the first test had ended: core itself stopped working");
        // That a test failed before does not explain it.
        let told = broken(&died, &[Report::Started, test("a", Some("no")), test("b", None)]).unwrap();
        assert_eq!(told, "the run ended after the test b, in the next one: core itself stopped working");
        let late = explanation(Kind::TimedOut, "not done");
        let timed_out = Report::TimedOut { missing: String::new(), running: None };
        assert!(broken(&late, &[test("a", Some("no")), timed_out]).is_some());
    }
}
