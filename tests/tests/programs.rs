//! The programs, each run alone on the system: their whole output, and the same bytes each time. And components that ask for
//! what cannot be, each beside one that goes on.

use rtcr_tests::{console, run};
use tools::{explain::Kind, run::Finished};

/// Rounds that each scenario asks for.
const ROUNDS: u32 = 10;

fn assert_passed(finished: &Finished) {
    let console = String::from_utf8_lossy(&finished.outcome.console);
    assert_eq!(finished.explanation.kind, Kind::Passed, "{:#?}\n{console}", finished.explanation);
}

/// The scenario passes, prints exactly that each time, and the records beside the console are the same too.
fn assert_prints(scenario: &str, expected: &str) {
    let (one, two) = (run(scenario), run(scenario));
    assert_passed(&one);
    assert_eq!(console(&one), expected);
    assert_eq!(one.outcome.console, two.outcome.console);
    assert_eq!(one.outcome.reports, two.outcome.reports);
}

/// What a component prints: a first line, one for each round, a last line.
fn counted(component: &str, first: Option<&str>, round: impl Fn(u32) -> String, last: &str) -> String {
    let rounds = (1..=ROUNDS).map(round);
    let lines = first.map(str::to_owned).into_iter().chain(rounds).chain([last.to_owned()]);
    lines.map(|line| format!("[{component}] {line}\n")).collect()
}

#[test]
fn hello_native_greets() {
    assert_prints("hello_native", "[hello] Hello from a component of its own on seL4.\n");
}

#[test]
fn sheep_are_counted_in_three_places() {
    let round = |round| format!("{round}|{round}|{round} sheep. zzZ");
    let expected = counted("sheep_counter", Some("Stack|Heap|Dataspace"), round, "All counters are equal.");
    assert_prints("sheep_counter_native", &expected);
}

#[test]
fn stacks_keep_their_counters() {
    let expected = counted("stack_counter", None, |round| format!("counter {round}"), "Every round was counted.");
    assert_prints("stack_counter_native", &expected);
    let (first, round) = ("63300 bytes on the stack.", |round| format!("counters {round}"));
    let expected = counted("large_stack_counter", Some(first), round, "Every counter is equal.");
    assert_prints("large_stack_counter_native", &expected);
}

#[test]
fn dataspaces_keep_their_counters() {
    for (name, first) in
        [("small_dataspaces", "100 dataspaces of 4096 bytes."), ("large_dataspaces", "1 dataspace of 409600 bytes.")]
    {
        let expected = counted(name, Some(first), |round| format!("counters {round}"), "Every counter is equal.");
        assert_prints(&format!("{name}_native"), &expected);
    }
}

#[test]
fn ping_and_pong_see_the_same_score() {
    let ping = counted(
        "ping",
        Some("The table is free."),
        |rally| format!("rally {rally}: {} hits", 2 * rally),
        "Thanks for the game.",
    );
    assert_prints("ping_pong_native", &format!("[pong] A table for ping.\n{ping}"));
}

#[test]
fn threads_share_the_work() {
    let round = |round| format!("round {round}: {} pieces", 6 * round);
    let expected = counted("worker", Some("3 threads are at work."), round, "All done in time.");
    assert_prints("worker_native", &expected);
}

/// The component is refused what it asks for, and the one beside it does not notice.
fn assert_harmless(name: &str, last: &str) {
    assert_harmless_in(name, name, last);
}

fn assert_harmless_in(scenario: &str, name: &str, last: &str) {
    let finished = run(scenario);
    assert_passed(&finished);
    let (own, beside): (Vec<_>, Vec<_>) =
        console(&finished).lines().partition(|line| line.starts_with(&format!("[{name}] ")));
    assert_eq!(own, [format!("[{name}] {last}")]);
    let expected = counted("beside", None, |round| format!("counter {round}"), "Every round was counted.");
    assert_eq!(beside, expected.lines().collect::<Vec<_>>());
}

#[test]
fn requests_that_make_no_sense_are_refused() {
    assert_harmless("wrong_requests", "all refused");
}

#[test]
fn what_is_somebody_elses_is_refused() {
    assert_harmless("impostor", "all refused");
}

#[test]
fn random_requests_are_not_obeyed() {
    let finished = run("random_requests");
    assert_passed(&finished);
    assert!(console(&finished).contains(" requests, none obeyed\n"), "{}", console(&finished));
}

#[test]
fn numbers_that_name_nothing_or_something_else_are_refused() {
    assert_harmless("wrong_numbers", "all refused");
}

#[test]
fn what_cannot_be_attached_or_detached_is_refused() {
    assert_harmless("wrong_maps", "all refused");
}

#[test]
fn memory_by_numbers_leaves_nothing_behind() {
    let parts = [
        "frames of all sizes",
        "one frame more than come at once",
        "pages when they are touched",
        "region maps in region maps",
        "copies",
        "protection domains",
        "faults that wait",
    ];
    assert_prints("spaces", &parts.map(|part| format!("[spaces] {part}\n")).concat());
}

#[test]
fn a_component_drives_a_device_that_it_was_given() {
    assert_prints("driver", &(1..=5).map(|tick| format!("[driver] tick {tick}\n")).collect::<String>());
}

#[test]
fn more_than_there_is_is_refused() {
    assert_harmless("absurd_quotas", "all refused");
}

#[test]
fn a_parent_that_stands_between_refuses_as_much() {
    for name in ["wrong_requests", "wrong_maps", "absurd_quotas"] {
        assert_harmless_in(&format!("monitored_{name}"), name, "all refused");
    }
    let finished = run("monitored_random_requests");
    assert_passed(&finished);
    assert!(console(&finished).contains(" requests, none obeyed\n"), "{}", console(&finished));
}
