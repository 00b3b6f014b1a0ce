//! System calls whose every register is known before and after.
//!
//! A [`Step`] lies in memory that a thread has as its stack: the thread loads all registers from it, does one thing (a
//! system call, an access to memory, endless counting), and stores all registers into it. Loading and storing are
//! assembly, so what the kernel and the typed layer say of the registers is compared with what the thread itself saw.

use alloc::{boxed::Box, format, string::String};
use core::{
    arch::{asm, global_asm},
    fmt::Write,
    mem::offset_of,
    panic::Location,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use ground::{Failure, Ground, Outcome, Thread, ensure_eq, ground::PRIORITY};
use sel4::{Cap, Endpoint, Message, MessageInfo, Notification, UserContext};

/// Words that a thread stores: status, stack pointer after storing r0 to r12 and lr, then these.
const LANDING: usize = 16;
/// Words that a thread loads: r0 to r12, lr, flags.
const LOAD: usize = 15;

/// One thing that a thread does. While it does it, its stack pointer is behind `landing`.
#[repr(C)]
pub struct Step {
    landing: [AtomicU32; LANDING],
    count: AtomicU32,
    next: AtomicU32,
    /// A notification that nobody signals.
    forever: AtomicU32,
    load: [AtomicU32; LOAD],
}

const STACK: usize = offset_of!(Step, count);

global_asm!(
    r#"
    .section .text.threads_step, "ax"
    .arm

    .macro load_all
    add     sp, r0, #{stack}
    ldr     r1, [sp, #{load} + 56]
    msr     cpsr_f, r1
    ldr     lr, [sp, #{load} + 52]
    add     r0, sp, #{load}
    ldmia   r0, {{r0-r12}}
    .endm

    .global threads_trap_entry, threads_trap, threads_landed
    .global threads_touch_entry, threads_touch
    .global threads_spin_entry, threads_spin
threads_trap_entry:
    load_all
threads_trap:
    swi     0
threads_landed:
    stmdb   sp!, {{r0-r12, lr}}
    mrs     r0, cpsr
    mov     r1, sp
    stmdb   sp!, {{r0, r1}}
    add     sp, sp, #64
    ldr     r0, [sp, #{count}]
    add     r0, r0, #1
    str     r0, [sp, #{count}]
    ldr     r0, [sp, #{next}]
    cmp     r0, #0
    bne     threads_trap_entry
    ldr     r0, [sp, #{forever}]
    mov     r1, #0
    mvn     r7, #4
    swi     0
    udf     #0

threads_touch_entry:
    load_all
threads_touch:
    str     r1, [r0]
    b       threads_landed

threads_spin_entry:
    load_all
threads_spin:
    add     r12, r12, #1
    str     r12, [sp, #{count}]
    b       threads_spin
    "#,
    stack = const STACK,
    count = const offset_of!(Step, count) - STACK,
    next = const offset_of!(Step, next) - STACK,
    forever = const offset_of!(Step, forever) - STACK,
    load = const offset_of!(Step, load) - STACK,
);

unsafe extern "C" {
    static threads_trap_entry: u8;
    static threads_trap: u8;
    static threads_landed: u8;
    static threads_touch_entry: u8;
    static threads_touch: u8;
    static threads_spin_entry: u8;
    static threads_spin: u8;
}

/// What the thread does with its registers loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Makes the system call that its registers say.
    Trap,
    /// Stores r1 at the address in r0.
    Touch,
    /// Counts r12 and the step's count up, for ever.
    Spin,
}

impl Act {
    /// The address of the instruction that does it.
    pub fn address(self) -> u32 {
        let label = match self {
            Self::Trap => &raw const threads_trap,
            Self::Touch => &raw const threads_touch,
            Self::Spin => &raw const threads_spin,
        };
        label.addr() as u32
    }

    fn entry(self) -> u32 {
        let label = match self {
            Self::Trap => &raw const threads_trap_entry,
            Self::Touch => &raw const threads_touch_entry,
            Self::Spin => &raw const threads_spin_entry,
        };
        label.addr() as u32
    }
}

/// The address behind the system call, where all registers are stored.
pub fn landed() -> u32 {
    (&raw const threads_landed).addr() as u32
}

/// The kernel's numbers for system calls (`syscall.xml` of seL4 5.0.0), as r7 has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
#[allow(missing_docs)]
pub enum SystemCall {
    Call = -1,
    ReplyRecv = -2,
    Send = -3,
    Recv = -5,
    Reply = -6,
}

/// Negative, carry and saturation flags: set, the others clear.
const FLAGS: u32 = 0xa800_0000;
/// What the kernel adds to the flags of any thread (`CPSR_USER` in `registerset.h`): user mode, fast interrupts masked,
/// and, unless it is the debug kernel, asynchronous aborts masked. So it is that of the thread that asks.
pub fn status() -> u32 {
    let status: u32;
    // SAFETY: reads a register.
    unsafe { asm!("mrs {}, cpsr", out(reg) status, options(nomem, nostack, preserves_flags)) };
    status & 0x1ff
}

/// What a register holds unless the step needs it: for each another value.
pub const fn pattern(register: u32) -> u32 {
    0xa5c3_0000 | register << 8 | register
}

impl Step {
    /// A step that loads a pattern everywhere but in the registers of the system call.
    ///
    /// # Errors
    /// No memory is left.
    pub fn new<T>(
        ground: &mut Ground,
        call: SystemCall,
        cap: Cap<T>,
        message: &Message,
    ) -> Result<&'static Self, Failure> {
        let step = Self::with(ground)?;
        step.load[0].store(cap.number(), Relaxed);
        step.load[1].store(message.info.word(), Relaxed);
        for (register, word) in step.load[2..].iter().zip(message.words) {
            register.store(word, Relaxed);
        }
        step.load[7].store(call as u32, Relaxed);
        Ok(step)
    }

    /// A step that waits or receives. What it leaves in r1 to r6 is the pattern.
    ///
    /// # Errors
    /// No memory is left.
    pub fn receiving<T>(ground: &mut Ground, cap: Cap<T>) -> Result<&'static Self, Failure> {
        let step = Self::with(ground)?;
        step.load[0].store(cap.number(), Relaxed);
        step.load[7].store(SystemCall::Recv as u32, Relaxed);
        Ok(step)
    }

    /// A step for [`Act::Touch`] or [`Act::Spin`].
    ///
    /// # Errors
    /// No memory is left.
    pub fn touching(ground: &mut Ground, address: u32) -> Result<&'static Self, Failure> {
        let step = Self::with(ground)?;
        step.load[0].store(address, Relaxed);
        Ok(step)
    }

    /// A step whose registers are all pattern.
    ///
    /// # Errors
    /// No memory is left.
    pub fn with(ground: &mut Ground) -> Result<&'static Self, Failure> {
        let forever = ground.objects.make::<Notification>()?;
        let load = core::array::from_fn(|index| AtomicU32::new(pattern(index as u32)));
        let step = Box::leak(Box::new(Self {
            landing: Default::default(),
            count: AtomicU32::new(0),
            next: AtomicU32::new(0),
            forever: AtomicU32::new(forever.number()),
            load,
        }));
        step.load[13].store(pattern(14), Relaxed);
        step.load[14].store(FLAGS, Relaxed);
        Ok(step)
    }

    /// The same, with another system call to come afterwards.
    pub fn then(&self, next: &'static Self) -> &Self {
        self.next.store(next.address(), Relaxed);
        self
    }

    /// How often a thread got past it; with [`Act::Spin`], what it counted to.
    pub fn count(&self) -> u32 {
        self.count.load(Relaxed)
    }

    /// The registers as they are loaded, at the act.
    pub fn before(&self, act: Act) -> UserContext {
        let r = |index: usize| self.load[index].load(Relaxed);
        UserContext {
            pc: act.address(),
            sp: self.address() + STACK as u32,
            cpsr: r(14) | status(),
            r0: r(0),
            r1: r(1),
            r2: r(2),
            r3: r(3),
            r4: r(4),
            r5: r(5),
            r6: r(6),
            r7: r(7),
            r8: r(8),
            r9: r(9),
            r10: r(10),
            r11: r(11),
            r12: r(12),
            lr: r(13),
        }
    }

    /// The registers with which a thread got past it, as it stored them itself.
    pub fn after(&self) -> UserContext {
        let stored = |index: usize| self.landing[index].load(Relaxed);
        let r = |index: usize| stored(2 + index);
        UserContext {
            pc: landed(),
            // It was stored when 14 words lay on the stack.
            sp: stored(1).wrapping_add(14 * 4),
            cpsr: stored(0),
            r0: r(0),
            r1: r(1),
            r2: r(2),
            r3: r(3),
            r4: r(4),
            r5: r(5),
            r6: r(6),
            r7: r(7),
            r8: r(8),
            r9: r(9),
            r10: r(10),
            r11: r(11),
            r12: r(12),
            lr: r(13),
        }
    }

    /// Nobody got past it yet.
    #[track_caller]
    pub fn is_pending(&self) -> Outcome {
        match self.count() {
            0 => Ok(()),
            count => {
                Err(Failure(format!("{}: the thread got past its step {count} times, not yet", Location::caller())))
            }
        }
    }

    /// A thread got past it, once, with these registers.
    #[track_caller]
    pub fn is_done_with(&self, expected: UserContext) -> Outcome {
        if self.count() != 1 {
            let text = format!("{}: the thread got past its step {} times, not once", Location::caller(), self.count());
            return Err(Failure(text));
        }
        same(self.after(), expected)
    }

    fn address(&self) -> u32 {
        core::ptr::from_ref(self).addr() as u32
    }
}

/// Registers as they are after a message of this badge arrived.
pub fn received(before: UserContext, badge: u32, message: &Message) -> UserContext {
    let [r2, r3, r4, r5] = message.words;
    UserContext { pc: landed(), r0: badge, r1: message.info.word(), r2, r3, r4, r5, ..before }
}

/// Registers as they are after a system call that changed none.
pub fn past(before: UserContext) -> UserContext {
    UserContext { pc: landed(), ..before }
}

/// A message of four words, unlike any other of the test.
pub const fn message(label: u32) -> Message {
    Message::new(label, [label | 0x1_0000, label | 0x2_0000, label | 0x3_0000, label | 0x4_0000])
}

/// A message without words.
pub fn empty(label: u32) -> Message {
    Message { info: MessageInfo::new(label, 0), words: [pattern(2), pattern(3), pattern(4), pattern(5)] }
}

/// Both have the same registers; else says which differ.
#[track_caller]
pub fn same(seen: UserContext, expected: UserContext) -> Outcome {
    if seen == expected {
        return Ok(());
    }
    let mut text = format!("{}:", Location::caller());
    let differ = |text: &mut String, name: &str, seen: u32, expected: u32| {
        if seen != expected {
            // Writing to a string does not fail.
            let _ = write!(text, " {name} is {seen:#x}, not {expected:#x};");
        }
    };
    macro_rules! each {
        ($($name:ident)*) => { $(differ(&mut text, stringify!($name), seen.$name, expected.$name);)* };
    }
    each!(pc sp cpsr r0 r1 r2 r3 r4 r5 r6 r7 r8 r9 r10 r11 r12 lr);
    Err(Failure(text))
}

/// A thread that makes the system call of `step` as soon as the test waits.
///
/// # Errors
/// No memory is left.
pub fn start(ground: &mut Ground, step: &'static Step) -> Result<Thread, Failure> {
    start_with(ground, step, Act::Trap, PRIORITY, None)
}

/// The same with another act, priority, fault endpoint.
///
/// # Errors
/// No memory is left.
pub fn start_with(
    ground: &mut Ground,
    step: &'static Step,
    act: Act,
    priority: u8,
    faults: Option<Cap<Endpoint>>,
) -> Result<Thread, Failure> {
    let thread = ground.make_thread(priority, faults)?;
    let registers =
        UserContext { pc: act.entry(), r0: step.address(), cpsr: ground::ground::USER_MODE, ..UserContext::default() };
    // SAFETY: the step is the thread's own stack, and its code needs nothing else.
    unsafe { thread.tcb.write_registers(true, &registers) }?;
    Ok(thread)
}

/// The message that waits at the endpoint: its badge and itself.
#[track_caller]
pub fn take(endpoint: Cap<Endpoint>) -> Result<(u32, Message), Failure> {
    match endpoint.nb_recv() {
        Some(sel4::Received::Message(badge, message)) => Ok((badge.number(), message)),
        _ => Err(Failure(format!("{}: no message waits", Location::caller()))),
    }
}

/// No message waits at the endpoint. If one was taken before and not answered, it cannot be answered any more: receiving
/// drops the authority to answer.
#[track_caller]
pub fn nothing_waits(endpoint: Cap<Endpoint>) -> Outcome {
    match endpoint.nb_recv() {
        None => Ok(()),
        Some(received) => Err(Failure(format!("{}: also waits: {received:x?}", Location::caller()))),
    }
}

/// The same message with the same badge.
pub fn is_message(seen: (u32, Message), badge: u32, expected: &Message) -> Outcome {
    ensure_eq!(seen.0, badge);
    ensure_eq!(seen.1, *expected);
    Ok(())
}
