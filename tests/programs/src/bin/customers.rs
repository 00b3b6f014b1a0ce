//! Three threads, each with a session of the same server, and all with one that they share: what each adds is counted once.
#![no_std]
#![no_main]
start::component!(construct);

extern crate alloc;

use alloc::{sync::Arc, vec::Vec};

use base::{Env, thread::ThreadOptions};
use tally::Client;

#[path = "../tally.rs"]
#[allow(dead_code, unused_imports)]
mod tally;

const THREADS: u32 = 3;

fn construct(env: &mut Env) {
    let env = *env;
    let rounds = env.value("rounds").unwrap_or(10u32);
    let shared = Arc::new(env.open::<Client>("tally", b"ours").expect("the scenario names who serves it"));
    let start = |number: u32| {
        let shared = Arc::clone(&shared);
        let work = move || {
            let own = env.open::<Client>("tally", &number.to_le_bytes()).expect("as many as it likes");
            let mut sum = 0;
            for round in 1..=rounds {
                sum += round * number;
                assert_eq!(own.add(round * number), Ok(sum), "thread {number}, round {round}");
                shared.add(1).expect("it is there");
            }
            log::info!("thread {number}: {sum}");
        };
        env.spawn(&ThreadOptions::default(), work).expect("there is room for a thread")
    };
    let threads: Vec<_> = (1..=THREADS).map(start).collect();
    threads.into_iter().for_each(|thread| thread.join());
    assert_eq!(shared.sum(), Ok(THREADS * rounds), "what all have added");
    log::info!("Each was counted once.");
    env.exit(0)
}
