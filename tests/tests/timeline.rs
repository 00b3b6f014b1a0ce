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

/// What a thread notes, line by line, with the requests of core's that it makes for it, and without times.
fn noted(text: &str, who: &str) -> Vec<String> {
    let of =
        text.lines().filter_map(|line| line.split_once("  ")?.1.trim_start().strip_prefix(who)?.strip_prefix("  "));
    let what = |line: &str| line.trim().split("  ").next().unwrap_or_default().to_owned();
    of.map(what).collect()
}

#[test]
fn a_checkpoint_and_a_restore_by_replay_tell_what_they_do_in_order() {
    let (one, two) = (traced("sheep_counter"), traced("sheep_counter"));
    let trace = text(&one);
    assert!(trace == text(&two), "two traces of a run differ");
    assert_eq!(one.outcome.recorded.overwritten(), 0);

    let lines = noted(&trace, "rtcr/sheep_counter");
    let mut lines = lines.iter();
    let mut next = |expected: &str| {
        assert!(lines.any(|line| line == expected), "`{expected}` is missing, or not in its place:\n{trace}");
    };
    for expected in ["checkpoint", "information", "freeze", "Cpu.freeze", "threads stopped: 1"] {
        next(expected);
    }
    for expected in ["registers", "Cpu.read", "signals", "pages", "Pd.copy", "memory saved: 159744 bytes"] {
        next(expected);
    }
    for expected in ["thaw", "Cpu.thaw", "thawed", "checkpoint ends"] {
        next(expected);
    }
    for expected in ["restore", "new instance", "Pd.create", "Pd.allocate", "Cpu.start", "bootstrap"] {
        next(expected);
    }
    // What it asked for until the barrier is done again, and what was allocated since comes then.
    for expected in ["answered from the journal: request 0, Pd.allocate", "Pd.allocate"] {
        next(expected);
    }
    for expected in ["answered from the journal: request 1, Rm.attach", "Rm.attach"] {
        next(expected);
    }
    for expected in ["answered from the journal: request 2, Pd.restore_thread", "barrier", "freeze", "Cpu.freeze"] {
        next(expected);
    }
    for expected in ["objects", "Pd.allocate", "objects gone: 0", "objects made: 2"] {
        next(expected);
    }
    for expected in ["memory", "Pd.copy", "memory brought: 151552 bytes", "stacks repaired: 8192 bytes"] {
        next(expected);
    }
    for expected in ["regions", "Rm.attach", "threads", "Cpu.write", "threads' registers set: 1", "signals"] {
        next(expected);
    }
    for expected in ["thaw", "Cpu.thaw", "thawed", "restore ends"] {
        next(expected);
    }
    // The bytes are all that was saved.
    assert_eq!(151_552 + 8192, 159_744);
    let begins = trace.lines().find(|line| line.contains("new instance")).and_then(|line| line.split(' ').next());
    let window: Window = format!("{}..", begins.unwrap()).parse().unwrap();
    let svg = |finished: &Finished| picture::svg(&Timeline::new(&finished.outcome.recorded, window), "sheep_counter");
    assert!(svg(&one) == svg(&two), "two pictures of a run differ");
    assert!(svg(&one).contains("rtcr/sheep_counter: bootstrap, "), "the picture does not tell of the bootstrap");
}

#[test]
fn what_is_noted_changes_nothing_but_times_and_without_a_trace_there_is_nothing() {
    let plain = run("sheep_counter");
    assert!(plain.outcome.recorded.is_empty());
    let traced = traced("sheep_counter");
    let sheep = |finished: &Finished| {
        let console = String::from_utf8_lossy(&finished.outcome.console).into_owned();
        console.lines().filter(|line| line.starts_with("[sheep_counter]")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(sheep(&traced), sheep(&plain));
}
