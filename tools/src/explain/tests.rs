//! Explanations of made-up outcomes; without debug information, so that only the words are tested.

use super::*;

fn parts() -> Parts {
    Parts { kernel: Vec::new(), loader: Vec::new(), core: Vec::new(), programs: Default::default() }
}

fn scenario() -> Scenario {
    toml::from_str("about = \"\"\nlimit = 2\n[component.hello]\n[success]\nexit = { hello = 0 }").unwrap()
}

fn told(end: End, reports: Vec<Report>) -> Explanation {
    explain(&Outcome { end, reports, recorded: Default::default(), console: Vec::new() }, &scenario(), &parts())
}

fn fault(cause: Cause, sp: u32) -> Report {
    let place = Place { pc: 0x100_0010, sp, lr: 0x100_0200, ..Place::default() };
    Report::Fault { component: "hello".into(), cause, place }
}

#[test]
fn verdicts_decide() {
    assert_eq!(told(End::Verdict, vec![Report::Started, Report::Passed]).kind, Kind::Passed);
    let failed = told(End::Verdict, vec![Report::Started, Report::Failed { reason: "hello exited with 3".into() }]);
    assert_eq!((failed.kind, failed.reason.as_str()), (Kind::Failed, "hello exited with 3"));
    let late =
        Report::TimedOut { missing: "hello has not exited".into(), running: Some(("hello".into(), Place::default())) };
    let late = told(End::Verdict, vec![Report::Started, late]);
    assert_eq!(late.kind, Kind::TimedOut);
    assert_eq!(late.reason, "not done within its limit of 2 s: hello has not exited");
    assert_eq!(late.details[0], "hello was still running");
}

#[test]
fn a_fault_tells_component_cause_and_place() {
    let null = Cause::Memory { address: 0, access: Access::Read, status: 5 };
    let details = told(End::Verdict, vec![fault(null, 0x80_0000), Report::Failed { reason: "x".into() }]).details;
    assert_eq!(details[0], "hello faulted: it read address 0x00000000, where nothing is mapped (fault status 0x5)");
    assert_eq!(details[1..], ["  at 0x01000010 ?", "     0x01000200 ?"]);

    let overflow = Cause::Memory { address: 0x7f_fff8, access: Access::Write, status: 0x807 };
    let details = told(End::Verdict, vec![fault(overflow, 0x80_0000)]).details;
    assert!(details[0].ends_with("component.hello.stack may be too small"), "{details:?}");

    for (cause, words) in [
        (Cause::Memory { address: 4, access: Access::Write, status: 0x80f }, "which it may only read"),
        (Cause::Memory { address: 4, access: Access::Execute, status: 0xd }, "which it may not execute"),
        (Cause::Capability { slot: 9 }, "slot 0x9"),
        (Cause::SystemCall { number: 0xffff_fc18 }, "system call -1000,"),
        (Cause::SystemCall { number: 7 }, "system call 7,"),
        (Cause::Instruction { number: 1, code: 0 }, "instruction"),
        (Cause::Unknown { label: 77 }, "kind 77"),
    ] {
        let details = told(End::Verdict, vec![fault(cause, 0x80_0000)]).details;
        assert!(details[0].contains(words), "{details:?}");
    }
}

#[test]
fn an_end_without_a_verdict_names_its_culprit() {
    let registers = Registers { cpsr: 0x1d3, ..Registers::default() };
    for (end, words) in [
        (End::Loader("the kernel is no ELF file".into()), "the loader stopped: the kernel is no ELF file"),
        (End::Kernel { registers, stack: Vec::new() }, "the kernel crashed"),
        (End::Malformed, "malformed record"),
        (End::Silent(None), "core never reported that it runs"),
        (End::Core, "core itself"),
    ] {
        let told = told(end, Vec::new());
        assert_eq!(told.kind, Kind::Failed);
        assert!(told.reason.contains(words), "{told:?}");
    }
    assert!(told(End::Silent(Some(registers)), vec![Report::Started]).reason.starts_with("core gave no verdict"));
}

#[test]
fn recursion_is_told_once_and_the_library_only_where_nothing_else_is() {
    let frame = |function: &str, file: &str| Frame { function: function.into(), source: Some((file.into(), 3)) };
    let deeper = (0x100_0010, Some(frame("deeper", "src/lib.rs")));
    let frames = [(0x100_0000, None), deeper.clone(), deeper.clone(), deeper];
    assert_eq!(lines(&frames), ["  at 0x01000000 ?", "     0x01000010 deeper (src/lib.rs:3), 3 times"]);
    assert!(is_library(&frame("core::ptr::read", "/rustc/0123/library/core/src/ptr/mod.rs")));
    assert!(!is_library(&frame("hello::construct", "components/hello/src/lib.rs")));
}

#[test]
fn the_machinery_of_panics_is_known() {
    let is = |function: &str| is_panic(&Frame { function: function.into(), source: None });
    assert!(is("core::panicking::panic_fmt") && is("__rustc::rust_begin_unwind") && is("core::option::unwrap_failed"));
    assert!(!is("hello::construct") && !is("core::ptr::read_volatile"));
}
