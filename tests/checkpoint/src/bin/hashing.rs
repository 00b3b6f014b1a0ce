//! Hashes two megabytes in a chain: every step changes some words and hashes all of them.
#![no_std]
#![no_main]
start::component!(construct);

use base::{Env, session::rm::Placement};
use checkpoint_programs::{Random, steps};
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

const SIZE: usize = 2 << 20;
const CHANGES: u32 = 500;

fn mixed(words: &[AtomicU32]) -> u32 {
    words.iter().fold(1, |sum, word| (sum ^ word.load(Relaxed)).wrapping_mul(0x85eb_ca6b).rotate_left(13))
}

fn construct(env: &mut Env) {
    let memory = env.allocate(SIZE).expect("the scenario gives enough memory");
    let attached = env.attach(&memory, Placement::ANYWHERE).expect("there is room");
    let words = attached.words();
    let mut sum = 0;
    for step in steps(env) {
        let mut random = Random::new(step ^ sum);
        for _ in 0..CHANGES {
            words[random.below(words.len() as u32) as usize].fetch_add(random.next(), Relaxed);
        }
        sum = mixed(words);
        log::info!("step {step}: {sum:08x}");
    }
    env.exit(0)
}
