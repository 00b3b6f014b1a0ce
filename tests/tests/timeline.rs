//! Traces of real runs: what core records of what it does.

use rtcr_tests::run;
use tools::{
    run::{self as runs, Finished, Request},
    scenario::{self, Setting},
    timeline::{Timeline, Window, picture},
    workspace::Workspace,
};

fn traced(name: &str) -> Finished {
    let loaded = scenario::load(&Workspace::find().unwrap(), name, &[Setting::trace()]).unwrap();
    runs::run(&Workspace::find().unwrap(), Request::new(loaded), |_| {}).unwrap()
}

fn text(finished: &Finished) -> String {
    Timeline::new(&finished.outcome.recorded, Window::ALL).to_string()
}

#[test]
fn a_trace_is_the_same_each_time_and_tells_a_component_from_beginning_to_end() {
    let (one, two) = (traced("hello_native"), traced("hello_native"));
    assert!(text(&one) == text(&two), "two traces of a run differ");
    let lines = text(&one);
    let mut lines = lines.lines();
    for expected in [
        "core   Pd.create ",
        "  init     is made",
        "  init   Pd.restore_thread ",
        "  hello    is made",
        "  hello    maps ",
        "  hello    thread 0 is made: hello, priority 100",
        "  hello    thread 0 starts",
        "  hello  Pd.restore_thread ",
        "  hello  Log.write ",
        "  hello    thread 0 ends",
        "  hello    unmaps ",
        "  hello    is gone",
    ] {
        assert!(lines.any(|line| line.contains(expected)), "{expected} is missing:\n{}", text(&one));
    }
    let svg = picture::svg(&Timeline::new(&one.outcome.recorded, Window::ALL), "hello_native");
    assert!(svg.contains("Log.write: done"), "{svg}");
}

#[test]
fn components_do_not_notice_and_without_the_key_nothing_is_recorded() {
    let (traced, plain) = (traced("hello_native"), run("hello_native"));
    assert_eq!(traced.outcome.console, plain.outcome.console);
    assert_eq!(traced.outcome.reports, plain.outcome.reports);
    assert!(plain.outcome.recorded.is_empty() && traced.outcome.recorded.overwritten() == 0);
}
