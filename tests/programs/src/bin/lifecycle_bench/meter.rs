//! A machine that measures what is asked through it, request by request.
//!
//! A part's time is that from the answer before to its own answer: what the parent does in between is in it. So the parts
//! have no gaps, and their sum is the whole. What the measuring itself takes is left out: the clock is read before and
//! after it.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use base::{
    env::slots,
    layout::Stack,
    platform::{Machine, Platform, Received},
    rpc::{Answer, Buffer, Call, Long, Registers, Reply, Selector, Slot, ThreadNumber, Transport},
    session::{cpu, pd, rm, signal, timer},
};

macro_rules! parts {
    ($($part:ident $name:literal)*) => {
        /// What a start or a kill is made of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Part { $($part,)* }

        /// All, in the order in which they are told.
        pub const PARTS: [Part; [$($name),*].len()] = [$(Part::$part),*];

        impl Part {
            pub const fn name(self) -> &'static str {
                match self { $(Self::$part => $name,)* }
            }
        }
    };
}

parts! {
    Domain "start/protection domain with its quota"
    Space "start/address space"
    ProgramShown "start/program: attaching what is not written"
    ProgramMemory "start/program: memory for what is written"
    ProgramCopied "start/program: copying it"
    ProgramAttached "start/program: attaching it"
    Stack "start/stack: memory, attaching"
    Doorbell "start/doorbell and endpoint"
    Sessions "start/sessions"
    Thread "start/first thread"
    Run "start/letting it run"
    StartRest "start/its parent's books"
    Clients "kill/answering clients"
    Threads "kill/ending threads"
    Objects "kill/freeing frames and other objects"
    Numbers "kill/emptying its capability space"
    Context "kill/signal of its exceptions"
    Names "kill/its parent's numbers for all that"
    KillRest "kill/its parent's books"
}

/// Sums of a part.
#[derive(Default)]
struct Sum {
    nanoseconds: AtomicU32,
    short: AtomicU32,
    long: AtomicU32,
}

/// The machine of a parent, measured.
pub struct Meter {
    machine: Machine,
    stack: u32,
    /// What reading the clock takes.
    clock: u32,
    on: AtomicBool,
    /// When the last answer came, or what was measured before was noted.
    last: AtomicU32,
    /// What was asked for last.
    before: AtomicU32,
    sums: [Sum; PARTS.len()],
}

impl Meter {
    pub fn new(machine: Machine, stack: Option<Stack>) -> Self {
        let stack = stack.map_or(0, |stack| stack.size());
        let (on, last, before) = (AtomicBool::new(false), AtomicU32::new(0), AtomicU32::new(0));
        let mut meter = Self { machine, stack, clock: 0, on, last, before, sums: Default::default() };
        const ROUNDS: u64 = 100;
        let first = meter.now();
        (1..ROUNDS).for_each(|_| _ = meter.now());
        meter.clock = ((meter.now() - first) / ROUNDS) as u32;
        meter
    }

    pub fn now(&self) -> u64 {
        timer::Client::new(self.machine, slots::TIMER).now().expect("TIMER tells the time")
    }

    pub fn clock(&self) -> u64 {
        self.clock.into()
    }

    /// Whether requests are measured from now on.
    pub fn set(&self, on: bool) {
        self.on.store(on, Relaxed);
    }

    pub fn begin(&self) -> u64 {
        let now = self.now();
        self.last.store(now as u32, Relaxed);
        now
    }

    /// What was done since the last request is of that part.
    pub fn end(&self, part: Part) -> u64 {
        let now = self.now();
        if self.on.load(Relaxed) {
            self.add(part, now, None);
            self.begin();
        }
        now
    }

    /// Nanoseconds, short and long requests.
    pub fn sum(&self, part: Part) -> (u64, u32, u32) {
        let Sum { nanoseconds, short, long } = &self.sums[part as usize];
        (nanoseconds.load(Relaxed).into(), short.load(Relaxed), long.load(Relaxed))
    }

    fn add(&self, part: Part, now: u64, is_long: Option<bool>) {
        let took = (now as u32).wrapping_sub(self.last.load(Relaxed)).saturating_sub(self.clock);
        let sum = &self.sums[part as usize];
        sum.nanoseconds.fetch_add(took, Relaxed);
        match is_long {
            Some(true) => _ = sum.long.fetch_add(1, Relaxed),
            Some(false) => _ = sum.short.fetch_add(1, Relaxed),
            None => {}
        }
    }

    /// A request has been answered.
    fn answered(&self, to: Slot, selector: Selector, words: &[u32], answer: &Answer) {
        if !self.on.load(Relaxed) {
            return;
        }
        let now = self.now();
        let before = PARTS.get(self.before.load(Relaxed) as usize).copied().unwrap_or(Part::Domain);
        let first = answer.registers().and_then(|registers| registers.words().first().copied());
        let part = self.part(to, selector, words, first, before);
        self.before.store(part as u32, Relaxed);
        self.add(part, now, Some(words.len() > 4));
        self.begin();
    }

    /// To which part a request belongs, which depends on the part before. A kill's last `free` of the protection domain is
    /// the one that leaves nothing.
    fn part(&self, to: Slot, selector: Selector, words: &[u32], first: Option<u32>, before: Part) -> Part {
        use Part::*;
        let is = |slot: Slot, call: Selector| to == slot && selector == call;
        let of_program = matches!(before, ProgramMemory | ProgramCopied | ProgramAttached);
        if is(slots::PD, pd::call::Create::SELECTOR) || is(slots::PD, pd::call::Transfer::SELECTOR) {
            Domain
        } else if to == slots::RM && selector == rm::call::CreateSpace::SELECTOR {
            Space
        } else if is(slots::PD, pd::call::Allocate::SELECTOR) {
            if words.get(2) == Some(&self.stack) { Stack } else { ProgramMemory }
        } else if is(slots::PD, pd::call::Populate::SELECTOR) {
            before
        } else if is(slots::PD, pd::call::Copy::SELECTOR) {
            ProgramCopied
        } else if to == slots::RM {
            match before {
                Stack => Stack,
                _ if of_program => ProgramAttached,
                _ => ProgramShown,
            }
        } else if is(slots::PD, pd::call::CreateNotification::SELECTOR) {
            Doorbell
        } else if is(slots::PD, pd::call::Connect::SELECTOR) {
            Sessions
        } else if is(slots::PD, pd::call::Install::SELECTOR) {
            before
        } else if is(slots::CPU, cpu::call::Start::SELECTOR) {
            Run
        } else if to == slots::CPU || is(slots::SIGNAL, signal::call::Create::SELECTOR) {
            Thread
        } else if is(slots::PD, pd::call::HangUp::SELECTOR) {
            Clients
        } else if is(slots::SIGNAL, signal::call::Destroy::SELECTOR) {
            Context
        } else {
            // `free` and `remove`.
            match (before, first) {
                (Clients | Threads | Objects, Some(0)) => Numbers,
                (Clients, _) => Threads,
                (Threads | Objects, _) => Objects,
                _ => Names,
            }
        }
    }
}

impl Transport for Meter {
    fn call(&self, to: Slot, selector: Selector, request: Registers) -> Answer {
        let answer = self.machine.call(to, selector, request);
        self.answered(to, selector, request.words(), &answer);
        answer
    }

    fn call_long(&self, to: Slot, selector: Selector, request: Long<'_>, reply: &mut [u32]) -> Answer {
        let answer = self.machine.call_long(to, selector, request, reply);
        // Which words they are does not matter.
        self.answered(to, selector, &[0; 5], &answer);
        answer
    }
}

impl Platform for Meter {
    fn wait(&self, doorbell: Slot) {
        self.machine.wait(doorbell);
    }

    fn ring(&self, doorbell: Slot) {
        self.machine.ring(doorbell);
    }

    fn receive<'a>(&self, endpoint: Slot, space: &'a mut Buffer) -> Received<'a> {
        self.machine.receive(endpoint, space)
    }

    fn answer_and_receive<'a>(&self, endpoint: Slot, reply: &Reply<'_>, space: &'a mut Buffer) -> Received<'a> {
        self.machine.answer_and_receive(endpoint, reply, space)
    }

    fn thread(&self) -> ThreadNumber {
        self.machine.thread()
    }

    fn thread_entry(&self) -> u32 {
        self.machine.thread_entry()
    }

    fn thread_mark(&self, number: ThreadNumber) -> (u32, u32) {
        self.machine.thread_mark(number)
    }

    fn memory(&self, address: u32) -> *mut u8 {
        self.machine.memory(address)
    }

    fn elf_machine(&self) -> u16 {
        self.machine.elf_machine()
    }
}
