//! Calls a server that ends while it is called, as often as `calls` says, and tells how each call ends.
#![no_std]
#![no_main]
start::component!(construct);

use base::{Env, session::echo};

fn construct(env: &mut Env) {
    let session = env.open::<echo::Client>("fragile", b"").expect("the scenario names who serves it");
    for call in 1..=env.value("calls").unwrap_or(1u32) {
        match session.words([call, 0, 0, 0]) {
            Ok(words) => log::info!("call {call}: {}", words[0]),
            Err(error) => log::info!("call {call}: {error:?}"),
        }
    }
    env.exit(0)
}
