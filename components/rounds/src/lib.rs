//! How often a program does something, as its scenario says. A library that the counting programs share, no component.
//!
//! The value `rounds` says how often, for ever if there is none; `interval` says how many microseconds lie between two
//! rounds, 1000 if there is none. The thread sleeps meanwhile.
#![no_std]
#![forbid(unsafe_code)]

use core::time::Duration;

use base::Env;

/// Rounds still to come: 1, 2, 3, ..., each after its interval.
pub struct Rounds {
    env: Env,
    done: u32,
    last: u32,
    interval: Duration,
}

impl Rounds {
    /// What the scenario says.
    pub fn of(env: &Env) -> Self {
        let interval = Duration::from_micros(env.value("interval").unwrap_or(1000));
        Self { env: *env, done: 0, last: env.value("rounds").unwrap_or(u32::MAX), interval }
    }

    /// How many there are in all.
    pub const fn total(&self) -> u32 {
        self.last
    }

    /// The time between two of them.
    pub const fn interval(&self) -> Duration {
        self.interval
    }
}

impl Iterator for Rounds {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.done == self.last {
            return None;
        }
        if self.done > 0 {
            self.env.sleep(self.interval).expect("TIMER wakes whoever sleeps");
        }
        self.done += 1;
        Some(self.done)
    }
}
