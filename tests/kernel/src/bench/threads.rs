//! What is done to threads. None of them runs while it is measured, since the one that measures has a higher priority.

use core::arch::naked_asm;

use ground::{AddressSpace, Failure, Ground, ground::PRIORITY};
use sel4::{
    CapData, Endpoint, Error, FrameSize, ObjectKind, Priority, Received, Rights, Slot, Tcb, UserContext, boot,
    thread::{MessageBuffer, Space},
};

use crate::meter::Meter;

/// How many threads each operation is done to.
const THREADS: u32 = 64;

/// All of them.
pub fn measure(meter: &mut Meter) -> Result<(), Failure> {
    let ground = &mut meter.ground;
    let memory = ground.untyped(ObjectKind::Tcb.memory_bits() + THREADS.ilog2() as u8)?;
    let thread = memory.make_batch::<Tcb>(ground, ObjectKind::Tcb, THREADS)?;
    let thread = |i| thread.offset(i).cap();
    let frame = ground.frame(FrameSize::Small)?;
    let address = ground.megabyte()?;
    frame.map(address, Rights::READ_WRITE)?;
    let buffer = Some(MessageBuffer { address, frame: frame.cap() });
    let other = AddressSpace::with_image(ground)?;
    let endpoint = ground.objects.make::<Endpoint>()?;

    let space =
        Space { fault_endpoint: 0, root: boot::CNODE, root_data: CapData::None, address_space: boot::ADDRESS_SPACE };
    meter.each("thread/configure", THREADS, |i| {
        // SAFETY: what these threads run has neither stack nor memory.
        unsafe { thread(i).configure(space, Priority::new(PRIORITY), buffer) }
    })?;
    meter.each("thread/set priority", THREADS, |i| thread(i).set_priority(PRIORITY - 1))?;
    let registers = UserContext {
        pc: calls as *const () as u32,
        cpsr: ground::ground::USER_MODE,
        r0: endpoint.number(),
        ..UserContext::default()
    };
    let write = |i, resume| {
        // SAFETY: as above.
        unsafe { thread(i).write_registers(resume, &registers) }
    };
    meter.each("thread/write registers", THREADS, |i| write(i, false))?;
    meter.each("thread/read registers", THREADS, |i| thread(i).read_registers(false).map(|_| ()))?;
    meter.each("thread/read registers and what it does", THREADS, |i| {
        thread(i).read_registers_and_info(false)?.1.map(|_| ()).ok_or(Error::Foreign)
    })?;
    meter.each("thread/set space", THREADS, |i| {
        // SAFETY: as above; the image lies in the other space, too.
        unsafe { thread(i).set_space(other.space(0)) }
    })?;
    meter.each("thread/resume", THREADS, |i| thread(i).resume())?;
    meter.each("thread/suspend, ready", THREADS, |i| thread(i).suspend())?;
    meter.each("thread/suspend, suspended before", THREADS, |i| thread(i).suspend())?;
    meter.each("thread/write registers and resume, suspended before", THREADS, |i| write(i, true))?;
    meter.each("thread/freeze, ready", THREADS, |i| boot::DOMAIN.set(ground::ground::FROZEN, thread(i)))?;
    meter.each("thread/thaw, ready", THREADS, |i| boot::DOMAIN.set(ground::ground::RUNNING, thread(i)))?;

    // Now each of them calls, and is received.
    let slots = meter.ground.objects.take_slots(THREADS)?.start;
    receive_all(&mut meter.ground, endpoint, slots)?;
    meter.each("thread/freeze, in a call", THREADS, |i| boot::DOMAIN.set(ground::ground::FROZEN, thread(i)))?;
    meter.each("thread/write registers and resume, in a call, frozen", THREADS, |i| write(i, true))?;
    meter.each("thread/thaw, in user code", THREADS, |i| boot::DOMAIN.set(ground::ground::RUNNING, thread(i)))?;
    receive_all(&mut meter.ground, endpoint, slots)?;
    meter.each("thread/suspend, in a call that was received", THREADS, |i| thread(i).suspend())?;
    (0..THREADS).try_for_each(|i| write(i, true))?;
    meter.ground.settle();
    meter.each("thread/suspend, in a call that was not received", THREADS, |i| thread(i).suspend())
}

/// Receives as many calls as there are threads, and keeps the reply capabilities.
fn receive_all(ground: &mut Ground, endpoint: sel4::Cap<Endpoint>, slots: u32) -> Result<(), Failure> {
    for slot in slots..slots + THREADS {
        let Received::Message(..) = endpoint.recv() else { return Err(Error::Foreign.into()) };
        Slot { root: boot::CNODE, index: slot, depth: 32 }.save_caller()?;
    }
    ground.settle();
    Ok(())
}

/// Calls the endpoint in r0 without words, again and again; without stack.
#[unsafe(naked)]
extern "C" fn calls() -> ! {
    naked_asm!("mov r8, r0", "1:", "mov r0, r8", "mov r1, #0", "mvn r7, #0", "swi 0", "b 1b")
}
