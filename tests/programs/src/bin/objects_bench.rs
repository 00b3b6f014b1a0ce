//! What RTCR itself takes to make, find and remove a functional object, with few and with many there.
//!
//! A real child, whose requests are made here and answered by the library as in any parent. While it is measured, nothing
//! goes on to core: the transport says at once that it is done. So what is measured is RTCR, to the instruction.
#![no_std]
#![no_main]
start::component!(construct);

extern crate alloc;

use alloc::{boxed::Box, format, vec::Vec};
use core::{
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use base::{
    Env,
    child::ByScenario,
    env::slots,
    executable::Layout,
    platform::Machine,
    rpc::{
        Answer, Body, Buffer, Call, Interface, Label, Long, Registers, Reply, Request, Selector, Sequence, Slot,
        Status, ThreadNumber, Transport, Words,
    },
    session::{
        echo,
        pd::{self, ANY, Memory, OWN, PAGE},
        signal,
    },
};
use rtcr::{
    child::Child,
    start::{Program, Settings},
    surroundings::Surroundings,
    upstream::Upstream,
};

/// The child.
const CHILD: &str = "waiting";
/// How many objects there are besides what every component has.
const FEW: u32 = 10;
const MANY: u32 = 1_000;
/// How often each thing is done.
const TIMES: u32 = 100;
/// Nanoseconds by which two equal measurements of all times can differ: the clock's step, at both ends.
const STEPS: u64 = 30;

/// Core, or somebody who says that everything is done.
struct Upward {
    machine: Machine,
    pretends: AtomicBool,
}

impl Transport for Upward {
    fn call(&self, to: Slot, selector: Selector, request: Registers) -> Answer {
        if !self.pretends.load(Relaxed) {
            return self.machine.call(to, selector, request);
        }
        let [first, ..] = request.all();
        let (length, first) = match (to, selector) {
            (slots::PD, pd::call::Free::SELECTOR) => (1, 0),
            (slots::PD, pd::call::Remove::SELECTOR)
            | (slots::SIGNAL, signal::call::Destroy::SELECTOR | signal::call::Raise::SELECTOR) => (0, 0),
            // What is made is known as what was wanted.
            _ => (1, first),
        };
        Answer::new(Status::Done.label(), length, [first, 0, 0, 0])
    }

    fn call_long(&self, to: Slot, selector: Selector, request: Long<'_>, reply: &mut [u32]) -> Answer {
        self.machine.call_long(to, selector, request, reply)
    }
}

/// The child never runs, so it asks for nothing.
struct Nobody;

impl Surroundings for Nobody {
    fn parent<'s>(&mut self, _: &Request<'_>, _: &'s mut Buffer) -> Option<Reply<'s>> {
        None
    }

    fn ring(&mut self, _: Slot) {}
}

/// The child, as if it ran.
struct Asking<'a> {
    child: Child<&'static Upward>,
    space: Buffer,
    env: &'a Env,
}

impl Asking<'_> {
    /// Asks for an operation; tells the first word of the answer.
    fn ask<C: Call>(&mut self, interface: &Interface, arguments: impl Words) -> u32 {
        let label = Label::new(C::SELECTOR, ThreadNumber::FIRST, Sequence::FIRST);
        let request = Request { label, body: Body::Short(Registers::of(arguments)) };
        let reply = self.child.serve(interface.id, black_box(&request), &mut self.space, &mut Nobody);
        let reply = reply.expect("it is answered");
        assert_eq!(reply.status, Status::Done);
        reply.body.words().first().copied().unwrap_or(0)
    }

    fn allocate(&mut self, at: Slot) -> Slot {
        Slot(self.ask::<pd::call::Allocate>(&pd::INTERFACE, (at, OWN, PAGE, Memory::default())))
    }

    fn free(&mut self, number: Slot) {
        self.ask::<pd::call::Free>(&pd::INTERFACE, (number,));
    }

    fn context(&mut self, at: Slot) -> Slot {
        Slot(self.ask::<signal::call::Create>(&signal::INTERFACE, (at, OWN, slots::DOORBELL, 7)))
    }

    fn destroy(&mut self, number: Slot) {
        self.ask::<signal::call::Destroy>(&signal::INTERFACE, (number,));
    }

    fn raise(&mut self, number: Slot) {
        self.ask::<signal::call::Raise>(&signal::INTERFACE, (number,));
    }

    /// Nanoseconds for something that is done [`TIMES`] times.
    fn time(&mut self, mut what: impl FnMut(&mut Self)) -> u64 {
        let begin = self.now();
        (0..TIMES).for_each(|_| what(self));
        self.now() - begin
    }

    fn now(&self) -> u64 {
        self.env.timer().now().expect("core answers")
    }
}

/// What is measured, in the order of [`measure`].
const NAMES: [&str; 6] = [
    "make a dataspace and remove it",
    "make a signal context and remove it",
    "remove each in its turn and make it again",
    "of that, removing it",
    "look up a signal context",
    "look up in the table alone",
];

/// Nanoseconds of all times, with so many objects.
fn measure(child: &mut Asking<'_>, objects: u32) -> [u64; NAMES.len()] {
    let before = child.child.table().len() as u32;
    let contexts = [child.context(ANY), child.context(ANY)];
    let there: Vec<_> = (contexts.len() as u32..objects).map(|_| child.allocate(ANY)).collect();
    assert_eq!(child.child.table().len() as u32, before + objects);
    // Once more each before it is measured: the heap has what it needs then.
    let [mut dataspaces, mut signals] = [0; 2];
    for _ in 0..2 {
        dataspaces = child.time(|child| {
            let number = child.allocate(ANY);
            child.free(number);
        });
        signals = child.time(|child| {
            let number = child.context(ANY);
            child.destroy(number);
        });
    }
    let [mut both, mut removing] = [0; 2];
    for _ in 0..2 {
        // Low numbers and high ones, old objects and new ones.
        let turns: Vec<_> = there.iter().cycle().step_by(there.len() / 7 + 1).take(TIMES as usize).copied().collect();
        let mut next = turns.iter().copied();
        both = child.time(|child| {
            let number = next.next().unwrap_or(ANY);
            child.free(number);
            child.allocate(number);
        });
        removing = 0;
        for number in turns {
            let begin = child.now();
            child.free(number);
            removing += child.now() - begin;
            child.allocate(number);
        }
    }
    let clock = child.time(|child| _ = child.now());
    let find = child.time(|child| child.raise(contexts[1]));
    let look = child.time(|child| {
        black_box(child.child.table().named(black_box(contexts[1]))).expect("it is there");
    });
    assert_eq!(child.child.table().len() as u32, before + objects);
    [dataspaces, signals, both, removing.saturating_sub(clock), find, look]
}

fn construct(env: &mut Env) {
    let env = *env;
    let echo = env.open::<echo::Client>("echo", b"").expect("every component may have it");
    let policy = ByScenario::load(env).unwrap_or_else(|error| ByScenario::failed(env, &error));
    let scenario = policy.scenario();
    let own = scenario.components.get(policy.own()).map_or(0, |component| component.caps);
    let component = scenario.components.get(CHILD).expect("the scenario has it");
    let endpoint = || env.pd().create_endpoint(ANY, OWN).expect("there is room");
    let settings = Settings {
        name: CHILD,
        number: 0,
        ram: component.ram.0,
        caps: component.caps,
        slots: scenario.slots(CHILD),
        priority: component.priority,
        stack: component.stack.0,
        base: slots::FIRST_FREE.0 + own,
        endpoint: endpoint(),
        service: endpoint(),
        exceptions: env.signal().create(ANY, OWN, slots::DOORBELL, 0).expect("there is room"),
        log: slots::LOG,
    };
    let module = env.rom_module(CHILD).expect("the scenario has it");
    let file = module.bytes();
    let layout = Layout::new(file, file.len() as u32, env.platform().elf_machine()).expect("it is a program");
    let upward: &'static Upward =
        Box::leak(Box::new(Upward { machine: env.platform(), pretends: AtomicBool::new(false) }));
    let program = Program { module: CHILD, layout: &layout };
    let child = Child::start(Upstream::new(upward), &settings, program, &mut Nobody).expect("there is room");
    let mut child = Asking { child, space: Buffer::new(), env: &env };
    // Before that its journal grows with each request.
    child.ask::<pd::call::RestoreThread>(&pd::INTERFACE, ());
    upward.pretends.store(true, Relaxed);

    let few = measure(&mut child, FEW);
    let many = measure(&mut child, MANY - FEW);
    for (objects, taken) in [(FEW, few), (MANY, many)] {
        for (name, nanoseconds) in NAMES.iter().zip(taken) {
            let name = format!("with {objects} objects/{name}");
            echo.figure(&name, nanoseconds * 1_000 / u64::from(TIMES)).expect("core answers");
        }
    }
    for ((name, few), many) in NAMES.iter().zip(few).zip(many) {
        assert!(few.abs_diff(many) <= STEPS, "{name}: {TIMES} times take {few} ns with few objects, {many} with many");
    }
    log::info!("measured");
    env.exit(0)
}
