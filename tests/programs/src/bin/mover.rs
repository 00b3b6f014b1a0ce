//! Detaches, moves, nests and frees dataspaces in its construction, returns from it, and uses them later, when a signal tells it
//! to: so what it needs then is not what it had mapped, but what it has.
#![no_std]
#![no_main]
start::component!(construct);

extern crate alloc;

use alloc::vec::Vec;
use core::sync::atomic::Ordering::SeqCst;

use base::{
    Env,
    memory::{Attachment, Dataspace, RegionMap},
    session::rm::Placement,
};

const PAGE: usize = 4096;
/// Pages of each dataspace.
const PAGES: usize = 3;
/// Dataspaces of each kind.
const KINDS: usize = 5;
/// Where one is moved to.
const ELSEWHERE: u32 = 0x5000_0000;
/// When the ones that were detached are attached again.
const LATE: u32 = 25;

struct Things {
    env: Env,
    attached: Vec<(u32, Attachment, Dataspace)>,
    detached: Vec<(u32, Dataspace)>,
    nested: Attachment,
    map: RegionMap,
    ticks: u32,
}

fn word(mark: u32, place: usize) -> u32 {
    mark.wrapping_mul(0x9e37_79b9) ^ place as u32
}

fn fill(attachment: &Attachment, mark: u32) {
    attachment.words().iter().enumerate().for_each(|(place, w)| w.store(word(mark, place), SeqCst));
}

fn check(attachment: &Attachment, mark: u32) {
    for (place, w) in attachment.words().iter().take(PAGES * PAGE / 4).enumerate() {
        assert_eq!(w.load(SeqCst), word(mark, place), "dataspace {mark}, word {place}");
    }
}

fn made(env: Env, mark: u32) -> (Attachment, Dataspace) {
    let dataspace = env.allocate(PAGES * PAGE).expect("the scenario gives enough memory");
    let attachment = env.attach(&dataspace, Placement::ANYWHERE).expect("there is room");
    fill(&attachment, mark);
    (attachment, dataspace)
}

fn construct(env: &mut Env) {
    let env = *env;
    let (mut attached, mut detached) = (Vec::new(), Vec::new());
    for kind in 0..KINDS as u32 {
        // One stays, one is detached, one is moved, one goes.
        let (stays, dataspace) = made(env, 10 + kind);
        attached.push((10 + kind, stays, dataspace));
        let (leaves, dataspace) = made(env, 20 + kind);
        drop(leaves);
        detached.push((20 + kind, dataspace));
        let (moves, dataspace) = made(env, 30 + kind);
        drop(moves);
        let there = Placement::at(ELSEWHERE + kind * 0x10_0000);
        attached.push((30 + kind, env.attach(&dataspace, there).expect("nothing is there"), dataspace));
        drop(made(env, 40 + kind));
    }
    // One in a region map, which is attached itself.
    let map = env.region_map(16 * PAGE).expect("the scenario gives enough memory");
    let nested = env.attach(&map, Placement::ANYWHERE).expect("there is room");
    let (aside, inner) = made(env, 50);
    drop(aside);
    core::mem::forget(map.attach(&inner, Placement::at(0)).expect("the map is empty"));
    core::mem::forget(inner);

    let mut things = Things { env, attached, detached, nested, map, ticks: 0 };
    let handler = env.on_signal(move |count| (0..count).for_each(|_| things.tick())).expect("there are capabilities");
    env.timer().periodic(handler.slot(), 500_000).expect("a period that TIMER knows");
    log::info!("moved in");
}

impl Things {
    fn tick(&mut self) {
        self.ticks += 1;
        self.attached.iter().for_each(|(mark, attachment, _)| check(attachment, *mark));
        check(&self.nested, 50);
        if self.ticks == LATE {
            for (mark, dataspace) in core::mem::take(&mut self.detached) {
                let attachment = self.env.attach(&dataspace, Placement::ANYWHERE).expect("there is room");
                check(&attachment, mark);
                self.attached.push((mark, attachment, dataspace));
            }
            log::info!("all is there; {} pages in the region map", self.map.size() / PAGE);
        }
        log::info!("tick {}", self.ticks);
        if self.ticks == 40 {
            self.env.exit(0);
        }
    }
}
