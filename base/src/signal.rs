//! Being told that something has happened.
//!
//! A signal context is what others raise: TIMER, interrupts, components. What is raised is data with whoever serves SIGNAL;
//! the doorbell only says that there is some. So it can be fetched at any time, by anybody here: what is not for whom
//! fetches is counted here until its turn comes. Nothing is lost while a thread waits for something else.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
};
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};

use crate::{
    Env,
    rpc::{CallError, Slot},
    session::{
        pd::{ANY, OWN},
        signal::{CreateError, EXIT},
        timer::TimeoutError,
    },
};

type Function = Box<dyn FnMut(u32) + Send>;

/// The contexts of a component, by their cookies.
pub(crate) struct Signals {
    contexts: BTreeMap<u32, Context>,
    /// Contexts with a handler that were raised, in the order in which that became known.
    ready: VecDeque<u32>,
    last: u32,
}

struct Context {
    /// How often it was raised and not told yet.
    count: u32,
    taker: Taker,
}

enum Taker {
    /// A thread that waits.
    Thread,
    /// A function that the entrypoint calls; none while it runs.
    Handler(Option<Function>),
}

impl Signals {
    pub const fn new() -> Self {
        Self { contexts: BTreeMap::new(), ready: VecDeque::new(), last: 0 }
    }

    /// A cookie that no context has. There are fewer contexts than numbers, far fewer than cookies.
    fn add(&mut self, taker: Taker) -> u32 {
        loop {
            self.last = self.last.wrapping_add(1);
            if self.last != EXIT && !self.contexts.contains_key(&self.last) {
                break;
            }
        }
        self.contexts.insert(self.last, Context { count: 0, taker });
        self.last
    }

    fn raised(&mut self, cookie: u32, count: u32) {
        // Of a context that was given up meanwhile, nobody wants to know.
        let Some(context) = self.contexts.get_mut(&cookie) else { return };
        if context.count == 0 && matches!(context.taker, Taker::Handler(_)) {
            self.ready.push_back(cookie);
        }
        context.count = context.count.saturating_add(count);
    }

    fn take_count(&mut self, cookie: u32) -> u32 {
        self.contexts.get_mut(&cookie).map_or(0, |context| core::mem::take(&mut context.count))
    }

    /// The next handler that is to run, and how often its signal was raised.
    fn next(&mut self) -> Option<(u32, u32, Function)> {
        loop {
            let cookie = self.ready.pop_front()?;
            let Some(context) = self.contexts.get_mut(&cookie) else { continue };
            if let Taker::Handler(function) = &mut context.taker
                && let Some(function) = function.take()
            {
                return Some((cookie, core::mem::take(&mut context.count), function));
            }
        }
    }

    /// A handler has run; unless it was given up meanwhile, it will again.
    fn ran(&mut self, cookie: u32, function: Function) {
        if let Some(Context { taker: Taker::Handler(place), .. }) = self.contexts.get_mut(&cookie) {
            *place = Some(function);
        }
    }
}

/// A function that the first thread calls for a signal, once the component's construction is over. It stays until it is
/// [removed](Self::remove).
#[derive(Debug)]
pub struct SignalHandler {
    env: Env,
    slot: Slot,
    cookie: u32,
}

impl SignalHandler {
    /// The number of the signal context, to be given to whoever is to raise it.
    pub const fn slot(&self) -> Slot {
        self.slot
    }

    /// The signal and its handler go.
    pub fn remove(self) {
        give_up(self.env, self.slot, self.cookie);
    }
}

fn give_up(env: Env, slot: Slot, cookie: u32) {
    // It is there: nobody else knows it.
    let _ = env.signal().destroy(slot);
    let context = env.runtime().signals.lock(env).contexts.remove(&cookie);
    // Dropped when nothing is locked any more, for it may own a signal of its own.
    drop(context);
}

/// A signal for which a thread waits. Only the thread that made it can.
#[derive(Debug)]
pub struct Signal {
    env: Env,
    slot: Slot,
    cookie: u32,
    /// Its doorbell is that of the thread that made it.
    of_this_thread: PhantomData<*const ()>,
}

impl Signal {
    /// The number of the signal context, to be given to whoever is to raise it.
    pub const fn slot(&self) -> Slot {
        self.slot
    }

    /// Waits until it was raised; tells how often. Other signals of the component are kept for later.
    pub fn wait(&self) -> u32 {
        loop {
            match self.env.runtime().signals.lock(self.env).take_count(self.cookie) {
                0 => {}
                count => return count,
            }
            self.env.park();
            self.env.fetch(self.env.own_bell());
        }
    }
}

impl Drop for Signal {
    fn drop(&mut self) {
        give_up(self.env, self.slot, self.cookie);
    }
}

/// Why a thread did not sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SleepError {
    /// There is no signal to be woken by.
    Signal(CallError<CreateError>),
    /// There is no timeout.
    Timeout(CallError<TimeoutError>),
}

impl Env {
    /// Has a function called for a signal, by the first thread, between requests, once construction is over. The function
    /// is told how often the signal was raised since.
    ///
    /// # Errors
    /// Why there is no signal.
    pub fn on_signal(
        &self,
        handler: impl FnMut(u32) + Send + 'static,
    ) -> Result<SignalHandler, CallError<CreateError>> {
        let (slot, cookie) = self.context(crate::env::slots::DOORBELL, Taker::Handler(Some(Box::new(handler))))?;
        Ok(SignalHandler { env: *self, slot, cookie })
    }

    /// A signal for which the calling thread can wait.
    ///
    /// # Errors
    /// Why there is none.
    pub fn own_signal(&self) -> Result<Signal, CallError<CreateError>> {
        let (slot, cookie) = self.context(self.own_bell(), Taker::Thread)?;
        Ok(Signal { env: *self, slot, cookie, of_this_thread: PhantomData })
    }

    fn context(&self, bell: Slot, taker: Taker) -> Result<(Slot, u32), CallError<CreateError>> {
        let cookie = self.runtime().signals.lock(*self).add(taker);
        match self.signal().create(ANY, OWN, bell, cookie) {
            Ok(slot) => Ok((slot, cookie)),
            Err(error) => {
                let context = self.runtime().signals.lock(*self).contexts.remove(&cookie);
                drop(context);
                Err(error)
            }
        }
    }

    /// Sleeps for at least that time. Signals that are raised meanwhile are kept.
    ///
    /// # Errors
    /// Why it did not.
    pub fn sleep(&self, time: Duration) -> Result<(), SleepError> {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        // Kept for the next time.
        let alarm = ManuallyDrop::new(self.alarm().map_err(SleepError::Signal)?);
        self.timer().once(alarm.slot, nanoseconds).map_err(SleepError::Timeout)?;
        alarm.wait();
        Ok(())
    }

    /// The signal by which the calling thread is woken, made when it sleeps first, and kept for whoever has its number later.
    fn alarm(&self) -> Result<Signal, CallError<CreateError>> {
        let Alarm { slot, cookie } = self.runtime().threads.alarm(self.platform().thread());
        match slot.load(SeqCst) {
            0 => {
                let alarm = self.own_signal()?;
                cookie.store(alarm.cookie, SeqCst);
                slot.store(alarm.slot.0, SeqCst);
                Ok(alarm)
            }
            known => {
                Ok(Signal { env: *self, slot: Slot(known), cookie: cookie.load(SeqCst), of_this_thread: PhantomData })
            }
        }
    }

    /// Fetches what is pending at a doorbell; whom it is for is told by the cookies.
    pub(crate) fn fetch(&self, doorbell: Slot) {
        while let Ok(Some(pending)) = self.signal().fetch(doorbell) {
            match pending.cookie {
                EXIT => self.asked_to_exit(),
                cookie => self.runtime().signals.lock(*self).raised(cookie, pending.count),
            }
            if !pending.more {
                break;
            }
        }
    }

    /// Calls the handlers of signals that were raised.
    pub(crate) fn handle_signals(&self) {
        loop {
            // The lock is free again while the handler runs.
            let next = self.runtime().signals.lock(*self).next();
            let Some((cookie, count, mut function)) = next else { return };
            function(count);
            self.runtime().signals.lock(*self).ran(cookie, function);
        }
    }
}

/// What wakes a thread that sleeps: number and cookie of a context; the number is 0 while there is none. Only the thread
/// itself uses it.
pub(crate) struct Alarm {
    slot: AtomicU32,
    cookie: AtomicU32,
}

impl Alarm {
    pub const fn new() -> Self {
        Self { slot: AtomicU32::new(0), cookie: AtomicU32::new(0) }
    }
}
