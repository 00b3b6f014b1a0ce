//! Locks that wait: nobody spins, so that threads of different priorities can share one.
//!
//! A lock that is free is taken without a system call. Who finds it taken is noted in the lock and waits for its own
//! notification, the one that every thread has; who gives it back wakes one of those who wait. Every wait may end for nothing.
#![allow(unsafe_code)]

use core::{
    cell::UnsafeCell,
    fmt,
    ops::{Deref, DerefMut},
    sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
};

use crate::{Env, runtime::ThreadSet};

/// A lock without an environment of its own, for what the framework keeps.
pub(crate) struct Lock<T> {
    taken: AtomicBool,
    waiting: ThreadSet,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through `Guard` only, of which there is one at a time: this moves it between threads.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    pub const fn new(value: T) -> Self {
        Self { taken: AtomicBool::new(false), waiting: ThreadSet::new(), value: UnsafeCell::new(value) }
    }

    fn try_take(&self) -> bool {
        self.taken.compare_exchange(false, true, SeqCst, SeqCst).is_ok()
    }

    pub fn lock(&self, env: Env) -> Guard<'_, T> {
        if !self.try_take() {
            self.wait(env);
        }
        Guard { lock: self, env }
    }

    #[cold]
    fn wait(&self, env: Env) {
        let thread = env.platform().thread();
        // Noted before each try: so whoever gives the lock back after a try that failed sees who waits.
        self.waiting.insert(thread);
        while !self.try_take() {
            env.park();
        }
        self.waiting.remove(thread);
    }
}

/// Access to what a [`Mutex`] guards, until it is dropped.
pub struct Guard<'a, T> {
    lock: &'a Lock<T>,
    env: Env,
}

// SAFETY: it is a reference to the value and nothing else that a thread must not share.
unsafe impl<T: Sync> Sync for Guard<'_, T> {}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this is the one guard, made when the lock was taken; it gives the lock back when it is dropped.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and the guard is borrowed for as long as the value is.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        self.lock.taken.store(false, SeqCst);
        if let Some(thread) = self.lock.waiting.first() {
            self.env.unpark(thread);
        }
    }
}

/// A value that one thread at a time can reach. The order in which those who wait come is not theirs.
///
/// A thread that locks twice waits for itself, for ever.
pub struct Mutex<T> {
    env: Env,
    lock: Lock<T>,
}

impl<T> Mutex<T> {
    /// Guards a value.
    pub const fn new(env: Env, value: T) -> Self {
        Self { env, lock: Lock::new(value) }
    }

    /// Waits until nobody else has the value.
    pub fn lock(&self) -> Guard<'_, T> {
        self.lock.lock(self.env)
    }

    /// The value, if nobody else has it now.
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        self.lock.try_take().then(|| Guard { lock: &self.lock, env: self.env })
    }

    /// The value alone.
    pub fn into_inner(self) -> T {
        self.lock.value.into_inner()
    }
}

impl<T: fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.try_lock() {
            Some(value) => f.debug_tuple("Mutex").field(&*value).finish(),
            None => f.write_str("Mutex(taken)"),
        }
    }
}

/// A number of permits: whoever takes one waits until there is one.
pub struct Semaphore {
    env: Env,
    permits: AtomicU32,
    waiting: ThreadSet,
}

impl Semaphore {
    /// With that many permits.
    pub const fn new(env: Env, permits: u32) -> Self {
        Self { env, permits: AtomicU32::new(permits), waiting: ThreadSet::new() }
    }

    /// Takes a permit if there is one.
    pub fn try_acquire(&self) -> bool {
        self.permits.fetch_update(SeqCst, SeqCst, |permits| permits.checked_sub(1)).is_ok()
    }

    /// Waits for a permit and takes it.
    pub fn acquire(&self) {
        if self.try_acquire() {
            return;
        }
        let thread = self.env.platform().thread();
        self.waiting.insert(thread);
        while !self.try_acquire() {
            self.env.park();
        }
        self.waiting.remove(thread);
        // Two permits that came at once have woken one thread only.
        if self.permits.load(SeqCst) > 0 {
            self.wake();
        }
    }

    /// Gives a permit.
    pub fn release(&self) {
        self.permits.fetch_add(1, SeqCst);
        self.wake();
    }

    fn wake(&self) {
        if let Some(thread) = self.waiting.first() {
            self.env.unpark(thread);
        }
    }
}
