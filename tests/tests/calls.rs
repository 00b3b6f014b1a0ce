//! Threads of one component that wait for each other in every way there is, checkpointed at many instants, ended and
//! restored: what they print is what they would have printed alone.

use std::collections::BTreeSet;

use rtcr_tests::{console, run, run_with};
use tools::{explain::Kind, run::Finished};

fn said(finished: &Finished) -> Vec<&str> {
    assert_eq!(finished.explanation.kind, Kind::Passed, "{:#?}\n{}", finished.explanation, console(finished));
    console(finished).lines().filter_map(|line| line.strip_prefix("[calls] ")).collect()
}

/// How a thread stood at a checkpoint, as RTCR tells it.
#[derive(Clone, Debug)]
struct Stood {
    thread: String,
    number: u32,
    activity: String,
    pc: u32,
    paused: u32,
    owes: Option<u32>,
}

impl Stood {
    /// `calls.NAME (NUMBER): ACTIVITY at PC, paused COUNT, owes NUMBER`
    fn read(line: &str) -> Option<Self> {
        let (thread, rest) = line.strip_prefix("[rtcr] calls.")?.split_once(" (")?;
        let (number, rest) = rest.split_once("): ")?;
        let (activity, rest) = rest.split_once(" at 0x")?;
        let (pc, rest) = rest.split_once(", paused ")?;
        let (paused, owes) = rest.split_once(", owes ").map_or((rest, None), |(paused, owes)| (paused, Some(owes)));
        Some(Self {
            thread: thread.into(),
            number: number.parse().ok()?,
            activity: activity.split(' ').next()?.into(),
            pc: u32::from_str_radix(pc, 16).ok()?,
            paused: paused.parse().ok()?,
            owes: owes.and_then(|owes| owes.parse().ok()),
        })
    }

    fn is(&self, thread: &str, activity: &str) -> bool {
        (self.thread.as_str(), self.activity.as_str()) == (thread, activity)
    }
}

/// Checkpoints of a run, each with how its threads stood.
fn checkpoints(finished: &Finished) -> Vec<Vec<Stood>> {
    let mut all: Vec<Vec<Stood>> = Vec::new();
    for line in console(finished).lines() {
        if line.starts_with("[rtcr] Checkpoint ") {
            all.push(Vec::new());
        }
        if let (Some(stood), Some(last)) = (Stood::read(line), all.last_mut()) {
            last.push(stood);
        }
    }
    all
}

/// The rows of the table of what a stopped thread does, but for those that need nothing done, and what they look like.
fn rows(checkpoints: &[Vec<Stood>]) -> Vec<(&'static str, usize)> {
    // Where threads stand that are in a call: the next instruction is where they are when they have been answered.
    let calls = checkpoints.iter().flatten().filter(|stood| ["Sending", "Calling"].contains(&stood.activity.as_str()));
    let answered: BTreeSet<(&str, u32)> = calls.map(|stood| (stood.thread.as_str(), stood.pc + 4)).collect();
    let waits = checkpoints.iter().flatten().filter(|stood| stood.activity == "Waiting");
    let rung: BTreeSet<(&str, u32)> = waits.map(|stood| (stood.thread.as_str(), stood.pc + 4)).collect();
    let count = |holds: &dyn Fn(&[Stood]) -> bool| checkpoints.iter().filter(|stood| holds(stood)).count();
    let any = |holds: &dyn Fn(&Stood) -> bool| count(&|all| all.iter().any(holds));
    let owed = |all: &[Stood], stood: &Stood| all.iter().any(|other| other.owes == Some(stood.number));
    vec![
        ("in its own code", any(&|stood| stood.is("back", "Running"))),
        (
            "in a call that nobody has received",
            any(&|stood| stood.is("low", "Sending") || stood.is("rival", "Sending")),
        ),
        (
            "in a call that another has received",
            count(&|all| all.iter().any(|stood| stood.activity == "Calling" && owed(all, stood))),
        ),
        (
            "in a chain of two calls",
            count(&|all| {
                all.iter().any(|stood| stood.is("front", "Calling") && stood.owes.is_some() && owed(all, stood))
            }),
        ),
        ("asleep while it owes an answer", any(&|stood| stood.is("back", "Waiting") && stood.owes.is_some())),
        (
            "answered, and does not know",
            any(&|stood| stood.is("low", "Running") && answered.contains(&("low", stood.pc))),
        ),
        (
            "woken, and does not know",
            any(&|stood| stood.activity == "Running" && rung.contains(&(stood.thread.as_str(), stood.pc))),
        ),
        ("waiting for requests", any(&|stood| stood.is("front", "Receiving"))),
        ("waiting for a signal", any(&|stood| stood.is("pager", "Waiting"))),
        ("in a page fault", any(&|stood| stood.is("toucher", "Faulted"))),
        ("paused", any(&|stood| stood.paused > 0)),
    ]
}

#[test]
fn threads_that_wait_for_each_other_do_so_again() {
    let alone = run("calls_native");
    let expected = said(&alone);
    assert_eq!(expected.len(), 41);
    for way in ["restore=replay", "restore=direct"] {
        let mut all = Vec::new();
        for (after, every) in [(5, 3), (1200, 11), (2500, 61)] {
            let (after, every) = (format!("checkpoint_after={after}"), format!("checkpoint_every={every}"));
            // Each of the direct ones is held against one by replay, before it runs.
            let compare = format!("component.rtcr.values.compare={}", u32::from(way.ends_with("direct")));
            let settings = [way, "checkpoints=200", &after, &every, "tell_threads=1", &compare];
            let finished = run_with("calls", &settings);
            assert_eq!(said(&finished), expected, "{settings:?}");
            assert!(!console(&finished).contains("runs on without checkpoint"), "{settings:?}");
            let checkpoints = checkpoints(&finished);
            assert!(checkpoints.len() >= 100, "{} {settings:?}", checkpoints.len());
            all.extend(checkpoints);
        }
        let rows = rows(&all);
        assert!(rows.iter().all(|&(_, times)| times > 0), "{way}: {rows:#?}");
    }
}

/// A component that waits ten seconds, in a call and for a signal, is stopped, saved and goes on within 0.1 ms of the request;
/// and its waits end when they would have, in it as in an instance that was restored from it.
#[test]
fn ten_seconds_are_ten_seconds() {
    let expected = "[patient] The answer came after 10000 ms, the signal after 10000 ms.";
    for settings in [
        &["run_on=20000000"][..],
        &["run_on=0", "restore=replay", "checkpoints=3"],
        &["run_on=0", "restore=direct", "checkpoints=3"],
    ] {
        let settings: Vec<_> = settings.iter().copied().chain(["tell_threads=1"]).collect();
        let finished = run_with("patient", &settings);
        let text = console(&finished);
        assert_eq!(finished.explanation.kind, Kind::Passed, "{:#?}\n{text}", finished.explanation);
        assert!(text.lines().any(|line| line == expected), "{text}");
        let between = |line: &str| Some(line.split_once(" went on ")?.1.split_once(" us after that")?.0.parse::<f64>());
        let took: Vec<f64> = text.lines().filter_map(between).map(|took| took.expect("it is a number")).collect();
        assert!(!took.is_empty() && took.iter().all(|&micros| micros < 100.0), "{took:?}");
        for state in ["patient.patient (13): Calling", "patient.host (20): Waiting", "patient.signal (23): Waiting"] {
            assert!(text.contains(state), "{state}: {text}");
        }
    }
}
