//! Counts sheep in three places at once: on its stack, on its heap, and in a dataspace of 20 pages that it has made itself.
//! After every round the three numbers are equal.
//!
//! The program of Figure 5.1 in Himmelbauer's thesis, with 32 bits for every counter, and with TIMER for a delay.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::boxed::Box;
use core::hint::black_box;

use base::Env;
use rounds::Rounds;

/// Size of the dataspace in bytes.
const SIZE: usize = 20 * 4096;

/// Called once, with everything that the component has.
pub fn construct(env: &mut Env) {
    let mut stack = 0_u32;
    let mut heap = Box::new(0_u32);
    let mut memory = env.memory(SIZE).expect("the scenario gives enough memory");
    let dataspace = &mut memory.as_mut_slice::<u32>()[0];
    log::info!("Stack|Heap|Dataspace");
    for round in Rounds::of(env) {
        // The compiler is to keep each counter where it belongs, and to know nothing of its value.
        for counter in [black_box(&mut stack), black_box(&mut *heap), black_box(&mut *dataspace)] {
            *counter += 1;
        }
        log::info!("{}|{}|{} sheep. zzZ", black_box(stack), black_box(*heap), black_box(*dataspace));
        assert_eq!([stack, *heap, *dataspace], [round; 3], "the counters differ");
    }
    log::info!("All counters are equal.");
    env.exit(0)
}
