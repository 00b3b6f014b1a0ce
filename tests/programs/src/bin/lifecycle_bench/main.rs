//! What starting, killing and restarting a component costs its parent, which stands aside: the mean of many times, as a
//! whole, and in parts that are measured request by request.
#![no_std]
#![no_main]
start::component!(construct);

extern crate alloc;

mod meter;

use alloc::{boxed::Box, format, string::String};
use core::{cell::Cell, hint::black_box};

use base::{
    Env,
    child::{ByScenario, ChildPolicy, Family, Program, Route, Settings, Standing, Way},
    env::slots,
    executable::Layout,
    layout::Stack,
    rpc::ThreadNumber,
    session::{
        echo,
        parent::{Event, Value},
        pd::{ANY, OWN, PAGE},
    },
};
use meter::{Meter, PARTS, Part};

/// The child, and its program.
const CHILD: &str = "punctual";
/// Cookie of the signal that the child has settled; no child's number.
const SETTLED: u32 = 0xffff;
/// Nanoseconds in which it has.
const SETTLING: u64 = 3_000_000;
/// Pages of a component's heap at its start.
const HEAP: u32 = 16;
/// How often everything is done.
const TIMES: u32 = 100;

/// Hears when the child constructs itself.
struct Listener(Cell<Option<u64>>);

impl ChildPolicy for Listener {
    fn route(&self, _: &str, _: &str) -> Route {
        Route::Core
    }

    fn may_connect(&self, _: &str, _: &str, _: &str) -> bool {
        false
    }

    /// The child asks for its time.
    fn value(&self, _: &str, key: &str) -> Option<Value> {
        self.0.set(key.parse().ok());
        None
    }

    fn grants(&self, _: &str, _: u32, _: u32) -> bool {
        false
    }

    fn granted(&mut self, _: &str, _: u32, _: u32) {}

    fn is_below(&self, _: &str, _: &str) -> bool {
        false
    }

    fn event(&mut self, component: &str, event: Event) {
        log::error!("{component}: {event:?}");
    }

    fn all_ended(&mut self) {}
}

fn construct(env: &mut Env) {
    let env = *env;
    let echo = env.open::<echo::Client>("echo", b"").expect("every component may have it");
    let alarm = env.signal().create(ANY, OWN, slots::DOORBELL, SETTLED).expect("there is room");
    let policy = ByScenario::load(env).unwrap_or_else(|error| ByScenario::failed(env, &error));
    let component = policy.scenario().components.get(CHILD).expect("the scenario has it").clone();
    let slots = policy.scenario().slots(CHILD);

    let module = Box::leak(Box::new(env.rom_module(CHILD).expect("the scenario has it")));
    let file = module.bytes();
    let layout = Layout::new(file, file.len() as u32, env.platform().elf_machine()).expect("it is a program");
    let layout: &'static _ = Box::leak(Box::new(layout));
    let (ram, caps, stack) = (component.ram.0, component.caps, component.stack.0);
    let settings = Settings { name: CHILD, number: 0, ram, caps, slots, priority: component.priority, stack };
    let program = Program { dataspace: module.dataspace().slot(), layout };

    let meter: &'static Meter = Box::leak(Box::new(Meter::new(env.platform(), Stack::of(ThreadNumber::FIRST, stack))));
    let mut family = Family::new(meter, Listener(Cell::new(None)));
    family.start_lasting(&settings, program, Standing::Aside, |_| Way::Core).expect("there is room");

    let settle = |family: &mut Family<Listener>| {
        env.timer().once(alarm, SETTLING).expect("it is a signal");
        let waits = meter.now();
        family.serve_until(Some(SETTLED));
        waits
    };
    settle(&mut family);
    // As a whole and in parts by turns. The first time core makes what it keeps, and is not counted.
    let (mut start, mut kill, mut construct) = (0, 0, 0);
    for round in 0..=2 * TIMES {
        let in_parts = round > 0 && round % 2 == 0;
        meter.set(in_parts);
        // The alarm comes with a tick of the clock. So that ticks fall everywhere else, and the means are finer than they are:
        (0..round / 2).for_each(|_| _ = black_box(round));
        let begin = meter.begin();
        family.take_down(0);
        let down = meter.end(Part::KillRest);
        assert!(family.bring_up(0), "it was up before");
        let up = meter.end(Part::StartRest);
        meter.set(false);
        family.policy().0.set(None);
        let waits = settle(&mut family);
        let constructs = family.policy().0.get().expect("it has said when it constructs itself");
        if round > 0 && !in_parts {
            kill += down - begin - meter.clock();
            start += up - down - meter.clock();
            construct += constructs - waits - meter.clock();
        }
    }
    let tell = |name: &str, nanoseconds: u64| {
        echo.figure(name, nanoseconds * 1000 / u64::from(TIMES)).expect("core answers");
    };
    let pages = Sizes::of(layout, settings.stack);
    let [mut started, mut killed] = [0; 2];
    for part in PARTS {
        let (nanoseconds, short, long) = meter.sum(part);
        *(if part.name().starts_with("kill") { &mut killed } else { &mut started }) += nanoseconds;
        let requests = format!("{}+{} requests", short / TIMES, long / TIMES);
        tell(&format!("{} ({requests}{})", part.name(), pages.of_part(part)), nanoseconds);
    }
    // It allocates and attaches its heap's first memory, and passes the barrier.
    let start_up = "start-up code and heap, until its first instruction in construct";
    tell(&format!("start/{start_up} (3+0 requests, {HEAP} pages)"), construct);
    tell("start/at once", start + construct);
    tell("kill/at once", kill);
    tell("restart/at once", start + kill + construct);
    // Nothing of the whole is in no part, but for a fiftieth.
    assert!(started.abs_diff(start) * 50 <= start, "starting: the parts are {started} ns, the whole {start} ns");
    assert!(killed.abs_diff(kill) * 50 <= kill, "killing: the parts are {killed} ns, the whole {kill} ns");
    log::info!("measured");
    env.exit(0)
}

/// Pages of the child's program and stack.
struct Sizes {
    shown: u32,
    written: u32,
    copied: u32,
    stack: u32,
}

impl Sizes {
    fn of(layout: &Layout<'_>, stack: u32) -> Self {
        let stack = Stack::of(ThreadNumber::FIRST, stack).map_or(0, |stack| stack.size() / PAGE);
        let mut sizes = Self { shown: 0, written: 0, copied: 0, stack };
        for piece in layout.pieces() {
            let Some(pages) = piece.pages() else { continue };
            if piece.writable || pages.filled != pages.count {
                sizes.written += pages.count;
                sizes.copied += pages.filled;
            } else {
                sizes.shown += pages.count;
            }
        }
        sizes
    }

    fn of_part(&self, part: Part) -> String {
        let Self { shown, written, copied, stack } = *self;
        match part {
            Part::ProgramShown => format!(", {shown} pages"),
            Part::ProgramMemory => format!(", {written} pages"),
            Part::ProgramCopied => format!(", {copied} pages"),
            Part::ProgramAttached => format!(", {written} pages, {} zero", written - copied),
            Part::Stack => format!(", {stack} pages"),
            Part::Objects => format!(", {} pages, {shown} shared", written + stack + HEAP),
            _ => String::new(),
        }
    }
}
