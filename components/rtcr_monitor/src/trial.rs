//! Faults on purpose: one request of a checkpoint or a restore is refused, or one of the calls that core makes of the kernel for
//! them, to see what becomes of the component then.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use base::rpc::{Answer, Long, Registers, Selector, Shared, Slot, Status, Transport};

/// This component's sessions, one request to which is refused if that is wanted.
pub struct Trial {
    sessions: Shared,
    /// The how-manieth request from now on is refused; 0 for none.
    refused: AtomicU32,
    /// How many there were.
    count: AtomicU32,
}

impl Trial {
    /// Nothing is refused yet.
    pub const fn new(sessions: Shared) -> Self {
        Self { sessions, refused: AtomicU32::new(0), count: AtomicU32::new(0) }
    }

    /// The request with that number from now on is refused, counted from 1; with 0 none is. Tells how many there were since
    /// this was called last.
    pub fn refuse(&self, number: u32) -> u32 {
        self.refused.store(number, Relaxed);
        self.count.swap(0, Relaxed)
    }

    /// Whether this one is. One thread only uses these sessions.
    fn refuses(&self) -> bool {
        self.count.fetch_add(1, Relaxed);
        let left = self.refused.load(Relaxed);
        self.refused.store(left.saturating_sub(1), Relaxed);
        left == 1
    }
}

impl Transport for Trial {
    fn call(&self, to: Slot, selector: Selector, request: Registers) -> Answer {
        if self.refuses() {
            return Answer::unsent(Status::Refused);
        }
        self.sessions.call(to, selector, request)
    }

    fn call_long(&self, to: Slot, selector: Selector, request: Long<'_>, reply: &mut [u32]) -> Answer {
        if self.refuses() {
            return Answer::unsent(Status::Refused);
        }
        self.sessions.call_long(to, selector, request, reply)
    }
}
