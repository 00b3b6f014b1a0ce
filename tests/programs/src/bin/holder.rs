//! Holds memory and threads, asks for a checkpoint of itself, and looks whether all of it is there when it goes on.
//!
//! The values `dataspaces`, `bytes`, `frames` (the largest: 0 for 4 KiB up to 3 for 16 MiB) and `threads` say how much. With `ends`
//! it allocates its memory and exits at once, so that others find memory that was used before.
#![no_std]
#![no_main]
extern crate alloc;

use alloc::vec::Vec;
use core::{sync::atomic::Ordering::Relaxed, time::Duration};

use base::{
    Env,
    memory::Attachment,
    session::{
        checkpoint::{Client, SERVICE},
        pd::{FrameSize, Memory},
        rm::Placement,
    },
    thread::ThreadOptions,
};

start::component!(construct);

/// Where memory is attached.
const START: u32 = 0x1000_0000;
/// Words between two that are written: one in each page.
const STRIDE: usize = 4096 / size_of::<u32>();
/// Regions of one region map.
const REGIONS: usize = 1_000;
/// What the first word holds; each further one holds one more.
const PATTERN: u32 = 0x5a5a_0000;

fn construct(env: &mut Env) {
    let env = *env;
    let value = |name: &str| env.value::<usize>(name).unwrap_or(0);
    let (count, bytes) = (value("dataspaces"), value("bytes"));
    let largest = FrameSize::ALL[value("frames").min(3)];
    let memory = Memory { largest, ..Memory::default() };
    let allocate = |_| env.allocate_as(bytes, memory).expect("the scenario gives enough memory");
    let dataspaces: Vec<_> = (0..count).map(allocate).collect();
    if value("ends") > 0 {
        drop(dataspaces);
        env.exit(0);
    }
    // Few are attached as they are, many in region maps.
    let mut shown: Vec<Attachment> = Vec::new();
    let at = |place: usize| Placement::at(START + (place * bytes) as u32);
    if count <= REGIONS {
        let here = |(place, dataspace)| env.attach(dataspace, at(place)).expect("there is room");
        shown.extend(dataspaces.iter().enumerate().map(here));
    } else {
        for (group, dataspaces) in dataspaces.chunks(REGIONS).enumerate() {
            let map = env.region_map(dataspaces.len() * bytes).expect("there is room");
            for (place, dataspace) in (0..).zip(dataspaces) {
                map.attach(dataspace, Placement::at(place * bytes as u32)).expect("there is room").leak();
            }
            shown.push(env.attach(&map, at(group * REGIONS)).expect("there is room"));
            core::mem::forget(map);
        }
    }
    let words = || shown.iter().flat_map(|memory| memory.words().iter().step_by(STRIDE)).zip(PATTERN..);
    words().for_each(|(word, value)| word.store(value, Relaxed));
    let others = value("threads").saturating_sub(1);
    for _ in 0..others {
        let options = ThreadOptions { name: "other", stack: 16 << 10, ..ThreadOptions::default() };
        let other = env.spawn(&options, move || {
            loop {
                env.sleep(Duration::from_secs(100)).expect("TIMER wakes whoever sleeps");
            }
        });
        core::mem::forget(other.expect("the scenario gives enough"));
    }
    // So that all of them sleep.
    env.sleep(Duration::from_millis(1)).expect("TIMER wakes whoever sleeps");
    let client = env.open::<Client>(SERVICE, b"").expect("its parent takes checkpoints");
    let client = *client;
    let taken = env.until_answered(|| client.take()).expect("there is room for a checkpoint");
    assert!(taken.restored, "it goes on in the instance that it was");
    assert!(words().all(|(word, value)| word.load(Relaxed) == value), "memory is not what it was");
    log::info!("All is there.");
    env.exit(0)
}
