//! Nodes and what joins them: components that reach each other over an Ethernet, in memory or between machines.

use rtcr_tests::{console, run_nodes, run_with};
use tools::{explain::Kind, run::Finished};

fn passed(name: &str, settings: &[&str]) -> Finished {
    let finished = run_with(name, settings);
    assert_eq!(finished.explanation.kind, Kind::Passed, "{:#?}\n{}", finished.explanation, console(&finished));
    finished
}

/// What `left` says.
fn said(finished: &Finished) -> Vec<&str> {
    console(finished).lines().filter_map(|line| line.strip_prefix("[left] ")).collect()
}

#[test]
fn a_link_that_harms_frames_is_the_same_each_time() {
    let [first, second] = [(); 2].map(|()| passed("link_ping", &[]));
    assert_eq!(first.outcome.console, second.outcome.console);
    let other = passed("link_ping", &["seed=3"]);
    assert_ne!(first.outcome.console, other.outcome.console, "another seed, another run");
    assert!(said(&other).iter().any(|line| line.ends_with(", sent again")), "{:#?}", said(&other));
}

#[test]
fn a_link_takes_the_time_that_its_cable_says() {
    let settings = ["loss=0", "duplication=0", "reordering=0", "corruption=0", "delay=5000", "rounds=2", "bytes=20000"];
    let finished = passed("link_ping", &settings);
    let time =
        said(&finished)[1].strip_prefix("ping 2: ").and_then(|rest| rest.strip_suffix(" us")).map(str::parse::<u32>);
    let Some(Ok(time)) = time else { panic!("{}", console(&finished)) };
    // Twice the delay, twice a frame of the least length, and what those who send and receive do.
    let least = 2 * 5000 + 2 * 84 * 8 / 100;
    assert!((least..least + 100).contains(&time), "{time} us, at least {least}");
}

#[test]
fn what_was_sent_while_a_cable_is_cut_is_sent_again() {
    let cut = "component.link.values.cut_0=left-right 5000 60000";
    let settings = ["loss=0", "duplication=0", "reordering=0", "corruption=0", "bytes=0", "rounds=20", cut];
    let finished = passed("link_ping", &settings);
    let again: Vec<_> = said(&finished).into_iter().filter(|line| line.ends_with(", sent again")).collect();
    assert_eq!(again.len(), 1, "{}", console(&finished));
}

#[test]
fn who_breaks_its_port_breaks_nobody_elses() {
    let finished = passed("link_vandal", &[]);
    let broken = console(&finished).lines().filter(|line| line.ends_with("vandal has broken its session")).count();
    assert_eq!(broken, 2, "{}", console(&finished));
}

#[test]
fn nodes_reach_each_other_over_the_wire() {
    let finished = run_nodes("node_ping", &["rounds=5"]);
    assert_eq!((finished.kind, finished.reason.as_str()), (Kind::Passed, ""), "{:#?}", finished.lines);
    // The consoles are the lines of each.
    for (name, console) in &finished.consoles {
        let front = format!("{name} | ");
        let lines: Vec<_> = finished.lines.iter().filter_map(|line| line.strip_prefix(&front)).collect();
        assert_eq!(String::from_utf8_lossy(console).lines().collect::<Vec<_>>(), lines);
    }
}

#[test]
fn a_node_that_is_killed_comes_back() {
    let finished = run_nodes("node_killed", &[]);
    assert_eq!((finished.kind, finished.reason.as_str()), (Kind::Passed, ""), "{:#?}", finished.lines);
}

#[test]
fn a_node_that_fails_is_named() {
    let finished =
        run_nodes("node_killed", &["node.b.kill_when=b | [right] Never.", "component.left.values.peer=nobody"]);
    assert_eq!((finished.kind, finished.reason.as_str()), (Kind::Failed, "a: left exited with 1 instead of 0"));
}
