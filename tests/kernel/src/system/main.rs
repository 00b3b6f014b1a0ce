//! `cargo rtcr test system`: what core tells components of, and when, tried by a root task of its own that is core with
//! one protection domain and without components.
#![no_std]
#![no_main]

extern crate alloc;

mod peers;
mod requests;
mod time;

use alloc::{format, vec::Vec};

use base::{
    scenario::{Duration, Scenario},
    session::pd::FrameSize,
};
use board::{
    epit::{self, Epit},
    gpt::{self, Gpt},
};
use ground::{Failure, Outcome, ensure_eq};
use rtcr_core::{
    begin::begin,
    clock::Clock,
    console::Lines,
    guardian::OWN_PRIORITY,
    halt,
    judge::Judge,
    objects::{Exhausted, Objects},
    resources::Resources,
    root_task,
    serve::Outside,
    system::{Account, Context, Domain, Entry, Id, Known, NotificationObject, System, irq, timeout::Timeouts},
    window::Window,
};
use sel4::{
    BootInfo, CNode, Cap, CapData, Notification, Priority, Tcb, UserContext, boot,
    thread::{MessageBuffer, Space},
};
use wire::record::{Record, Verdict};

root_task!(main);

/// Memory that is taken from the kernel.
const MEMORY: u64 = 16 << 20;

/// Priority of other threads.
const CLIENT_PRIORITY: u8 = 20;
/// One at which they run, and not core's.
const BELOW: u8 = 10;
/// User mode, ARM state, interrupts on.
const USER_MODE: u32 = 0x10;

/// What a test has.
pub struct Bench {
    /// What is tested.
    pub system: System,
    /// Who pays.
    pub domain: Id<Domain>,
    /// What is around it.
    pub outside: Outside,
    /// What core's thread is woken by.
    pub bell: Cap<Notification>,
    /// A device that interrupts.
    pub device: Epit,
}

/// A test, and the name under which it is reported.
pub type Test = (&'static str, fn(&mut Bench) -> Outcome);

/// All of them.
const TESTS: &[Test] = &[
    ("signals_are_fetched_in_order_and_counted", signals_are_fetched_in_order_and_counted),
    ("what_is_gone_is_not_told", what_is_gone_is_not_told),
    ("contexts_cost_a_capability", contexts_cost_a_capability),
    ("time::timeouts_come_in_order", time::timeouts_come_in_order),
    ("time::a_late_period_counts", time::a_late_period_counts),
    ("time::many_at_once_come_in_parts", time::many_at_once_come_in_parts),
    ("time::cancelled_does_not_come", time::cancelled_does_not_come),
    ("time::interrupts_have_one_holder", time::interrupts_have_one_holder),
    ("requests::one_costs_little", requests::one_costs_little),
    ("peers::queued_calls_are_ended", peers::queued_calls_are_ended),
];

fn main(boot_info: BootInfo) -> ! {
    let (objects, window, mut lines) = begin(&boot_info);
    let mut bench = match Bench::new(&boot_info, objects, window) {
        Ok(bench) => bench,
        Err(exhausted) => fail(&mut lines, &format!("the tests cannot start: {exhausted}")),
    };
    let mut failed = 0;
    for (name, test) in TESTS {
        let failure = test(&mut bench).err().map(|Failure(text)| text);
        failed += u32::from(failure.is_some());
        lines.report(&Record::Test { name, failure: failure.as_deref() });
    }
    if failed != 0 {
        fail(&mut lines, &format!("{failed} of {} tests failed", TESTS.len()));
    }
    lines.report(&Record::Verdict(Verdict::Passed));
    halt()
}

fn fail(lines: &mut Lines, reason: &str) -> ! {
    lines.report(&Record::Verdict(Verdict::Failed { reason }));
    halt()
}

impl Bench {
    fn new(boot_info: &BootInfo, mut objects: Objects, mut window: Window) -> Result<Self, Exhausted> {
        let mut device = |address| {
            let frame = objects.make_device_frame(address)?;
            window.map_device(&mut objects, frame)
        };
        let (timer, device) = (device(gpt::ADDRESS)?, device(epit::ADDRESSES[0])?);
        // SAFETY: mapped a moment ago, and nobody else has the devices.
        let (timer, device) = unsafe { (Gpt::start(timer), Epit::at(device)) };
        let bell = objects.make::<Notification>()?;
        boot::TCB.bind_notification(bell)?;
        let lines = irq::Lines::new(bell);
        let slots = objects.take_slots(2)?;
        let handler = lines.connect([slots.start, slots.start + 1], gpt::INTERRUPT, irq::TIMER)?;
        handler.acknowledge()?;
        let endpoints = [objects.make()?, objects.make()?];
        let mut resources = Resources::new(boot_info, objects, window, MEMORY)?;
        resources.extend_heap(4)?;
        let never = Duration { micros: 1 << 40 };
        let timeouts = Timeouts::new(Clock::new(timer, handler), never);
        let mut system = System::new(endpoints, resources, timeouts, lines);
        let table = alloc::vec![Entry { known: Known::Nothing, owned: false, paid: false }; 64];
        let account = Account { ram: 1 << 20, caps: 64, ..Account::default() };
        let domain = Domain::new("payer", None, table, Cap::<CNode>::NULL, 6, account);
        // An arena that is empty has room.
        let domain = system.domains.insert(domain).ok_or(Exhausted::Slots)?;
        // SAFETY: by the thread that opened them, and one after the other.
        let lines = unsafe { Lines::again() }.ok_or(Exhausted::Slots)?;
        let scenario = Scenario::default();
        let outside = Outside { judge: Judge::new(lines, &scenario), scenario };
        Ok(Self { system, outside, domain, bell, device })
    }

    /// A thread beside core's own, in the same address space, that runs whenever core's lets it.
    pub fn spawn(&mut self, entry: extern "C" fn(u32) -> !, argument: u32) -> Outcome {
        let resources = &mut self.system.resources;
        let (stack, buffer) = (resources.take_frame(FrameSize::Small)?, resources.take_frame(FrameSize::Small)?);
        let sp = resources.content(stack, 0).addr() as u32 + FrameSize::Small.bytes();
        let address = resources.content(buffer, 0).addr() as u32;
        let buffer = MessageBuffer { address, frame: resources.own_frame_cap(buffer) };
        let thread = resources.make::<Tcb>()?;
        let space = Space {
            fault_endpoint: 0,
            root: boot::CNODE,
            root_data: CapData::None,
            address_space: boot::ADDRESS_SPACE,
        };
        let pc = entry as *const () as u32;
        let registers = UserContext { pc, sp, cpsr: USER_MODE, r0: argument, ..UserContext::default() };
        // SAFETY: a stack and a message buffer of its own.
        unsafe {
            thread.configure(space, Priority::new(CLIENT_PRIORITY), Some(buffer))?;
            thread.write_registers(true, &registers)?;
        }
        Ok(())
    }

    /// A doorbell.
    pub fn doorbell(&mut self) -> Result<Id<NotificationObject>, Failure> {
        let cap = self.system.resources.make()?;
        let object = NotificationObject { cap, account: self.domain, place: 0 };
        self.system.notifications.insert(object).ok_or_else(|| Failure("no room".into()))
    }

    /// A context of a doorbell.
    pub fn context(&mut self, doorbell: Id<NotificationObject>, cookie: u32) -> Result<Id<Context>, Failure> {
        let context = self.system.create_context(self.domain, doorbell, cookie);
        context.map_err(|error| Failure(format!("{error:?}")))
    }

    /// Waits for an interrupt and serves it.
    pub fn interrupt(&mut self) {
        let badge = self.bell.wait();
        self.system.interrupted(badge);
        if badge.number() & irq::TIMER.number() != 0 {
            self.system.timer_interrupted();
        }
    }

    /// What is pending at a doorbell: cookie, count, and whether there is more.
    pub fn fetch(&mut self, doorbell: Id<NotificationObject>) -> Option<(u32, u32, bool)> {
        self.system.fetch(doorbell).map(|pending| (pending.cookie, pending.count, pending.more))
    }
}

/// Lets other threads run until they wait.
pub fn let_run() -> Result<(), sel4::Error> {
    boot::TCB.set_priority(BELOW)?;
    boot::TCB.set_priority(OWN_PRIORITY)
}

fn signals_are_fetched_in_order_and_counted(bench: &mut Bench) -> Outcome {
    let (bell, other) = (bench.doorbell()?, bench.doorbell()?);
    let (first, second) = (bench.context(bell, 1)?, bench.context(bell, 2)?);
    let elsewhere = bench.context(other, 3)?;
    ensure_eq!(bench.fetch(bell), None);
    for (context, count) in [(second, 1), (first, 2), (second, 3), (elsewhere, 1)] {
        bench.system.raise(context, count);
    }
    ensure_eq!(bench.fetch(bell), Some((2, 4, true)));
    bench.system.raise(second, 1);
    ensure_eq!(bench.fetch(bell), Some((1, 2, true)));
    ensure_eq!(bench.fetch(bell), Some((2, 1, false)));
    ensure_eq!(bench.fetch(bell), None);
    ensure_eq!(bench.fetch(other), Some((3, 1, false)));
    for context in [first, second, elsewhere] {
        bench.system.destroy_context(context);
    }
    Ok(())
}

fn what_is_gone_is_not_told(bench: &mut Bench) -> Outcome {
    let bell = bench.doorbell()?;
    let (gone, stays) = (bench.context(bell, 1)?, bench.context(bell, 2)?);
    bench.system.raise(gone, 1);
    bench.system.raise(stays, 1);
    bench.system.destroy_context(gone);
    bench.system.raise(gone, 1);
    ensure_eq!(bench.fetch(bell), Some((2, 1, false)));
    // A doorbell in the place of one that is gone does not hear of the other's contexts.
    bench.system.raise(stays, 1);
    let Some(object) = bench.system.notifications.remove(bell) else { return Err(Failure("it was there".into())) };
    let next = bench.doorbell()?;
    ensure_eq!(next.index(), bell.index());
    ensure_eq!(bench.fetch(next), None);
    bench.system.raise(stays, 1);
    ensure_eq!(bench.fetch(next), None);
    let heard = bench.context(next, 4)?;
    bench.system.raise(heard, 1);
    ensure_eq!(bench.fetch(next), Some((4, 1, false)));
    bench.system.destroy_context(stays);
    bench.system.destroy_context(heard);
    // SAFETY: no thread.
    unsafe { bench.system.resources.unmake(object.cap) };
    Ok(())
}

fn contexts_cost_a_capability(bench: &mut Bench) -> Outcome {
    let bell = bench.doorbell()?;
    let mut contexts = Vec::new();
    while let Ok(context) = bench.context(bell, 0) {
        contexts.push(context);
    }
    ensure_eq!(contexts.len(), 64);
    let owned = |bench: &Bench| bench.system.domains.get(bench.domain).map(|domain| domain.owned.len());
    ensure_eq!(owned(bench), Some(64));
    // In an order that moves others in the list of what the account has paid for.
    for context in contexts.iter().step_by(2).chain(contexts.iter().skip(1).step_by(2)) {
        bench.system.destroy_context(*context);
    }
    ensure_eq!(owned(bench), Some(0));
    ensure_eq!(bench.system.domains.get(bench.domain).map(|domain| domain.account.caps_used), Some(0));
    Ok(())
}
