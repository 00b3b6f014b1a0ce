//! Looks for what `secretive` has left, before it writes anything: in memory in frames of each size, mapped and copied; in its
//! stack and message buffer; in the registers and the stack of fresh threads; in registers after calls. It says where it has
//! found something, and how much it has looked at.
#![no_std]
#![no_main]
start::component!(construct);

#[path = "../pattern.rs"]
mod pattern;

use core::{
    arch::{asm, naked_asm},
    ptr,
};

use base::{
    Env,
    env::slots,
    layout::Stack,
    rpc::{Slot, ThreadNumber},
    session::{
        echo,
        pd::{ANY, Cache, CopyPages, FrameSize, Memory, OWN},
        rm::Placement,
    },
};
use pattern::is_pattern;

const PAGE: u32 = 4096;
const SPACE: Slot = slots::ADDRESS_SPACE;

/// What was looked at, and found.
struct Search {
    words: u32,
    found: u32,
    /// Where it was found last.
    last: &'static str,
}

impl Search {
    fn word(&mut self, place: &'static str, word: u32) {
        self.words += 1;
        if is_pattern(word) {
            self.found += 1;
            if self.last != place {
                self.last = place;
                log::info!("found in {place}");
            }
        }
    }

    fn memory(&mut self, place: &'static str, start: u32, size: u32) {
        for at in (start..start + size).step_by(4) {
            // SAFETY: attached there by the caller, or its own stack or message buffer; reading harms nobody.
            self.word(place, unsafe { ptr::read_volatile(at as *const u32) });
        }
    }
}

fn construct(env: &mut Env) {
    let env = *env;
    let mut search = Search { words: 0, found: 0, last: "" };
    own(&mut search);
    threads(env, &mut search);
    calls(env, &mut search);
    copies(env, &mut search);
    memory(env, &mut search);
    let enough = if search.words > 1 << 18 { "" } else { ", too little" };
    log::info!("searched{enough}, found {}", if search.found > 0 { "it" } else { "nothing" });
    loop {
        env.platform().wait(slots::DOORBELL);
    }
}

/// Its first thread's stack and message buffer.
fn own(search: &mut Search) {
    // As the scenario has it, which is the default.
    let size = 16 << 10;
    let Some(stack) = Stack::of(ThreadNumber::FIRST, size) else { return };
    search.memory("its own stack", stack.buffer() - size, size);
    search.memory("its own message buffer", stack.buffer(), PAGE);
}

/// Stores all registers from the address that is its stack pointer on, and what the kernel does not keep for threads.
#[unsafe(naked)]
extern "C" fn store_registers() -> ! {
    naked_asm!(
        "stmia sp, {{r0-r12, lr}}",
        "mrc p15, 0, r0, c13, c0, 3",
        "str r0, [sp, #56]",
        "mrc p15, 0, r0, c13, c0, 2",
        "str r0, [sp, #60]",
        "1: b 1b",
    )
}

/// Threads that nothing has been run in: what is read of them, and what they begin with.
fn threads(env: Env, search: &mut Search) {
    for _ in 0..4 {
        let Ok(memory) = env.pd().allocate(ANY, OWN, 4 * PAGE, Memory::default()) else { return };
        let Ok(address) = env.rm().attach(SPACE, memory, Placement::ANYWHERE) else { return };
        search.memory("a stack", address, 4 * PAGE);
        let buffer = address + 3 * PAGE;
        let Ok(thread) = env.cpu().create(ANY, OWN, SPACE, 1, buffer, "fresh") else { return };
        if let Ok(state) = env.cpu().read(thread) {
            state.registers.iter().for_each(|&word| search.word("a thread that was not started", word));
        }
        let pc = store_registers as *const () as u32;
        env.cpu().start(thread, pc, address, 0).expect("it was not started");
        env.sleep(core::time::Duration::from_micros(50)).expect("TIMER wakes whoever sleeps");
        if let Ok(state) = env.cpu().read(thread) {
            state.registers.iter().for_each(|&word| search.word("a thread that was started", word));
        }
        search.memory("a thread's registers or messages", address, 4 * PAGE);
        env.cpu().destroy(thread).expect("its own");
    }
}

/// Registers and messages after calls, to core and to its parent, with nothing in them before.
fn calls(env: Env, search: &mut Search) {
    let echo = env.open::<echo::Client>("echo", b"").expect("every component may have it");
    let Some(stack) = Stack::of(ThreadNumber::FIRST, PAGE) else { return };
    for slot in [slots::PD, slots::RM, slots::CPU, slots::TIMER, slots::SIGNAL, slots::PARENT, echo.slot()] {
        for label in 0..24_u32 {
            // Numbers that name nothing: whatever is asked is refused, or says little.
            let mut registers = [0_u32; 10];
            // Exiting is not what it is about.
            let label = if slot == slots::PARENT { label.max(3) } else { label };
            // SAFETY: a call of a slot of its own; all registers that it may change are declared or put back.
            unsafe {
                asm!(
                    "push {{r6, r11, lr}}",
                    "mov r6, #0", "mov r11, #0", "mov r14, #0",
                    "mov r7, #0",
                    "sub r7, r7, #1",
                    "swi 0",
                    "str r6, [r9]", "str r11, [r9, #4]", "str r14, [r9, #8]",
                    "pop {{r6, r11, lr}}",
                    inout("r0") slot.0 => registers[0],
                    inout("r1") label << 12 => registers[1],
                    inout("r2") 0 => registers[2],
                    inout("r3") 0 => registers[3],
                    inout("r4") 0 => registers[4],
                    inout("r5") 0 => registers[5],
                    out("r7") _,
                    in("r9") registers.as_mut_ptr().add(6),
                    inout("r12") 0 => _,
                );
            }
            registers.iter().for_each(|&word| search.word("registers after a call", word));
            search.memory("its own message buffer after a call", stack.buffer(), PAGE);
        }
    }
}

/// Memory that was never mapped, seen through a copy.
fn copies(env: Env, search: &mut Search) {
    let pages = 32;
    let Ok(dst) = env.pd().allocate(ANY, OWN, pages * PAGE, Memory::default()) else { return };
    let Ok(address) = env.rm().attach(SPACE, dst, Placement::ANYWHERE) else { return };
    for largest in FrameSize::ALL {
        let memory = Memory { cache: Cache::Cached, largest };
        let size = largest.bytes().max(pages * PAGE);
        let Ok(src) = env.pd().allocate(ANY, OWN, size, memory) else { continue };
        for first in (0..size / PAGE).step_by(pages as usize) {
            let copied = env.pd().copy(dst, src, CopyPages { dst: 0, src: first as u16, count: pages });
            if copied == Ok(pages) {
                search.memory("a copy", address, pages * PAGE);
            }
        }
        while let Ok(1..) = env.pd().free(src) {}
    }
}

/// All memory that it can have.
fn memory(env: Env, search: &mut Search) {
    for largest in FrameSize::ALL.into_iter().rev() {
        let memory = Memory { cache: Cache::Cached, largest };
        let size = largest.bytes().max(512 << 10);
        for number in 0..64 {
            // Of larger frames a part, so that there are small ones.
            if number == 3 && largest != FrameSize::Small {
                break;
            }
            let Ok(dataspace) = env.pd().allocate(ANY, OWN, size, memory) else { break };
            while let Ok(1..) = env.pd().populate(dataspace) {}
            let Ok(address) = env.rm().attach(SPACE, dataspace, Placement::ANYWHERE) else { break };
            search.memory("memory", address, size);
        }
    }
}
