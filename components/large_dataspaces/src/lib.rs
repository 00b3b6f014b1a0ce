//! Counts in the 100 pages of one dataspace: what one large object costs whoever keeps it.
//!
//! The counterpart of `small_dataspaces`, which has the same memory in 100 pieces.
#![no_std]
#![forbid(unsafe_code)]

use core::hint::black_box;

use base::Env;
use rounds::Rounds;

/// How many pages.
const PAGES: usize = 100;
/// Size of a page in bytes.
const PAGE: usize = 4096;
/// Words between two counters: one in each page.
const STRIDE: usize = PAGE / size_of::<u32>();

/// Called once, with everything that the component has.
pub fn construct(env: &mut Env) {
    let mut memory = env.memory(PAGES * PAGE).expect("the scenario gives enough memory");
    let words = memory.as_mut_slice::<u32>();
    log::info!("1 dataspace of {} bytes.", size_of_val(words));
    for round in Rounds::of(env) {
        // The compiler is to know nothing of their values.
        black_box(&mut *words).iter_mut().step_by(STRIDE).for_each(|counter| *counter += 1);
        log::info!("counters {}", words[0]);
        assert!(words.iter().step_by(STRIDE).all(|counter| *counter == round), "a counter differs");
    }
    log::info!("Every counter is equal.");
    env.exit(0)
}
