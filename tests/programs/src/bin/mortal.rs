//! A parent like `init` that dies by a wild pointer while those below it call it, as long as the system is young.
#![no_std]
#![no_main]
start::component!(construct);

use core::time::Duration;

use base::{
    Env,
    child::{ByScenario, Family, Standing, Way, start_all},
    env::slots,
    session::pd::{ANY, OWN},
};

/// Cookie of the signal that it is time to die; no child's number.
const ALARM: u32 = 0xffff;
/// An instance that begins later lives on, in nanoseconds.
const YOUTH: u64 = 1_500_000_000;
/// How long an instance lives, in nanoseconds: long enough for everything below it to run.
const LIFE: u64 = 4_000_000;

fn construct(env: &mut Env) {
    let env = *env;
    let begun = env.timer().now().expect("there is a clock");
    let policy = ByScenario::load(env).unwrap_or_else(|error| ByScenario::failed(env, &error));
    let mut family = Family::new(env.platform(), policy);
    start_all(env, &mut family, |_, _| Ok((Standing::Aside, |_: &_| Way::Core)));
    if begun < YOUTH {
        let alarm = env.signal().create(ANY, OWN, slots::DOORBELL, ALARM).expect("there is room");
        env.timer().once(alarm, LIFE).expect("it is a signal");
        family.serve_until(Some(ALARM));
        // Nobody is served meanwhile, so whoever calls waits for its answer.
        env.sleep(Duration::from_millis(1)).expect("TIMER wakes whoever sleeps");
        log::info!("Those below me call me, and I die.");
        // SAFETY: none: this is the mistake that the program is for.
        unsafe { core::ptr::without_provenance_mut::<u32>(0xdead_0000).write_volatile(1) };
    }
    family.serve()
}
