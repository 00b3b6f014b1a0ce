//! Counts on its stack, and has next to nothing else: what is least to be kept of a component.
#![no_std]
#![forbid(unsafe_code)]

use core::hint::black_box;

use base::Env;
use rounds::Rounds;

/// Called once, with everything that the component has.
pub fn construct(env: &mut Env) {
    let mut counter = 0_u32;
    for round in Rounds::of(env) {
        // The compiler is to keep it in memory, and to know nothing of its value.
        *black_box(&mut counter) += 1;
        log::info!("counter {counter}");
        assert_eq!(counter, round, "the counter differs");
    }
    log::info!("Every round was counted.");
    env.exit(0)
}
