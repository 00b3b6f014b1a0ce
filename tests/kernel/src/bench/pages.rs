//! Mappings and faults.

use core::ptr;

use ground::{AddressSpace, Failure, Ground, Loose, Probe};
use sel4::{
    Cap, Endpoint, Error, Frame, FrameSize, Message, ObjectKind, PageTable, Priority, Received, Rights, UserContext,
    VmAttributes, boot,
};
use wire::layout::PAGE;

use crate::meter::Meter;

/// Pages of a measurement: what a page table covers.
const PAGES: u32 = 256;

/// All of them.
pub fn measure(meter: &mut Meter) -> Result<(), Failure> {
    let address = meter.ground.megabyte()?;
    let frame = frames(&mut meter.ground, FrameSize::Small, PAGES)?;
    let page = |index: u32| address + index * PAGE;
    meter.each("page/map 4 KiB", PAGES, |i| frame.offset(i).map(page(i), Rights::READ_WRITE))?;
    meter.each("page/remap 4 KiB read-only", PAGES, |i| frame.offset(i).remap(Rights::READ))?;
    meter.each("page/remap 4 KiB writable", PAGES, |i| frame.offset(i).remap(Rights::READ_WRITE))?;

    let table = meter.ground.untyped(14)?.make_batch::<PageTable>(&mut meter.ground, ObjectKind::PageTable, 16)?;
    let area = meter.ground.addresses(16 << 20);
    meter.each("page/map a page table", 16, |i| table.offset(i).cap().map(boot::ADDRESS_SPACE, area + (i << 20)))?;

    // A second space over the same frames.
    let slots = meter.ground.objects.take_slots(PAGES)?.start;
    let copy = |index| Cap::<Frame>::new(slots + index);
    meter.each("cnode/copy of a frame", PAGES, |i| {
        frame.offset(i).slot().copy_to(copy(i).slot(boot::CNODE), Rights::ALL)
    })?;
    let space = AddressSpace::new(&mut meter.ground)?;
    meter.ground.objects.make::<PageTable>()?.map(space.directory, address)?;
    meter.each("page/map 4 KiB in another address space", PAGES, |i| {
        // SAFETY: no Rust code runs in that space.
        unsafe { copy(i).map(space.directory, page(i), Rights::READ, VmAttributes::DATA) }
    })?;
    let delete = |i| {
        // SAFETY: nothing refers to what these copies map.
        unsafe { copy(i).slot(boot::CNODE).delete() }
    };
    meter.each("cnode/delete of a frame's copy mapped in another address space", PAGES, delete)?;
    let here = meter.ground.megabyte()?;
    for i in 0..PAGES {
        frame.offset(i).slot().copy_to(copy(i).slot(boot::CNODE), Rights::ALL)?;
        // SAFETY: at addresses that are the measurement's own.
        unsafe { copy(i).map(boot::ADDRESS_SPACE, here + i * PAGE, Rights::READ, VmAttributes::DATA) }?;
    }
    meter.each("cnode/delete of a frame's copy mapped in this address space", PAGES, delete)?;
    meter.each("page/unmap 4 KiB", PAGES, |i| frame.offset(i).unmap())?;

    let large = frames(&mut meter.ground, FrameSize::Large, 16)?;
    let bytes = FrameSize::Large.bytes();
    meter.each("page/map 64 KiB", 16, |i| large.offset(i).map(address + i * bytes, Rights::READ_WRITE))?;
    meter.each("page/unmap 64 KiB", 16, |i| large.offset(i).unmap())?;
    let section = frames(&mut meter.ground, FrameSize::Section, 16)?;
    let bytes = FrameSize::Section.bytes();
    let area = meter.ground.addresses(16 * bytes);
    meter.each("page/map 1 MiB", 16, |i| section.offset(i).map(area + i * bytes, Rights::READ_WRITE))?;
    meter.each("page/unmap 1 MiB", 16, |i| section.offset(i).unmap())?;
    faults(meter)
}

/// The first of `count` frames of memory that was never used.
fn frames(ground: &mut Ground, size: FrameSize, count: u32) -> Result<Loose<Frame>, Failure> {
    let memory = ground.untyped(size.bits() + count.ilog2() as u8)?;
    Ok(memory.make_batch(ground, ObjectKind::Frame(size), count)?)
}

/// Writes to each page from the address in word 0 on, then sends a message to the endpoint of word 1.
extern "C" fn writes(probe: &'static Probe) -> ! {
    for page in (probe.get(0)..).step_by(PAGE as usize).take(PAGES as usize) {
        // SAFETY: memory of this measurement.
        unsafe { ptr::write_volatile(page as *mut u32, page) };
    }
    loop {
        Cap::<Endpoint>::new(probe.get(1)).call(Message::new(1, []));
    }
}

/// A write to a read-only page by a thread in another address space, received, cured by Remap, answered: until the next
/// such fault has arrived.
fn faults(meter: &mut Meter) -> Result<(), Failure> {
    let ground = &mut meter.ground;
    let mut space = AddressSpace::with_image(ground)?;
    let address = ground.megabyte()?;
    let first = frames(ground, FrameSize::Small, PAGES)?;
    let mut copies = None;
    for index in 0..PAGES {
        let copy = space.map(ground, first.offset(index).cap(), address + index * PAGE, Rights::READ)?;
        copies.get_or_insert(copy);
    }
    let endpoint = ground.objects.make::<Endpoint>()?;
    let handler = ground.badged(endpoint, 0xfa)?;
    let probe = ground.probe();
    probe.set(0, address);
    probe.set(1, endpoint.number());
    let stack = ground.frame(FrameSize::Small)?;
    let stack_address = ground.addresses(1 << 20);
    space.map(ground, stack.cap(), stack_address, Rights::READ_WRITE)?;
    let thread = ground.make_thread(ground::ground::PRIORITY, None)?;
    let registers = UserContext {
        pc: writes as *const () as u32,
        sp: stack_address + PAGE,
        cpsr: ground::ground::USER_MODE,
        r0: ptr::from_ref(probe).addr() as u32,
        ..UserContext::default()
    };
    // SAFETY: the thread's stack and the root task's image lie in its space; it sends no long messages, so that it needs
    // no message buffer.
    unsafe {
        thread.tcb.configure(space.space(handler.number()), Priority::new(ground::ground::PRIORITY), None)?;
        thread.tcb.write_registers(true, &registers)?;
    }
    let Some(copies) = copies else { return Ok(()) };
    endpoint.recv();
    meter.each("fault/write to a read-only page, cured by remap", PAGES, |i| {
        // One copy's slot behind the other: page tables were made for the first one.
        space.remap(copies.offset(i), Rights::READ_WRITE)?;
        match endpoint.reply_recv(Message::new(0, [])) {
            Received::Message(..) => Ok(()),
            Received::Signal(_) => Err(Error::Foreign),
        }
    })
}
