//! Counts sheep, and crashes: in a round in which its server of `trouble` says so, or, if it has none, in round `crash_at`, each time.
//! How, is `crash`. It knows nothing of anybody who would help.
#![no_std]
#![no_main]
start::component!(construct);

use core::{hint::black_box, ptr, time::Duration};

use base::{Env, session::parent::Value};
use trouble::{Client, KINDS};

#[path = "../trouble.rs"]
#[allow(dead_code, unused_imports)]
mod trouble;

fn construct(env: &mut Env) {
    let env = *env;
    let crash: Value = env.value("crash").unwrap_or_default();
    let crash_at = env.value("crash_at").unwrap_or(0u32);
    let interval = Duration::from_micros(env.value("interval").unwrap_or(1000u32).into());
    log::info!("counting");
    if crash_at == 1 {
        befall(env, &crash);
    }
    let session = (crash_at == 0).then(|| env.open::<Client>("trouble", b"").expect("a route leads to it"));
    for round in 1..=env.value("rounds").unwrap_or(40u32) {
        match session.as_deref().map(|trouble| trouble.next().expect("it is there")) {
            Some(kind) => befall(env, KINDS.get(kind as usize).copied().unwrap_or("")),
            None if round == crash_at => befall(env, &crash),
            None => {}
        }
        log::info!("{round} sheep");
        env.sleep(interval).expect("TIMER wakes whoever sleeps");
    }
    log::info!("asleep");
    drop(session);
    env.exit(0)
}

/// Something happens.
fn befall(env: Env, what: &str) {
    match what {
        "fault" => fault(),
        "panic" => panic!("as it was told"),
        "exit" => env.exit(3),
        "loop" => loop {
            black_box(());
        },
        // It is done for, and it takes a while until that shows.
        "rot" => {
            env.sleep(Duration::from_micros(3300)).expect("there is a timer");
            fault()
        }
        // These do no harm.
        "sleep" => env.sleep(Duration::from_millis(30)).expect("there is a timer"),
        "work" => (0..400_000).for_each(|step| _ = black_box(step)),
        _ => {}
    }
}

fn fault() {
    // SAFETY: it is not; nothing is mapped there, and what happens then is what this is for.
    unsafe { ptr::null_mut::<u32>().write_volatile(1) };
}
