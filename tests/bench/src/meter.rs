//! Measuring: repeat, divide, report.

use base::{Env, session::echo};

/// What measures.
pub struct Meter<'a> {
    pub env: Env,
    pub echo: &'a echo::Client,
    /// Nanoseconds between two readings of the clock with nothing between.
    reading: u64,
}

impl<'a> Meter<'a> {
    pub fn new(env: Env, echo: &'a echo::Client) -> Self {
        let mut meter = Self { env, echo, reading: 0 };
        const ROUNDS: u64 = 100;
        let elapsed = meter.time(|| {
            for _ in 1..ROUNDS {
                meter.now();
            }
        });
        meter.reading = elapsed / ROUNDS;
        meter
    }

    fn now(&self) -> u64 {
        self.env.timer().now().expect("TIMER tells the time")
    }

    /// Nanoseconds that something takes, without those of reading the clock.
    #[inline(always)]
    pub fn time(&self, operation: impl FnOnce()) -> u64 {
        let start = self.now();
        operation();
        (self.now() - start).saturating_sub(self.reading)
    }

    /// Does something so often, once more before that, and reports what once took.
    #[inline(always)]
    pub fn each(&self, name: &str, count: u32, mut operation: impl FnMut()) {
        operation();
        let nanoseconds = self.time(|| {
            for _ in 0..count {
                operation();
            }
        });
        self.report(name, nanoseconds, count);
    }

    /// Tells the host what all rounds took.
    pub fn report(&self, name: &str, nanoseconds: u64, count: u32) {
        let picoseconds = nanoseconds * 1_000 / u64::from(count);
        self.echo.figure(name, picoseconds).expect("ECHO takes figures");
    }
}
