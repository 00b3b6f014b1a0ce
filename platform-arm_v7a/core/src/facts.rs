//! What the kernel underneath does, found out by trying.
//!
//! Checkpoints rely on four changes to seL4 5.0.0 (`platform-arm_v7a/kernel/patches`). The system may be booted on a kernel
//! without them, so core does not believe, it looks: with a thread of its own above its own priority, which therefore
//! runs to where it blocks as soon as it is let go. The fifth change, a faster answer to callers of
//! lower priority, changes no result and is not looked for.

use sel4::{
    BootInfo, Cap, CapData, Endpoint, Message, Notification, Priority, Received, Tcb, UserContext, boot,
    thread::{MessageBuffer, Space},
};
use wire::record::KernelFacts;

use crate::{
    guardian,
    objects::{Exhausted, Objects},
    system::PERSISTENT,
    window::Window,
};

/// User mode, ARM state.
const USER_MODE: u32 = 0x10;
/// The instruction that enters the kernel, `swi 0`.
const SYSTEM_CALL: u32 = 0xef00_0000;
/// Priority at which a thread that is ready does not run yet.
const BELOW: u8 = 1;
/// Where nothing is mapped.
const NOWHERE: u32 = 8;
const LABEL: u32 = 9;

/// Tries the kernel. Call it after the guardian has been started, since it needs a priority above the caller's.
///
/// # Errors
/// Nothing is left to make the thread of.
pub fn find_out(boot_info: &BootInfo, objects: &mut Objects, window: &mut Window) -> Result<KernelFacts, Exhausted> {
    let endpoint = objects.make::<Endpoint>()?;
    let notification = objects.make::<Notification>()?;
    let faults = objects.make::<Endpoint>()?;
    let subject = Subject::new(objects, window, faults)?;

    subject.run(waits, notification.number())?;
    let thread_info = subject.thread.read_registers_and_info(false)?.1.is_some();
    // It has been signalled but has not run since: is its pc behind the system call, where it will go on?
    subject.thread.set_priority(BELOW)?;
    notification.signal();
    let pc = subject.thread.read_registers(false)?.pc;
    // SAFETY: the thread runs this program's code only, so there is an instruction at its pc.
    let restart_address = unsafe { core::ptr::read_volatile(pc as *const u32) } != SYSTEM_CALL;

    // It faults, nobody listens, it is stopped, and calls something else: does that arrive as the old fault? It is
    // stopped before its priority rises, too, since this kernel does not switch to a thread that was raised.
    subject.thread.suspend()?;
    subject.thread.set_priority(guardian::PRIORITY)?;
    subject.run_at(NOWHERE, 0)?;
    subject.thread.suspend()?;
    subject.run(calls, endpoint.number())?;
    let fault_forgotten = matches!(endpoint.nb_recv(), Some(Received::Message(_, message)) if message.label() == LABEL);
    subject.thread.suspend()?;

    let upper_memory = boot_info.untypeds().any(|untyped| untyped.device && untyped.address == PERSISTENT);
    Ok(KernelFacts { restart_address, thread_info, fault_forgotten, upper_memory })
}

/// The thread that is tried with.
struct Subject {
    thread: Cap<Tcb>,
    stack_top: u32,
}

impl Subject {
    fn new(objects: &mut Objects, window: &mut Window, faults: Cap<Endpoint>) -> Result<Self, Exhausted> {
        let thread = objects.make::<Tcb>()?;
        // One page each for the stack and the message buffer.
        let (stack, frame) = (objects.make()?, objects.make()?);
        let stack_top = window.map(objects, stack)?.addr() as u32 + wire::layout::PAGE;
        let address = window.map(objects, frame)?.addr() as u32;
        let space = Space {
            fault_endpoint: faults.number(),
            root: boot::CNODE,
            root_data: CapData::None,
            address_space: boot::ADDRESS_SPACE,
        };
        // SAFETY: the message buffer is the thread's own.
        unsafe {
            thread.configure(space, Priority::new(guardian::PRIORITY), Some(MessageBuffer { address, frame }))?;
        }
        Ok(Self { thread, stack_top })
    }

    /// Lets it run `entry` until it blocks.
    fn run(&self, entry: extern "C" fn(u32) -> !, argument: u32) -> Result<(), sel4::Error> {
        self.run_at(entry as *const () as u32, argument)
    }

    fn run_at(&self, pc: u32, r0: u32) -> Result<(), sel4::Error> {
        let registers = UserContext { pc, sp: self.stack_top, cpsr: USER_MODE, r0, ..UserContext::default() };
        // SAFETY: the stack is the thread's own, and what it ran before is never returned to.
        unsafe { self.thread.write_registers(true, &registers) }
    }
}

extern "C" fn waits(notification: u32) -> ! {
    loop {
        Cap::<Notification>::new(notification).wait();
    }
}

extern "C" fn calls(endpoint: u32) -> ! {
    loop {
        Cap::<Endpoint>::new(endpoint).call(Message::new(LABEL, []));
    }
}
