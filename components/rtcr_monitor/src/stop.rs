//! When a child is asked to exit, and when its time to do so is over.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering::SeqCst};

use base::{Env, rpc::Slot, scenario::Component};

/// What is to be done to a child now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing.
    Nothing,
    /// It is to be asked.
    Ask,
    /// It was asked, and has not exited in time.
    End,
}

/// A child's way to its end, as the scenario has it. It belongs to the child and not to an instance: what is restored is asked
/// again.
pub struct Stop {
    env: Env,
    /// Wakes the keeper.
    pub context: Slot,
    /// This component was asked itself.
    pub wanted: Arc<AtomicBool>,
    after: Option<u64>,
    grace: u64,
    asked: bool,
    /// When something is due, in nanoseconds.
    at: Option<u64>,
}

impl Stop {
    /// For a child that is not there yet.
    pub fn new(env: Env, component: &Component, context: Slot) -> Self {
        let (after, grace) =
            (component.stop_after.map(|after| after.nanoseconds()), component.stop_grace.nanoseconds());
        Self { env, context, wanted: Arc::new(AtomicBool::new(false)), after, grace, asked: false, at: None }
    }

    /// The child is there.
    pub fn begin(&mut self) {
        if let Some(after) = self.after {
            self.wake(after);
        }
    }

    /// Whether the child was asked, so that a new instance is to be asked too.
    pub const fn was_asked(&self) -> bool {
        self.asked
    }

    /// What is to be done now; told once. To be asked after each ring.
    pub fn due(&mut self) -> Due {
        let is_wanted = !self.asked && self.wanted.load(SeqCst);
        let is_time = || self.at.is_some_and(|at| self.env.timer().now().is_ok_and(|now| now >= at));
        if !is_wanted && !is_time() {
            return Due::Nothing;
        }
        if core::mem::replace(&mut self.asked, true) {
            return Due::End;
        }
        match self.wake(self.grace) {
            true => Due::Ask,
            // Without a clock there is no later.
            false => Due::End,
        }
    }

    fn wake(&mut self, after: u64) -> bool {
        let timer = self.env.timer();
        self.at = timer.now().ok().map(|now| now.saturating_add(after));
        timer.once(self.context, after).is_ok()
    }
}
