//! `cargo rtcr test kernel`: what later work relies on, shown on the kernel itself.
//!
//! Each test is a function of the modules below, whose lists [`SUITES`] gathers. A test returns what was wrong; a fault
//! of its own is reported by the guardian and ends the run.
#![no_std]
#![no_main]

extern crate alloc;

mod boot;
mod memory;
mod messages;
mod objects;
mod spaces;
mod threads;
mod time;

use alloc::format;

use board::uart;
use ground::{Failure, Ground, Test};
use rtcr_core::{
    console::Lines,
    guardian, halt,
    objects::{Exhausted, Objects},
    root_task,
    window::Window,
};
use sel4::BootInfo;
use wire::record::{Record, Verdict};

root_task!(main);

/// All of them.
const SUITES: &[&[Test]] = &[
    boot::TESTS,
    objects::TESTS,
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
    let Ok((mut lines, mut ground)) = prepare(boot_info) else { halt() };
    lines.report(&Record::Started);
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

fn prepare(boot_info: BootInfo) -> Result<(Lines, Ground), Exhausted> {
    let mut objects = Objects::new(&boot_info);
    let mut window = Window::new();
    let mut device = |address| {
        let frame = objects.make_device_frame(address)?;
        window.map_device(&mut objects, frame)
    };
    let (console, control) = (device(uart::CONSOLE)?, device(uart::CONTROL)?);
    // SAFETY: mapped a moment ago, and nobody else has the devices.
    let lines = unsafe { Lines::open(console, control) };
    guardian::start(&boot_info, &mut objects, &mut window)?;
    Ok((lines, Ground::new(boot_info, objects, window)?))
}
