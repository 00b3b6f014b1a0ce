//! A lock that threads of different priorities share, and that holds nobody up for longer than it takes.
//!
//! Whoever has it works at the priority of the highest that can want it. Otherwise a thread that has it could be kept from
//! running by a component in between, and so keep those waiting that are above that component. That costs two
//! requests each time, so it is for what is done rarely: sessions that come and go, not calls.

use core::{
    ops::{Deref, DerefMut},
    sync::atomic::{AtomicU32, Ordering::SeqCst},
};

use base::{
    Env,
    rpc::{Slot, ThreadNumber},
    sync::{Guard, Mutex},
};

/// A value that one thread at a time can reach, at the ceiling.
pub struct Ceiling<T> {
    env: Env,
    ceiling: u8,
    /// Of each thread, by its number, its number here and its priority; 0 of one that is at the ceiling always.
    threads: [AtomicU32; ThreadNumber::MAX.number() as usize + 1],
    value: Mutex<T>,
}

impl<T> Ceiling<T> {
    /// For threads of no higher priority than that.
    pub const fn new(env: Env, ceiling: u8, value: T) -> Self {
        let threads = [const { AtomicU32::new(0) }; ThreadNumber::MAX.number() as usize + 1];
        Self { env, ceiling, threads, value: Mutex::new(env, value) }
    }

    /// The calling thread is that one, and has that priority from now on.
    pub fn is_at(&self, thread: Slot, priority: u8) {
        // Numbers of a component end far below 2^24.
        self.own().store(thread.0 << 8 | u32::from(priority), SeqCst);
    }

    fn own(&self) -> &AtomicU32 {
        &self.threads[usize::from(self.env.platform().thread().number())]
    }

    /// Waits until nobody else has the value.
    pub fn lock(&self) -> Held<'_, T> {
        let own = self.own().load(SeqCst);
        let (thread, priority) = (Slot(own >> 8), own as u8);
        let raised = thread != Slot(0) && priority < self.ceiling;
        if raised {
            // It is this component's own thread, and its first one has that priority.
            let _ = self.env.cpu().prioritize(thread, self.ceiling);
        }
        let lower = raised.then_some((thread, priority));
        Held { env: self.env, guard: Some(self.value.lock()), lower }
    }
}

/// Access to the value, until it is dropped.
pub struct Held<'a, T> {
    env: Env,
    /// None while it is dropped.
    guard: Option<Guard<'a, T>>,
    lower: Option<(Slot, u8)>,
}

impl<T> Deref for Held<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.guard {
            Some(guard) => guard,
            None => unreachable!("it is taken when this is dropped, and not before"),
        }
    }
}

impl<T> DerefMut for Held<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.guard {
            Some(guard) => guard,
            None => unreachable!("it is taken when this is dropped, and not before"),
        }
    }
}

impl<T> Drop for Held<'_, T> {
    fn drop(&mut self) {
        // Given back first: whoever waits is above.
        drop(self.guard.take());
        if let Some((thread, priority)) = self.lower {
            // As above.
            let _ = self.env.cpu().prioritize(thread, priority);
        }
    }
}
