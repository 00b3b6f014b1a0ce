//! `cargo rtcr test resources`: what core hands out and takes back, tried by a root task of its own.
//!
//! Every test leaves behind what it found, which is checked by the counts after each.
#![no_std]
#![no_main]

extern crate alloc;

mod frames;
mod objects;
mod slots;

use alloc::{format, string::String};

use board::gpt::{self, Gpt};
use ground::{Failure, Outcome, ensure};
use rtcr_core::{
    begin::begin,
    console::Lines,
    halt,
    objects::Exhausted,
    resources::{Counts, Resources},
    root_task,
};
use sel4::BootInfo;
use wire::record::{Record, Verdict};

root_task!(main);

/// Memory that is taken from the kernel: enough for all sizes, little enough to be used up.
const MEMORY: u64 = 96 << 20;

/// What a test has.
pub struct Bench {
    /// What is tested.
    pub resources: Resources,
    /// What the kernel handed out.
    pub boot_info: BootInfo,
    /// The time, in steps of 15 ns.
    pub clock: Gpt,
}

/// A test, and the name under which it is reported.
pub type Test = (&'static str, fn(&mut Bench) -> Outcome);

/// All of them, in this order: the last ones use memory up.
const TESTS: &[Test] = &[
    ("the_heap_grows", the_heap_grows),
    ("slots::old_numbers_are_valid", slots::old_numbers_are_valid),
    ("slots::there_are_more_than_one_level_holds", slots::there_are_more_than_one_level_holds),
    ("slots::every_slot_can_be_used", slots::every_slot_can_be_used),
    ("objects::thousands_come_and_go", objects::thousands_come_and_go),
    ("objects::copies_go_with_their_object", objects::copies_go_with_their_object),
    ("objects::directories_and_tables_are_recycled", objects::directories_and_tables_are_recycled),
    ("objects::cnodes_are_recycled", objects::cnodes_are_recycled),
    ("frames::of_every_size_are_memory", frames::of_every_size_are_memory),
    ("frames::nothing_is_seen_of_another_time", frames::nothing_is_seen_of_another_time),
    ("frames::cleaning_goes_page_by_page", frames::cleaning_goes_page_by_page),
    ("frames::a_component_sees_what_core_sees", frames::a_component_sees_what_core_sees),
    ("frames::the_image_is_frames", frames::the_image_is_frames),
    ("frames::taking_is_bounded", frames::taking_is_bounded),
    ("frames::exhaustion_is_told_and_passes", frames::exhaustion_is_told_and_passes),
];

fn main(boot_info: BootInfo) -> ! {
    let (mut objects, mut window, mut lines) = begin(&boot_info);
    let clock = objects.make_device_frame(gpt::ADDRESS).and_then(|frame| window.map_device(&mut objects, frame));
    // SAFETY: mapped a moment ago, and nobody else has the device.
    let clock = clock.map(|registers| unsafe { Gpt::start(registers) });
    let prepared = clock.and_then(|clock| {
        let resources = Resources::new(&boot_info, objects, window, MEMORY)?;
        Ok(Bench { resources, boot_info, clock })
    });
    let mut bench = match prepared {
        Ok(bench) => bench,
        Err(exhausted) => fail(&mut lines, &format!("the tests cannot start: {exhausted}")),
    };
    let mut failed = 0;
    for (name, test) in TESTS {
        let before = bench.resources.counts();
        let outcome = test(&mut bench).and_then(|()| all_back(&before, &bench.resources.counts()));
        let failure = outcome.err().map(|Failure(text)| text);
        failed += u32::from(failure.is_some());
        lines.report(&Record::Test { name, failure: failure.as_deref() });
    }
    if failed != 0 {
        fail(&mut lines, &format!("{failed} of {} tests failed", TESTS.len()));
    }
    lines.report(&Record::Verdict(Verdict::Passed));
    halt()
}

fn fail(lines: &mut Lines, reason: &str) -> ! {
    lines.report(&Record::Verdict(Verdict::Failed { reason }));
    halt()
}

/// What is in use is what was in use; core's own page tables alone may have become more.
fn all_back(before: &Counts, after: &Counts) -> Outcome {
    let tables = Counts { tables: before.tables, ..after.clone() };
    ensure!(tables.used() == before.used(), "before {before:?}, after {after:?}");
    Ok(())
}

/// Memory that core adds to its heap is used.
fn the_heap_grows(bench: &mut Bench) -> Outcome {
    let refused = |size| alloc::vec::Vec::<u8>::new().try_reserve_exact(size).is_err();
    ensure!(refused(4 << 20), "it is large already");
    bench.resources.extend_heap(8)?;
    let mut text = String::new();
    text.try_reserve_exact(4 << 20).map_err(|error| Failure(format!("{error}")))?;
    for _ in 0..4 << 20 {
        text.push('x');
    }
    ensure!(text.bytes().all(|byte| byte == b'x'));
    ensure!(bench.resources.extend_heap(4000).is_err(), "more than there is");
    Ok(())
}

/// Nothing was given although there is nothing.
pub fn exhausted<T>(result: Result<T, Exhausted>) -> bool {
    matches!(result, Err(Exhausted::Memory(_)))
}
