//! Threads that share the work which the first one hands out in time: a mutex, a periodic timeout, one-shot timeouts, and
//! signals from thread to thread.
//!
//! In every round the first thread waits for its tick, calls all workers, and waits until each has said that it is done,
//! while a watchdog runs. Worker *n* takes its time and adds *n* pieces.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::sync::Arc;
use core::time::Duration;

use base::{
    Env,
    rpc::Slot,
    signal::Signal,
    sync::Mutex,
    thread::{Thread, ThreadOptions},
};
use rounds::Rounds;

/// How many threads work.
const WORKERS: usize = 3;
/// How long a worker needs for a piece.
const PIECE: Duration = Duration::from_micros(10);
/// How many intervals a round may take before the watchdog barks.
const PATIENCE: u32 = 10;

/// What the threads share.
#[derive(Default)]
struct Hall {
    /// Pieces that are done.
    pieces: u32,
    /// The signals by which the workers are called.
    bells: [Option<Slot>; WORKERS],
    /// There is no more work.
    closed: bool,
}

/// Called once, with everything that the component has.
pub fn construct(env: &mut Env) {
    let env = *env;
    let rounds = Rounds::of(&env);
    let signal = || env.own_signal().expect("the scenario gives enough capabilities");
    let (tick, done, watchdog) = (signal(), signal(), signal());
    let hall = Arc::new(Mutex::new(env, Hall::default()));
    let workers: [Thread<u32>; WORKERS] = core::array::from_fn(|index| {
        let (hall, done) = (Arc::clone(&hall), done.slot());
        let options = ThreadOptions { name: "worker", ..ThreadOptions::default() };
        env.spawn(&options, move || work(env, &hall, index, done)).expect("the scenario gives enough memory")
    });
    gather(&done);
    log::info!("{WORKERS} threads are at work.");

    let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let (interval, patience) = (nanoseconds(rounds.interval()), nanoseconds(rounds.interval() * PATIENCE));
    env.timer().periodic(tick.slot(), interval).expect("an interval is at least 10 microseconds");
    for round in 1..=rounds.total() {
        tick.wait();
        env.timer().once(watchdog.slot(), patience).expect("a time that TIMER knows");
        call(env, &hall);
        gather(&done);
        let left = env.timer().cancel(watchdog.slot()).expect("it is a signal");
        assert!(left.is_some(), "the watchdog has barked");
        let pieces = hall.lock().pieces;
        log::info!("round {round}: {pieces} pieces");
        assert_eq!(pieces, round * (1..=WORKERS as u32).sum::<u32>(), "pieces are missing");
    }
    env.timer().cancel(tick.slot()).expect("it is a signal");

    hall.lock().closed = true;
    call(env, &hall);
    for worker in workers {
        assert_eq!(worker.join(), rounds.total(), "a worker has slept");
    }
    log::info!("All done in time.");
    env.exit(0)
}

/// What each of the workers does, until the hall is closed; returns how often it was called.
fn work(env: Env, hall: &Mutex<Hall>, index: usize, done: Slot) -> u32 {
    let bell = env.own_signal().expect("the scenario gives enough capabilities");
    hall.lock().bells[index] = Some(bell.slot());
    let (pieces, mut rounds) = (index as u32 + 1, 0);
    loop {
        env.signal().raise(done).expect("the first thread has made it");
        bell.wait();
        if hall.lock().closed {
            return rounds;
        }
        env.sleep(PIECE * pieces).expect("TIMER wakes whoever sleeps");
        hall.lock().pieces += pieces;
        rounds += 1;
    }
}

/// Calls every worker.
fn call(env: Env, hall: &Mutex<Hall>) {
    let bells = hall.lock().bells;
    for bell in bells.into_iter().flatten() {
        env.signal().raise(bell).expect("its worker has made it");
    }
}

/// Waits until every worker has said that it is done.
fn gather(done: &Signal) {
    let mut missing = WORKERS as u32;
    while missing > 0 {
        missing = missing.saturating_sub(done.wait());
    }
}
