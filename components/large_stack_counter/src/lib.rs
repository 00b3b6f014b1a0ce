//! Counts on a stack of which little is left: its counters take 63,300 bytes of 64 KiB.
//!
//! The counterpart of `stack_counter`: what it costs to keep a stack that is in use almost to its end.
#![no_std]
#![forbid(unsafe_code)]

use core::hint::black_box;

use base::Env;
use rounds::Rounds;

/// Counters on the stack.
const COUNTERS: usize = 63_300 / size_of::<u32>();

/// Called once, with everything that the component has.
pub fn construct(env: &mut Env) {
    let mut counters = [0_u32; COUNTERS];
    log::info!("{} bytes on the stack.", size_of_val(&counters));
    for round in Rounds::of(env) {
        // The compiler is to keep them in memory, and to know nothing of their values.
        black_box(&mut counters).iter_mut().for_each(|counter| *counter += 1);
        log::info!("counters {}", counters[0]);
        assert!(counters.iter().all(|counter| *counter == round), "a counter differs");
    }
    log::info!("Every counter is equal.");
    env.exit(0)
}
