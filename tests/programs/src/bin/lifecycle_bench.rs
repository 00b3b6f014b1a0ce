//! What starting, killing and restarting a component costs its parent, which stands aside: the mean of many times.
#![no_std]
#![no_main]
start::component!(construct);

use base::{
    Env,
    child::{ByScenario, Family, Standing, Way, start_all},
    env::slots,
    session::{
        echo,
        pd::{ANY, OWN},
    },
};

/// Cookie of the signal that the child has settled; no child's number.
const SETTLED: u32 = 0xffff;
/// Nanoseconds in which it has.
const SETTLING: u64 = 3_000_000;
/// How often everything is done.
const TIMES: u64 = 100;

fn construct(env: &mut Env) {
    let env = *env;
    let echo = env.open::<echo::Client>("echo", b"").expect("every component may have it");
    let alarm = env.signal().create(ANY, OWN, slots::DOORBELL, SETTLED).expect("there is room");
    let policy = ByScenario::load(env).unwrap_or_else(|error| ByScenario::failed(env, &error));
    let mut family = Family::new(env.platform(), policy);
    start_all(env, &mut family, |_, _| Ok((Standing::Aside, |_: &_| Way::Core)));
    let now = || env.timer().now().expect("core answers");
    let first = now();
    (1..TIMES).for_each(|_| _ = now());
    // What looking at the clock takes.
    let clock = (now() - first) / TIMES;
    let settle = |family: &mut Family<ByScenario>| {
        env.timer().once(alarm, SETTLING).expect("it is a signal");
        family.serve_until(Some(SETTLED));
    };
    // The first time core makes what it keeps.
    let (mut start, mut kill, mut restart) = (0, 0, 0);
    for round in 0..=TIMES {
        settle(&mut family);
        let begin = now();
        family.take_down(0);
        let down = now();
        assert!(family.bring_up(0), "it was up before");
        let up = now();
        if round > 0 {
            kill += down - begin - clock;
            start += up - down - clock;
            restart += up - begin - 2 * clock;
        }
    }
    for (name, sum) in [
        ("start a component, until its first thread may run", start),
        ("kill a component that waits", kill),
        ("restart a component", restart),
    ] {
        echo.figure(name, sum * 1000 / TIMES).expect("core answers");
    }
    log::info!("measured");
    env.exit(0)
}
