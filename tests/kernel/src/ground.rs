//! Threads to play with.
//!
//! All run in the root task's own address and capability space, each with a stack and a message buffer of its own, below
//! the root task's first thread. They run only when that one waits, and it waits in two ways: [`Ground::settle`] until
//! all of them are blocked, [`Ground::run_for`] for a span of time. Both are exact, so a test needs no delay.

use alloc::{boxed::Box, vec::Vec};
use core::{
    mem,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use board::gpt::{self, Gpt, STEPS_PER_MICROSECOND};
use rtcr_core::{
    objects::{Exhausted, Objects},
    window::Window,
};
use sel4::{
    Badge, BootInfo, Cap, CapData, Endpoint, Frame, IrqHandler, Message, Notification, Priority, Received, Rights, Tcb,
    UserContext, boot,
    thread::{MessageBuffer, Space},
};

use crate::{Failure, Outcome};

/// User mode, ARM state.
pub const USER_MODE: u32 = 0x10;
/// Priority of threads unless a test says otherwise.
pub const PRIORITY: u8 = 100;
/// Priority of the thread that runs when all others are blocked.
const IDLE_PRIORITY: u8 = 1;
/// Pages of a stack.
const STACK_PAGES: usize = 4;
const PAGE: u32 = wire::layout::PAGE;
/// The domain that the kernel schedules, and one that it never does.
pub const RUNNING: u8 = 0;
/// See [`RUNNING`].
pub const FROZEN: u8 = 1;

/// Words that a test's threads leave their findings in.
#[derive(Debug, Default)]
pub struct Probe {
    /// The words.
    pub words: [AtomicU32; 8],
}

impl Probe {
    /// Word `index`.
    pub fn get(&self, index: usize) -> u32 {
        self.words[index].load(Relaxed)
    }

    /// Sets word `index`.
    pub fn set(&self, index: usize, value: u32) {
        self.words[index].store(value, Relaxed);
    }

    /// Counts word `index` up.
    pub fn count(&self, index: usize) {
        self.words[index].fetch_add(1, Relaxed);
    }
}

/// A thread of a test.
#[derive(Clone, Copy, Debug)]
pub struct Thread {
    /// Its capability.
    pub tcb: Cap<Tcb>,
    /// End of its stack.
    pub stack_top: u32,
    /// Its message buffer.
    pub buffer: MessageBuffer,
}

/// What a thread begins with.
pub type Entry = extern "C" fn(&'static Probe) -> !;

/// Everything that a test needs.
pub struct Ground {
    /// Objects and slots.
    pub objects: Objects,
    /// The root task's own mappings.
    pub window: Window,
    /// What the kernel handed out.
    pub boot_info: BootInfo,
    timer: Gpt,
    interrupt: Cap<IrqHandler>,
    /// What the first thread waits for, with the badges [`ALARM`] and [`IDLE`].
    events: Cap<Notification>,
    /// `events` with the badge `IDLE`.
    idle: Cap<Notification>,
    go: Cap<Notification>,
    /// The words of the thread that runs when all others are blocked: what it waits for, and what it signals then.
    helper: &'static Probe,
    /// That thread has been told to go and has not run since.
    going: bool,
    /// Threads ran on although all were to be blocked.
    restless: bool,
    threads: Vec<Thread>,
}

/// The badge by which waiting ends because time has passed.
const ALARM: u32 = 1;
/// The badge by which waiting ends because all threads are blocked.
const IDLE: u32 = 1 << 27;
/// Microseconds after which threads that should become blocked are taken not to.
const PATIENCE: u32 = 20_000;

impl Ground {
    /// A ground, once.
    ///
    /// # Errors
    /// Nothing is left to make it of.
    pub fn new(boot_info: BootInfo, mut objects: Objects, mut window: Window) -> Result<Self, Exhausted> {
        let frame = objects.make_device_frame(gpt::ADDRESS)?;
        let registers = window.map_device(&mut objects, frame)?;
        // SAFETY: mapped a moment ago, and nobody else has the device.
        let timer = unsafe { Gpt::start(registers) };
        let (events, go) = (objects.make()?, objects.make()?);
        let interrupt = Cap::<IrqHandler>::new(objects.take_slots(1)?.start);
        boot::IRQ_CONTROL.get(gpt::INTERRUPT, interrupt.slot(boot::CNODE))?;
        let helper = Box::leak(Box::<Probe>::default());
        let mut ground = Self {
            objects,
            window,
            boot_info,
            timer,
            interrupt,
            events,
            idle: Cap::NULL,
            go,
            helper,
            going: false,
            restless: false,
            threads: Vec::new(),
        };
        let badged = ground.badged(events, ALARM)?;
        ground.interrupt.set_notification(badged)?;
        ground.interrupt.acknowledge()?;
        ground.idle = ground.badged(events, IDLE)?;
        helper.set(0, go.number());
        helper.set(1, ground.idle.number());
        ground.spawn_at(IDLE_PRIORITY, when_idle, helper)?;
        ground.threads.clear();
        Ok(ground)
    }

    /// Fresh words.
    pub fn probe(&self) -> &'static Probe {
        Box::leak(Box::default())
    }

    /// A copy of a capability with a badge.
    ///
    /// # Errors
    /// No slot is left, or the capability cannot be badged.
    pub fn badged<T>(&mut self, cap: Cap<T>, badge: u32) -> Result<Cap<T>, Exhausted> {
        let copy = Cap::<T>::new(self.objects.take_slots(1)?.start);
        let badge = Badge::new(badge).map_or(CapData::None, CapData::Badge);
        cap.slot(boot::CNODE).mint_to(copy.slot(boot::CNODE), Rights::ALL, badge)?;
        Ok(copy)
    }

    /// A frame mapped for the root task.
    ///
    /// # Errors
    /// Nothing is left.
    pub fn page(&mut self) -> Result<(Cap<Frame>, *mut u8), Exhausted> {
        let frame = self.objects.make()?;
        let address = self.window.map(&mut self.objects, frame)?;
        Ok((frame, address))
    }

    /// A thread that is configured but does not run.
    ///
    /// # Errors
    /// Nothing is left.
    pub fn make_thread(&mut self, priority: u8, faults: Option<Cap<Endpoint>>) -> Result<Thread, Exhausted> {
        let tcb = self.objects.make::<Tcb>()?;
        let mut stack_top = 0;
        for _ in 0..STACK_PAGES {
            stack_top = self.page()?.1.addr() as u32 + PAGE;
        }
        let (frame, address) = self.page()?;
        let buffer = MessageBuffer { address: address.addr() as u32, frame };
        let space = Space {
            fault_endpoint: faults.map_or(0, Cap::number),
            root: boot::CNODE,
            root_data: CapData::None,
            address_space: boot::ADDRESS_SPACE,
        };
        // SAFETY: the message buffer is the thread's own.
        unsafe { tcb.configure(space, Priority::new(priority), Some(buffer)) }?;
        let thread = Thread { tcb, stack_top, buffer };
        self.threads.push(thread);
        Ok(thread)
    }

    /// A thread that runs `entry` as soon as the test waits.
    ///
    /// # Errors
    /// Nothing is left.
    pub fn spawn(&mut self, entry: Entry, probe: &'static Probe) -> Result<Thread, Exhausted> {
        self.spawn_at(PRIORITY, entry, probe)
    }

    /// The same, at a priority.
    ///
    /// # Errors
    /// Nothing is left.
    pub fn spawn_at(&mut self, priority: u8, entry: Entry, probe: &'static Probe) -> Result<Thread, Exhausted> {
        let thread = self.make_thread(priority, None)?;
        thread.start(entry, probe)?;
        Ok(thread)
    }

    /// Lets the threads run until each of them is blocked, stopped or frozen. If they are not after 20 ms, the test fails
    /// in the end, and goes on here.
    pub fn settle(&mut self) {
        self.let_go();
        self.timer.interrupt_at(self.in_microseconds(PATIENCE));
        self.wait_for_event();
        self.disarm();
        self.restless |= self.going;
    }

    /// Receives; none if instead all threads have become blocked. Nothing below the caller has run since the message was
    /// taken: the sender is where sending left it. The capability has no badge.
    ///
    /// # Errors
    /// No slot is left.
    pub fn receive(&mut self, endpoint: Cap<Endpoint>) -> Result<Option<(Badge, Message)>, Exhausted> {
        // To signal an endpoint is to send it an empty message.
        self.unless_idle(endpoint.cast(), || match endpoint.recv() {
            Received::Message(badge, message) if badge.number() != IDLE => Some((badge, message)),
            _ => None,
        })
    }

    /// Waits for a signal in the same way.
    ///
    /// # Errors
    /// No slot is left.
    pub fn await_signal(&mut self, notification: Cap<Notification>) -> Result<Option<Badge>, Exhausted> {
        self.unless_idle(notification, || Some(notification.wait()).filter(|badge| badge.number() != IDLE))
    }

    /// Lets `wait` wait for what is awaited, or for all threads to become blocked, when it returns none.
    fn unless_idle<T>(
        &mut self,
        awaited: Cap<Notification>,
        wait: impl FnOnce() -> Option<T>,
    ) -> Result<Option<T>, Exhausted> {
        let badged = self.badged(awaited, IDLE)?;
        self.helper.set(1, badged.number());
        self.let_go();
        let result = wait();
        self.going = result.is_some();
        self.helper.set(1, self.idle.number());
        Ok(result)
    }

    /// Tells the helper to go, unless it was told and has not run since.
    fn let_go(&mut self) {
        self.see(self.events.poll().unwrap_or_default());
        if !self.going {
            self.go.signal();
        }
        self.going = true;
    }

    /// Lets the threads run for a span of time.
    pub fn run_for(&mut self, microseconds: u32) {
        self.timer.interrupt_at(self.in_microseconds(microseconds));
        while self.wait_for_event() & ALARM == 0 {}
        self.disarm();
    }

    fn wait_for_event(&mut self) -> u32 {
        let badge = self.events.wait();
        self.see(badge);
        badge.number()
    }

    fn see(&mut self, events: Badge) {
        self.going &= events.number() & IDLE == 0;
    }

    fn in_microseconds(&self, microseconds: u32) -> u32 {
        self.timer.count().wrapping_add(microseconds * STEPS_PER_MICROSECOND)
    }

    fn disarm(&mut self) {
        self.timer.clear_interrupt();
        // The handler is the ground's own, so this cannot fail.
        let _ = self.interrupt.acknowledge();
        self.see(self.events.poll().unwrap_or_default());
    }

    /// The clock: steps of 1/66 us, 15 ns.
    pub fn now(&self) -> u32 {
        self.timer.count()
    }

    /// Stops what a test has left running.
    ///
    /// # Errors
    /// Threads of the test ran on although all were to be blocked.
    pub fn clear(&mut self) -> Outcome {
        for thread in self.threads.drain(..) {
            // A test may have deleted it.
            let _ = thread.tcb.suspend();
        }
        match mem::take(&mut self.restless) {
            false => Ok(()),
            true => Err(Failure("threads ran on that should have become blocked".into())),
        }
    }
}

impl Thread {
    /// Lets it run `entry` from now on, wherever it was.
    ///
    /// # Errors
    /// The capability is gone.
    pub fn start(&self, entry: Entry, probe: &'static Probe) -> Result<(), sel4::Error> {
        let registers = UserContext {
            pc: entry as *const () as u32,
            sp: self.stack_top,
            cpsr: USER_MODE,
            r0: core::ptr::from_ref(probe).addr() as u32,
            ..UserContext::default()
        };
        // SAFETY: the stack is the thread's own, and `entry` never returns.
        unsafe { self.tcb.write_registers(true, &registers) }
    }

    /// Takes it off the processor, wherever it is, without its noticing.
    ///
    /// # Errors
    /// The capability is gone.
    pub fn freeze(&self) -> Result<(), sel4::Error> {
        boot::DOMAIN.set(FROZEN, self.tcb)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// The capability is gone.
    pub fn thaw(&self) -> Result<(), sel4::Error> {
        boot::DOMAIN.set(RUNNING, self.tcb)
    }
}

extern "C" fn when_idle(probe: &'static Probe) -> ! {
    loop {
        Cap::<Notification>::new(probe.get(0)).wait();
        Cap::<Notification>::new(probe.get(1)).signal();
    }
}
