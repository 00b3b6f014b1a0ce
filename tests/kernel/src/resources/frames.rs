//! Frames: what is in them, and what it costs to take one.

use alloc::{collections::BTreeSet, vec::Vec};
use core::{ptr, slice};

use base::session::pd::FrameSize;
use ground::{Failure, Outcome, ensure, ensure_eq};
use rtcr_core::resources::FrameId;
use sel4::{Rights, VmAttributes, boot};
use wire::layout::PAGE;

use crate::{Bench, exhausted};

/// Where a frame is mapped as a component's would be: above the window's part that is used.
const ADDRESS: u32 = 0xd000_0000;

/// Some of each size, but few of the large.
const COUNTS: [(FrameSize, usize); 4] =
    [(FrameSize::Small, 600), (FrameSize::Large, 40), (FrameSize::Section, 3), (FrameSize::SuperSection, 1)];

/// The words of a page.
fn words(bench: &Bench, frame: FrameId, page: u32) -> &'static mut [u32] {
    // SAFETY: a page of core's window; the tests have one slice into it at a time.
    unsafe { slice::from_raw_parts_mut(bench.resources.content(frame, page).cast(), PAGE as usize / 4) }
}

fn fill(bench: &Bench, frame: FrameId, value: u32) {
    for page in 0..bench.resources.frame_size(frame).pages() {
        words(bench, frame, page).fill(value ^ page);
    }
}

fn holds(bench: &Bench, frame: FrameId, value: u32) -> bool {
    let mut pages = 0..bench.resources.frame_size(frame).pages();
    pages.all(|page| words(bench, frame, page).iter().all(|&word| word == value ^ page))
}

fn zero(bench: &Bench, frame: FrameId) -> bool {
    let mut pages = 0..bench.resources.frame_size(frame).pages();
    pages.all(|page| words(bench, frame, page).iter().all(|&word| word == 0))
}

fn some(bench: &mut Bench, size: FrameSize, count: usize) -> Result<Vec<FrameId>, Failure> {
    (0..count).map(|_| Ok(bench.resources.take_frame(size)?)).collect()
}

fn give(bench: &mut Bench, frames: Vec<FrameId>) {
    frames.into_iter().for_each(|frame| bench.resources.give_frame(frame));
}

/// Frames of every size come clean the first time, are different memory, and hold what is written.
pub fn of_every_size_are_memory(bench: &mut Bench) -> Outcome {
    for (size, count) in COUNTS {
        let frames = some(bench, size, count)?;
        let mut addresses = BTreeSet::new();
        for (number, &frame) in frames.iter().enumerate() {
            ensure_eq!(bench.resources.frame_size(frame), size);
            bench.resources.clean(frame);
            ensure!(zero(bench, frame), "{size:?} {number}");
            let (cap, own) = (bench.resources.frame_cap(frame), bench.resources.own_frame_cap(frame));
            ensure!(cap != own);
            ensure_eq!(cap.address(), own.address());
            ensure!(addresses.insert(cap.address()?), "{size:?} {number}: taken twice");
            ensure!(cap.address()?.is_multiple_of(size.bytes()));
            fill(bench, frame, (number as u32) << 16);
        }
        for (number, &frame) in frames.iter().enumerate() {
            ensure!(holds(bench, frame, (number as u32) << 16), "{size:?} {number}");
        }
        give(bench, frames);
    }
    Ok(())
}

/// What was given back and taken again is empty once it is clean, or holds what it was overwritten with; copying from
/// it shows nothing either.
pub fn nothing_is_seen_of_another_time(bench: &mut Bench) -> Outcome {
    for (size, count) in COUNTS {
        let frames = some(bench, size, count)?;
        frames.iter().for_each(|&frame| fill(bench, frame, 0x5ec2_e700));
        let made = bench.resources.counts().frames;
        let first: BTreeSet<u32> = frames.iter().map(|&frame| bench.resources.frame_cap(frame).number()).collect();
        give(bench, frames);
        let again = some(bench, size, count)?;
        ensure_eq!(bench.resources.counts().frames, made, "{size:?}");
        let known = again.iter().filter(|&&frame| first.contains(&bench.resources.frame_cap(frame).number()));
        ensure!(known.count() > 0, "{size:?}: none was used again");
        for &frame in &again {
            bench.resources.clean(frame);
            ensure!(zero(bench, frame), "{size:?}");
            // Clean is clean: what is written now is not cleared.
            fill(bench, frame, 7);
            bench.resources.clean(frame);
            ensure!(holds(bench, frame, 7), "{size:?}");
        }
        give(bench, again);
        let (src, dst) = (bench.resources.take_frame(size)?, bench.resources.take_frame(FrameSize::Small)?);
        let last = size.pages() - 1;
        ensure!(bench.resources.copy_page((dst, 0), (src, last)));
        ensure!(zero(bench, dst), "{size:?}: the copy shows it");
        words(bench, src, last).fill(9);
        ensure!(bench.resources.copy_page((dst, 0), (src, last)));
        bench.resources.clean(dst);
        ensure!(holds(bench, dst, 9), "{size:?}: what was copied is gone");
        give(bench, [src, dst].into());
    }
    Ok(())
}

/// Large frames are cleaned in parts; pages that were overwritten meanwhile are left alone.
pub fn cleaning_goes_page_by_page(bench: &mut Bench) -> Outcome {
    for size in [FrameSize::Large, FrameSize::Section, FrameSize::SuperSection] {
        let frame = bench.resources.take_frame(size)?;
        fill(bench, frame, 1 << 20);
        bench.resources.give_frame(frame);
        let frame = bench.resources.take_frame(size)?;
        words(bench, frame, 3).fill(3);
        bench.resources.overwritten(frame, 3);
        let mut left = size.pages() - 1;
        while left > 0 {
            let expected = left.saturating_sub(32);
            left = bench.resources.clean_some(frame, 32);
            ensure_eq!(left, expected, "{size:?}");
        }
        ensure!(words(bench, frame, 3).iter().all(|&word| word == 3), "{size:?}");
        words(bench, frame, 3).fill(0);
        ensure!(zero(bench, frame), "{size:?}");
        bench.resources.give_frame(frame);
    }
    Ok(())
}

/// The capability for components maps the same memory, also after it was unmapped and the frame recycled.
pub fn a_component_sees_what_core_sees(bench: &mut Bench) -> Outcome {
    for size in FrameSize::ALL {
        let table = bench.resources.take_table()?;
        if size <= FrameSize::Large {
            table.map(boot::ADDRESS_SPACE, ADDRESS)?;
        }
        for round in 1..4 {
            let frame = bench.resources.take_frame(size)?;
            let cap = bench.resources.frame_cap(frame);
            // SAFETY: nothing else is mapped there, and no reference goes there.
            unsafe { cap.map(boot::ADDRESS_SPACE, ADDRESS, Rights::READ_WRITE, VmAttributes::DATA) }?;
            let last = (ADDRESS + size.bytes() - 4) as *mut u32;
            // SAFETY: mapped a moment ago.
            unsafe { ptr::write_volatile(last, round) };
            ensure_eq!(words(bench, frame, size.pages() - 1)[1023], round, "{size:?}");
            // SAFETY: no reference goes there.
            unsafe { cap.unmap() }?;
            bench.resources.give_frame(frame);
        }
        // SAFETY: no reference goes there.
        unsafe { table.unmap() }?;
        bench.resources.give_table(table);
    }
    Ok(())
}

/// The pages of core's image are frames for reading, each once; they are not written, and not given to others.
pub fn the_image_is_frames(bench: &mut Bench) -> Outcome {
    let address = the_image_is_frames as *const () as u32;
    let frame = bench.resources.image_frame(address)?;
    ensure!(bench.resources.is_image(frame));
    ensure_eq!(bench.resources.content(frame, 0).addr() as u32, address & !(PAGE - 1));
    ensure_eq!(bench.resources.image_frame(address)?, frame);
    let copy = bench.resources.take_frame(FrameSize::Small)?;
    ensure!(!bench.resources.is_image(copy));
    ensure!(bench.resources.copy_page((copy, 0), (frame, 0)));
    ensure!(words(bench, copy, 0) == words(bench, frame, 0));
    ensure!(!bench.resources.copy_page((frame, 0), (copy, 0)));
    let (space, table) = (bench.resources.take_directory()?, bench.resources.take_table()?);
    table.map(space, 0x0100_0000)?;
    let cap = bench.resources.frame_cap(frame);
    // SAFETY: no Rust code runs in that space.
    unsafe {
        cap.map(space, 0x0100_0000, Rights::READ, VmAttributes::EXECUTABLE)?;
        cap.unmap()?;
        table.unmap()?;
    }
    bench.resources.give_frame(frame);
    bench.resources.give_frame(copy);
    bench.resources.give_table(table);
    bench.resources.give_directory(space);
    ensure!(bench.resources.image_frame(0).is_err());
    ensure!(bench.resources.image_frame(0x4000_0000).is_err());
    Ok(())
}

/// A frame costs at most 20 us, and next to nothing if one was given back.
pub fn taking_is_bounded(bench: &mut Bench) -> Outcome {
    let mut most = [0; 2];
    for most in &mut most {
        let mut frames = Vec::with_capacity(2_000);
        for _ in 0..2_000 {
            let start = bench.clock.count();
            frames.push(bench.resources.take_frame(FrameSize::Small)?);
            *most = bench.clock.count().wrapping_sub(start).max(*most);
        }
        give(bench, frames);
    }
    // 66 steps are a microsecond; the kernel's tick may come in between.
    ensure!(most[0] < 20 * 66 && most[1] < 4 * 66, "{most:?} steps of 15 ns");
    Ok(())
}

/// When memory is used up that is told, and what is given back can be taken again. What was promised is there.
pub fn exhaustion_is_told_and_passes(bench: &mut Bench) -> Outcome {
    for size in [FrameSize::Section, FrameSize::Small] {
        let promised = bench.resources.available();
        let mut frames = Vec::with_capacity(40_000);
        let error = loop {
            match bench.resources.take_frame(size) {
                Ok(frame) => frames.push(frame),
                Err(error) => break Err::<FrameId, _>(error),
            }
        };
        ensure!(exhausted(error), "{error:?}");
        let taken = frames.len() as u64 * u64::from(size.bytes());
        let left = bench.resources.available();
        ensure!(taken + left >= promised, "{size:?}: {taken} and {left} of {promised}");
        ensure!(exhausted(bench.resources.take_frame(size)));
        let last = frames.pop();
        last.into_iter().for_each(|frame| bench.resources.give_frame(frame));
        frames.push(bench.resources.take_frame(size)?);
        give(bench, frames);
    }
    // Of other kinds there is still what was made before.
    let slot = bench.resources.take_slot()?;
    bench.resources.give_slot(slot);
    Ok(())
}
