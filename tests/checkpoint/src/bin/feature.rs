//! One feature after the other of what a component can have: each is a small program that builds it up, and then in each
//! round looks whether all of it is as it should be, and changes it. The component's name says which.
//!
//! What a feature tells in a round follows from the round's number; anything that is not as it should be is a panic. So
//! what is printed does not depend on when its threads run.
#![no_std]
#![no_main]
start::component!(construct, before: before);

extern crate alloc;

#[path = "../feature/mod.rs"]
mod feature;

use core::time::Duration;

use base::Env;
use feature::{Feature, Step};

/// Rounds, unless the value `steps` says otherwise.
const ROUNDS: u32 = 60;
/// Between two of them.
const INTERVAL: Duration = Duration::from_micros(300);

/// What is done before the barrier, for the feature that is about that.
fn before(env: &mut Env) {
    feature::rest::before(*env);
}

fn construct(env: &mut Env) {
    let env = *env;
    let name = env.name();
    let (_, feature) = feature::ALL.iter().find(|(known, _)| *known == name.as_str()).expect("there is such a feature");
    let rounds = env.value("steps").unwrap_or(ROUNDS);
    match feature {
        Feature::Rounds(build) => {
            let mut step = build(env);
            log::info!("it is built");
            for round in 1..=rounds {
                log::info!("round {round}: {:08x}", step(round));
                env.sleep(INTERVAL).expect("TIMER wakes whoever sleeps");
            }
            log::info!("it is as it was");
            env.exit(0)
        }
        Feature::Signals(build) => late(env, build(env), rounds),
    }
}

/// Returns from its construction: rounds are what a signal's handler does later.
fn late(env: Env, mut step: Step, rounds: u32) {
    let mut round = 0;
    let handler = env.on_signal(move |count| {
        for _ in 0..count {
            round += 1;
            if round <= rounds {
                log::info!("round {round}: {:08x}", step(round));
            }
            if round == rounds {
                log::info!("it is as it was");
                env.exit(0);
            }
        }
    });
    let handler = handler.expect("there are capabilities");
    env.timer().periodic(handler.slot(), 400_000).expect("a period that TIMER knows");
    log::info!("it is built");
}
