//! Fills all that it has with a pattern that no other memory has: memory in frames of each size, its heap, its stacks, the
//! message buffers of its threads, all registers. Then it exits, faults, or runs until it is killed. `searcher` looks for the
//! pattern afterwards.
#![no_std]
#![no_main]
start::component!(construct);

extern crate alloc;

#[path = "../pattern.rs"]
mod pattern;

use alloc::vec::Vec;
use core::{arch::asm, hint::black_box};

use base::{
    Env,
    env::slots,
    rpc::{Long, MAX_WORDS, Selector},
    session::{
        echo,
        pd::{ANY, Cache, FrameSize, Memory, OWN},
        rm::Placement,
    },
    thread::ThreadOptions,
};
use pattern::pattern;

fn construct(env: &mut Env) {
    let env = *env;
    let heap: Vec<u32> = alloc::vec![pattern(); 16 << 10];
    black_box(&heap);
    memory(env);
    stack(10);
    messages(env);
    let options = ThreadOptions::default();
    for _ in 0..3 {
        let thread = env.spawn(&options, move || {
            stack(200);
            messages(env);
        });
        _ = thread.map(|thread| thread.join());
    }
    // One that never runs has registers too, and one is in the middle of it when the component ends.
    if let Ok(thread) = env.spawn(&options, || hold()) {
        _ = env.cpu().pause(thread.slot());
        _ = env.cpu().write(thread.slot(), [pattern(); 17], true);
    }
    env.spawn(&options, || hold()).map(core::mem::forget).expect("the scenario gives enough");
    log::info!("all is full");
    match env.timer().now().unwrap_or(0) / 15 % 3 {
        0 => env.exit(1),
        1 => hold_and_fault(),
        _ => hold(),
    }
}

/// A part of all memory in frames of each size; some of it is freed by itself.
fn memory(env: Env) {
    for largest in FrameSize::ALL.into_iter().rev() {
        let memory = Memory { cache: Cache::Cached, largest };
        let size = largest.bytes().max(512 << 10);
        for number in 0..3 {
            let Ok(dataspace) = env.pd().allocate(ANY, OWN, size, memory) else { break };
            while let Ok(1..) = env.pd().populate(dataspace) {}
            let Ok(address) = env.rm().attach(slots::ADDRESS_SPACE, dataspace, Placement::ANYWHERE) else { break };
            pattern::fill(address, size);
            if number == 1 {
                while let Ok(1..) = env.pd().free(dataspace) {}
            }
        }
    }
}

/// Stack that it does not use any more.
#[inline(never)]
fn stack(depth: u32) {
    let frame = black_box([pattern(); 64]);
    if depth > 0 {
        stack(depth - 1);
    }
    black_box(&frame);
}

/// Messages of all lengths, which are refused, and some that are served.
fn messages(env: Env) {
    let words = [pattern(); MAX_WORDS];
    for slot in [slots::PD, slots::RM, slots::CPU, slots::ROM, slots::TIMER, slots::SIGNAL, slots::PARENT] {
        for length in [3, 4, 17, MAX_WORDS] {
            // 99 is no operation of anybody's.
            let selector = Selector::new(99, false);
            _ = env.platform().call_long(slot, selector, Long::Words(&words[..length]), &mut []);
        }
    }
    let Ok(echo) = env.open::<echo::Client>("echo", b"") else { return };
    _ = echo.words([pattern(); 4]);
    _ = echo.bytes(&pattern().to_le_bytes().repeat(100));
}

/// Runs with the pattern in all registers, for ever.
fn hold() -> ! {
    // SAFETY: nothing else runs in this thread from here on. The kernel writes TPIDRURW anew whenever a thread runs.
    unsafe {
        asm!(
            "mcr p15, 0, r0, c13, c0, 2",
            "mov r1, r0", "mov r2, r0", "mov r3, r0", "mov r4, r0", "mov r5, r0", "mov r6, r0", "mov r7, r0",
            "mov r8, r0", "mov r9, r0", "mov r10, r0", "mov r11, r0", "mov r12, r0", "mov sp, r0", "mov lr, r0",
            "1: b 1b",
            in("r0") pattern(),
            options(noreturn)
        )
    }
}

/// Faults with the pattern in all registers.
fn hold_and_fault() -> ! {
    // SAFETY: as in `hold`; the address is nobody's.
    unsafe {
        asm!(
            "mcr p15, 0, r0, c13, c0, 2",
            "mov r1, r0", "mov r2, r0", "mov r3, r0", "mov r4, r0", "mov r5, r0", "mov r6, r0", "mov r7, r0",
            "mov r8, r0", "mov r9, r0", "mov r10, r0", "mov r11, r0", "mov r12, r0", "mov lr, r0",
            "str r1, [r0]",
            "1: b 1b",
            in("r0") pattern(),
            options(noreturn)
        )
    }
}
