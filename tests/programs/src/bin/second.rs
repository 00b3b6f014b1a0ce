//! Has second sessions of what it has from the beginning, some for good and one for each round, and uses both of each. What is
//! another component's, or a device's, it does not get.
#![no_std]
#![no_main]
start::component!(construct);

use core::{fmt::Write, time::Duration};

use base::{
    Env,
    session::{log as log_session, rom, timer},
};

fn construct(env: &mut Env) {
    let env = *env;
    let name = env.parent().name().expect("it has a name");
    let second = env.open::<log_session::Client>("log", name.as_bytes()).expect("it may say more");
    let clock = env.open::<timer::Client>("timer", b"").expect("it may have another clock");
    for (service, argument) in [("log", &b"rtcr"[..]), ("io_mem", b"0x0209c000"), ("nothing", b"")] {
        assert!(env.open::<log_session::Client>(service, argument).is_err(), "{service}");
    }
    for round in 1..=env.value("rounds").unwrap_or(10u32) {
        let modules = env.open::<rom::Client>("rom", b"").expect("it may have other modules");
        assert_eq!(modules.size("second"), env.rom().size("second"));
        let (one, two) = (env.timer().now().expect("a clock"), clock.now().expect("another clock"));
        let three = env.timer().now().expect("a clock");
        assert!(one <= two && two <= three, "{one} {two} {three}");
        let mut text = log_session::Writer::new(&second);
        writeln!(text, "round {round}").expect("it is said");
        drop(text);
        env.sleep(Duration::from_micros(300)).expect("there is a timer");
        assert_eq!(modules.size("second"), env.rom().size("second"));
    }
    log::info!("All are as good as the first.");
    env.exit(0)
}
