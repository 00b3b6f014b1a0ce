//! Plays ping-pong with whoever offers that as a service: a client of an interface that is not the system's, and of memory
//! that its server shares with it.
#![no_std]
#![forbid(unsafe_code)]

use core::sync::atomic::Ordering::Relaxed;

use base::{Env, session::rm::Placement};
use pong::session::Client;
use rounds::Rounds;

/// Called once, with everything that the component has.
pub fn construct(env: &mut Env) {
    let pong = env.open::<Client>("pong", b"").expect("the scenario names who serves it");
    let handle = pong.table().expect("there is a table for each client");
    let table = pong.redeem(handle).expect("it is meant for this client");
    let score = env.attach(&table, Placement::ANYWHERE).expect("there is room for a page");
    let score = &score.words()[0];
    log::info!("The table is free.");
    let mut ball = 0;
    for rally in Rounds::of(env) {
        score.fetch_add(1, Relaxed);
        ball = pong.hit(ball + 1).expect("pong answers");
        log::info!("rally {rally}: {ball} hits");
        assert_eq!([ball, score.load(Relaxed)], [2 * rally; 2], "the score differs");
    }
    log::info!("Thanks for the game.");
    drop(pong);
    env.exit(0)
}
