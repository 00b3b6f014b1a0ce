//! The system's clock, and the one interrupt that it can be asked for.
//!
//! The GPT counts 32 bits, once around in 65 s. An interrupt that is further away than a quarter of that comes early;
//! whoever asked for it asks again. So one is always on its way, and the count is never lost.

use board::{gpt::Gpt, time::Time};
use sel4::{Cap, IrqHandler};

/// Nanoseconds since the system was started.
pub struct Clock {
    timer: Gpt,
    time: Time,
    handler: Cap<IrqHandler>,
}

impl Clock {
    /// The clock of a timer that runs; `handler` is that of its interrupt. Time 0 is now.
    pub fn new(timer: Gpt, handler: Cap<IrqHandler>) -> Self {
        let time = Time::since(timer.count());
        let mut clock = Self { timer, time, handler };
        clock.interrupt_at(u64::MAX);
        clock
    }

    /// The time.
    #[inline]
    pub fn now(&mut self) -> u64 {
        self.time.at(self.timer.count())
    }

    /// Interrupts at `time`, or earlier if that is far away, and no more for what it was asked for before. False if the
    /// time has passed, and nobody knows whether an interrupt comes.
    pub fn interrupt_at(&mut self, time: u64) -> bool {
        // Measured from now on, not from when the time was asked for last.
        self.now();
        self.timer.interrupt_at(self.time.count_at(time));
        // The timer compares for equality: what it has counted past comes after a whole turn.
        self.now() < time
    }

    /// The interrupt has come and been understood; another may come.
    pub fn acknowledge(&mut self) {
        self.timer.clear_interrupt();
        // The handler is core's own, so this cannot fail.
        let _ = self.handler.acknowledge();
    }
}
