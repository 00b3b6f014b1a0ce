//! Several components under one monitor, each with a plan of its own and several checkpoints beside each other; they go back
//! to older ones, and say from there on what they would have said.

use rtcr_tests::{console, run_with};
use tools::explain::Kind;

/// Rounds that the scenario asks for.
const ROUNDS: u32 = 40;

/// What a program says if nothing happens to it.
fn told(first: &str, round: fn(u32) -> String, last: &str) -> Vec<String> {
    let first = Some(first.to_owned()).filter(|first| !first.is_empty());
    first.into_iter().chain((1..=ROUNDS).map(round)).chain([last.to_owned()]).collect()
}

/// A number that stands between two texts of a line.
fn between(line: &str, before: &str, after: &str) -> Option<usize> {
    line.split_once(before)?.1.split_once(after)?.0.parse().ok()
}

/// Lives a program through its console: at each checkpoint what it has said so far is put by, and when it goes back to one,
/// that is what it has said. At no time has it said anything but the beginning of `whole`; at the end, all. Tells how many
/// checkpoints before the newest each restore went.
fn follow(text: &str, name: &str, whole: &[String]) -> Vec<usize> {
    let (own, mut now, mut saved, mut back) = (format!("[{name}] "), Vec::new(), Vec::new(), Vec::new());
    for line in text.lines() {
        if let Some(said) = line.strip_prefix(&own) {
            now.push(said.to_owned());
            assert_eq!(now[..], whole[..now.len().min(whole.len())], "{name}");
        } else if line.contains(&format!("Checkpoint {} of {name}: ", saved.len() + 1)) {
            saved.push(now.clone());
        } else if line.contains(&format!("A new {name} goes on ")) {
            let number = between(line, "goes on from checkpoint ", ":").expect("a number");
            now = saved[number - 1].clone();
            back.push(saved.len() - number);
        }
    }
    assert_eq!(now, whole, "{name}");
    back
}

/// Each has its own way, period and number of checkpoints, and its own older one to go back to.
#[test]
fn three_programs_go_back_to_checkpoints_of_their_own() {
    let finished = run_with("rtcr_several", &[]);
    let text = console(&finished);
    assert_eq!(finished.explanation.kind, Kind::Passed, "{:#?}\n{text}", finished.explanation);
    let sheep = told("Stack|Heap|Dataspace", |n| format!("{n}|{n}|{n} sheep. zzZ"), "All counters are equal.");
    let small = told("100 dataspaces of 4096 bytes.", |n| format!("counters {n}"), "Every counter is equal.");
    let worker = told("3 threads are at work.", |n| format!("round {n}: {} pieces", 6 * n), "All done in time.");
    assert_eq!(follow(text, "sheep_counter", &sheep), [2, 2, 2]);
    assert_eq!(follow(text, "small_dataspaces", &small), [1, 1, 1]);
    // The oldest of three, once there are three.
    assert_eq!(follow(text, "worker", &worker), [1, 2, 2, 2]);
    let ways = |name: &str| {
        let new = format!("A new {name} ");
        let lines = text.lines().filter(|line| line.contains(&new));
        lines.map(|line| line.contains("restored directly")).collect::<Vec<_>>()
    };
    assert_eq!((ways("sheep_counter"), ways("small_dataspaces")), (vec![false; 3], vec![true; 3]));
}

/// A checkpoint is a value: it can be gone back to again and again, with all that came after it still there.
#[test]
fn one_checkpoint_is_gone_back_to_again_and_again() {
    for way in ["replay", "direct"] {
        let way = format!("component.sheep_counter.values.restore={way}");
        let settings = [
            &*way,
            "component.rtcr.values.checkpoints_each=1",
            "component.rtcr.values.keep=9",
            "component.sheep_counter.values.restore_from=oldest",
        ];
        let finished = run_with("rtcr_several", &settings);
        let text = console(&finished);
        assert_eq!(finished.explanation.kind, Kind::Passed, "{:#?}\n{text}", finished.explanation);
        let sheep = told("Stack|Heap|Dataspace", |n| format!("{n}|{n}|{n} sheep. zzZ"), "All counters are equal.");
        assert_eq!(follow(text, "sheep_counter", &sheep), (0..9).collect::<Vec<_>>());
    }
}

#[test]
fn a_value_of_a_child_that_makes_no_sense_is_named() {
    let finished = run_with("rtcr_several", &["component.worker.values.restore_from=yesterday"]);
    assert_ne!(finished.explanation.kind, Kind::Passed);
    let reason = &finished.explanation.reason;
    let expected = "the value `restore_from` is `yesterday`, and can be `newest`, `oldest` or a whole number";
    assert!(reason.contains(expected), "{reason}");
}

/// What `careful` says, and where it is ended.
fn careful(settings: &[&str]) -> Vec<String> {
    let finished = run_with("careful", settings);
    let text = console(&finished);
    assert_eq!(finished.explanation.kind, Kind::Passed, "{:#?}\n{text}", finished.explanation);
    let ended = |line: &str| line.contains(" careful is ended: ").then_some("ended");
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("[careful] ").or_else(|| ended(&line.replace("[rtcr] ", " "))));
    lines.map(str::to_owned).collect()
}

/// A question for a checkpoint has one answer in the instance that asked, and another one in each that goes on from it: for
/// each thread that has asked.
#[test]
fn a_component_asks_for_a_checkpoint_of_itself() {
    for way in ["restore=replay", "restore=direct"] {
        let said = careful(&[way]);
        let expected = [
            "before section 1",
            "section 1: checkpoint 1 is taken",
            "ended",
            "section 1: restored from checkpoint 1",
            "section 1 is done",
            "before section 2",
            "section 2: checkpoint 2 is taken",
            "section 2: checkpoint 3 is taken",
            "ended",
            "section 2: restored from checkpoint 3",
            "section 2: restored from checkpoint 3",
            "section 2 is done",
            "before section 3",
            "section 3: checkpoint 4 is taken",
            "section 3 is done",
        ];
        assert_eq!(said, expected, "{way}");
        // Ended at once, nobody hears that it was taken.
        let said = careful(&[way, "run_on=0"]);
        assert_eq!(
            said[..4],
            ["before section 1", "ended", "section 1: restored from checkpoint 1", "section 1 is done"]
        );
    }
}

#[test]
fn where_nobody_takes_checkpoints_a_component_is_told() {
    let alone = run_with("careful_native", &[]);
    assert_eq!(alone.explanation.kind, Kind::Passed, "{:#?}", alone.explanation);
    assert!(console(&alone).starts_with("[careful] nobody takes checkpoints\n[careful] before section 1\n"));
}
