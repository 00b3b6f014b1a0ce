//! Each restore made in both ways, and the two new instances, before an instruction of them has run, held against each other
//! and against the checkpoint: memory, registers, numbers, accounts. Whatever the component has.

use rtcr_tests::{console, run_with};
use tools::explain::Kind;

/// Every restore of a scenario, at least so many, comes out the same in both ways; and nobody notices that it was tried.
fn is_the_same_both_ways(scenario: &str, least: usize) {
    let finished = run_with(scenario, &["component.rtcr.values.compare=1"]);
    let text = console(&finished);
    assert_eq!(finished.explanation.kind, Kind::Passed, "{scenario}: {:#?}\n{text}", finished.explanation);
    let restored = text.matches(" goes on from checkpoint ").count();
    let same = text.matches(" is the same restored directly and by replay: ").count();
    assert!(restored >= least && same == restored, "{scenario}: {same} of {restored}\n{text}");
}

#[test]
fn memory() {
    for scenario in ["sheep_counter", "stack_counter", "small_dataspaces", "large_dataspaces", "mover"] {
        is_the_same_both_ways(scenario, 1);
    }
}

#[test]
fn threads_and_timeouts() {
    is_the_same_both_ways("worker", 1);
    is_the_same_both_ways("rtcr_several", 10);
}

#[test]
fn clients_and_servers() {
    let scenarios = [("served_client", 25), ("served_threads", 25), ("served_visits", 8), ("served_both", 30)];
    for (scenario, least) in scenarios.into_iter().chain([("served_table", 5), ("ping_pong", 5)]) {
        is_the_same_both_ways(scenario, least);
    }
}
