//! Nothing of one component ever shows in another: one fills all that it has with a pattern and exits, faults or is killed; the
//! next looks for it in memory of all kinds, in copies, stacks, message buffers and registers. That it would find it shows a
//! core that forgets to clear.

use rtcr_tests::{console, run, run_with};
use tools::{explain::Kind, run::Finished};

fn passed(finished: &Finished) {
    let console = String::from_utf8_lossy(&finished.outcome.console);
    assert_eq!(finished.explanation.kind, Kind::Passed, "{:#?}\n{console}", finished.explanation);
}

/// What the searcher says.
fn said(finished: &Finished) -> Vec<&str> {
    console(finished).lines().filter_map(|line| line.strip_prefix("[searcher] ")).collect()
}

#[test]
fn nothing_is_found() {
    let finished = run("secrets");
    passed(&finished);
    assert_eq!(said(&finished), ["searched, found nothing"; 10]);
}

#[test]
fn memory_that_is_not_cleared_is_found() {
    let finished = run("secrets_planted");
    passed(&finished);
    let said = said(&finished);
    for place in ["its own stack", "a stack", "a copy", "memory"] {
        assert!(said.contains(&&*format!("found in {place}")), "{place}: {said:?}");
    }
}

#[test]
fn registers_that_are_not_cleared_are_found() {
    let finished = run_with("secrets_planted", &["plant=27"]);
    passed(&finished);
    assert!(said(&finished).contains(&"found in a thread that was started"), "{:?}", said(&finished));
}

#[test]
fn what_the_kernel_keeps_for_nobody_cannot_be_written() {
    let finished = run("thumbee_base");
    assert_eq!(finished.explanation.reason, "thumbee_base faulted", "{:#?}", finished.explanation);
    assert!(finished.explanation.details.iter().any(|line| line.contains("does not exist or is not allowed")));
}
