//! Has its server add up the numbers of its rounds, and looks whether each was added once. `every` microseconds lie between
//! two rounds. A server that is gone begins anew. With `ask`, it only asks for the sum.
#![no_std]
#![no_main]
start::component!(construct);

use core::time::Duration;

use base::Env;
use tally::Client;

#[path = "../tally.rs"]
#[allow(dead_code, unused_imports)]
mod tally;

fn construct(env: &mut Env) {
    let tally = env.open::<Client>("tally", b"mine").expect("the scenario names who serves it");
    let every = Duration::from_micros(env.value("every").unwrap_or(0u32).into());
    let ask = env.value("ask").unwrap_or(false);
    let mut sum = 0;
    for round in 1..=env.value("rounds").unwrap_or(10u32) {
        match if ask { tally.sum() } else { tally.add(round) } {
            Ok(told) => {
                sum += if ask { 0 } else { round };
                assert_eq!(told, sum, "round {round}");
                log::info!("round {round}: {told}");
            }
            Err(error) => {
                sum = 0;
                log::info!("round {round}: {error:?}");
            }
        }
        if !every.is_zero() {
            env.sleep(every).expect("there is a timer");
        }
    }
    match tally.sum() {
        Ok(told) if told == sum => log::info!("Each was counted once."),
        other => log::info!("{other:?} instead of {sum}"),
    }
    drop(tally);
    env.exit(0)
}
