//! Asks its parent again and again, for as long as `asks` says in milliseconds of the system's time, then exits.
#![no_std]
#![no_main]
start::component!(construct);

fn construct(env: &mut base::Env) {
    let until = env.value("asks").unwrap_or(100u64) * 1_000_000;
    while env.timer().now().expect("there is a clock") < until {
        assert!(env.value::<u64>("asks").is_some(), "the scenario has it");
    }
    log::info!("I have asked enough.");
    env.exit(0)
}
