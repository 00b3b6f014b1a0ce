//! Has much memory, writes into each page of it now and then, and sleeps. How many dataspaces, and of how many bytes each, the
//! values `dataspaces` and `bytes` say.
#![no_std]
#![no_main]
extern crate alloc;

use alloc::vec::Vec;
use core::time::Duration;

use base::Env;

start::component!(construct);

/// Words between two that are written: one in each page.
const STRIDE: usize = 4096 / size_of::<u32>();

fn construct(env: &mut Env) {
    let (count, bytes) = (env.value::<usize>("dataspaces").unwrap_or(1), env.value::<usize>("bytes").unwrap_or(4096));
    let memory = |_| env.memory(bytes).expect("the scenario gives enough memory");
    let mut dataspaces: Vec<_> = (0..count).map(memory).collect();
    log::info!("{count} dataspaces of {bytes} bytes.");
    for round in 1.. {
        for dataspace in &mut dataspaces {
            let words = dataspace.as_mut_slice::<u32>();
            words.iter_mut().step_by(STRIDE).for_each(|word| {
                *word += 1;
                assert_eq!(*word, round, "a word differs");
            });
        }
        env.sleep(Duration::from_millis(5)).expect("there is a timeout for each thread");
    }
}
