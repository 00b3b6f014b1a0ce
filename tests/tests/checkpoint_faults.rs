//! What goes wrong while a component is checkpointed or restored: it is named, the component runs on or its checkpoint is kept,
//! and accounts are as before. That each request can fail, and each call of the kernel, is the suite `faults`.

use std::collections::BTreeMap;

use rtcr_tests::{console, run_with};
use tools::{explain::Kind, run::Finished};

const WAYS: [&str; 2] = ["restore=replay", "restore=direct"];

/// What a component has printed.
fn lines<'a>(finished: &'a Finished, name: &str) -> Vec<&'a str> {
    let own = format!("[{name}] ");
    console(finished).lines().filter_map(|line| line.strip_prefix(&own)).collect()
}

fn assert_passed(finished: &Finished) {
    assert_eq!(finished.explanation.kind, Kind::Passed, "{:#?}\n{}", finished.explanation, console(finished));
    assert!(!console(finished).contains("left out"), "lines are missing");
}

/// How many lines of the monitor contain that.
fn count(finished: &Finished, what: &str) -> usize {
    lines(finished, "rtcr").into_iter().filter(|line| line.contains(what)).count()
}

/// What the monitor used, each time that it told so.
fn accounts(finished: &Finished) -> Vec<&str> {
    let said = lines(finished, "rtcr").into_iter().filter(|line| line.ends_with(" are used here."));
    said.map(|line| line.rsplit_once("rs:").map_or(line, |(_, rest)| rest)).collect()
}

/// The bytes and capabilities in such a line.
fn numbers(account: &str) -> (u32, u32) {
    let mut words = account.split(' ').skip(1).filter_map(|word| word.parse().ok());
    (words.next().expect("bytes"), words.next().expect("capabilities"))
}

/// The run with these settings, and what the program prints without checkpoints.
fn with_and_without(scenario: &str, name: &str, settings: &[&str]) -> (Finished, Vec<String>) {
    let alone = run_with(scenario, &["checkpoints=0"]);
    assert_passed(&alone);
    (run_with(scenario, settings), lines(&alone, name).into_iter().map(str::to_owned).collect())
}

const DEBUG: &str = "component.rtcr.values.log=debug";

#[test]
fn a_restore_that_never_succeeds_is_given_up_and_says_why() {
    for way in WAYS {
        let settings = [way, "component.rtcr.values.refuse_restore=2", "component.rtcr.values.refusals=9"];
        let finished = run_with("sheep_counter", &settings);
        assert_eq!(finished.explanation.kind, Kind::Failed, "{}", console(&finished));
        let reason = "it cannot be restored: it cannot be made: Transfer(Refused)";
        assert!(finished.explanation.reason.contains(reason), "{:?}", finished.explanation);
        assert_eq!(count(&finished, " is not restored, and checkpoint 1 is kept: "), 3);
        // The second try succeeds if it is not refused.
        let finished = run_with("sheep_counter", &[way, "component.rtcr.values.refuse_restore=2"]);
        assert_passed(&finished);
        assert_eq!(count(&finished, " is not restored, and checkpoint 1 is kept: "), 1);
    }
}

/// That is found out before the component is ended.
#[test]
fn a_component_whose_parent_lacks_what_a_restore_needs_runs_on() {
    for (lack, why) in [
        ("reserve_ram=100000000", " runs on, since it could not be restored from checkpoint 3: it needs 1048576 bytes"),
        (
            "reserve_caps=100000",
            " runs on, since it could not be restored from checkpoint 3: it needs 200 capabilities",
        ),
        ("restore_binary=nobody", " runs on, since it could not be restored from checkpoint 3: the program of the new"),
    ] {
        for way in WAYS {
            let lack = format!("component.rtcr.values.{lack}");
            let settings = [way, DEBUG, "checkpoints=3", &lack];
            let (finished, expected) = with_and_without("sheep_counter", "sheep_counter", &settings);
            assert_passed(&finished);
            assert_eq!(lines(&finished, "sheep_counter"), expected);
            assert_eq!((count(&finished, why), count(&finished, " is ended: ")), (1, 0), "{}", console(&finished));
            let mut used = accounts(&finished);
            assert_eq!(used.len(), 3);
            used.dedup();
            assert_eq!(used.len(), 1, "{used:#?}");
        }
    }
}

/// It sets up much before the barrier, which is replayed: its numbers and addresses are the same afterwards, whenever that
/// was, before the barrier too.
#[test]
fn what_is_set_up_before_the_barrier_is_replayed() {
    for way in WAYS {
        for settings in [
            &["checkpoints=1", "checkpoint_after=14400"][..],
            &["checkpoints=10"],
            &["checkpoints=200", "checkpoint_after=1", "checkpoint_every=77"],
            &["checkpoints=200", "checkpoint_after=2500", "checkpoint_every=31"],
        ] {
            let settings: Vec<_> = settings.iter().copied().chain([way]).collect();
            let (finished, expected) = with_and_without("early", "early", &settings);
            assert_passed(&finished);
            assert_eq!(lines(&finished, "early"), expected, "{settings:?}");
            let times = count(&finished, " goes on from checkpoint ");
            assert_eq!(times, count(&finished, " is ended: "));
            if settings[0] == "checkpoints=200" {
                assert!(times >= 20, "only {times} generations");
                let early = count(&finished, "it still starts; what it has asked for is saved");
                assert!(early >= 3, "only {early} before the barrier: {settings:?}");
            }
        }
    }
}

/// What is replayed is of every kind, each many times.
#[test]
fn a_replay_answers_requests_of_every_kind() {
    let finished = run_with("early", &["log=trace"]);
    let mut kinds = BTreeMap::<(u32, u32), u32>::new();
    for line in lines(&finished, "rtcr") {
        let Some((_, event)) = line.split_once("Answered { index: ") else { continue };
        let mut numbers = event.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok());
        let (Some(_index), Some(interface), Some(operation)) = (numbers.next(), numbers.next(), numbers.next()) else {
            panic!("{line}");
        };
        *kinds.entry((interface, operation)).or_default() += 1;
    }
    assert_passed(&finished);
    let often = kinds.values().filter(|times| **times >= 20).count();
    assert!(often >= 20, "{kinds:?}");
}

/// The first request that differs is named, and `construct` does not run.
#[test]
fn another_bootstrap_is_refused_on_the_board_too() {
    for (other, why) in [
        (
            "early_arguments",
            "it is another component: its request 506 is Pd.allocate(0, 1, 0x3000, 0), and was Pd.allocate(0, 1, 0x2000, 0)",
        ),
        (
            "early_order",
            "it is another component: its request 523 is Pd.create_endpoint(0, 1), and was Pd.create_notification(0, 1)",
        ),
        (
            "early_less",
            "it is another component: its request 542 is Pd.restore_thread(), and was Pd.allocate(0, 1, 0x1000, 0)",
        ),
        ("early_more", "it is another component: its request 929 is Pd.account(1), and was Pd.restore_thread()"),
        (
            "early_exits",
            "it is another component: its request 542 is Parent.exit(0), and was Pd.allocate(0, 1, 0x1000, 0)",
        ),
        ("early_faults", "the new instance faults before its barrier, at 0x"),
        ("early_hangs", "the new instance does not get to its barrier in time"),
    ] {
        let (next, program) = (format!("restore_binary={other}"), format!("component.other.binary={other}"));
        let settings = [&*next, &*program, "log=debug", "component.rtcr.values.boot_limit=10000"];
        let finished = run_with("early", &settings);
        assert_eq!(finished.explanation.kind, Kind::Failed);
        let text = console(&finished);
        assert!(finished.explanation.reason.contains(why), "{:?}\n{text}", finished.explanation);
        assert_eq!(count(&finished, &format!("checkpoint 1 is kept: {why}")), 3, "{text}");
        let (_, after) = text.split_once("early is ended: ").expect("it is ended");
        assert!(!after.contains("[early] "), "no instruction of its construction runs: {text}");
        let mut used = accounts(&finished)[1..].to_vec();
        used.dedup();
        assert_eq!(used.len(), 1, "nothing is left of it: {used:#?}");
    }
}

/// It may ask for the very same until its barrier.
#[test]
fn another_program_is_refused_on_the_board_too() {
    let settings =
        ["restore_binary=sheep_counter", "component.other.binary=sheep_counter", "component.early.binary=mover"];
    let finished = run_with("early", &settings);
    assert_eq!(finished.explanation.kind, Kind::Failed);
    let why = "it cannot be restored: it is another component: its program is sheep_counter, and was mover";
    assert!(finished.explanation.reason.contains(why), "{:?}\n{}", finished.explanation, console(&finished));
    assert!(!console(&finished).contains("Stack|Heap|Dataspace"), "its construction does not run");
}

/// It exits, faults or panics between two checkpoints, while it runs on after one, or right after a restore.
#[test]
fn a_component_that_ends_by_itself_ends_as_ever() {
    for end in ["exit", "fault", "panic"] {
        let end = format!("end={end}");
        let alone = run_with("short_lived", &[&end, "checkpoints=0"]);
        for way in WAYS {
            for settings in [
                &["interval=100"][..],
                &["interval=10", "checkpoint_every=1"],
                &["interval=3", "checkpoint_every=2", "checkpoint_after=60"],
                &["checkpoint_after=600", "run_on=100000"],
            ] {
                let settings: Vec<_> = settings.iter().copied().chain([&*end, way]).collect();
                let finished = run_with("short_lived", &settings);
                let text = console(&finished);
                assert_eq!(finished.explanation, alone.explanation, "{settings:?}\n{text}");
                assert_eq!(lines(&finished, "short_lived"), lines(&alone, "short_lived"), "{settings:?}\n{text}");
                let taken = lines(&finished, "rtcr").into_iter().filter(|line| line.starts_with("Checkpoint ")).count();
                let restored = count(&finished, " goes on from checkpoint ");
                // One that is to run on ends before it is ended.
                let doomed = usize::from(count(&finished, " runs on for ") > restored);
                assert!(taken > 0 && taken == restored + doomed, "{settings:?}\n{text}");
            }
        }
    }
}

/// Checkpoints are taken and restored while it has nothing left, and afterwards it has as much as ever.
#[test]
fn a_component_that_uses_up_its_quota_is_restored() {
    let alone = run_with("short_lived", &["end=quota", "checkpoints=0", "interval=20"]);
    let expected = lines(&alone, "short_lived");
    assert_eq!(expected.len(), 20, "{}", console(&alone));
    let pages: Vec<_> = expected.iter().filter(|line| line.ends_with(" pages can be had")).collect();
    // Its first sleep costs a capability.
    assert!(pages[1..].windows(2).all(|two| two[0] == two[1]), "{pages:?}");
    for way in WAYS {
        for (after, every) in [(100, 7), (333, 31)] {
            let (after, every) = (format!("checkpoint_after={after}"), format!("checkpoint_every={every}"));
            let finished = run_with("short_lived", &["end=quota", "interval=20", way, &after, &every, DEBUG]);
            assert_eq!(lines(&finished, "short_lived"), expected, "{}", console(&finished));
            assert!(count(&finished, " goes on from checkpoint ") >= 20, "{}", console(&finished));
            // The storage grows by what there is to be saved at most, and the monitor's heap by some pieces; nothing else does.
            let used: Vec<_> = accounts(&finished).into_iter().map(numbers).collect();
            let ((ram, caps), last) = (used[0], used[used.len() - 1]);
            assert!(last.0 <= ram + 220 * 4096 + 4 * (64 << 10) && last.1 <= caps + 4, "{used:?}");
        }
    }
}
