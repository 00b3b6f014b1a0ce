//! A component moves between nodes while it counts, over a network in memory.

use rtcr_tests::{console, run_with};
use tools::{explain::Kind, run::Finished};

/// The sheep that were counted, in order, wherever that was; and whether each line was whole.
fn counted(finished: &Finished) -> Vec<u32> {
    let lines = console(finished).lines();
    let sheep = lines.filter(|line| line.starts_with("[sheep_") && line.ends_with(" sheep. zzZ"));
    sheep
        .map(|line| {
            let counters = line.split([' ', '|']).skip(1).take(3).map(str::parse);
            let counters: Vec<u32> = counters.map(|counter| counter.unwrap_or_else(|_| panic!("{line}"))).collect();
            assert!(counters.iter().all(|counter| *counter == counters[0]), "{line}");
            counters[0]
        })
        .collect()
}

fn moved(finished: &Finished) -> usize {
    console(finished).lines().filter(|line| line.contains(": it runs at the peer, tenure ")).count()
}

/// All sheep are counted, each once, in order; tells how often the component was moved.
fn moves(settings: &[&str]) -> usize {
    let finished = run_with("migrate_sheep", settings);
    are_all_counted(&finished);
    moved(&finished)
}

fn are_all_counted(finished: &Finished) {
    let all: Vec<u32> = (1..=50).collect();
    assert_eq!(counted(finished), all, "{}", console(finished));
}

#[test]
fn sheep_are_counted_once_on_two_nodes() {
    let finished = run_with("migrate_sheep", &[]);
    assert_eq!(finished.explanation.kind, Kind::Passed, "{}", console(&finished));
    are_all_counted(&finished);
    assert_eq!(moved(&finished), 6);
}

#[test]
fn sheep_are_counted_once_over_a_bad_network() {
    let slow = ["interval=20000", "move_after=100000"];
    let bad = ["loss=10000", "duplication=10000", "reordering=10000", "corruption=10000"];
    let moved: usize = (1..=2)
        .map(|seed| {
            let seed = format!("seed={seed}");
            let mut settings = [&slow[..], &bad[..]].concat();
            settings.push(&seed);
            moves(&settings)
        })
        .sum();
    assert!(moved > 0);
}
