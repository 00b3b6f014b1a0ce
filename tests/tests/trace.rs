//! Instruction traces of real runs.

use rtcr_tests::run;
use tools::{
    run::{self as runs, Finished, Request},
    scenario, trace,
    workspace::Workspace,
};

fn traced(name: &str, window: &str) -> Finished {
    let workspace = Workspace::find().unwrap();
    let loaded = scenario::load(&workspace, name, &[]).unwrap();
    let trace: trace::Request = window.parse().unwrap();
    runs::run(&workspace, Request { trace: Some(trace), ..Request::new(loaded) }, |_| {}).unwrap()
}

#[test]
fn a_trace_shows_the_same_each_time_and_changes_nothing() {
    let (one, two) = (traced("hello", "hello:hello::construct:4000"), traced("hello", "hello:construct:4000"));
    let instructions = |finished: &Finished| finished.trace.clone().unwrap().instructions;
    assert_eq!(instructions(&one).len(), 4000);
    assert!(instructions(&one) == instructions(&two), "two traces of a window differ");
    let plain = run("hello");
    assert_eq!(one.outcome.console, plain.outcome.console);
    assert_eq!(one.outcome.reports, plain.outcome.reports);
}

#[test]
fn a_trace_follows_a_call_into_the_kernel_and_to_core() {
    let trace = traced("hello", "hello:hello::construct:20000").trace.unwrap();
    let first = &trace.instructions[0];
    assert_eq!(first.function, Some(("hello::construct".into(), 0)));
    assert_eq!(first.source.as_ref().map(|(file, _)| file.as_str()), Some("components/hello/src/lib.rs"));
    let mut who: Vec<&str> = trace.instructions.iter().map(|instruction| instruction.who.as_str()).collect();
    who.dedup();
    assert_eq!(who[..5], ["hello", "kernel", "core", "kernel", "hello"]);
    let named = trace.instructions.iter().filter(|instruction| instruction.function.is_some()).count();
    assert_eq!(named, trace.instructions.len(), "every instruction belongs to a function");
}

#[test]
fn the_kernel_can_be_traced_and_a_function_that_never_runs_is_told() {
    let trace = traced("hello", "kernel:arm_swi_syscall:3").trace.unwrap();
    assert_eq!(trace.instructions.len(), 3);
    assert_eq!(trace.instructions[0].function, Some(("arm_swi_syscall".into(), 0)));
    let trace = traced("hello", "kernel:arm_undefined_inst_exception").trace.unwrap();
    assert!(trace.instructions.is_empty());
    assert_eq!(trace.cut_short.as_deref(), Some("the run ended without it"));
}
