//! Takes, asks for and does what a component can, without end; what, says the value `attack`. When it has all that it can
//! get it says by what it was stopped, and goes on.
#![no_std]
#![no_main]
start::component!(construct);

extern crate alloc;

use alloc::vec::Vec;
use core::{
    fmt::{Debug, Write},
    hint::spin_loop,
    sync::atomic::Ordering::Relaxed,
    time::Duration,
};

use base::{
    Env,
    env::slots,
    memory::Shared,
    rpc::{CallError, Long, MAX_BYTES, Slot},
    session::{
        device::{io_mem, irq},
        echo,
        pd::{ANY, Cache, FrameSize, Memory, OWN},
        rm::Placement,
    },
    thread::ThreadOptions,
};

const PAGE: u32 = 4096;
const SPACE: Slot = slots::ADDRESS_SPACE;

/// What it does, and what that is called.
type Attack = (&'static str, fn(Env));

const ATTACKS: [Attack; 24] = [
    ("none", idle),
    ("ram", ram),
    ("caps", caps),
    ("flood_core", flood_core),
    ("flood_parent", flood_parent),
    ("flood_sibling", flood_sibling),
    ("spin", spin),
    ("request", request),
    ("open", open),
    ("upgrade", upgrade),
    ("announce", announce),
    ("endpoints", endpoints),
    ("notifications", notifications),
    ("signals", signals),
    ("timeouts", timeouts),
    ("threads", threads),
    ("region_maps", region_maps),
    ("regions", regions),
    ("tables", tables),
    ("domains", domains),
    ("interrupts", interrupts),
    ("nesting", nesting),
    ("faults", faults),
    ("waiting_faults", waiting_faults),
];

fn construct(env: &mut Env) {
    let name: heapless::String<32> = env.value("attack").unwrap_or_default();
    let attack = ATTACKS.iter().find(|(known, _)| *known == name);
    let Some((_, attack)) = attack else { panic!("no attack is called {name}") };
    attack(*env)
}

/// As often as it works; tells why it does not any more.
fn until_refused<T, E: Debug>(mut make: impl FnMut() -> Result<T, E>) -> (u32, E) {
    for made in 0.. {
        if let Err(error) = make() {
            return (made, error);
        }
    }
    unreachable!("nothing is given without end")
}

/// What is said of an error: whoever has no memory left cannot box it.
type Reason = heapless::String<48>;

fn reason(error: impl Debug) -> Reason {
    let mut text = Reason::new();
    let _ = write!(text, "{error:?}");
    text
}

/// Makes what it can, says why there is no more, and asks on for ever.
fn exhaust<T, E: Debug>(what: &str, mut make: impl FnMut() -> Result<T, E>) {
    let (made, error) = until_refused(&mut make);
    log::info!("{what}: {made}, then {error:?}");
    loop {
        let _ = make();
    }
}

fn idle(_: Env) {}

/// All memory, in frames of each size, all that its parent gives included; what is given back is taken again.
fn ram(env: Env) {
    let mut taken = Vec::new();
    let mut largest = FrameSize::ALL.iter().rev().cycle();
    let mut refused = 0;
    while refused < FrameSize::ALL.len() {
        let Some(&largest) = largest.next() else { return };
        let memory = Memory { cache: Cache::Cached, largest };
        let size = largest.bytes().max(PAGE);
        let (_, error) = until_refused(|| {
            let dataspace = env.pd().allocate(ANY, OWN, size, memory)?;
            let _ = env.rm().attach(SPACE, dataspace, Placement::ANYWHERE);
            taken.push(dataspace);
            Ok(())
        });
        let _: CallError<base::session::pd::AllocateError> = error;
        refused = if env.request_more(1 << 20, 0).is_ok() { 0 } else { refused + 1 };
    }
    let left = env.pd().account(OWN).map_or(PAGE, |account| account.ram - account.ram_used);
    log::info!("{} than a page is left", if left < PAGE { "less" } else { "more" });
    for round in 0.. {
        let index = round % taken.len();
        while let Ok(1..) = env.pd().free(taken[index]) {}
        let size = [FrameSize::Small, FrameSize::Large][round % 2].bytes();
        taken[index] = env.pd().allocate(ANY, OWN, size, Memory::default()).unwrap_or(ANY);
    }
}

/// All capabilities, by what costs nothing else, all that its parent gives included.
fn caps(env: Env) {
    while env.request_more(0, 1).is_ok() {}
    exhaust("signals", || env.signal().create(ANY, OWN, slots::DOORBELL, 1));
}

/// Requests to core, short and long, as many as it can make.
fn flood_core(env: Env) {
    log::info!("flooding");
    let echo = env.open::<echo::Client>("echo", b"").expect("every component may have it");
    let bytes = [7; MAX_BYTES];
    loop {
        let _ = (env.pd().account(OWN), echo.bytes(&bytes), env.timer().now(), env.cpu().read(slots::THREAD));
        let _ = env.signal().fetch(slots::DOORBELL);
        let label = base::rpc::Selector::new(99, false);
        let _ = env.platform().call_long(slots::PD, label, Long::Bytes(&bytes), &mut []);
    }
}

/// Requests to its parent.
fn flood_parent(env: Env) {
    log::info!("flooding");
    loop {
        let _ = (env.parent().name(), env.parent().value("attack"), env.parent().task());
        let _ = (env.parent().close(Slot(40)), env.parent().redeem(Slot(40), 1, ANY));
    }
}

/// Requests to a server that others use too.
fn flood_sibling(env: Env) {
    let pong = env.open::<pong::session::Client>("pong", b"").expect("the scenario names who serves it");
    log::info!("flooding");
    for ball in 0.. {
        let _ = (pong.hit(ball), pong.table());
    }
}

/// Runs, and does nothing else.
fn spin(_: Env) {
    log::info!("spinning");
    loop {
        spin_loop();
    }
}

/// More from its parent, however little.
fn request(env: Env) {
    while env.request_more(1 << 20, 0).is_ok() {}
    while env.request_more(0, 100).is_ok() {}
    exhaust("refused", || env.request_more(u32::MAX, u32::MAX));
}

/// Sessions, of a sibling's service and of core's, that nobody closes.
fn open(env: Env) {
    // Without asking again, then what it has asked for, and then others.
    let mut number = 0_u32;
    let (asked, error) = until_refused(|| {
        number += 1;
        match env.parent().open("pong", &number.to_le_bytes()) {
            Err(CallError::Pending) => Ok(()),
            other => other.map(|_| ()),
        }
    });
    log::info!("asked for {asked} sessions, then {error:?}");
    for number in 1..=asked {
        while env.parent().open("pong", &number.to_le_bytes()) == Err(CallError::Pending) {}
    }
    exhaust("sessions of core's", || env.parent().open("timer", b""));
}

/// Gives a server all that it has, and more.
fn upgrade(env: Env) {
    let pong = env.open::<pong::session::Client>("pong", b"").expect("the scenario names who serves it");
    let (given, error) = until_refused(|| env.parent().upgrade(pong.slot(), PAGE, 1));
    log::info!("upgraded {}: {error:?}", if given > 0 { "some" } else { "none" });
    loop {
        let _ = env.parent().upgrade(pong.slot(), 1, 0);
        let _ = env.parent().upgrade(pong.slot(), u32::MAX, u32::MAX);
    }
}

/// Services without end.
fn announce(env: Env) {
    let mut number = 0_u32;
    exhaust("services", || {
        number += 1;
        let name = alloc::format!("service{number}");
        env.parent().announce(&name)
    });
}

fn endpoints(env: Env) {
    exhaust("endpoints", || env.pd().create_endpoint(ANY, OWN));
}

fn notifications(env: Env) {
    exhaust("notifications", || env.pd().create_notification(ANY, OWN));
}

/// Signals, all of them pending again and again.
fn signals(env: Env) {
    let mut all = Vec::new();
    let (made, error) = until_refused(|| env.signal().create(ANY, OWN, slots::DOORBELL, 1).map(|it| all.push(it)));
    log::info!("signals: {made}, then {error:?}");
    loop {
        for &signal in &all {
            let _ = env.signal().raise(signal);
        }
    }
}

/// Timeouts of the shortest period, as many as there are signals.
fn timeouts(env: Env) {
    let (made, error) = until_refused(|| -> Result<(), CallError<base::session::signal::CreateError>> {
        let signal = env.signal().create(ANY, OWN, slots::DOORBELL, 1)?;
        env.timer().periodic(signal, base::session::timer::SHORTEST_PERIOD).expect("it is a signal");
        Ok(())
    });
    log::info!("timeouts: {made}, then {error:?}");
    loop {
        let _ = env.signal().fetch(slots::DOORBELL);
    }
}

/// Threads, which all run, and more in protection domains of its own.
fn threads(env: Env) {
    let options = ThreadOptions { stack: PAGE as usize, ..ThreadOptions::default() };
    let (made, error) = until_refused(|| {
        env.spawn(&options, || {
            loop {
                spin_loop();
            }
        })
        .map(core::mem::forget)
    });
    log::info!("threads: {made}, then {error:?}");
    loop {
        let _ = env.spawn(&options, || ());
    }
}

fn region_maps(env: Env) {
    exhaust("region maps", || env.rm().create(ANY, OWN, 1 << 30));
}

/// Regions: the same page everywhere, in as many region maps as there can be.
fn regions(env: Env) {
    let place = |map: Slot, dataspace: Slot| env.rm().attach(map, dataspace, Placement::ANYWHERE);
    let mut attached = 0;
    let (maps, error) = until_refused(|| -> Result<(), Reason> {
        let map = env.rm().create(ANY, OWN, 1 << 30).map_err(reason)?;
        for _ in 0..8 {
            let memory = env.pd().allocate(ANY, OWN, PAGE, Memory::default());
            let memory = memory.map_err(reason)?;
            for _ in 0..128 {
                place(map, memory).map_err(reason)?;
                attached += 1;
            }
        }
        Ok(())
    });
    log::info!("regions: {}, then {error}", if attached > 1000 && maps > 0 { "many" } else { "few" });
    loop {
        let memory = env.pd().allocate(ANY, OWN, PAGE, Memory::default()).unwrap_or(ANY);
        while place(SPACE, memory).is_ok() {}
        spin_loop();
    }
}

/// Page tables: a page in each MiB, in as many address spaces as there can be.
fn tables(env: Env) {
    let memory = env.pd().allocate(ANY, OWN, PAGE, Memory::default()).expect("one page");
    let mut memories = alloc::vec![memory];
    let mut attached = 0;
    let (_, error) = until_refused(|| -> Result<(), Reason> {
        let space = env.rm().create_space(ANY, OWN).map_err(reason)?;
        for megabyte in 0x100..0xd00 {
            let placement = Placement::at(megabyte << 20);
            let last = memories.last().copied().unwrap_or(ANY);
            if env.rm().attach(space, last, placement).is_ok() {
                attached += 1;
                continue;
            }
            // That page may be at too many places.
            let memory = env.pd().allocate(ANY, OWN, PAGE, Memory::default());
            let memory = memory.map_err(reason)?;
            memories.push(memory);
            if let Err(error) = env.rm().attach(space, memory, placement) {
                if error == CallError::Error(base::session::rm::AttachError::Exhausted) {
                    // So many regions.
                    break;
                }
                return Err(reason(error));
            }
        }
        Ok(())
    });
    log::info!("page tables: {}, then {error}", if attached > 50 { "many" } else { "few" });
    loop {
        let _ = env.rm().create_space(ANY, OWN);
    }
}

/// Protection domains, each as large as it can be, and then as small.
fn domains(env: Env) {
    let (large, _) = until_refused(|| env.pd().create(ANY, 1 << 12, "large"));
    let (small, error) = until_refused(|| env.pd().create(ANY, 1, "small"));
    log::info!("protection domains: {}, then {error:?}", if large + small > 10 { "many" } else { "few" });
    loop {
        let _ = env.pd().create(ANY, 1, "small");
    }
}

/// A device that interrupts as fast as it can, and others that are not its own.
fn interrupts(env: Env) {
    let memory = env.open::<io_mem::Client>("io_mem", b"020d0000").expect("the scenario gives the registers");
    let registers = Shared::new(env, memory.open(ANY).expect("a page of registers")).expect("it has a size");
    let registers = env.attach(&registers, Placement::ANYWHERE).expect("room for a page");
    let interrupt = env.open::<irq::Client>("irq", b"88").expect("the scenario gives the interrupt");
    let refused = (0..160).filter(|number| env.parent().open("irq", alloc::format!("{number}").as_bytes()).is_err());
    log::info!("{} interrupts refused", refused.count());
    let signal = env.own_signal().expect("a signal");
    interrupt.handle(signal.slot()).expect("the signal is there");
    // As in the program `driver`, with a period of a step.
    let (cr, sr, lr, cmpr) = (0, 1, 2, 3);
    let mode = 1 << 24 | 1 << 19 | 1 << 17 | 1 << 3 | 1 << 2 | 1 << 1;
    let words = registers.words();
    words[cr].store(mode, Relaxed);
    words[lr].store(1, Relaxed);
    words[cmpr].store(0, Relaxed);
    words[cr].store(mode | 1, Relaxed);
    loop {
        words[sr].store(1, Relaxed);
        let _ = interrupt.acknowledge();
    }
}

/// Region maps inside each other, as deep and at as many places as there can be, in which memory comes and goes.
fn nesting(env: Env) {
    let (rm, size) = (env.rm(), 1 << 20);
    let maps: Vec<Slot> = (0..6).map(|_| rm.create(ANY, OWN, 4 * size).expect("a region map")).collect();
    let mut depth = 0;
    let mut outer = SPACE;
    for &map in &maps {
        let (places, error) = until_refused(|| rm.attach(outer, map, Placement { size, ..Placement::ANYWHERE }));
        if places == 0 {
            log::info!("region maps are nested {depth} deep, then {error:?}");
            break;
        }
        (depth, outer) = (depth + 1, map);
    }
    let inner = maps[depth - 1];
    let memory = env.pd().allocate(ANY, OWN, size, Memory::default()).expect("memory");
    while env.pd().populate(memory).expect("memory") > 0 {}
    loop {
        if let Ok(address) = rm.attach(inner, memory, Placement::ANYWHERE) {
            while let Ok(1..) = rm.map(inner, address) {}
            while let Ok(1..) = rm.detach(inner, address) {}
        }
    }
}

/// Wild pointers; its parent starts it again each time.
fn faults(_: Env) {
    log::info!("faulting");
    let wild = 0x44 as *mut u32;
    // SAFETY: none: this is a mistake that the program is for.
    unsafe { wild.write_volatile(1) };
}

/// Threads that fault where nothing is, of which it hears, and which it lets fault again.
fn waiting_faults(env: Env) {
    let size = 64 * PAGE;
    let map = env.rm().create(ANY, OWN, size).expect("a region map");
    let start = env.rm().attach(SPACE, map, Placement::ANYWHERE).expect("a place");
    let signal = env.own_signal().expect("a signal");
    env.rm().handle_faults(map, signal.slot()).expect("the signal is there");
    let memory = env.pd().allocate(ANY, OWN, PAGE, Memory::default()).expect("memory");
    for number in 0..8 {
        let touch = move || {
            let address = (start + number * PAGE) as *mut u32;
            loop {
                // SAFETY: memory that is attached there when this goes on, and that Rust knows nothing of.
                unsafe { address.write_volatile(number) };
            }
        };
        env.spawn(&ThreadOptions::default(), touch).map(core::mem::forget).expect("a thread");
    }
    let mut cured = 0;
    loop {
        let Ok(Some(fault)) = env.rm().fault(map) else {
            env.sleep(Duration::from_micros(10)).expect("TIMER wakes whoever sleeps");
            continue;
        };
        let _ = env.rm().attach(map, memory, Placement::at(fault.address));
        while let Ok(1..) = env.rm().detach(map, fault.address) {}
        cured += 1;
        if cured == 100 {
            log::info!("{cured} faults");
        }
    }
}
