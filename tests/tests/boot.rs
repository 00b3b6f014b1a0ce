//! Scenarios booted whole: what they print, how they end, and what is said about it.

use kernel::Flavour;
use rtcr_tests::{console, run, run_on};
use tools::{explain::Kind, machine::control::Report, run::Finished};
use wire::record::KernelFacts;

/// The run failed, or timed out, for that reason, and each of `told` stands in one of the details.
fn assert_ended(finished: &Finished, kind: Kind, reason: &str, told: &[&str]) {
    let explanation = &finished.explanation;
    assert_eq!((explanation.kind, explanation.reason.as_str()), (kind, reason), "{explanation:#?}");
    for part in told {
        assert!(explanation.details.iter().any(|line| line.contains(part)), "{part} is not in {explanation:#?}");
    }
}

#[test]
fn hello_greets_and_passes() {
    let finished = run("hello");
    assert_eq!(finished.explanation.kind, Kind::Passed, "{:#?}", finished.explanation);
    assert_eq!(console(&finished), "[hello] Hello from a component of its own on seL4.\n");
}

#[test]
fn hello_passes_on_the_debug_kernel() {
    let finished = run_on("hello", Flavour::Debug);
    assert_eq!(finished.explanation.kind, Kind::Passed, "{:#?}", finished.explanation);
    assert!(console(&finished).ends_with("[hello] Hello from a component of its own on seL4.\n"));
}

#[test]
fn two_runs_are_equal() {
    for name in ["hello", "endless", "control_bytes"] {
        let (one, two) = (run(name), run(name));
        assert_eq!(one.outcome.console, two.outcome.console, "{name}");
        assert_eq!(one.outcome.reports, two.outcome.reports, "{name}");
    }
}

#[test]
fn a_null_pointer_is_explained() {
    let finished = run("null_dereference");
    let told = ["it read address 0x00000000", "null_dereference::read (tests/programs/src/bin/null_dereference.rs:16)"];
    assert_ended(&finished, Kind::Failed, "null_dereference faulted", &told);
    assert_eq!(console(&finished), "[null_dereference] about to read\n");
}

#[test]
fn a_panic_is_explained() {
    let finished = run("panics");
    assert_ended(&finished, Kind::Failed, "panics panicked", &["panics::divide (tests/programs/src/bin/panics.rs:14)"]);
    let message = "[panics] panicked at tests/programs/src/bin/panics.rs:14:5: attempt to divide by zero\n";
    assert_eq!(console(&finished), message);
}

#[test]
fn an_endless_loop_ends_by_the_limit() {
    let reason = "not done within its limit of 0.1 s: endless has not exited";
    assert_ended(&run("endless"), Kind::TimedOut, reason, &["endless::spin (tests/programs/src/bin/endless.rs:"]);
}

#[test]
fn a_component_that_only_waits_ends_by_the_limit() {
    let reason = "not done within its limit of 0.1 s: waiting has not exited";
    let finished = run("waiting");
    assert_ended(&finished, Kind::TimedOut, reason, &[]);
    assert_eq!(finished.explanation.details, [""; 0], "nobody was running");
}

#[test]
fn no_output_of_a_component_ends_a_run_or_reaches_the_terminal() {
    for kernel in [Flavour::Release, Flavour::Debug] {
        let finished = run_on("control_bytes", kernel);
        assert_ended(&finished, Kind::Failed, "control_bytes exited with 1 instead of 0", &[]);
        let own = console(&finished).lines().filter(|line| line.starts_with("[control_bytes] "));
        assert_eq!(own.clone().next_back(), Some("[control_bytes] halting..."));
        assert!(own.clone().all(|line| line.chars().all(|c| c == '\t' || !c.is_control())));
    }
}

#[test]
fn each_other_fault_is_explained() {
    for (name, told) in [
        ("stack_overflow", "stack_overflow::deeper"),
        ("code_writer", "which it may only read"),
        ("data_runner", "which it may not execute"),
        ("undefined_instruction", "instruction that does not exist"),
        ("unknown_system_call", "system call"),
        ("empty_slot", "slot 0x10000"),
    ] {
        assert_ended(&run(name), Kind::Failed, &format!("{name} faulted"), &[told]);
    }
}

#[test]
fn a_component_that_halts_the_debug_kernel_is_blamed() {
    let reason = "the kernel has halted: a component asked it to, by a Debug system call";
    assert_ended(&run_on("debug_halt", Flavour::Debug), Kind::Failed, reason, &["handleUnknownSyscall"]);
    assert_ended(&run("debug_halt"), Kind::Failed, "debug_halt faulted", &["system call -10,"]);
}

#[test]
fn a_wrong_exit_code_fails() {
    assert_ended(&run("exit_code"), Kind::Failed, "exit_code exited with 101 instead of 0", &[]);
}

#[test]
fn the_limit_finds_the_component_that_runs() {
    let reason = "not done within its limit of 0.1 s: first has not exited; second has not exited";
    assert_ended(&run("two_at_limit"), Kind::TimedOut, reason, &["second was still running", "endless::spin"]);
}

#[test]
fn a_last_line_without_its_end_counts() {
    assert_eq!(run("unfinished_line").explanation.kind, Kind::Passed);
}

#[test]
fn a_forged_fault_is_told_from_a_real_one() {
    let told = ["it sent a message (label 5) to the endpoint", "fault_forger::construct"];
    assert_ended(&run("fault_forger"), Kind::Failed, "fault_forger faulted", &told);
}

#[test]
fn core_tells_what_kernel_it_runs_on() {
    let all = KernelFacts { restart_address: true, fault_forgotten: true, thread_info: true, upper_memory: true };
    assert!(run("hello").outcome.reports.contains(&Report::Kernel(all)));
}

#[test]
fn a_root_task_that_stops_working_is_explained() {
    let reason = "core itself stopped working";
    let told = ["it read address 0x00000000", "root_faults::read (tests/roots/src/bin/root_faults.rs:18)"];
    assert_ended(&run("root_faults"), Kind::Failed, reason, &told);
    let told = ["it read address 0x00000000", "root_faults_extended::read"];
    assert_ended(&run("root_faults_extended"), Kind::Failed, reason, &told);
    assert_ended(
        &run("root_panics"),
        Kind::Failed,
        reason,
        &["root_panics::divide (tests/roots/src/bin/root_panics.rs"],
    );
    assert_ended(&run("root_overflows"), Kind::Failed, reason, &["root_overflows::deeper"]);
}

#[test]
fn a_kernel_that_halts_is_noticed() {
    let finished = run_on("root_halts_kernel", Flavour::Debug);
    assert_eq!(finished.explanation.kind, Kind::Failed);
    assert!(finished.explanation.reason.contains("halted"), "{:#?}", finished.explanation);
}
