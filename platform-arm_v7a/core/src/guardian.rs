//! Reports a root task that fails.
//!
//! The kernel has nobody to tell when the root task faults: its first thread simply stops. So a second thread, above it,
//! is its fault handler. A panic needs no handler, since it is still core that runs.

use core::{
    panic::PanicInfo,
    ptr,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use sel4::{
    BootInfo, CNode, Cap, CapData, Endpoint, Error, Fault, Priority, Received, Tcb, UserContext, boot,
    thread::{MessageBuffer, Space},
};
use wire::record::{self, Access, Cause, Record, Verdict};

use crate::{
    console::Lines,
    objects::{Exhausted, Objects},
    place,
    start::{self, Memory},
    trace,
    window::Window,
};

/// Name under which the root task is reported.
const NAME: &str = "core";
const STACK_SIZE: usize = 16 * 1024;
const USER_MODE: u32 = 0x10;

static STACK: Memory<STACK_SIZE> = Memory::new();

/// Slot of the guardian's thread, and of the endpoint at which it waits.
static THREAD: AtomicU32 = AtomicU32::new(0);
static ENDPOINT: AtomicU32 = AtomicU32::new(0);

/// Priority of the guardian.
pub const PRIORITY: u8 = 255;
/// Priority of the root task's own thread from then on.
pub const OWN_PRIORITY: u8 = 254;

/// Starts the guardian; the calling thread, the root task's first, is guarded from now on, and so is the end of its stack.
///
/// # Errors
/// No memory, slot or address is left.
pub fn start(boot_info: &BootInfo, objects: &mut Objects, window: &mut Window) -> Result<(), Exhausted> {
    start::guard(boot_info, &start::STACK)?;
    start::guard(boot_info, &STACK)?;
    let endpoint = objects.make::<Endpoint>()?;
    let thread = objects.make::<Tcb>()?;
    let frame = objects.make()?;
    let address = window.map(objects, frame)?.addr() as u32;
    let space =
        Space { fault_endpoint: 0, root: boot::CNODE, root_data: CapData::None, address_space: boot::ADDRESS_SPACE };
    let registers = UserContext {
        pc: guard as *const () as u32,
        sp: STACK.top() as u32,
        cpsr: USER_MODE,
        r0: endpoint.number(),
        ..UserContext::default()
    };
    // SAFETY: the thread has a stack and a message buffer of its own; the caller's registers are not touched.
    unsafe {
        thread.configure(space, Priority::new(PRIORITY), Some(MessageBuffer { address, frame }))?;
        thread.write_registers(true, &registers)?;
        boot::TCB.set_space(Space { fault_endpoint: endpoint.number(), ..space })?;
    }
    boot::TCB.set_priority(OWN_PRIORITY)?;
    THREAD.store(thread.number(), Relaxed);
    ENDPOINT.store(endpoint.number(), Relaxed);
    Ok(())
}

/// Gives the guardian and the root task's first thread another root of their capability space, in which the numbers of
/// the old one mean the same.
///
/// # Errors
/// The kernel refused.
pub(crate) fn set_space(root: Cap<CNode>) -> Result<(), Error> {
    let space = Space { fault_endpoint: 0, root, root_data: CapData::None, address_space: boot::ADDRESS_SPACE };
    let guarded = Space { fault_endpoint: ENDPOINT.load(Relaxed), ..space };
    // SAFETY: the address space stays.
    unsafe {
        Cap::<Tcb>::new(THREAD.load(Relaxed)).set_space(space)?;
        boot::TCB.set_space(guarded)
    }
}

extern "C" fn guard(endpoint: u32) -> ! {
    let Received::Message(_, message) = Cap::<Endpoint>::new(endpoint).recv() else { crate::halt() };
    let (cause, pc) = cause(&message);
    // SAFETY: the root task's first thread has faulted and is never answered.
    if let Some(mut lines) = unsafe { Lines::again() } {
        let registers = boot::TCB.read_registers(false).unwrap_or_default();
        let place = place::place(pc, registers.sp, registers.lr, registers.r11, own_word);
        trace::tell(&mut lines);
        lines.report(&Record::Fault(record::Fault { component: NAME, cause, place }));
        lines.report(&Record::Verdict(Verdict::Failed { reason: "core faulted" }));
    }
    crate::halt()
}

/// What a fault message says, and where it happened.
pub fn cause(message: &sel4::Message) -> (Cause, u32) {
    match Fault::decode(message) {
        Some(Fault::Memory { pc, address, fetch, status }) => {
            // Bit 11 of the data fault status register: a write (ARM ARM B4.1.52).
            let access = match (fetch, status & 1 << 11 != 0) {
                (true, _) => Access::Execute,
                (false, true) => Access::Write,
                (false, false) => Access::Read,
            };
            (Cause::Memory { address, access, status }, pc)
        }
        Some(Fault::Capability { pc, number, .. }) => (Cause::Capability { slot: number }, pc),
        Some(Fault::SystemCall { pc, number, .. }) => (Cause::SystemCall { number }, pc),
        Some(Fault::Exception { pc, number, code, .. }) => (Cause::Instruction { number, code }, pc),
        None => (Cause::Unknown { label: message.label() }, 0),
    }
}

/// A word of the root task's own image, for walking its stack.
fn own_word(address: u32) -> Option<u32> {
    unsafe extern "C" {
        static __image_start: u8;
        static __image_end: u8;
    }
    let image = (&raw const __image_start).addr() as u32..(&raw const __image_end).addr() as u32;
    let inside = address.is_multiple_of(4) && image.contains(&address);
    // SAFETY: inside the root task's image, which is mapped as a whole.
    inside.then(|| unsafe { ptr::read_volatile(address as *const u32) })
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    // SAFETY: this thread, the only one that has the lines, does nothing else any more.
    if let Some(mut lines) = unsafe { Lines::again() } {
        lines.line(format_args!("[{NAME}] {info}"));
        let frame_pointer: u32;
        // SAFETY: reads a register.
        unsafe { core::arch::asm!("mov {}, r11", out(reg) frame_pointer, options(nomem, nostack)) };
        let place = place::place(panic as *const () as u32, frame_pointer, 0, frame_pointer, own_word);
        trace::tell(&mut lines);
        lines.report(&Record::Panic { component: NAME, place });
        lines.report(&Record::Verdict(Verdict::Failed { reason: "core panicked" }));
    }
    crate::halt()
}
