//! What lies where.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};

use base::{
    Env,
    memory::{Dataspace, RegionMap},
    session::rm::Placement,
    thread::ThreadOptions,
};

use super::{ENOUGH, PAGE, Step, allocated, attached, check, fill, refilled, word};

/// Nowhere attached but for a moment in each round.
pub fn detached(env: Env) -> Step {
    let dataspace = allocated(env, 3);
    fill(attached(env, &dataspace).words(), 0);
    Box::new(move |round| {
        let attachment = attached(env, &dataspace);
        check(attachment.words(), round - 1);
        fill(attachment.words(), round);
        attachment.address()
    })
}

/// Seen at two places.
pub fn attached_twice(env: Env) -> Step {
    let dataspace = allocated(env, 2);
    let (one, other) = (attached(env, &dataspace), attached(env, &dataspace));
    fill(one.words(), 0);
    Box::new(move |round| {
        check(other.words(), round - 1);
        fill(one.words(), round);
        check(other.words(), round);
        dataspace.slot().0 ^ one.address() ^ other.address()
    })
}

/// Pages in the middle, in two windows that overlap.
pub fn attached_part(env: Env) -> Step {
    let dataspace = allocated(env, 8);
    let window = |first: u32, count: u32| {
        let part = Placement { offset: first * PAGE as u32, size: count * PAGE as u32, ..Placement::ANYWHERE };
        env.attach(&dataspace, part).expect("there is room").leak()
    };
    let (low, high) = (window(1, 4), window(3, 4));
    dataspace.leak();
    Box::new(move |round| {
        let common = (&low[2 * PAGE / 4..], &high[..2 * PAGE / 4]);
        fill(common.0, round);
        check(common.1, round);
        high[3 * PAGE / 4].fetch_add(round, SeqCst) ^ low[7].fetch_add(round, SeqCst)
    })
}

/// Written at one place and read at another, where it cannot be written.
pub fn read_only(env: Env) -> Step {
    let dataspace = allocated(env, 2);
    let readable = Placement { writable: false, ..Placement::ANYWHERE };
    let (write, read) = (attached(env, &dataspace), env.attach(&dataspace, readable).expect("there is room"));
    fill(write.words(), 0);
    Box::new(move |round| {
        check(read.words(), round - 1);
        fill(write.words(), round);
        dataspace.slot().0 ^ read.address()
    })
}

/// What is attached next goes where a gap is.
pub fn address_holes(env: Env) -> Step {
    let all: Vec<_> = (0..10).map(|_| allocated(env, 2)).collect();
    let mut seen: Vec<_> = all.iter().map(|dataspace| Some(attached(env, dataspace))).collect();
    seen.iter().flatten().zip(0..).for_each(|(it, mark)| fill(it.words(), mark));
    Box::new(move |round| {
        let (gap, other) = (round as usize % 10, (round as usize * 3 + 1) % 10);
        seen[gap] = None;
        seen[other] = None;
        for place in [other, gap] {
            seen[place].get_or_insert_with(|| attached(env, &all[place]));
        }
        seen.iter().flatten().zip(0..).for_each(|(it, mark)| check(it.words(), mark));
        seen.iter().flatten().fold(round, |sum, it| sum.rotate_left(3) ^ it.address())
    })
}

/// At another address in each round.
pub fn moves(env: Env) -> Step {
    let dataspace = allocated(env, 2);
    let mut seen = Some(attached(env, &dataspace));
    seen.iter().for_each(|it| fill(it.words(), 7));
    Box::new(move |round| {
        drop(seen.take());
        let there = Placement::at(0x5000_0000 + round * 0x10_1000);
        let moved = seen.insert(env.attach(&dataspace, there).expect("nothing is there"));
        check(moved.words(), 7);
        moved.address()
    })
}

/// In a region map that is attached.
pub fn map_nested(env: Env) -> Step {
    let map = env.region_map(16 * PAGE).expect(ENOUGH);
    let seen = attached_map(env, &map);
    let dataspace = allocated(env, 3);
    map.attach(&dataspace, Placement::at(4 * PAGE as u32)).expect("the map is empty").leak();
    dataspace.leak();
    core::mem::forget(map);
    let words = &seen[4 * PAGE / 4..7 * PAGE / 4];
    fill(words, 0);
    Box::new(move |round| {
        check(words, round - 1);
        fill(words, round);
        word(round, 3)
    })
}

fn attached_map(env: Env, map: &RegionMap) -> &'static [AtomicU32] {
    env.attach(map, Placement::ANYWHERE).expect("there is room").leak()
}

/// In a region map in a region map.
pub fn map_in_map(env: Env) -> Step {
    let (outer, inner) = (env.region_map(32 * PAGE).expect(ENOUGH), env.region_map(8 * PAGE).expect(ENOUGH));
    let dataspace = allocated(env, 2);
    inner.attach(&dataspace, Placement::at(PAGE as u32)).expect("the map is empty").leak();
    outer.attach(&inner, Placement::at(16 * PAGE as u32)).expect("the map is empty").leak();
    let seen = attached_map(env, &outer);
    dataspace.leak();
    core::mem::forget((outer, inner));
    let words = &seen[17 * PAGE / 4..19 * PAGE / 4];
    fill(words, 0);
    Box::new(move |round| {
        check(words, round - 1);
        fill(words, round);
        word(round, 2)
    })
}

/// A region map at two places: what is attached in it shows at both, in each round something else.
pub fn map_shared(env: Env) -> Step {
    let map = env.region_map(4 * PAGE).expect(ENOUGH);
    let (one, other) = (attached_map(env, &map), attached_map(env, &map));
    let all: [_; 2] = core::array::from_fn(|_| allocated(env, 1));
    let mut region = None;
    Box::new(move |round| {
        // First what was there goes.
        drop(region.take());
        let dataspace = &all[round as usize % 2];
        region = Some(map.attach(dataspace, Placement::at(2 * PAGE as u32)).expect("nothing is there"));
        let page = 2 * PAGE / 4..3 * PAGE / 4;
        if round > 2 {
            check(&one[page.clone()], round - 2);
        }
        fill(&one[page.clone()], round);
        check(&other[page], round);
        word(round, 4)
    })
}

/// A thread that attaches pages of a dataspace where they are touched, after a while.
fn pager(env: Env, map: RegionMap, pages: Dataspace, after: Duration) {
    let cure = move || -> () {
        let fault = env.own_signal().expect(ENOUGH);
        env.rm().handle_faults(map.slot(), fault.slot()).expect("both are there");
        loop {
            fault.wait();
            while let Some(found) = env.rm().fault(map.slot()).expect("it is there") {
                env.sleep(after).expect("TIMER wakes whoever sleeps");
                let page = found.address & !(PAGE as u32 - 1);
                let there = Placement { address: Some(page), offset: page, size: PAGE as u32, ..Placement::ANYWHERE };
                map.attach(&pages, there).expect("nothing is there").leak();
            }
        }
    };
    let options = ThreadOptions { name: "pager", priority: None, stack: 16 << 10 };
    env.spawn(&options, cure).expect(ENOUGH);
    // So that it is there when something is touched.
    env.sleep(Duration::from_micros(50)).expect("TIMER wakes whoever sleeps");
}

/// Filled by the component itself where it is touched.
pub fn demand_filled(env: Env) -> Step {
    let pages = allocated(env, 64);
    let view = attached(env, &pages);
    (0..64).for_each(|page| view.words()[page * PAGE / 4].store(word(9, page), SeqCst));
    drop(view);
    let map = env.region_map(64 * PAGE).expect(ENOUGH);
    let seen = attached_map(env, &map);
    pager(env, map, pages, Duration::from_micros(10));
    Box::new(move |round| {
        let found = seen[round as usize * PAGE / 4].load(SeqCst);
        assert_eq!(found, word(9, round as usize));
        seen[round as usize * PAGE / 4].store(round, SeqCst);
        assert!((1..=round).all(|page| seen[page as usize * PAGE / 4].load(SeqCst) == page), "a page has changed");
        found
    })
}

/// A thread is in a page fault most of the time.
pub fn fault_waits(env: Env) -> Step {
    let pages = allocated(env, 120);
    let map = env.region_map(120 * PAGE).expect(ENOUGH);
    let seen = attached_map(env, &map);
    pager(env, map, pages, Duration::from_micros(200));
    let touched = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&touched);
    let toucher = move || {
        for page in 0..120_u32 {
            seen[page as usize * PAGE / 4].store(page + 1, SeqCst);
            count.store(page + 1, SeqCst);
        }
    };
    let options = ThreadOptions { name: "toucher", priority: None, stack: 16 << 10 };
    env.spawn(&options, toucher).expect(ENOUGH);
    Box::new(move |round| {
        let done = touched.load(SeqCst);
        // However far it is, it has done all before.
        assert!((0..done).all(|page| seen[page as usize * PAGE / 4].load(SeqCst) == page + 1), "a page has changed");
        word(round, 1)
    })
}

/// What was attached is gone, and its addresses stay taken.
pub fn freed_while_attached(env: Env) -> Step {
    let one = allocated(env, 2);
    let region = attached(env, &one);
    let address = region.address();
    drop(one);
    let mut step = refilled(attached(env, &allocated(env, 2).leak()));
    Box::new(move |round| {
        assert_eq!(region.address(), address);
        let other = allocated(env, 2);
        let elsewhere = attached(env, &other);
        assert_ne!(elsewhere.address(), address, "these addresses are taken");
        step(round)
    })
}
