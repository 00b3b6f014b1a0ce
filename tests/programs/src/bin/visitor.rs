//! Opens a session in each round, has one number added, and closes it again.
#![no_std]
#![no_main]
start::component!(construct);

use core::time::Duration;

use base::{Env, rpc::CallError};
use tally::Client;

#[path = "../tally.rs"]
#[allow(dead_code, unused_imports)]
mod tally;

fn construct(env: &mut Env) {
    for round in 1..=env.value("rounds").unwrap_or(10u32) {
        let tally = env.open::<Client>("tally", b"").expect("the scenario names who serves it");
        match tally.add(round) {
            // Whoever goes back behind the end of a session finds it opened anew.
            Ok(told) => assert_eq!(told, round, "the session is new"),
            Err(error) => assert_eq!(error, CallError::Interrupted),
        }
        drop(tally);
        log::info!("visit {round}");
        env.sleep(Duration::from_micros(200)).expect("there is a timer");
    }
    log::info!("Goodbye.");
    env.exit(0)
}
