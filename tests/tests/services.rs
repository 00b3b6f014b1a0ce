//! Sessions of components that are checkpointed, ended and restored: as clients, as servers, and as both. Each call is done
//! once, and whoever is on the other side does not notice.

use rtcr_tests::{console, run_with};
use tools::{explain::Kind, run::Finished};

const WAYS: [&str; 2] = ["restore=replay", "restore=direct"];

/// A run that passed: each line's speaker, and what it says.
fn story(finished: &Finished) -> Vec<(String, String)> {
    let text = console(finished);
    assert_eq!(finished.explanation.kind, Kind::Passed, "{:#?}\n{text}", finished.explanation);
    let read = |line: &str| {
        let (name, said) = line.strip_prefix('[').and_then(|line| line.split_once("] ")).unwrap_or(("", line));
        (name.to_owned(), said.to_owned())
    };
    text.lines().map(read).collect()
}

fn said<'a>(story: &'a [(String, String)], by: &str) -> Vec<&'a str> {
    story.iter().filter(|(name, _)| name == by).map(|(_, said)| said.as_str()).collect()
}

/// How many of the monitor's lines contain that.
fn count(story: &[(String, String)], what: &str) -> usize {
    said(story, "rtcr").iter().filter(|said| said.contains(what)).count()
}

/// What a customer prints to whom nothing happens.
fn counted(rounds: u32) -> Vec<String> {
    let round = |round: u32| format!("round {round}: {}", round * (round + 1) / 2);
    (1..=rounds).map(round).chain(["Each was counted once.".into()]).collect()
}

#[test]
fn a_client_is_restored_and_its_server_does_not_notice() {
    for way in WAYS {
        // In the second run it is restored several times in each call.
        for every in [970, 310] {
            let story = story(&run_with("served_client", &[way, &format!("checkpoint_every={every}")]));
            assert_eq!(said(&story, "customer"), counted(30));
            // One call for each round and one for the sum: none twice.
            assert_eq!(said(&story, "tally"), ["rtcr begins", "31 calls, 465 in all"]);
            assert_eq!(count(&story, "goes on from checkpoint"), 25, "{story:#?}");
        }
    }
}

/// What a component has from the beginning it may have again, restored or not.
#[test]
fn second_sessions_of_what_core_serves() {
    let rounds: Vec<_> = (1..=30).map(|round| format!("round {round}")).collect();
    let expected = [&refs(&rounds)[..], &["All are as good as the first."]].concat();
    let alone = story(&run_with("second", &["component.second.parent=init"]));
    assert_eq!(said(&alone, "second"), expected);
    for way in WAYS {
        let story = story(&run_with("second", &[way, "component.rtcr.values.compare=1"]));
        assert_eq!(said(&story, "second"), expected);
        assert!(count(&story, "goes on from checkpoint") >= 10, "{story:#?}");
    }
}

#[test]
fn threads_that_call_at_the_same_time_are_restored() {
    for way in WAYS {
        let story = story(&run_with("served_threads", &[way]));
        let mut customers = said(&story, "customers");
        customers[..3].sort_unstable();
        assert_eq!(customers, ["thread 1: 210", "thread 2: 420", "thread 3: 630", "Each was counted once."]);
        assert!(count(&story, "goes on from checkpoint") >= 25, "{story:#?}");
    }
}

#[test]
fn a_session_that_was_closed_since_is_opened_again() {
    for way in WAYS {
        let story = story(&run_with("served_visits", &[way]));
        assert_eq!(said(&story, "visitor").last(), Some(&"Goodbye."));
        assert!(count(&story, "it is opened again") >= 4, "{story:#?}");
        assert!(count(&story, "goes on from checkpoint") >= 8, "{story:#?}");
    }
}

#[test]
fn a_server_is_restored_and_its_clients_do_not_notice() {
    for way in WAYS {
        let (one, two) = (run_with("served_server", &[way]), run_with("served_server", &[way]));
        assert_eq!(one.outcome.console, two.outcome.console);
        let story = story(&one);
        assert_eq!((said(&story, "one"), said(&story, "two")), (refs(&counted(60)), refs(&counted(60))));
        let mut tally = said(&story, "tally");
        tally[..2].sort_unstable();
        assert_eq!(tally, ["one begins", "two begins", "61 calls, 1830 in all", "61 calls, 1830 in all"]);
        assert_eq!(count(&story, "goes on from checkpoint"), 20, "{story:#?}");
    }
}

fn refs(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}

#[test]
fn both_are_restored_each_by_itself() {
    for way in WAYS {
        let story = story(&run_with("served_both", &[way]));
        assert_eq!(said(&story, "customer"), counted(60));
        assert_eq!(said(&story, "tally"), ["customer begins", "61 calls, 1830 in all"]);
        assert_eq!(count(&story, "A new customer goes on"), 20, "{story:#?}");
        assert_eq!(count(&story, "A new tally goes on"), 20, "{story:#?}");
    }
}

#[test]
fn a_server_that_is_busy_is_refused_by_name_and_goes_on() {
    let story = story(&run_with("served_busy", &[]));
    assert_eq!(said(&story, "one"), counted(6));
    let busy = "it is busy: its thread tally serves a call from outside";
    assert!(count(&story, busy) > 0 && count(&story, "goes on from checkpoint") > 0, "{story:#?}");
    assert_eq!(count(&story, "runs on without checkpoint"), count(&story, busy));
}

#[test]
fn a_server_that_is_lost_in_a_call() {
    for way in WAYS {
        // What must not be done twice is interrupted; what may be is done by the server's next instance.
        let adding = story(&run_with("served_killed", &[way]));
        let customer = said(&adding, "customer");
        assert_eq!(customer[3..6], ["round 4: 10", "round 5: Interrupted", "round 6: 6"], "{adding:#?}");
        let asking = story(&run_with("served_killed", &[way, "ask=\"true\""]));
        let customer = said(&asking, "customer");
        let expected: Vec<_> = (1..=7).map(|round| format!("round {round}: 0")).collect();
        assert_eq!(customer[..7], expected, "{asking:#?}");
    }
}

#[test]
fn a_server_that_ends_for_good_is_gone_for_its_clients() {
    let story = story(&run_with("served_dead", &[]));
    for client in ["near", "far"] {
        let said = said(&story, client);
        assert_eq!(said[3..6], ["round 4: PeerGone", "round 5: PeerGone", "round 6: PeerGone"], "{story:#?}");
    }
}

#[test]
fn memory_of_a_server_is_not_copied() {
    for (name, rounds) in [("ping_pong", 40), ("served_table", 20)] {
        for way in WAYS {
            let story = story(&run_with(name, &[way]));
            let rallies = (1..=rounds).map(|rally| format!("rally {rally}: {} hits", 2 * rally));
            let all =
                ["The table is free.".to_owned()].into_iter().chain(rallies).chain(["Thanks for the game.".into()]);
            assert_eq!(said(&story, "ping"), all.collect::<Vec<_>>());
            assert!(count(&story, "A new ping goes on") >= 5, "{story:#?}");
            let refused = if name == "served_table" { 6 } else { 0 };
            assert_eq!(count(&story, "it has handed over memory to clients of its own"), refused, "{story:#?}");
        }
    }
}
