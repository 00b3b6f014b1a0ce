//! Components below others: what they print and how they end is the same wherever they are.

use rtcr_tests::{console, run};
use tools::explain::Kind;

const HELLO: &str = "[hello] Hello from a component of its own on seL4.\n";

#[test]
fn hello_cannot_tell_who_stands_above_it() {
    for name in ["hello", "monitored_hello", "nested_hello"] {
        let finished = run(name);
        assert_eq!(finished.explanation.kind, Kind::Passed, "{name}: {:#?}", finished.explanation);
        assert_eq!(console(&finished), HELLO, "{name}");
    }
}

#[test]
fn a_service_and_its_client_work_below_a_parent_that_stands_between() {
    assert_same("ping_pong_native", "monitored_pair");
}

#[test]
fn threads_signals_and_timeouts_work_below_a_parent_that_stands_between() {
    assert_same("worker_native", "monitored_worker");
}

/// Both pass, and print the same.
fn assert_same(alone: &str, below: &str) {
    let (alone, below) = (run(alone), run(below));
    for finished in [&alone, &below] {
        assert_eq!(finished.explanation.kind, Kind::Passed, "{:#?}", finished.explanation);
    }
    assert_eq!(console(&below), console(&alone));
}

#[test]
fn a_fault_below_is_reported_with_the_name_of_who_faulted() {
    let finished = run("nested_fault");
    let explanation = &finished.explanation;
    let told = (explanation.kind, explanation.reason.as_str());
    assert_eq!(told, (Kind::Failed, "null_dereference faulted"), "{explanation:#?}");
    assert!(explanation.details.iter().any(|line| line.contains("null_dereference.rs")), "{explanation:#?}");
}
