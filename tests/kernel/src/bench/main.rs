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

use ground::{Failure, Ground};
use meter::Meter;
use rtcr_core::{begin::begin, halt, root_task};
use sel4::BootInfo;
use wire::record::{Record, Verdict};

root_task!(main);

fn main(boot_info: BootInfo) -> ! {
    let (objects, window, mut lines) = begin(&boot_info);
    let ground = match Ground::new(boot_info, objects, window) {
        Ok(ground) => ground,
        Err(exhausted) => {
            let reason = format!("the benchmark cannot start: {exhausted}");
            lines.report(&Record::Verdict(Verdict::Failed { reason: &reason }));
            halt()
        }
    };
    let mut meter = Meter { lines, ground };
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
