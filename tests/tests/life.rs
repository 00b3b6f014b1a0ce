//! Components that end, by themselves or not: nothing is lost, and those who had to do with them are told.

use rtcr_tests::{console, run, run_with};
use tools::{explain::Kind, run::Finished};

fn passed(name: &str) -> Finished {
    let finished = run(name);
    let console = String::from_utf8_lossy(&finished.outcome.console);
    assert_eq!(finished.explanation.kind, Kind::Passed, "{name}: {:#?}\n{console}", finished.explanation);
    finished
}

#[test]
fn children_are_killed_at_any_instant_and_nothing_is_lost() {
    let finished = passed("start_kill");
    // Instants were various, or the test would show less than it says.
    for at in ["running", "calling, not heard", "calling", "serving or idle", "waiting"] {
        let prefix = format!("[start_kill] killed while {at}: ");
        let times = console(&finished).lines().find_map(|line| line.strip_prefix(&prefix));
        assert!(times.unwrap().parse::<u32>().unwrap() > 10, "{prefix}{times:?}");
    }
}

#[test]
fn the_middle_of_a_tree_is_killed_and_nothing_is_lost() {
    passed("start_kill_tree");
}

#[test]
fn what_core_loses_is_told_with_what_it_cost() {
    let finished = passed("start_kill_losses");
    let lost: Vec<_> =
        console(&finished).lines().filter_map(|line| line.strip_prefix("[start_kill] lost a ")).collect();
    let expected = [
        "capability slot: 1 capability slot of 0 bytes, 0 bytes less are free",
        "4 KiB frame: 1 4 KiB frame of 4096 bytes, 4096 bytes less are free",
        "64 KiB frame: 1 64 KiB frame of 65536 bytes, 65536 bytes less are free",
        "1 MiB frame: 1 1 MiB frame of 1048576 bytes, 1048576 bytes less are free",
        "16 MiB frame: 1 16 MiB frame of 16777216 bytes, 16777216 bytes less are free",
        "thread: 1 thread of 1024 bytes, 0 bytes less are free",
    ];
    assert_eq!(lost[..expected.len()], expected);
    // Each other kind, and no other at the same time.
    assert_eq!(lost.len(), 23, "{lost:#?}");
    for line in lost {
        let (kind, told) = line.split_once(": ").unwrap();
        assert!(told.starts_with(&format!("1 {kind} of ")), "{line}");
        assert_eq!(told.matches(" of ").count() - kind.matches(" of ").count(), 1, "{line}");
    }
}

#[test]
fn a_session_goes_on_with_the_next_instance_of_its_server() {
    for name in ["restarted_by_fault", "restarted_by_exit", "monitored_restarted"] {
        let finished = passed(name);
        let calls = ["call 1: 1", "call 2: PeerGone", "call 3: 3", "call 4: PeerGone", "call 5: 5"];
        let expected: String = calls.map(|call| format!("[caller] {call}\n")).concat();
        assert_eq!(console(&finished), expected, "{name}");
    }
}

/// What `sheep_counter` printed.
fn sheep(finished: &Finished) -> Vec<String> {
    let own = console(finished).lines().filter(|line| line.starts_with("[sheep_counter] "));
    own.map(str::to_owned).collect()
}

#[test]
fn a_hostile_component_harms_only_itself() {
    assert_eq!(sheep(&passed("hostile")), sheep(&passed("sheep_counter_native")));
}

#[test]
fn a_component_that_prints_for_ever_harms_only_itself() {
    let finished = passed("flood");
    assert_eq!(sheep(&finished), sheep(&passed("sheep_counter_native")));
    let text = console(&finished);
    let (told, others): (Vec<_>, Vec<_>) =
        text.lines().filter(|line| !line.starts_with("[sheep_counter] ")).partition(|line| line.starts_with("[core] "));
    // 256 KiB of empty lines, and one that says how many more there were.
    assert!(others.len() < 30_000 && others.iter().all(|line| *line == "[flood] "), "{}", others.len());
    assert_eq!(told.first(), Some(&"[core] flood prints too much; lines of it are left out."));
    let count =
        told.last().and_then(|line| line.strip_prefix("[core] ")?.strip_suffix(" lines of flood were left out."));
    assert!(count.is_some_and(|count| count.parse::<u32>().unwrap() > 100), "{told:?}");
}

#[test]
fn components_that_are_asked_exit_and_others_are_ended() {
    passed("asked_to_exit");
    passed("rtcr_asked_to_exit");
    let finished = passed("stopper");
    let expected = [
        "[stubborn] I was asked to exit, and do not.",
        "[polite] I was asked to exit.",
        "[stopper] sleeper: Exited(0)",
        "[stopper] polite: Exited(7)",
        "[stopper] plain: Exited(0)",
        "[stopper] spinner: Overdue",
        "[stopper] stubborn: Overdue",
    ];
    assert_eq!(console(&finished).lines().take(expected.len()).collect::<Vec<_>>(), expected);
}

#[test]
fn a_component_that_ends_at_once_is_given_up() {
    for (name, parent) in [("given_up", "init"), ("monitored_given_up", "monitor")] {
        let finished = run(name);
        let explanation = &finished.explanation;
        assert_eq!(
            (explanation.kind, explanation.reason.as_str()),
            (Kind::Failed, "exit_code exited with 101 instead of 0")
        );
        let text = console(&finished);
        assert!(text.starts_with(&format!("[{parent}] [WARN] ")), "{text}");
        assert!(text.ends_with("exit_code was started again 4 times within 2 s, and is given up.\n"), "{text}");
    }
}

#[test]
fn a_parent_that_dies_while_its_child_calls_takes_all_below_it_along() {
    let finished = passed("mortal");
    let lines: Vec<_> = console(&finished).lines().collect();
    let died = lines.iter().filter(|line| line.starts_with("[mortal] ")).count();
    let asked = lines.iter().filter(|line| line.ends_with("] I have asked enough.")).count();
    // Two instances have died with everything below; that of the third ends by itself.
    assert_eq!((died, asked), (2, 2), "{lines:#?}");

    let finished = run_with("mortal", &["component.mortal.restart=0"]);
    let explanation = &finished.explanation;
    assert_eq!((explanation.kind, explanation.reason.as_str()), (Kind::Failed, "mortal faulted"));
    let told = "it wrote to address 0xdead0000, where nothing is mapped";
    assert!(explanation.details.iter().any(|line| line.contains(told)), "{explanation:#?}");
}
