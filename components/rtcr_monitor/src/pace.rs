//! At which priority a keeper works.
//!
//! Usually just above its child's, so that the child's requests wait for nobody below. While the child stands still, or is not
//! there, the keeper has only copying to do, and nobody who waits for it but the child: then it may be at a lower one, as
//! planned, so that others go on. It is back at the usual one before the child runs.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, Ordering::SeqCst};

use base::{Env, rpc::Slot};

use crate::services::Services;

/// How a keeper's thread is scheduled.
pub struct Pace {
    env: Env,
    /// The thread; known once it runs.
    thread: Arc<AtomicU32>,
    services: Arc<Services>,
    usual: u8,
    low: Option<u8>,
    is_low: bool,
}

impl Pace {
    /// Of that thread, which is at the `usual` priority; the low one is not to be above that.
    pub fn new(env: Env, (thread, services): (Arc<AtomicU32>, Arc<Services>), usual: u8, low: Option<u8>) -> Self {
        Self { env, thread, services, usual, low, is_low: false }
    }

    /// The thread has begun.
    pub fn begin(&self) {
        self.services.is_at(Slot(self.thread.load(SeqCst)), self.usual);
    }

    /// The child does not run from now on.
    pub fn lower(&mut self) {
        if let Some(low) = self.low.filter(|low| *low < self.usual && !self.is_low) {
            self.is_low = true;
            self.set(low);
        }
    }

    /// The child is about to run.
    pub fn raise(&mut self) {
        if core::mem::take(&mut self.is_low) {
            self.set(self.usual);
        }
    }

    fn set(&self, priority: u8) {
        let thread = Slot(self.thread.load(SeqCst));
        self.services.is_at(thread, priority);
        // It is this component's own thread, and had the higher of them from the beginning.
        let _ = self.env.cpu().prioritize(thread, priority);
    }
}
