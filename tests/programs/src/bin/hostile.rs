//! Does what a component can do wrong, as `seed` has it: random system calls with random arguments on all its slots, random
//! requests, all memory and all capabilities, requests without end, spinning at its priority, wild pointers. Whoever made it
//! kills it now and then, and starts it again.
#![no_std]
#![no_main]
start::component!(construct);

extern crate alloc;

use alloc::vec::Vec;
use core::arch::asm;

use base::{
    Env,
    env::slots,
    rpc::{Long, MAX_BYTES, MAX_WORDS, Selector, Slot},
    session::{
        INTERFACES,
        pd::{ANY, CopyPages, Memory, OWN},
        rm::Placement,
    },
    thread::ThreadOptions,
};

/// Each session and the number of its interface.
const SESSIONS: [(Slot, u16); 8] = [
    (slots::PD, 1),
    (slots::LOG, 2),
    (slots::RM, 3),
    (slots::CPU, 4),
    (slots::ROM, 5),
    (slots::TIMER, 6),
    (slots::SIGNAL, 7),
    (slots::PARENT, 8),
];
/// Numbers in random arguments: most are its own, some are not.
const NUMBERS: u32 = 96;

/// Marsaglia's generator of 32 bits (xorshift).
struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    fn below(&mut self, limit: u32) -> u32 {
        self.next() % limit
    }

    /// A word of a request: a number, a small one, an address, or anything.
    fn word(&mut self) -> u32 {
        match self.below(6) {
            0 | 1 => self.below(NUMBERS),
            2 => ANY.0,
            3 => self.below(64) << 12,
            4 => 0x0100_0000 + (self.below(0x1_0000) << 12),
            _ => self.next(),
        }
    }
}

fn construct(env: &mut Env) {
    let env = *env;
    let seed: u32 = env.value("seed").unwrap_or(1);
    // Each instance does something else: the time is another one, and the same in each run.
    let now = env.timer().now().unwrap_or(0) as u32;
    let mut random = Random((seed.wrapping_mul(0x9e37_79b9) ^ now.wrapping_mul(0x85eb_ca6b)) | 1);
    loop {
        act(env, &mut random);
    }
}

fn act(env: Env, random: &mut Random) {
    match random.below(40) {
        0..16 => (0..8).for_each(|_| request(env, random)),
        16..26 => (0..8).for_each(|_| system_call(random)),
        26 => memory(env),
        27 => capabilities(env),
        28 => flood(env, random),
        29 => loop {
            // At its priority, for ever.
            core::hint::spin_loop();
        },
        30 => (0..200).for_each(|_| _ = env.parent().request(random.word(), random.word())),
        31 => wild(random),
        32 => deeper(random.next()),
        33 => threads(env, random),
        34 => children(env, random),
        35 => windows(env, random),
        _ => services(env, random),
    }
}

/// A request of a random operation with random content, to any of its slots.
fn request(env: Env, random: &mut Random) {
    let (slot, id) = SESSIONS[random.below(SESSIONS.len() as u32) as usize];
    let Some(interface) = INTERFACES.iter().find(|interface| interface.id == id) else { return };
    let operation = &interface.operations[random.below(interface.operations.len() as u32) as usize];
    // Some to a session of another kind, or to what is none.
    let slot = if random.below(16) == 0 { Slot(random.below(NUMBERS)) } else { slot };
    // It never exits with 0, for then it would not be started again.
    if slot == slots::PARENT && id != 8 {
        return;
    }
    let selector = Selector::new(operation.number, operation.idempotent);
    if operation.encoded && random.below(4) > 0 {
        let mut bytes = [0; MAX_BYTES];
        // Small bytes are numbers and lengths that mean something.
        bytes.fill_with(|| if random.below(2) == 0 { random.below(40) as u8 } else { random.next() as u8 });
        let length = random.below(48) as usize;
        _ = env.platform().call_long(slot, selector, Long::Bytes(&bytes[..length]), &mut []);
    } else {
        let mut words = [(); MAX_WORDS].map(|()| random.word());
        words[0] |= u32::from(slot == slots::PARENT);
        // Mostly as many as the operation has.
        let most = if random.below(8) == 0 { MAX_WORDS } else { 5 };
        let length = random.below(most as u32) as usize;
        _ = env.platform().call_long(slot, selector, Long::Words(&words[..length]), &mut []);
    }
}

/// A system call with random registers. Those that wait for ever are for its parent to end.
fn system_call(random: &mut Random) {
    // Receiving waits for what seldom comes, so it is seldom done.
    let number: i32 = match random.below(64) {
        0 => -2,
        1 => -5,
        2 => random.next() as i32,
        3..20 => -3,
        20..36 => -4,
        36..44 => -6,
        44..50 => -7,
        50..60 => -8,
        _ => -1,
    };
    let slot = if random.below(4) == 0 { random.next() } else { random.below(NUMBERS) };
    let label = if random.below(2) == 0 { random.next() } else { some_label(random) };
    let mut words = [(); 4].map(|()| random.word());
    // As in `request`.
    words[0] |= u32::from(slot == slots::PARENT.0);
    // SAFETY: none: what the kernel and core make of it is what this program is for. Its memory is written by the kernel only
    // where its own messages lie.
    unsafe {
        asm!(
            "swi 0",
            in("r7") number,
            inout("r0") slot => _,
            inout("r1") label => _,
            inout("r2") words[0] => _,
            inout("r3") words[1] => _,
            inout("r4") words[2] => _,
            inout("r5") words[3] => _,
        );
    }
}

/// Message information that could mean something.
fn some_label(random: &mut Random) -> u32 {
    random.below(0x10_0000) << 12 | random.below(8) << 9 | random.below(4) << 7 | random.below(128)
}

/// All memory of the account, and all that its parent gives.
fn memory(env: Env) {
    let mut all = Vec::new();
    for size in [1 << 20, 64 << 10, 4096] {
        while let Ok(memory) = env.allocate(size) {
            let region = env.attach(&memory, Placement::ANYWHERE);
            all.push((region, memory));
            if all.len() > 400 || env.request_more(1 << 20, 10).is_ok() {
                return;
            }
        }
    }
}

/// All capabilities of the account.
fn capabilities(env: Env) {
    for _ in 0..2000 {
        let endpoint = env.pd().create_endpoint(ANY, OWN).is_ok();
        let notification = env.pd().create_notification(ANY, OWN).is_ok();
        let signal = env.signal().create(ANY, OWN, slots::DOORBELL, 1).is_ok();
        if !endpoint && !notification && !signal {
            return;
        }
    }
}

/// Requests, as many as it can make.
fn flood(env: Env, random: &mut Random) {
    for _ in 0..random.below(4000) {
        _ = env.parent().name();
        _ = env.pd().account(OWN);
    }
}

/// Touches memory that is not its own.
fn wild(random: &mut Random) {
    let address = random.next() as *mut u32;
    // SAFETY: none: this is a mistake that the program is for. What is mapped is its own.
    unsafe { address.write_volatile(address.read_volatile().wrapping_add(1)) };
}

/// Leaves its stack.
#[inline(never)]
fn deeper(depth: u32) {
    let frame = [depth; 64];
    if core::hint::black_box(frame)[0] != 1 {
        deeper(depth | 2);
    }
    core::hint::black_box(&frame);
}

/// Threads that do the same.
fn threads(env: Env, random: &mut Random) {
    for _ in 0..random.below(6) {
        let seed = random.next() | 1;
        let options = ThreadOptions::default();
        let thread = env.spawn(&options, move || {
            let mut random = Random(seed);
            (0..50).for_each(|_| system_call(&mut random));
        });
        core::mem::forget(thread);
    }
}

/// Protection domains of its own, with what they need, and without.
fn children(env: Env, random: &mut Random) {
    for _ in 0..random.below(8) {
        let Ok(child) = env.pd().create(ANY, 1 << random.below(12), "evil") else { return };
        _ = env.pd().transfer(OWN, child, random.below(1 << 18), random.below(64));
        let Ok(space) = env.rm().create_space(ANY, child) else { continue };
        _ = env.pd().install(slots::PD, child, Slot(random.below(20)), base::session::pd::Grant::OWN);
        _ = env.pd().install(Slot(random.below(NUMBERS)), child, Slot(random.below(20)), base::session::pd::Grant::USE);
        _ = env.pd().connect(child, Slot(random.below(20)), random.below(14) as u16, "evil");
        if let Ok(thread) = env.cpu().create(ANY, child, space, 100, 0x0c00_0000, "evil") {
            _ = env.cpu().start(thread, random.word(), random.word(), 0);
        }
        if random.below(2) == 0 {
            _ = env.pd().free(child);
        }
    }
}

/// Region maps in each other, memory everywhere, and copies of it.
fn windows(env: Env, random: &mut Random) {
    let Ok(map) = env.rm().create(ANY, OWN, 1 << random.below(30)) else { return };
    for _ in 0..16 {
        let memory = env.pd().allocate(ANY, OWN, 1 << random.below(20), Memory::default()).unwrap_or(ANY);
        _ = env.pd().populate(memory);
        let to = if random.below(2) == 0 { map } else { slots::ADDRESS_SPACE };
        let placement = Placement { address: Some(random.word()), ..Placement::ANYWHERE };
        _ = env.rm().attach(to, memory, placement);
        _ = env.rm().attach(map, Slot(random.below(NUMBERS)), Placement::ANYWHERE);
        let pages = CopyPages { dst: random.below(64) as u16, src: random.below(64) as u16, count: random.below(64) };
        _ = env.pd().copy(memory, Slot(random.below(NUMBERS)), pages);
        _ = env.rm().detach(to, random.word());
    }
}

/// Services that nobody keeps, sessions that nobody closes.
fn services(env: Env, random: &mut Random) {
    const NAMES: [&str; 5] = ["timer", "log", "census", "victim", "nobody"];
    _ = env.parent().announce(NAMES[random.below(5) as usize]);
    for _ in 0..random.below(100) {
        _ = env.parent().open(NAMES[random.below(5) as usize], b"x");
        _ = env.parent().done(random.word(), true);
        _ = env.parent().hand_over(random.word(), Slot(random.below(NUMBERS)), true);
        _ = env.parent().redeem(Slot(random.below(NUMBERS)), random.word(), ANY);
        _ = env.parent().upgrade(Slot(random.below(NUMBERS)), random.word(), random.word());
        _ = env.parent().close(Slot(16 + random.below(NUMBERS)));
    }
}
