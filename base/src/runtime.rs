//! What a component's threads share: who waits for what. One per component, made by its start-up code.

use core::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Relaxed, SeqCst},
};

use crate::{
    Env,
    env::slots,
    exit::Exit,
    rpc::{CallError, Slot, ThreadNumber},
    service::Services,
    signal::Signals,
    sync::Lock,
    thread::Threads,
};

/// State of the framework in a component.
pub struct Runtime {
    pub(crate) threads: Threads,
    pub(crate) signals: Lock<Signals>,
    pub(crate) services: Lock<Services>,
    pub(crate) exit: Exit,
    /// The first thread has heard the doorbell, perhaps while it waited for something else; so its entrypoint looks before
    /// it waits again.
    missed: AtomicBool,
    /// Threads that wait for an answer that rings the doorbell.
    pending: ThreadSet,
}

impl Runtime {
    /// That of a component that has not begun.
    pub const fn new() -> Self {
        Self {
            threads: Threads::new(),
            signals: Lock::new(Signals::new()),
            services: Lock::new(Services::new()),
            exit: Exit::new(),
            missed: AtomicBool::new(false),
            pending: ThreadSet::new(),
        }
    }

    /// Whether the doorbell has rung since this was asked last. Only the first thread rings and asks.
    #[inline]
    pub(crate) fn take_missed(&self) -> bool {
        let missed = self.missed.load(Relaxed);
        if missed {
            self.missed.store(false, Relaxed);
        }
        missed
    }
}

impl Default for Runtime {
    fn default() -> Self {
        Self::new()
    }
}

/// A set of threads.
pub(crate) struct ThreadSet(AtomicU64);

impl ThreadSet {
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub fn insert(&self, thread: ThreadNumber) {
        self.0.fetch_or(1 << thread.number(), SeqCst);
    }

    pub fn remove(&self, thread: ThreadNumber) {
        self.0.fetch_and(!(1 << thread.number()), SeqCst);
    }

    /// The lowest, if there is one.
    pub fn first(&self) -> Option<ThreadNumber> {
        // 64 is no thread's number, and stands for none.
        ThreadNumber::new(self.0.load(SeqCst).trailing_zeros() as u8)
    }

    /// Empties the set, and tells who was in it. Costs next to nothing when nobody was.
    fn take(&self) -> impl Iterator<Item = ThreadNumber> + use<> {
        let mut left = if self.0.load(SeqCst) == 0 { 0 } else { self.0.swap(0, SeqCst) };
        core::iter::from_fn(move || {
            let first = ThreadNumber::new(left.trailing_zeros() as u8)?;
            left &= left - 1;
            Some(first)
        })
    }
}

/// How threads wait for each other and for their servers. Every wait may end for nothing.
impl Env {
    /// The notification that only the calling thread waits for: the first thread's is the component's doorbell.
    pub(crate) fn own_bell(&self) -> Slot {
        self.bell_of(self.platform().thread())
    }

    fn bell_of(&self, thread: ThreadNumber) -> Slot {
        match thread {
            ThreadNumber::FIRST => slots::DOORBELL,
            other => self.runtime().threads.bell(other),
        }
    }

    /// Waits until somebody wakes this thread, or for nothing.
    pub(crate) fn park(&self) {
        let thread = self.platform().thread();
        self.platform().wait(self.bell_of(thread));
        if thread == ThreadNumber::FIRST {
            self.doorbell_rang();
        }
    }

    /// As [`park`](Self::park), for what may take long: the first thread hears meanwhile that it is to exit.
    pub(crate) fn park_long(&self) {
        self.park();
        if self.platform().thread() == ThreadNumber::FIRST {
            self.fetch(slots::DOORBELL);
        }
    }

    /// Ends the wait of a thread that parks, now or next time.
    pub(crate) fn unpark(&self, thread: ThreadNumber) {
        self.platform().ring(self.bell_of(thread));
    }

    /// The doorbell has been waited for by the first thread, with success. It may have been meant for anybody.
    pub(crate) fn doorbell_rang(&self) {
        self.runtime().missed.store(true, Relaxed);
        for thread in self.runtime().pending.take() {
            self.unpark(thread);
        }
    }

    /// Asks until the answer is not "pending", and waits for the doorbell in between.
    ///
    /// The doorbell is the first thread's: others are woken by it, whenever it waits for something.
    ///
    /// # Errors
    /// As told by whoever is asked.
    pub fn until_answered<R, E>(&self, mut ask: impl FnMut() -> Result<R, CallError<E>>) -> Result<R, CallError<E>> {
        let thread = self.platform().thread();
        loop {
            if thread != ThreadNumber::FIRST {
                // Before asking, or a ring between answer and wait would be lost.
                self.runtime().pending.insert(thread);
            }
            match ask() {
                Err(CallError::Pending) => self.park_long(),
                answer => {
                    self.runtime().pending.remove(thread);
                    return answer;
                }
            }
        }
    }
}
