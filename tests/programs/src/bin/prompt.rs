//! Asks for the time again and again, and measures how long that takes: what another component's checkpoint costs this one.
//!
//! It begins after `begin` microseconds, and asks `times` times, `pause` microseconds and a little more or less apart. As a
//! component under checkpoint it has no session of ECHO, so it says its figures in LOG; the value `case` heads their names.
#![no_std]
#![no_main]
extern crate alloc;

use alloc::{string::String, vec, vec::Vec};
use core::time::Duration;

use base::Env;

start::component!(construct);

/// The clock's step in nanoseconds.
const STEP: u64 = 15;
/// Longer ones are counted as that long, but for the longest.
const STEPS: usize = 8192;

/// How often each length came, and the longest.
struct Lengths {
    times: Vec<u32>,
    longest: u64,
}

impl Lengths {
    fn new() -> Self {
        Self { times: vec![0; STEPS], longest: 0 }
    }

    fn note(&mut self, nanoseconds: u64) {
        let step = usize::try_from(nanoseconds / STEP).unwrap_or(usize::MAX);
        self.times[step.min(STEPS - 1)] += 1;
        self.longest = self.longest.max(nanoseconds);
    }

    fn median(&self) -> u64 {
        let half = self.times.iter().sum::<u32>() / 2;
        let mut sum = 0;
        let middle = self.times.iter().take_while(|times| {
            sum += **times;
            sum <= half
        });
        middle.count() as u64 * STEP
    }

    fn beyond(&self, nanoseconds: u64) -> u32 {
        self.times[(nanoseconds / STEP) as usize..].iter().sum()
    }

    fn tell(&self, case: &str, what: &str) {
        log::info!("figure {case}/{what}, median: {} ns", self.median());
        log::info!("figure {case}/{what}, longest: {} ns", self.longest);
    }
}

fn construct(env: &mut Env) {
    let value = |key| env.value::<u32>(key).expect("the scenario says how");
    let case = env.value::<String>("case").expect("the scenario names the case");
    let (begin, times, pause) = (value("begin"), value("times"), value("pause"));
    let sleep = |micros: u32| env.sleep(Duration::from_micros(micros.into())).expect("there is a timeout");
    let now = || env.timer().now().expect("TIMER tells the time");
    let (mut answers, mut wakes) = (Lengths::new(), Lengths::new());
    sleep(begin);
    for round in 0..times {
        // Instants that have nothing to do with the rhythm of the other.
        let micros = pause + round * 7 % 13;
        let asleep = now();
        sleep(micros);
        let awake = now();
        let answered = now();
        wakes.note(awake - asleep - u64::from(micros) * 1000);
        answers.note(answered - awake);
    }
    answers.tell(&case, "a request for the time");
    wakes.tell(&case, "a sleep, beyond its time");
    log::info!(
        "{} of {times} answers and {} wakes took longer than 50 us.",
        answers.beyond(50_000),
        wakes.beyond(50_000)
    );
    log::info!("measured");
    env.exit(0)
}
