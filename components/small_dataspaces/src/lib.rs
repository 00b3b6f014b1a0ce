//! Counts in 100 dataspaces of one page each: what many small objects cost whoever keeps them.
//!
//! The counterpart of `large_dataspaces`, which has the same memory in one piece.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use core::hint::black_box;

use base::Env;
use rounds::Rounds;

/// How many dataspaces.
const COUNT: usize = 100;
/// Size of each in bytes.
const SIZE: usize = 4096;

/// Called once, with everything that the component has.
pub fn construct(env: &mut Env) {
    let memory = |_| env.memory(SIZE).expect("the scenario gives enough memory");
    let mut dataspaces: Vec<_> = (0..COUNT).map(memory).collect();
    log::info!("{COUNT} dataspaces of {SIZE} bytes.");
    for round in Rounds::of(env) {
        for dataspace in &mut dataspaces {
            // The compiler is to know nothing of its value.
            *black_box(&mut dataspace.as_mut_slice::<u32>()[0]) += 1;
        }
        log::info!("counters {}", dataspaces[0].as_slice::<u32>()[0]);
        assert!(dataspaces.iter().all(|dataspace| dataspace.as_slice::<u32>()[0] == round), "a counter differs");
    }
    log::info!("Every counter is equal.");
    env.exit(0)
}
