//! `cargo rtcr bench kernel`: what the kernel costs, in virtual time, through the typed layer.
//!
//! Each figure is the time of many repetitions divided by their number. Nothing is subtracted: the loop around them, with
//! the check of each result, is a figure of its own. The clock is the GPT, whose step is 15 ns; the kernel's tick, each 8
//! ms, is part of what it interrupts.
#![no_std]
#![no_main]

extern crate alloc;

mod calls;
mod memory;
mod meter;
mod objects;
mod pages;
mod threads;

use alloc::format;

use board::uart;
use ground::{Failure, Ground};
use meter::Meter;
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

fn main(boot_info: BootInfo) -> ! {
    let Ok((lines, ground)) = prepare(boot_info) else { halt() };
    let mut meter = Meter { lines, ground };
    meter.lines.report(&Record::Started);
    let benchmarks = [
        ("loop", meter::measure as fn(&mut Meter) -> Result<(), Failure>),
        ("calls", calls::measure),
        ("pages", pages::measure),
        ("objects", objects::measure),
        ("threads", threads::measure),
        ("memory", memory::measure),
    ];
    let failure = benchmarks.into_iter().find_map(|(name, measure)| {
        let result = measure(&mut meter).and_then(|()| meter.ground.clear());
        result.err().map(|Failure(text)| format!("{name}: {text}"))
    });
    let verdict = failure.as_deref().map_or(Verdict::Passed, |reason| Verdict::Failed { reason });
    meter.lines.report(&Record::Verdict(verdict));
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
