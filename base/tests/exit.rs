//! A component that is asked to exit, on a machine in memory.

use std::time::Duration;

use base::{
    Env,
    env::slots,
    session::{
        pd::{ANY, OWN},
        signal::EXIT,
    },
    testing::Machine,
    thread::ThreadOptions,
};

const SECOND: Duration = Duration::from_secs(1);

/// How a component ends that does that and is asked to exit after five milliseconds; and what it has printed.
fn asked(act: impl FnOnce(Env) + Send + 'static) -> (Option<i32>, String) {
    let machine = Machine::new();
    machine.run(move |env| {
        // The parent's own, as far as the component can tell.
        let asks = env.signal().create(ANY, OWN, slots::DOORBELL, EXIT).unwrap();
        env.timer().once(asks, 5_000_000).unwrap();
        act(*env);
    });
    (machine.ended(), machine.printed())
}

#[test]
fn without_a_handler_it_exits_wherever_its_first_thread_waits() {
    assert_eq!(asked(|_| ()).0, Some(0), "in its entrypoint");
    assert_eq!(asked(|env| while env.sleep(SECOND).is_ok() {}).0, Some(0), "in a sleep");
    let joins = |env: Env| {
        let thread = env.spawn(&ThreadOptions::default(), move || while env.sleep(SECOND).is_ok() {});
        thread.unwrap().join();
    };
    assert_eq!(asked(joins).0, Some(0), "for a thread");
    let waits = |env: Env| {
        let signal = env.own_signal().unwrap();
        signal.wait();
    };
    assert_eq!(asked(waits).0, Some(0), "for a signal");
}

#[test]
fn a_handler_runs_once_construction_is_over_and_says_the_code() {
    let (code, printed) = asked(|env| {
        env.on_exit(|| 1);
        env.on_exit(move || {
            env.log().print(b"asked\n");
            7
        });
        env.sleep(Duration::from_millis(20)).unwrap();
        env.log().print(b"constructed\n");
    });
    assert_eq!((code, printed.as_str()), (Some(7), "constructed\nasked\n"));
}

#[test]
fn asked_again_it_goes_on_with_what_it_does_about_it() {
    let (code, _) = asked(|env| {
        let again = env.signal().create(ANY, OWN, slots::DOORBELL, EXIT).unwrap();
        env.on_exit(move || {
            env.signal().raise(again).unwrap();
            env.sleep(SECOND).unwrap();
            3
        });
    });
    assert_eq!(code, Some(3));
}
