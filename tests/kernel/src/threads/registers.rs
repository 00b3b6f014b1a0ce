//! All 17 registers, read and written, compared with what the thread itself sees.

use ground::{
    Ground, Outcome, Test, ensure, ensure_eq,
    ground::{PRIORITY, USER_MODE},
    tests,
};
use sel4::{Endpoint, Notification, UserContext, thread::CopyRegisters};

use super::step::{
    Act, Step, SystemCall, landed, message, nothing_waits, past, pattern, received, same, start, start_with, status,
    take,
};

/// The names are right on reading: a thread gets past a system call that changes nothing, stores its registers, and what
/// is read of it before is what it stored. In the kernel's order they are what the manual says (section 6.1.5).
pub fn read_as_the_thread_has_them(ground: &mut Ground) -> Outcome {
    let notification = ground.objects.make::<Notification>()?;
    let step = Step::receiving(ground, notification)?;
    let thread = start(ground, step)?;
    ground.settle();
    let read = thread.tcb.read_registers(false)?;
    notification.signal();
    ground.settle();
    let stored = step.after();
    same(read, UserContext { pc: Act::Trap.address(), r0: notification.number(), ..stored })?;
    let UserContext { pc, sp, cpsr, r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, lr } = read;
    let words = [pc, sp, cpsr, r0, r1, r8, r9, r10, r11, r12, r2, r3, r4, r5, r6, r7, lr];
    ensure_eq!(read.to_words(), words);
    same(UserContext::from_words(words), read)
}

/// The names are right on writing: a thread that never ran stores the registers that it was given.
pub fn written_as_the_thread_has_them(ground: &mut Ground) -> Outcome {
    let step = Step::with(ground)?;
    let thread = ground.make_thread(PRIORITY, None)?;
    let given = UserContext { pc: landed(), r0: pattern(0x20), ..step.before(Act::Trap) };
    // SAFETY: the step is the thread's own stack.
    unsafe { thread.tcb.write_registers(true, &given) }?;
    ground.settle();
    step.is_done_with(given)
}

/// Without `resume`, writing starts nothing; what was written is read, and resuming starts with it.
pub fn written_without_resuming(ground: &mut Ground) -> Outcome {
    let step = Step::with(ground)?;
    let thread = ground.make_thread(PRIORITY, None)?;
    let given = past(step.before(Act::Trap));
    // SAFETY: the step is the thread's own stack.
    unsafe { thread.tcb.write_registers(false, &given) }?;
    ground.settle();
    step.is_pending()?;
    same(thread.tcb.read_registers(false)?, given)?;
    thread.tcb.resume()?;
    ground.settle();
    step.is_done_with(given)
}

/// Whatever is written, a thread runs in user mode and ARM state; of the status, only the flags are its own.
pub fn status_is_the_kernels(ground: &mut Ground) -> Outcome {
    let thread = ground.make_thread(PRIORITY, None)?;
    let status = status();
    // User mode, ARM state.
    ensure_eq!(status & 0x3f, USER_MODE);
    // Thumb state; supervisor mode and two flags; everything.
    for (written, read) in [(0x0000_0030, status), (0x6000_0013, 0x6000_0000 | status), (!0, 0xf800_0000 | status)] {
        let registers = UserContext { cpsr: written, ..UserContext::default() };
        // SAFETY: the thread does not run.
        unsafe { thread.tcb.write_registers(false, &registers) }?;
        ensure_eq!(thread.tcb.read_registers(false)?.cpsr, read, "written {written:#x}");
    }
    Ok(())
}

/// Reading with `suspend` is suspending, then reading: an answered thread is where it goes on, and stands there.
pub fn read_and_suspended_in_one(ground: &mut Ground) -> Outcome {
    let endpoint = ground.objects.make::<Endpoint>()?;
    let (question, answer) = (message(0x1100), message(0x2200));
    let step = Step::new(ground, SystemCall::Call, endpoint, &question)?;
    let thread = start(ground, step)?;
    ground.settle();
    take(endpoint)?;
    sel4::reply(answer);
    let answered = received(step.before(Act::Trap), 0, &answer);
    same(thread.tcb.read_registers(true)?, answered)?;
    ground.settle();
    step.is_pending()?;
    thread.tcb.resume()?;
    ground.settle();
    step.is_done_with(answered)?;
    nothing_waits(endpoint)
}

/// Registers copied from one thread to another let that one go on where the first would have, system call done.
pub fn copied_to_a_fresh_thread(ground: &mut Ground) -> Outcome {
    let endpoint = ground.objects.make::<Endpoint>()?;
    let (question, answer) = (message(0x1100), message(0x2200));
    let step = Step::new(ground, SystemCall::Call, endpoint, &question)?;
    let old = start(ground, step)?;
    ground.settle();
    take(endpoint)?;
    sel4::reply(answer);
    old.freeze()?;
    let new = ground.make_thread(PRIORITY, None)?;
    let what = CopyRegisters { suspend_source: false, resume_destination: true, frame: true, integer: true };
    // SAFETY: the old thread stays frozen, so the stack is the new one's.
    unsafe { new.tcb.copy_registers(old.tcb, what) }?;
    ground.settle();
    step.is_done_with(received(step.before(Act::Trap), 0, &answer))?;
    nothing_waits(endpoint)
}

/// A thread that nobody stopped can be read, and does not notice.
pub fn read_while_it_runs(ground: &mut Ground) -> Outcome {
    let step = Step::with(ground)?;
    let thread = start_with(ground, step, Act::Spin, PRIORITY, None)?;
    ground.run_for(10);
    let first = thread.tcb.read_registers(false)?;
    ground.run_for(10);
    let second = thread.tcb.read_registers(true)?;
    ensure!(second.r12 > first.r12);
    same(second, UserContext { pc: second.pc, r12: second.r12, ..step.before(Act::Spin) })
}

/// Names and tests.
pub const TESTS: &[Test] = tests! { threads::registers:
    read_as_the_thread_has_them, written_as_the_thread_has_them, written_without_resuming, status_is_the_kernels,
    read_and_suspended_in_one, copied_to_a_fresh_thread, read_while_it_runs,
};
