//! Threads of a component.
//!
//! A thread has a number, and with it a slot of the stack area. Stack and message page are one dataspace. What a thread
//! has for its own number, a notification that only it waits for, stays with the number for the next thread.
//!
//! A panic in any thread ends the component.

use alloc::{boxed::Box, collections::BTreeMap, sync::Arc};
use core::{
    fmt,
    mem::ManuallyDrop,
    sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst},
};

use crate::{
    Env,
    env::slots,
    layout::{self, Stack},
    memory::{Attachment, Dataspace, MemoryError},
    rpc::{CallError, Slot, ThreadNumber},
    session::{
        cpu::{CreateError, ThreadError},
        pd::{ANY, AllocateError, OWN},
        rm::Placement,
    },
    signal::Alarm,
    sync::{Lock, Mutex},
};

const COUNT: usize = layout::THREADS as usize;

/// What a new thread is to be like.
#[derive(Clone, Copy, Debug)]
pub struct ThreadOptions<'a> {
    /// Its name, for people.
    pub name: &'a str,
    /// Its priority; none for that of the first thread, above which it cannot be.
    pub priority: Option<u8>,
    /// Size of its stack in bytes, at most [`MAX_STACK`](layout::MAX_STACK).
    pub stack: usize,
}

impl Default for ThreadOptions<'_> {
    fn default() -> Self {
        Self { name: "thread", priority: None, stack: 64 << 10 }
    }
}

/// Why there is no thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpawnError {
    /// All numbers are taken.
    Threads,
    /// The stack would not fit its slot.
    Stack,
    /// There is no memory for its stack, or none can be attached.
    Memory(MemoryError),
    /// There is no notification for it.
    Notification(CallError<AllocateError>),
    /// It could not be made.
    Create(CallError<CreateError>),
    /// The priority of the first thread is not known, or it could not be started.
    Start(CallError<ThreadError>),
}

/// A thread that was started. Dropped, it runs on, but what it has is not given back when it ends.
pub struct Thread<T> {
    env: Env,
    /// Not dropped with the handle: the thread uses them.
    parts: ManuallyDrop<Parts>,
    result: Arc<Mutex<Option<T>>>,
}

impl<T> Thread<T> {
    /// Its number in the component's space, as CPU knows it.
    pub fn slot(&self) -> Slot {
        self.parts.thread
    }

    /// Waits until it has ended, and takes what it returned.
    pub fn join(self) -> T {
        let Self { env, parts, result } = self;
        let threads = &env.runtime().threads;
        threads.set_joiner(parts.number.number, env.platform().thread());
        while !threads.has_ended(parts.number.number) {
            env.park_long();
        }
        // Takes the thread down, which touches nothing any more, and then its stack and number.
        drop(ManuallyDrop::into_inner(parts));
        match result.lock().take() {
            Some(value) => value,
            None => unreachable!("a thread ends by storing what it returns, or its panic ends the component"),
        }
    }
}

impl<T> fmt::Debug for Thread<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Thread").field(&self.parts.thread).finish()
    }
}

impl Env {
    /// Starts a thread.
    ///
    /// # Errors
    /// Why there is none. Nothing is left of it then.
    pub fn spawn<T: Send + 'static>(
        &self,
        options: &ThreadOptions<'_>,
        main: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Thread<T>, SpawnError> {
        let result = Arc::new(Mutex::new(*self, None));
        let place = Arc::clone(&result);
        let parts = self.start_thread(
            options,
            Box::new(move || {
                let value = main();
                *place.lock() = Some(value);
            }),
        )?;
        Ok(Thread { env: *self, parts: ManuallyDrop::new(parts), result })
    }

    fn start_thread(&self, options: &ThreadOptions<'_>, main: Main) -> Result<Parts, SpawnError> {
        let number = Number::take(*self).ok_or(SpawnError::Threads)?;
        let bytes = u32::try_from(options.stack).map_err(|_| SpawnError::Stack)?;
        let stack = Stack::of(number.number, bytes).ok_or(SpawnError::Stack)?;
        let dataspace =
            self.allocate(stack.size() as usize).map_err(|error| SpawnError::Memory(MemoryError::Allocate(error)))?;
        let attachment = self.attach(&dataspace, Placement::at(stack.base)).map_err(SpawnError::Memory)?;
        let (offset, mark) = self.platform().thread_mark(number.number);
        if let Some(word) = attachment.words().get((stack.top - stack.base + offset) as usize / 4) {
            word.store(mark, SeqCst);
        }
        self.runtime().threads.make_bell(*self, number.number).map_err(SpawnError::Notification)?;
        let priority = match options.priority {
            Some(priority) => priority,
            None => self.own_priority().map_err(SpawnError::Start)?,
        };
        let (cpu, map) = (self.cpu(), slots::ADDRESS_SPACE);
        let thread = cpu.create(ANY, OWN, map, priority, stack.buffer(), options.name).map_err(SpawnError::Create)?;
        let threads = &self.runtime().threads;
        threads.starting.lock(*self).insert(number.number, main);
        let parts = Parts { env: *self, thread, _attachment: attachment, _dataspace: dataspace, number };
        let argument = u32::from(parts.number.number.number());
        match cpu.start(thread, self.platform().thread_entry(), stack.top, argument) {
            Ok(()) => Ok(parts),
            Err(error) => {
                let main = threads.starting.lock(*self).remove(&parts.number.number);
                drop(main);
                Err(SpawnError::Start(error))
            }
        }
    }

    fn own_priority(&self) -> Result<u8, CallError<ThreadError>> {
        Ok(self.cpu().read(slots::THREAD)?.priority)
    }
}

/// What a thread does first and last: start-up code calls it with the word with which the thread was started.
pub fn begin(env: Env, argument: u32) -> ! {
    let threads = &env.runtime().threads;
    if let Some(number) = u8::try_from(argument).ok().and_then(ThreadNumber::new) {
        let main = threads.starting.lock(env).remove(&number);
        if let Some(main) = main {
            main();
        }
        // Nothing is owned or locked here any more: whoever joins may take the thread down at any time from now on.
        threads.ended(env, number);
    }
    loop {
        env.platform().wait(env.own_bell());
    }
}

type Main = Box<dyn FnOnce() + Send>;

/// What a thread consists of, given back in this order.
struct Parts {
    env: Env,
    thread: Slot,
    _attachment: Attachment,
    _dataspace: Dataspace,
    number: Number,
}

impl Drop for Parts {
    fn drop(&mut self) {
        // It is there: it was made here, and nobody else ends it.
        let _ = self.env.cpu().destroy(self.thread);
    }
}

/// A thread's number, taken.
struct Number {
    env: Env,
    number: ThreadNumber,
}

impl Number {
    /// The lowest that is free.
    fn take(env: Env) -> Option<Self> {
        let threads = &env.runtime().threads;
        let lowest = |taken: u64| (taken != u64::MAX).then(|| taken | (taken + 1));
        let before = threads.taken.fetch_update(SeqCst, SeqCst, lowest).ok()?;
        let number = ThreadNumber::new(before.trailing_ones() as u8)?;
        threads.ended.fetch_and(!(1 << number.number()), SeqCst);
        threads.joiners[usize::from(number.number())].store(NOBODY, SeqCst);
        Some(Self { env, number })
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        self.env.runtime().threads.taken.fetch_and(!(1 << self.number.number()), SeqCst);
    }
}

/// A joiner that nobody is.
const NOBODY: u32 = u32::MAX;

/// The threads of a component.
pub(crate) struct Threads {
    /// Numbers that are taken, a bit each. The first thread's always is.
    taken: AtomicU64,
    /// Threads that have ended and wait to be joined.
    ended: AtomicU64,
    /// Who waits for whose end.
    joiners: [AtomicU32; COUNT],
    /// Each number's own notification; 0 while there is none.
    bells: [AtomicU32; COUNT],
    alarms: [Alarm; COUNT],
    /// What threads that were just made are to do.
    starting: Lock<BTreeMap<ThreadNumber, Main>>,
}

impl Threads {
    pub const fn new() -> Self {
        Self {
            taken: AtomicU64::new(1),
            ended: AtomicU64::new(0),
            joiners: [const { AtomicU32::new(NOBODY) }; COUNT],
            bells: [const { AtomicU32::new(0) }; COUNT],
            alarms: [const { Alarm::new() }; COUNT],
            starting: Lock::new(BTreeMap::new()),
        }
    }

    pub fn bell(&self, thread: ThreadNumber) -> Slot {
        Slot(self.bells[usize::from(thread.number())].load(SeqCst))
    }

    pub fn alarm(&self, thread: ThreadNumber) -> &Alarm {
        &self.alarms[usize::from(thread.number())]
    }

    /// Whoever has the number makes it, before its thread runs; so nobody else does.
    fn make_bell(&self, env: Env, thread: ThreadNumber) -> Result<(), CallError<AllocateError>> {
        if self.bell(thread) == Slot(0) {
            let bell = env.pd().create_notification(ANY, OWN)?;
            self.bells[usize::from(thread.number())].store(bell.0, SeqCst);
        }
        Ok(())
    }

    fn has_ended(&self, thread: ThreadNumber) -> bool {
        self.ended.load(SeqCst) >> thread.number() & 1 != 0
    }

    fn set_joiner(&self, thread: ThreadNumber, joiner: ThreadNumber) {
        self.joiners[usize::from(thread.number())].store(joiner.number().into(), SeqCst);
    }

    /// The joiner says who it is before it looks, and the thread says that it has ended before it looks for a joiner: so
    /// one of the two sees the other.
    fn ended(&self, env: Env, thread: ThreadNumber) {
        // Until here the number is this thread's; the joiner may take it away right after.
        self.ended.fetch_or(1 << thread.number(), SeqCst);
        let joiner = self.joiners[usize::from(thread.number())].load(SeqCst);
        if let Some(joiner) = u8::try_from(joiner).ok().and_then(ThreadNumber::new) {
            env.unpark(joiner);
        }
    }
}
