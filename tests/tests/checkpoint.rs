//! Programs that are checkpointed while they run, ended and restored: what they print is what they would have printed
//! alone, whatever instant it was, and however they were restored.

use rtcr_tests::{console, run_with};
use tools::{explain::Kind, run::Finished};

/// Rounds that each scenario asks for.
const ROUNDS: u32 = 40;
const WAYS: [&str; 2] = ["restore=replay", "restore=direct"];

/// A program that counts: what it prints first, in each round, and last.
struct Program {
    name: &'static str,
    first: Option<&'static str>,
    round: fn(u32) -> String,
    last: &'static str,
}

const SHEEP: Program = Program {
    name: "sheep_counter",
    first: Some("Stack|Heap|Dataspace"),
    round: |round| format!("{round}|{round}|{round} sheep. zzZ"),
    last: "All counters are equal.",
};

const STACK: Program = Program {
    name: "stack_counter",
    first: None,
    round: |round| format!("counter {round}"),
    last: "Every round was counted.",
};

const LARGE_STACK: Program = Program {
    name: "large_stack_counter",
    first: Some("63300 bytes on the stack."),
    round: |round| format!("counters {round}"),
    last: "Every counter is equal.",
};

const SMALL_DATASPACES: Program = Program {
    name: "small_dataspaces",
    first: Some("100 dataspaces of 4096 bytes."),
    round: |round| format!("counters {round}"),
    last: "Every counter is equal.",
};

const LARGE_DATASPACES: Program = Program {
    name: "large_dataspaces",
    first: Some("1 dataspace of 409600 bytes."),
    round: |round| format!("counters {round}"),
    last: "Every counter is equal.",
};

const WORKER: Program = Program {
    name: "worker",
    first: Some("3 threads are at work."),
    round: |round| format!("round {round}: {} pieces", 6 * round),
    last: "All done in time.",
};

impl Program {
    /// Everything that it prints if nothing happens to it.
    fn lines(&self) -> Vec<String> {
        let rounds = (1..=ROUNDS).map(self.round);
        self.first.map(str::to_owned).into_iter().chain(rounds).chain([self.last.to_owned()]).collect()
    }
}

/// A run that passed, by who said what.
struct Story {
    /// Every line: whether it is the program's, and what it says.
    lines: Vec<(bool, String)>,
}

impl Story {
    fn of(finished: &Finished, program: &Program) -> Self {
        let text = console(finished);
        assert_eq!(finished.explanation.kind, Kind::Passed, "{:#?}\n{text}", finished.explanation);
        let (own, rtcr) = (format!("[{}] ", program.name), "[rtcr] ");
        let read = |line: &str| match (line.strip_prefix(&own), line.strip_prefix(rtcr)) {
            (Some(said), _) => (true, said.to_owned()),
            (_, Some(said)) => (false, said.to_owned()),
            _ => panic!("nobody says `{line}`"),
        };
        Self { lines: text.lines().map(read).collect() }
    }

    fn program(&self) -> Vec<String> {
        self.lines.iter().filter(|(own, _)| *own).map(|(_, said)| said.clone()).collect()
    }

    /// How many of the monitor's lines contain that.
    fn count(&self, what: &str) -> usize {
        self.lines.iter().filter(|(own, said)| !own && said.contains(what)).count()
    }

    /// How many lines of the program stand before the first of the monitor's, and after the last.
    fn around(&self) -> (usize, usize) {
        let before = self.lines.iter().take_while(|(own, _)| *own).count();
        (before, self.lines.iter().rev().take_while(|(own, _)| *own).count())
    }

    /// So many checkpoints were taken, and after each the program was ended and restored that way.
    fn assert_revived(&self, times: usize, way: &str) {
        let way = if way.ends_with("replay") { "restored by replay in" } else { "restored directly in" };
        for what in ["Checkpoint ", " is ended: ", " goes on from checkpoint ", way] {
            assert_eq!(self.count(what), times, "{what}: {:#?}", self.lines);
        }
    }
}

/// The program does not notice one checkpoint, nor ten; and each run is the same to the byte.
fn assert_unnoticed(program: &Program) {
    for way in WAYS {
        let (one, two) = (run_with(program.name, &[way]), run_with(program.name, &[way]));
        assert_eq!(one.outcome.console, two.outcome.console);
        assert_eq!(one.outcome.reports, two.outcome.reports);
        let story = Story::of(&one, program);
        assert_eq!(story.program(), program.lines());
        story.assert_revived(1, way);
        let (before, after) = story.around();
        assert!(before >= 10 && after >= 10, "{before} lines before, {after} after");

        let story = Story::of(&run_with(program.name, &[way, "checkpoints=10"]), program);
        assert_eq!(story.program(), program.lines());
        story.assert_revived(10, way);
    }
}

#[test]
fn sheep_are_counted_on() {
    assert_unnoticed(&SHEEP);
}

#[test]
fn counters_on_the_stack_are_restored() {
    assert_unnoticed(&STACK);
}

#[test]
fn counters_that_fill_the_stack_are_restored() {
    assert_unnoticed(&LARGE_STACK);
}

#[test]
fn counters_in_many_dataspaces_are_restored() {
    assert_unnoticed(&SMALL_DATASPACES);
}

#[test]
fn counters_in_a_large_dataspace_are_restored() {
    assert_unnoticed(&LARGE_DATASPACES);
}

#[test]
fn threads_locks_signals_and_timeouts_are_restored() {
    assert_unnoticed(&WORKER);
}

/// What is restored is the checkpoint, not the instance that ran on: rounds are counted again, from the checkpoint's next.
#[test]
fn what_happened_after_the_checkpoint_is_undone() {
    for way in WAYS {
        let story = Story::of(&run_with("sheep_counter", &[way, "run_on=3000"]), &SHEEP);
        story.assert_revived(1, way);
        let own = |range: &[(bool, String)]| -> Vec<String> {
            range.iter().filter(|(own, _)| *own).map(|(_, said)| said.clone()).collect()
        };
        let place = |what: &str| story.lines.iter().position(|(own, said)| !own && said.contains(what)).unwrap();
        let (saved, ended) = (place("Checkpoint 1 "), place(" is ended: "));
        let undone = own(&story.lines[saved..ended]);
        assert!(undone.len() >= 2, "it ran on: {undone:?}");
        let mut kept = own(&story.lines[..saved]);
        kept.extend(own(&story.lines[ended..]));
        assert_eq!(kept, SHEEP.lines());
        assert_eq!(own(&story.lines[ended..])[..undone.len()], undone);
    }
}

/// From the first request on, every few microseconds: in its own code, in requests, asleep, before the barrier and after.
#[test]
fn any_instant_will_do() {
    for way in WAYS {
        for (program, after, every) in
            [(&SHEEP, 1, 3), (&SHEEP, 60, 7), (&SMALL_DATASPACES, 150, 11), (&WORKER, 10, 23)]
        {
            let (after, every) = (format!("checkpoint_after={after}"), format!("checkpoint_every={every}"));
            let settings = [way, "checkpoints=300", "interval=500", &after, &every];
            let story = Story::of(&run_with(program.name, &settings), program);
            assert_eq!(story.program(), program.lines(), "{settings:?}");
            let times = story.count("Checkpoint ");
            assert!(times >= 100, "only {times} checkpoints: {settings:?}");
            assert_eq!(story.count(" goes on from checkpoint "), times);
        }
    }
}

#[test]
fn a_value_that_makes_no_sense_is_named() {
    let finished = run_with("sheep_counter", &["restore=sideways"]);
    assert_ne!(finished.explanation.kind, Kind::Passed);
    let reason = &finished.explanation.reason;
    assert!(reason.contains("the value `restore` is `sideways`, and can be `replay` or `direct`"), "{reason}");
}

/// What instances and checkpoints cost is the same, however many there were.
#[test]
fn a_restored_instance_costs_what_the_one_before_did() {
    for way in WAYS {
        let settings = [way, "checkpoints=20", "checkpoint_every=300", "component.rtcr.values.log=debug"];
        for program in [&SHEEP, &WORKER] {
            let story = Story::of(&run_with(program.name, &settings), program);
            assert_eq!(story.program(), program.lines());
            story.assert_revived(20, way);
            let used = story.lines.iter().filter_map(|(_, said)| said.ends_with(" are used here.").then_some(said));
            let mut used: Vec<_> = used.collect();
            assert_eq!(used.len(), 20);
            used.dedup();
            assert_eq!(used.len(), 1, "{way} {used:#?}");
        }
    }
}

#[test]
fn without_memory_for_a_checkpoint_a_program_runs_on() {
    let settings = [
        "component.rtcr.ram=4100K",
        "component.large_dataspaces.ram=3M",
        "component.large_dataspaces.stack=1016K",
        "checkpoints=3",
    ];
    let story = Story::of(&run_with("large_dataspaces", &settings), &LARGE_DATASPACES);
    assert_eq!(story.program(), LARGE_DATASPACES.lines());
    assert_eq!(story.count("runs on without checkpoint"), 3);
    assert_eq!(story.count("there is no memory for"), 3);
}

/// Each has a thread of its own in the monitor.
#[test]
fn two_programs_are_checkpointed_in_turns() {
    let finished = run_with("rtcr_two", &[]);
    assert_eq!(finished.explanation.kind, Kind::Passed, "{:#?}", finished.explanation);
    for program in [&SHEEP, &SMALL_DATASPACES] {
        let own = format!("[{}] ", program.name);
        let said: Vec<_> = console(&finished).lines().filter_map(|line| line.strip_prefix(&own)).collect();
        assert_eq!(said, program.lines());
        let revived = format!("A new {} goes on from checkpoint 8: ", program.name);
        assert_eq!(console(&finished).matches(&revived).count(), 1);
    }
}

#[test]
fn a_program_that_faults_is_told_of_as_ever() {
    let finished = run_with("rtcr_null_dereference", &[]);
    let alone = run_with("null_dereference", &[]);
    assert_eq!(finished.explanation.kind, alone.explanation.kind);
    assert_ne!(finished.explanation.kind, Kind::Passed);
}

/// Dataspaces that it has detached, moved, put into a region map or freed in its construction are so afterwards; and what
/// its signals ask for is done in each instance, long after construction is over.
#[test]
fn what_was_moved_is_where_it_is_and_what_was_detached_can_be_attached() {
    for settings in [&["checkpoints=1"][..], &["checkpoints=10"], &["checkpoints=200", "checkpoint_after=10"]] {
        for way in WAYS {
            let settings: Vec<_> = settings.iter().copied().chain([way]).collect();
            let finished = run_with("mover", &settings);
            let text = console(&finished);
            assert_eq!(finished.explanation.kind, Kind::Passed, "{:#?}\n{text}", finished.explanation);
            let said: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("[mover] ")).collect();
            let mut expected: Vec<_> = (1..=40).map(|tick| format!("tick {tick}")).collect();
            expected.insert(24, "all is there; 16 pages in the region map".into());
            expected.insert(0, "moved in".into());
            assert_eq!(said, expected, "{settings:?}");
            assert!(text.contains("goes on from checkpoint 1: "));
        }
    }
}
