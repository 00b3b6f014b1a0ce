//! Runs against a stand-in for QEMU that does what its "image" says: every way for a run to end.

use std::time::{Duration, Instant};

use base::scenario::{self, Scenario};
use tools::{
    executable,
    explain::{self, Explanation, Kind},
    image::Parts,
    machine::{
        self, Clock, End, Error, Heard, Options, Outcome,
        control::Report,
        remote,
        replay::{self, Part, Step},
    },
};
use wire::{
    executable::Segment,
    layout::LOADER,
    record::{Access, Cause, Fault, MAX, Place, Record, Verdict},
};

#[path = "support/elf.rs"]
mod elf;

const HALT: u32 = 0xe000_0020;
const INTERRUPTS_OFF: &str = "000001d3";
const INTERRUPTS_ON: &str = "0000001f";

fn program(address: u32) -> Vec<u8> {
    let bytes = &[0; 64];
    let code = Segment { address, physical: address, size: 64, bytes, writable: false, executable: true };
    executable::write("test", address, [code]).unwrap()
}

fn parts() -> Parts {
    Parts {
        kernel: elf::with_symbols(
            &program(0xe000_0000),
            &[("handleUnknownSyscall", 0xe000_0000, 0x20), ("halt", HALT, 12)],
        ),
        loader: program(LOADER),
        core: program(0x1_0000),
        programs: [("hello".into(), program(0x100_0000))].into(),
    }
}

fn options() -> Options {
    Options {
        qemu: env!("CARGO_BIN_EXE_fake-qemu").into(),
        clock: Clock::Instructions,
        limit: scenario::Duration { micros: 1_000_000 },
        watchdog: Some(Duration::from_secs(30)),
        interactive: false,
        gdb: None,
        record: None,
        memory: None,
        cable: None,
        stop: None,
    }
}

fn scenario() -> Scenario {
    toml::from_str("about = \"\"\nlimit = 1\n[component.hello]\n[success]\nexit = { hello = 0 }").unwrap()
}

fn run_with(script: &str, options: &Options) -> Result<(Outcome, Explanation), Error> {
    let (mut shown, mut reported) = (Vec::new(), Vec::new());
    let outcome = machine::run(script.as_bytes(), &parts(), options, |heard| match heard {
        Heard::Console(bytes) => shown.extend_from_slice(bytes),
        Heard::Report(report) => reported.push(report.clone()),
    })?;
    assert_eq!((&shown, &reported), (&outcome.console, &outcome.reports), "what is shown is what is kept");
    let explanation = explain::explain(&outcome, &scenario(), &parts());
    Ok((outcome, explanation))
}

fn run(script: &str) -> (Outcome, Explanation) {
    run_with(script, &options()).unwrap()
}

fn control(record: &Record<'_>) -> String {
    let mut buffer = [0; MAX];
    let digits: String = record.encode(&mut buffer).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("control {digits}\n")
}

fn started() -> String {
    control(&Record::Started)
}

#[test]
fn a_verdict_ends_the_run_and_all_of_the_console_is_kept() {
    let passed = control(&Record::Verdict(Verdict::Passed));
    let (outcome, explanation) = run(&format!("console before\n{}console [hello] hi\n{passed}", started()));
    assert_eq!(outcome.console, b"before\r\n[hello] hi\r\n");
    assert_eq!(outcome.reports, [Report::Started, Report::Passed]);
    assert_eq!(explanation.kind, Kind::Passed);
}

#[test]
fn nothing_counts_after_the_verdict() {
    let failed = control(&Record::Verdict(Verdict::Failed { reason: "no" }));
    let passed = control(&Record::Verdict(Verdict::Passed));
    let (outcome, explanation) = run(&format!("{}{failed}{passed}control 0505\n", started()));
    assert_eq!(outcome.end, End::Verdict);
    assert_eq!((explanation.kind, explanation.reason.as_str()), (Kind::Failed, "no"));
}

#[test]
fn no_text_on_the_console_is_taken_for_a_verdict() {
    let verdict = control(&Record::Verdict(Verdict::Passed)).replace("control", "console");
    let words = "console loader: stopped: really\nconsole KERNEL DATA ABORT!\nconsole halting...\n";
    let failed = control(&Record::Verdict(Verdict::Failed { reason: "no" }));
    let quiet = "registers 01000000 0000001f\n";
    let (outcome, explanation) = run(&format!("{quiet}{}{words}{verdict}{failed}", started()));
    assert_eq!(outcome.end, End::Verdict);
    assert_eq!(explanation.reason, "no");
}

#[test]
fn a_fault_of_core_ends_the_run() {
    let cause = Cause::Memory { address: 4, access: Access::Read, status: 5 };
    let fault = control(&Record::Fault(Fault { component: "core", cause, place: Place::default() }));
    let (outcome, explanation) = run(&(started() + &fault));
    assert_eq!(outcome.end, End::Core);
    assert_eq!(explanation.kind, Kind::Failed);
    assert!(explanation.details[0].starts_with("core faulted: it read address 0x00000004"), "{explanation:?}");
}

#[test]
fn the_loaders_last_words_are_told() {
    let script = "registers 20000010 000001d3\nconsole loader: stopped: the boot archive is damaged\n";
    let begun = Instant::now();
    let (outcome, explanation) = run(script);
    assert_eq!(outcome.end, End::Loader("the boot archive is damaged".into()));
    assert_eq!(explanation.reason, "the loader stopped: the boot archive is damaged");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_halted_kernel_is_recognised_without_waiting_for_the_watchdog() {
    let (outcome, explanation) = run(&format!("{}registers {HALT:08x} {INTERRUPTS_OFF}\n", started()));
    assert!(matches!(outcome.end, End::Kernel { .. }), "{outcome:?}");
    assert!(explanation.reason.contains("kernel crashed"), "{explanation:?}");
    assert!(explanation.details.iter().any(|line| line.contains("halt")), "{explanation:?}");
    assert!(explanation.details.iter().any(|line| line.contains("--kernel debug")), "{explanation:?}");
}

#[test]
fn the_debug_kernel_is_not_advised_and_a_component_that_halts_it_is_blamed() {
    let mut parts = parts();
    let functions = [
        ("handleUnknownSyscall", 0xe000_0000, 0x10),
        ("decodeInvocation", 0xe000_0010, 0x10),
        ("halt", HALT, 12),
        ("_assert_fail", 0xe000_0030, 8),
    ];
    parts.kernel = elf::with_symbols(&program(0xe000_0000), &functions);
    for (stack, reason, detail) in [
        (
            "00000004 e0000008 e0000018 0",
            "the kernel has halted: a component asked it to, by a Debug system call",
            "handleUnknownSyscall",
        ),
        ("00000004 e0000018 e0000008 0", "the kernel crashed and has halted", "decodeInvocation"),
        ("", "the kernel crashed and has halted", "halt"),
    ] {
        let script = format!("{}stack {stack}\nregisters {HALT:08x} {INTERRUPTS_OFF}\n", started());
        let outcome = machine::run(script.as_bytes(), &parts, &options(), |_| {}).unwrap();
        let explanation = explain::explain(&outcome, &scenario(), &parts);
        assert_eq!(explanation.reason, reason);
        assert!(explanation.details.iter().any(|line| line.contains(detail)), "{explanation:?}");
        assert!(!explanation.details.iter().any(|line| line.contains("--kernel debug")), "{explanation:?}");
    }
}

#[test]
fn silence_is_told_apart_from_a_halt() {
    let options = Options { watchdog: Some(Duration::from_secs(2)), ..options() };
    let (outcome, explanation) =
        run_with(&format!("{}registers {HALT:08x} {INTERRUPTS_ON}\n", started()), &options).unwrap();
    assert!(matches!(outcome.end, End::Silent(Some(_))), "{outcome:?}");
    assert!(explanation.reason.starts_with("core gave no verdict"), "{explanation:?}");
    let (outcome, explanation) = run_with("wait", &options).unwrap();
    assert_eq!(outcome.end, End::Silent(None));
    assert!(explanation.reason.starts_with("core never reported"), "{explanation:?}");
}

#[test]
fn a_run_that_prints_is_not_silent() {
    let options = Options { watchdog: Some(Duration::from_secs(1)), ..options() };
    let failed = control(&Record::Verdict(Verdict::Failed { reason: "it printed too much" }));
    let (outcome, explanation) = run_with(&format!("{}chatter 30\n{failed}", started()), &options).unwrap();
    assert_eq!((outcome.end, explanation.reason.as_str()), (End::Verdict, "it printed too much"));
}

#[test]
fn a_machine_that_runs_far_beyond_its_limit_is_ended() {
    let begun = Instant::now();
    let (outcome, explanation) =
        run(&format!("{}instructions 3000000001\nregisters 01000010 {INTERRUPTS_ON}\n", started()));
    assert!(matches!(outcome.end, End::Silent(Some(_))), "{outcome:?}");
    assert!(explanation.details[0].contains("hello"), "{explanation:?}");
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn garbage_on_the_control_line_fails_the_run() {
    for garbage in ["control 00\n", "control 414200\n", &format!("control {}\n", "41".repeat(MAX))] {
        let (outcome, explanation) = run(&(started() + garbage));
        assert_eq!(outcome.end, End::Malformed);
        assert!(explanation.reason.contains("malformed record"), "{explanation:?}");
    }
}

#[test]
fn a_qemu_that_ends_by_itself_fails_the_run() {
    let (outcome, explanation) = run(&format!("{}complain out of luck\nconsole last words\nexit 7\n", started()));
    assert_eq!(outcome.console, b"last words\r\n");
    assert!(matches!(&outcome.end, End::Qemu { status, .. } if status.code() == Some(7)), "{outcome:?}");
    assert!(explanation.details.iter().any(|line| line.contains("out of luck")), "{explanation:?}");
}

#[test]
fn a_verdict_counts_even_if_qemu_ends_right_after_it() {
    for _ in 0..20 {
        let (outcome, _) = run(&format!("{}{}exit 0\n", started(), control(&Record::Verdict(Verdict::Passed))));
        assert_eq!(outcome.end, End::Verdict);
    }
}

#[test]
fn a_qemu_that_does_not_start_is_an_error() {
    let error = run_with("refuse", &options()).unwrap_err();
    assert!(matches!(error, Error::Refused { .. }));
    assert!(error.to_string().contains("no such machine"), "{error}");
    let options = Options { qemu: "/no/such/qemu".into(), ..options() };
    let error = run_with("wait", &options).unwrap_err().to_string();
    assert!(error.contains("/no/such/qemu") && error.contains("doctor"), "{error}");
}

/// Two programs at the same address, each of a byte of its own.
fn two_programs() -> Parts {
    let program = |byte| {
        let bytes = &[byte; 64];
        let code = Segment { address: 0x100_0000, physical: 0, size: 64, bytes, writable: false, executable: true };
        executable::write("test", 0x100_0000, [code]).unwrap()
    };
    Parts { programs: [("one".into(), program(1)), ("other".into(), program(2))].into(), ..parts() }
}

fn look(script: &str, start: u32, part: Part, count: usize) -> Result<replay::Seen, Error> {
    let window = replay::Window { start, part, count };
    let recording = replay::Recording::new().unwrap();
    let patience = Duration::from_secs(10);
    replay::look(script.as_bytes(), &two_programs(), &options().qemu, &recording, &window, patience)
}

#[test]
fn a_trace_begins_in_the_program_that_was_meant() {
    let (one, other) = ("01010101", "02020202");
    let script = format!(
        "step 00010000\nstep 01000010 {one}\nstep 01000014 {one}\nstep e0000000\nstep 01000010 {other}\n\
         step 01000014 {other}\nstep ffff0008\nstep 01000018 {one}\nstep 0100001c {one}\n"
    );
    let seen = look(&script, 0x100_0010, Part::Program("other".into()), 4).unwrap();
    assert!(seen.cut_short.is_none(), "{seen:?}");
    let step = |pc, part| Step { pc, part };
    let program = |name: &str| Part::Program(name.into());
    let expected = [
        step(0x100_0010, program("other")),
        step(0x100_0014, program("other")),
        step(0xffff_0008, Part::Kernel),
        step(0x100_0018, program("one")),
    ];
    assert_eq!(seen.steps, expected);
}

#[test]
fn a_trace_ends_with_the_run() {
    let seen = look("step 00010000\nstep 00010004\nstep 00000004\n", 0x1_0004, Part::Core, 10).unwrap();
    assert!(matches!(seen.cut_short, Some(remote::Error::Ended)), "{seen:?}");
    let parts: Vec<_> = seen.steps.into_iter().map(|step| step.part).collect();
    assert_eq!(parts, [Part::Core, Part::Unknown]);
    let seen = look("step 00010000\n", 0x1_0004, Part::Core, 10).unwrap();
    assert!(seen.steps.is_empty() && matches!(seen.cut_short, Some(remote::Error::Ended)), "{seen:?}");
    assert!(matches!(look("refuse", 0, Part::Core, 1), Err(Error::Refused { .. })));
}

#[test]
fn a_recorded_run_ends_as_any_other() {
    let recording = replay::Recording::new().unwrap();
    let options = Options { record: Some(recording.path()), ..options() };
    let script = started() + &control(&Record::Verdict(Verdict::Passed));
    let (outcome, _) = run_with(&script, &options).unwrap();
    assert_eq!(outcome.end, End::Verdict);
}
