//! Ends after some rounds, as `end` says: by its exit, a fault or a panic. Or it uses up all its quota in each round, tells how much
//! that was, and gives it back.
#![no_std]
#![no_main]
start::component!(construct);

extern crate alloc;

use alloc::vec::Vec;
use core::time::Duration;

use base::{Env, session::parent::Value};

/// More than there is quota for.
const MANY: usize = 400;

/// How many pages can be had.
fn exhaust(env: Env) -> usize {
    let mut pages = Vec::with_capacity(MANY);
    while let (true, Ok(page)) = (pages.len() < MANY, env.allocate(4096)) {
        pages.push(page);
    }
    pages.len()
}

fn construct(env: &mut Env) {
    let env = *env;
    let end = env.value::<Value>("end").expect("the scenario says how it ends");
    let interval = Duration::from_micros(env.value("interval").expect("the scenario says how long a round is"));
    for round in 1..=env.value("rounds").unwrap_or(10_u32) {
        log::info!("round {round}");
        if end == "quota" {
            log::info!("{} pages can be had", exhaust(env));
        }
        env.sleep(interval).expect("TIMER wakes whoever sleeps");
    }
    match end.as_str() {
        "exit" => env.exit(3),
        // SAFETY: none: this is the mistake that the program is for.
        "fault" => unsafe { core::ptr::null_mut::<u32>().write_volatile(1) },
        "panic" => panic!("as was wanted"),
        _ => env.exit(0),
    }
}
