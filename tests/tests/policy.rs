//! Components that crash, and a parent that keeps them alive: what they say in the end is what they say if nothing happens to them.

use rtcr_tests::{console, run, run_with};
use tools::{
    explain::Kind,
    machine::control::Report,
    run::{Finished, RunReport},
};
use wire::record::{Crash, Remedy};

const WAYS: [&str; 2] = ["restore=replay", "restore=direct"];

/// What the component says.
fn said(finished: &Finished) -> Vec<String> {
    let own = console(finished).lines().filter_map(|line| line.strip_prefix("[faulty] "));
    own.map(str::to_owned).collect()
}

/// What it says if nothing happens to it.
fn undisturbed() -> Vec<String> {
    let said = said(&passed(run("recovered_native")));
    assert_eq!(said.len(), 42);
    said
}

fn passed(finished: Finished) -> Finished {
    assert_eq!(finished.explanation.kind, Kind::Passed, "{:#?}\n{}", finished.explanation, console(&finished));
    finished
}

/// How it crashed and what was done, in order, and how often it was recovered then.
fn crashes(finished: &Finished) -> Vec<(&Crash, Remedy, u32)> {
    fn crash(report: &Report) -> Option<(&Crash, Remedy, u32)> {
        let Report::Crashed { crash, remedy, recoveries, .. } = report else { return None };
        Some((crash, *remedy, *recoveries))
    }
    finished.outcome.reports.iter().filter_map(crash).collect()
}

/// How many of the crashes are of each kind: faults, panics, exits, silences.
fn kinds(finished: &Finished) -> [usize; 4] {
    let mut kinds = [0; 4];
    for (crash, ..) in crashes(finished) {
        kinds[match crash {
            Crash::Faulted(..) => 0,
            Crash::Panicked(..) => 1,
            Crash::Exited(..) => 2,
            Crash::Silent(..) => 3,
            Crash::Unrestored => panic!("a restore has failed"),
        }] += 1;
    }
    kinds
}

/// Without what is said again, and without what a panic says.
fn new_lines(said: Vec<String>) -> Vec<String> {
    said.into_iter().filter(|line| !line.starts_with("again: ") && !line.starts_with("panicked at ")).collect()
}

#[test]
fn who_crashes_every_few_rounds_reaches_the_last_one() {
    let undisturbed = undisturbed();
    for parent in ["recovered", "recovered_below_monitor"] {
        for way in WAYS {
            let finished = passed(run_with(parent, &[way, "output=held"]));
            assert_eq!(said(&finished), undisturbed, "{}", console(&finished));
            let kinds = kinds(&finished);
            assert!(kinds.iter().all(|&count| count > 0), "{kinds:?}");
        }
    }
    let finished = passed(run_with("recovered", &["output=marked"]));
    assert_eq!(new_lines(said(&finished)), undisturbed);
    assert!(console(&finished).contains("[faulty] again: "));
}

/// The same, with crashes and checkpoints at other instants each time.
#[test]
fn at_whatever_instant() {
    let undisturbed = undisturbed();
    for (way, number) in WAYS.iter().cycle().zip(0..4) {
        let (every, after) =
            (format!("checkpoint_every={}", 700 + 311 * number), format!("checkpoint_after={}", 40 * number));
        let each = format!("every={}", 5 + number);
        let settings = [way, "output=held", "crash_soon=300", "recoveries=60", &every, &after, &each];
        let finished = passed(run_with("recovered", &settings));
        assert_eq!(said(&finished), undisturbed, "{settings:?}\n{}", console(&finished));
        assert!(crashes(&finished).len() >= 4);
    }
}

/// What is shown as it comes is all that was shown otherwise, and more.
#[test]
fn without_a_word_some_lines_come_twice() {
    let finished = passed(run_with("recovered", &["output=now"]));
    let mut lines = new_lines(said(&finished));
    let before = lines.len();
    lines.dedup();
    assert!(lines.len() < before && lines != undisturbed() || before > 42, "{lines:#?}");
    assert!(!console(&finished).contains("again: "));
}

/// Given up at the crash after the last recovery, and everybody above knows why.
#[test]
fn who_crashes_for_ever_is_given_up() {
    let undisturbed = undisturbed();
    for (crash, reason, parent, way) in [
        ("fault", "faulty faulted", "recovered", WAYS[0]),
        ("panic", "faulty panicked", "recovered_below_monitor", WAYS[1]),
        ("exit", "faulty exited with 3 instead of 0", "recovered", WAYS[1]),
        ("loop", "faulty: it has asked for nothing for ", "recovered_below_monitor", WAYS[0]),
    ] {
        let crash = format!("component.faulty.values.crash={crash}");
        let crash_at = "component.faulty.values.crash_at=20";
        // One checkpoint, long before.
        let settings = [way, crash_at, &crash, "recoveries=5", "output=held", "checkpoint_every=1000000"];
        let finished = run_with(parent, &settings);
        assert_eq!(finished.explanation.kind, Kind::Failed);
        assert!(finished.explanation.reason.starts_with(reason), "{:#?}", finished.explanation);
        let crashes = crashes(&finished);
        let counts: Vec<_> = crashes.iter().map(|(.., count)| *count).collect();
        assert_eq!(counts, [1, 2, 3, 4, 5, 5], "{crashes:#?}");
        let (last, before) = crashes.split_last().unwrap();
        assert_eq!(last.1, Remedy::GivenUp);
        assert!(before.iter().all(|(_, remedy, _)| matches!(remedy, Remedy::Restored(_))), "{before:?}");
        assert!(console(&finished).contains("it was recovered 5 times, and is given up."));
        // What is not in any checkpoint is shown as such, and the rest once.
        let said = said(&finished);
        let lines: Vec<_> = said.iter().map(|line| line.strip_prefix("unconfirmed: ").unwrap_or(line)).collect();
        assert_eq!(lines[..20], undisturbed[..20], "{said:#?}");
        assert!(said.iter().any(|line| line.starts_with("unconfirmed: ")), "{said:#?}");
        // Where it was, each time.
        let told = finished.explanation.details.join("\n");
        assert!(
            told.contains("it went back to checkpoint ")
                && (way == WAYS[1] && crash.ends_with("exit") || told.contains("faulty.rs:")),
            "{told}"
        );
    }
}

/// Before any checkpoint there is nothing to go back to.
#[test]
fn who_crashes_before_its_first_checkpoint_starts_again() {
    for settings in
        [&["component.faulty.values.crash_at=1"][..], &["component.faulty.values.crash_at=20", "checkpoints=0"]]
    {
        let settings: Vec<_> =
            settings.iter().copied().chain(["recoveries=3", "component.faulty.values.crash=exit"]).collect();
        let finished = run_with("recovered", &settings);
        assert_eq!(finished.explanation.reason, "faulty exited with 3 instead of 0");
        let remedies: Vec<_> = crashes(&finished).into_iter().map(|(_, remedy, _)| remedy).collect();
        assert_eq!(remedies, [Remedy::Started, Remedy::Started, Remedy::Started, Remedy::GivenUp]);
        assert_eq!(said(&finished).iter().filter(|line| *line == "counting").count(), 4);
    }
    // It has a session, which its next instance opens again.
    let finished = passed(run_with("recovered", &["checkpoints=0", "every=25", "kinds=fault sleep", "output=held"]));
    assert_eq!(said(&finished), undisturbed());
    assert_eq!(crashes(&finished).into_iter().map(|(_, remedy, _)| remedy).collect::<Vec<_>>(), [Remedy::Started; 1]);
}

/// More than so many within a window are too many; as many as one likes are not.
#[test]
fn a_window_bounds_the_rate() {
    let settings = |window: &'static str| ["recoveries=2", window, "kinds=exit", "every=7", "output=held"];
    let finished = passed(run_with("recovered", &settings("recovery_window=12000")));
    assert_eq!(said(&finished), undisturbed());
    assert!(crashes(&finished).len() > 4);
    let finished = run_with("recovered", &settings("recovery_window=100000"));
    assert_eq!(finished.explanation.reason, "faulty exited with 3 instead of 0");
    assert_eq!(crashes(&finished).len(), 3);
    assert!(console(&finished).contains("it was recovered 2 times within 100000 us, and is given up."));
}

/// Its newest checkpoints are of an instance that is done for already: they are thrown away, one after the other.
#[test]
fn an_older_checkpoint_helps_where_the_newest_does_not() {
    for way in WAYS {
        let settings =
            [way, "kinds=rot", "every=15", "keep=6", "checkpoint_every=900", "crash_soon=4000", "output=held"];
        let finished = passed(run_with("recovered", &settings));
        assert_eq!(said(&finished), undisturbed());
        let restored = crashes(&finished).into_iter().map(|(_, remedy, _)| match remedy {
            Remedy::Restored(number) => number,
            other => panic!("{other:?}"),
        });
        let restored: Vec<_> = restored.collect();
        // Three or four were taken while it was done for.
        let back = restored.windows(2).filter(|pair| pair[1] < pair[0]).count();
        assert!(back >= 3, "{restored:?}");
        assert!(console(&finished).contains("is thrown away, since it led to this at once"));
    }
}

/// Asleep, in a call that takes long, and at work for less than its limit.
#[test]
fn who_waits_is_alive() {
    for way in WAYS {
        let finished = passed(run_with("recovered", &[way, "kinds=sleep wait work", "every=5"]));
        assert_eq!(said(&finished), undisturbed());
        assert_eq!(crashes(&finished), []);
    }
    // At work for longer than it may.
    let finished =
        run_with("recovered", &["kinds=work", "every=5", "heartbeat=600", "recoveries=1", "checkpoint_every=300"]);
    assert!(
        finished.explanation.reason.starts_with("faulty: it has asked for nothing for "),
        "{:#?}",
        finished.explanation
    );
    assert_eq!(kinds(&finished)[3], 2);
}

/// A server that crashes in a call: its client outside is told, and goes on with the next instance.
#[test]
fn a_server_that_crashes_is_recovered() {
    let finished = passed(run("recovered_server"));
    let text = console(&finished);
    // Every fifth call of an instance.
    let lost = text.lines().filter(|line| line.starts_with("[buyer] ") && line.ends_with("PeerGone")).count();
    let crashes = finished.outcome.reports.iter().filter(|report| matches!(report, Report::Crashed { .. })).count();
    assert_eq!((lost, crashes), (2, 2), "{text}");
}

/// What does not fit forces a checkpoint; without one it is shown as unconfirmed.
#[test]
fn what_is_held_is_bounded() {
    let finished = passed(run_with("recovered", &["output=held", "output_room=40", "checkpoint_after=1000000"]));
    // What a panic says can be what does not fit.
    assert_eq!(new_lines(said(&finished)), undisturbed(), "{}", console(&finished));
    let taken = console(&finished).matches("[rtcr] Checkpoint ").count();
    assert!(taken >= 8, "{taken} checkpoints");

    // Its stack is too large for the monitor's memory. What is not confirmed is not what the scenario waits for.
    let large = ["component.faulty.stack=1016K", "component.faulty.ram=2M", "component.rtcr.ram=3000K"];
    let settings = [&["output=held", "output_room=40", "every=0"], &large[..]].concat();
    let finished = run_with("recovered", &settings);
    let said = said(&finished);
    let lines: Vec<_> = said.iter().map(|line| line.strip_prefix("unconfirmed: ").unwrap_or(line)).collect();
    assert_eq!(lines, undisturbed());
    assert!(said.iter().any(|line| line.starts_with("unconfirmed: ")), "{said:#?}");
}

/// A program can read it.
#[test]
fn figures_are_in_the_report_file() {
    for (way, work) in [(WAYS[0], "restore by replay"), (WAYS[1], "direct restore")] {
        let finished = passed(run_with("sheep_counter", &[way, "checkpoints=3"]));
        let report: RunReport<'_> = finished.report();
        let report = serde_json::to_value(report).unwrap();
        let worked: Vec<_> =
            report["reports"].as_array().unwrap().iter().filter_map(|report| report.get("worked")).collect();
        assert_eq!(worked.len(), 6);
        for (number, pair) in (1..).zip(worked.chunks(2)) {
            let [taken, restored] = pair else { unreachable!() };
            assert_eq!((&taken["work"], &restored["work"]), (&"checkpoint".into(), &work.into()));
            for worked in pair {
                assert_eq!((&worked["component"], &worked["checkpoint"]), (&"sheep_counter".into(), &number.into()));
                let phases = worked["phases_ns"].as_object().unwrap().values().map(|time| time.as_u64().unwrap());
                assert_eq!(phases.sum::<u64>(), worked["took_ns"].as_u64().unwrap(), "{worked:#}");
                assert_eq!(worked["pages_copied"], 39);
                assert_eq!(worked["bytes_copied"], 39 * 4096);
                assert_eq!(worked["pages_skipped"], 3);
                assert_eq!((&worked["objects"]["dataspace"], &worked["objects"]["thread"]), (&4.into(), &1.into()));
            }
            let stopped = taken["stopped_ns"].as_u64().unwrap();
            assert!(stopped > 0 && stopped < taken["took_ns"].as_u64().unwrap());
            // The line says the same.
            let line = format!(
                "[rtcr] Checkpoint {number} of sheep_counter: stopped for {}.{} us, 39 pages and 9 objects saved.",
                stopped / 1000,
                stopped % 1000 / 100
            );
            assert!(console(&finished).lines().any(|shown| shown == line), "{line}");
        }
    }
}
