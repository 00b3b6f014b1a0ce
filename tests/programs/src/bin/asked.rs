//! Is asked to exit, and does about it what its name says: `polite` has a handler, `plain` has none and serves, `sleeper` has none
//! and never comes to serve, `stubborn` has a handler that does not end, `spinner` hears nothing.
#![no_std]
#![no_main]
start::component!(construct);

use core::time::Duration;

const LONG: Duration = Duration::from_millis(1);

fn construct(env: &mut base::Env) {
    let env = *env;
    match env.name().as_str() {
        "polite" => env.on_exit(|| {
            log::info!("I was asked to exit.");
            7
        }),
        "sleeper" => loop {
            env.sleep(LONG).expect("TIMER wakes whoever sleeps");
        },
        "stubborn" => env.on_exit(move || {
            log::info!("I was asked to exit, and do not.");
            loop {
                env.sleep(LONG).expect("TIMER wakes whoever sleeps");
            }
        }),
        "spinner" => loop {
            core::hint::spin_loop();
        },
        _ => {}
    }
}
