//! Benchmarks that hold their figures against each other: their components fail where these do not agree.

use rtcr_tests::run;
use tools::{explain::Kind, machine::control::Report, run::Finished};

fn figures(name: &str) -> Vec<(String, u64)> {
    let finished: Finished = run(name);
    let console = String::from_utf8_lossy(&finished.outcome.console);
    assert_eq!(finished.explanation.kind, Kind::Passed, "{name}: {:#?}\n{console}", finished.explanation);
    let figure = |report: &Report| match report {
        Report::Figure { name, picoseconds } => Some((name.clone(), *picoseconds)),
        _ => None,
    };
    finished.outcome.reports.iter().filter_map(figure).collect()
}

#[test]
fn the_parts_of_a_life_are_the_whole_and_the_same_each_time() {
    let all = figures("lifecycle_bench");
    assert_eq!(all, figures("lifecycle_bench"));
    let of = |name: &str| all.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name}")).1;
    for (whole, parts) in [("start/at once", "start/"), ("kill/at once", "kill/")] {
        let parts: Vec<_> = all.iter().filter(|(name, _)| name.starts_with(parts) && name != whole).collect();
        assert!(parts.len() >= 6 && parts.iter().all(|(name, _)| name.contains(" requests")), "{parts:?}");
        let sum: u64 = parts.iter().map(|(_, picoseconds)| picoseconds).sum();
        assert!(sum.abs_diff(of(whole)) * 50 <= sum, "{whole}: {} ps, its parts {sum} ps", of(whole));
    }
    assert_eq!(of("restart/at once"), of("start/at once") + of("kill/at once"));
}

#[test]
fn an_object_is_found_and_removed_at_the_same_cost_with_ten_and_with_a_thousand() {
    let all = figures("objects_bench");
    let (few, many): (Vec<_>, Vec<_>) = all.iter().partition(|(name, _)| name.starts_with("with 10 objects/"));
    assert_eq!((few.len(), many.len()), (6, 6));
    for ((name, few), (_, many)) in few.into_iter().zip(many) {
        // A step of the clock at both ends, divided by 100 times.
        assert!(few.abs_diff(*many) <= 300, "{name}: {few} ps with 10, {many} ps with 1,000");
    }
}
