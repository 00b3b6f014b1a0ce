//! Needs one of everything in each of its rounds, and gives it back: whoever takes from others what is theirs keeps it from
//! that.
#![no_std]
#![no_main]
start::component!(construct);

use core::{sync::atomic::Ordering::Relaxed, time::Duration};

use base::{
    Env,
    env::slots,
    rpc::Slot,
    session::{
        echo,
        pd::{ANY, Cache, FrameSize, Memory, OWN},
        rm::Placement,
    },
    thread::ThreadOptions,
};

fn construct(env: &mut Env) {
    let env = *env;
    let rounds: u32 = env.value("rounds").unwrap_or(1);
    let interval = Duration::from_micros(env.value("interval").unwrap_or(1000));
    for round in 1..=rounds {
        memory(env);
        objects(env);
        let session = env.open::<echo::Client>("echo", b"").expect("a session");
        assert_eq!(session.words([round, 2, 3, 4]), Ok([round, 2, 3, 4]));
        let thread = env.spawn(&ThreadOptions::default(), move || round);
        assert_eq!(thread.expect("a thread").join(), round);
        log::info!("round {round}: there was enough of everything");
        env.sleep(interval).expect("TIMER wakes whoever sleeps");
    }
    env.exit(0)
}

/// Memory in frames of each size that it may have, seen at two places.
fn memory(env: Env) {
    for largest in [FrameSize::Small, FrameSize::Large, FrameSize::Section] {
        let dataspace = env.allocate_as(1 << 20, Memory { cache: Cache::Cached, largest }).expect("memory");
        let here = env.attach(&dataspace, Placement::ANYWHERE).expect("a place");
        let there = env.attach(&dataspace, Placement::ANYWHERE).expect("another place");
        here.words()[5].store(5, Relaxed);
        assert_eq!(there.words()[5].load(Relaxed), 5);
    }
}

/// What is known by number only.
fn objects(env: Env) {
    let pd = env.pd();
    let freed = |number: Slot| while pd.free(number).expect("its own") > 0 {};
    let map = env.rm().create(ANY, OWN, 1 << 20).expect("a region map");
    let address = env.rm().attach(slots::ADDRESS_SPACE, map, Placement::ANYWHERE).expect("a place");
    while env.rm().detach(slots::ADDRESS_SPACE, address).expect("it is there") > 0 {}
    freed(map);
    freed(pd.create_endpoint(ANY, OWN).expect("an endpoint"));
    freed(pd.create_notification(ANY, OWN).expect("a notification"));
    freed(pd.create(ANY, 64, "other").expect("a protection domain"));
    let context = env.signal().create(ANY, OWN, slots::DOORBELL, 77).expect("a signal");
    env.timer().once(context, 1 << 50).expect("a timeout");
    env.signal().destroy(context).expect("its own");
}
