//! `cargo rtcr test kernel`: what later work relies on, shown on the kernel itself.
//!
//! Each test is a function of the modules below, whose lists [`SUITES`] gathers. A test returns what was wrong; a fault
//! of its own is reported by the guardian and ends the run.
#![no_std]
#![no_main]

extern crate alloc;

mod blocks;
mod boot;
mod memory;
mod messages;
mod objects;
mod spaces;
mod threads;
mod time;

use alloc::format;

use ground::{Failure, Ground, Test};
use rtcr_core::{begin::begin, halt, root_task};
use sel4::BootInfo;
use wire::record::{Record, Verdict};

root_task!(main);

/// All of them.
const SUITES: &[&[Test]] = &[
    boot::TESTS,
    objects::TESTS,
    blocks::TESTS,
    memory::TESTS,
    messages::TESTS,
    spaces::TESTS,
    time::TESTS,
    threads::rows::TESTS,
    threads::registers::TESTS,
    threads::while_frozen::TESTS,
    threads::calls::TESTS,
    threads::waiting::TESTS,
    threads::patches::TESTS,
];

fn main(boot_info: BootInfo) -> ! {
    let (objects, window, mut lines) = begin(&boot_info);
    let mut ground = match Ground::new(boot_info, objects, window) {
        Ok(ground) => ground,
        Err(exhausted) => {
            let reason = format!("the tests cannot start: {exhausted}");
            lines.report(&Record::Verdict(Verdict::Failed { reason: &reason }));
            halt()
        }
    };
    let mut failed = 0;
    let tests = SUITES.iter().copied().flatten();
    for (name, test) in tests.clone() {
        let outcome = test(&mut ground);
        let outcome = outcome.and(ground.clear());
        let failure = outcome.err().map(|Failure(text)| text);
        failed += u32::from(failure.is_some());
        lines.report(&Record::Test { name, failure: failure.as_deref() });
    }
    let reason = format!("{failed} of {} tests failed", tests.count());
    let verdict = if failed == 0 { Verdict::Passed } else { Verdict::Failed { reason: &reason } };
    lines.report(&Record::Verdict(verdict));
    halt()
}
