//! Has `secretive` fill all that it has, kills it, has `searcher` look for it, and kills that, again and again. With `plant` core
//! is told to forget to clear what it gives, and the searcher must find it.
#![no_std]
#![no_main]
start::component!(construct);

use base::{
    Env,
    child::{ByScenario, Family, Standing, Way, start_all},
    env::slots,
    session::{
        census,
        pd::{ANY, OWN},
    },
};

/// Cookie of the signal that it is time to go on; no child's number.
const ALARM: u32 = 0xffff;
/// Children in the order of their names.
const SEARCHER: usize = 0;
const SECRETIVE: usize = 1;

fn construct(env: &mut Env) {
    let env = *env;
    let rounds: u64 = env.value("rounds").unwrap_or(1);
    let plant: u32 = env.value("plant").unwrap_or(0);
    let alarm = env.signal().create(ANY, OWN, slots::DOORBELL, ALARM).expect("there is room");
    let policy = ByScenario::load(env).unwrap_or_else(|error| ByScenario::failed(env, &error));
    let mut family = Family::new(env.platform(), policy);
    start_all(env, &mut family, |_, _| Ok((Standing::Aside, |_: &_| Way::Core)));
    [SEARCHER, SECRETIVE].into_iter().for_each(|child| family.take_down(child));
    if plant > 0 {
        let census = env.open::<census::Client>("census", b"").expect("the scenario says so");
        census.lose(plant).expect("the scenario asks for such a core");
    }
    for round in 0..rounds {
        // Long enough for all of it, and so different that it is killed at different instants.
        for (child, time) in [(SECRETIVE, 60_000_000 + round * 700_001), (SEARCHER, 700_000_000)] {
            assert!(family.bring_up(child), "it was brought up before");
            env.timer().once(alarm, time).expect("it is a signal");
            family.serve_until(Some(ALARM));
            family.take_down(child);
        }
    }
    log::info!("{rounds} rounds");
    env.exit(0)
}
