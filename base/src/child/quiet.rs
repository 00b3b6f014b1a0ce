//! When the thread that serves a child has nothing left to do for an instance that has ended.

use core::sync::atomic::{
    AtomicU32,
    Ordering::{Relaxed, SeqCst},
};

use crate::{env::slots, platform::Machine, rpc::Slot};

/// The understanding between a parent's first thread and one that serves a child, which is below it and may be in the middle of
/// a request when the child ends. The first thread asks; the other one answers when it waits for the next request.
///
/// Until then the numbers of the ended instance are not given to another one: what the request still makes would be the other's.
#[derive(Debug)]
pub struct Quiet {
    /// Bound to the thread that serves the child.
    bell: Slot,
    asked: AtomicU32,
    answered: AtomicU32,
}

impl Quiet {
    /// With the notification that is bound to the thread that serves the child.
    pub const fn new(bell: Slot) -> Self {
        Self { bell, asked: AtomicU32::new(0), answered: AtomicU32::new(0) }
    }

    /// That notification.
    pub const fn bell(&self) -> Slot {
        self.bell
    }

    /// Asks; the doorbell rings when there is an answer.
    pub fn ask(&self, machine: Machine) {
        self.asked.fetch_add(1, SeqCst);
        machine.ring(self.bell);
    }

    /// Whether nothing is left to be done for what has ended.
    pub fn is_there(&self) -> bool {
        self.asked.load(SeqCst) == self.answered.load(SeqCst)
    }

    /// The thread that serves the child waits, and has forgotten what it knew; to be called when its bell has rung.
    pub fn answer(&self, machine: Machine, forget: impl FnOnce()) {
        let asked = self.asked.load(SeqCst);
        if asked != self.answered.load(Relaxed) {
            forget();
            self.answered.store(asked, SeqCst);
            machine.ring(slots::DOORBELL);
        }
    }
}
