//! Making and deleting objects, and moving capabilities about.

use ground::{Failure, Loose};
use sel4::{Endpoint, Frame, FrameSize, ObjectKind, PageDirectory, Rights, Untyped, boot, untyped::MAX_OBJECTS};

use crate::meter::Meter;

const FRAME: ObjectKind = ObjectKind::Frame(FrameSize::Small);

/// All of them.
pub fn measure(meter: &mut Meter) -> Result<(), Failure> {
    frames(meter)?;
    capabilities(meter)?;
    kinds(meter)?;
    recycled(meter)
}

/// Frames alone, in batches from memory that was never used, and from memory that was.
fn frames(meter: &mut Meter) -> Result<(), Failure> {
    let memory = meter.ground.untyped(20)?;
    let slots = meter.ground.objects.take_slots(MAX_OBJECTS)?.start;
    let one = |memory: Loose<Untyped>| move |i| memory.cap().retype(FRAME, boot::CNODE, slots + i, 1);
    meter.each("retype/4 KiB frame, alone, fresh memory", MAX_OBJECTS, one(memory))?;
    meter.batches("revoke/per 4 KiB frame", 1, MAX_OBJECTS, |_| memory.revoke())?;
    let all = |_| memory.cap().retype(FRAME, boot::CNODE, slots, MAX_OBJECTS);
    meter.batches("retype/4 KiB frame, 256 at once, used and revoked memory", 1, MAX_OBJECTS, all)?;
    memory.revoke()?;

    let memories = (0..8).map(|_| meter.ground.untyped(20)).collect::<Result<alloc::vec::Vec<_>, _>>()?;
    let slots = meter.ground.objects.take_slots(8 * MAX_OBJECTS)?.start;
    meter.batches("retype/4 KiB frame, 256 at once, fresh memory", 8, MAX_OBJECTS, |i| {
        memories[i as usize].cap().retype(FRAME, boot::CNODE, slots + i * MAX_OBJECTS, MAX_OBJECTS)
    })
}

/// Copies of an endpoint's capability, which differ from frames in nothing here but deletion.
fn capabilities(meter: &mut Meter) -> Result<(), Failure> {
    let endpoint: Loose<Endpoint> = meter.ground.loose(ObjectKind::Endpoint)?;
    let frame: Loose<Frame> = meter.ground.frame(FrameSize::Small)?;
    let slots = meter.ground.objects.take_slots(256)?.start;
    let slot = |i| sel4::Cap::<Endpoint>::new(slots + i).slot(boot::CNODE);
    let badge = sel4::Badge::new(7).unwrap_or_default();
    let delete = |i| {
        // SAFETY: a copy of a capability that is mapped nowhere.
        unsafe { slot(i).delete() }
    };
    meter.each("cnode/copy of an endpoint", 256, |i| endpoint.slot().copy_to(slot(i), Rights::ALL))?;
    meter.each("cnode/delete of an endpoint's copy", 256, delete)?;
    meter.each("cnode/mint of an endpoint", 256, |i| endpoint.slot().mint_to(slot(i), Rights::CALL, badge.into()))?;
    (0..256).try_for_each(delete)?;
    (0..256).try_for_each(|i| frame.slot().copy_to(slot(i), Rights::ALL))?;
    meter.each("cnode/delete of an unmapped frame's copy", 256, delete)
}

/// Objects of each kind, alone, of memory that was never used, and deleted again. Assigning gets dearer with each number
/// that is taken: the kernel looks for a free one from the pool's start.
fn kinds(meter: &mut Meter) -> Result<(), Failure> {
    const COUNT: u32 = 32;
    for (kind, made, deleted) in [
        (ObjectKind::Tcb, "retype/thread", "cnode/delete of a thread"),
        (ObjectKind::Endpoint, "retype/endpoint", "cnode/delete of an endpoint"),
        (ObjectKind::Notification, "retype/notification", "cnode/delete of a notification"),
        (ObjectKind::CNode { bits: 8 }, "retype/cnode of 256 slots", "cnode/delete of a cnode of 256 slots"),
        (ObjectKind::PageTable, "retype/page table", "cnode/delete of a page table"),
        (ObjectKind::PageDirectory, "retype/page directory", "cnode/delete of a page directory with a number"),
        (ObjectKind::Frame(FrameSize::Large), "retype/64 KiB frame", "cnode/delete of a 64 KiB frame"),
        (ObjectKind::Frame(FrameSize::Section), "retype/1 MiB frame", "cnode/delete of a 1 MiB frame"),
    ] {
        let memory = meter.ground.untyped(kind.memory_bits() + COUNT.ilog2() as u8)?;
        let slots = meter.ground.objects.take_slots(COUNT)?.start;
        let first = memory.make_at::<PageDirectory>(kind, slots, 1)?;
        meter.each(made, COUNT - 1, |i| memory.cap().retype(kind, boot::CNODE, slots + 1 + i, 1))?;
        if kind == ObjectKind::PageDirectory {
            meter.each("asid/assign", COUNT, |i| boot::ASID_POOL.assign(first.offset(i).cap()))?;
        }
        meter.each(deleted, COUNT, |i| first.offset(i).delete())?;
    }
    Ok(())
}

/// Objects of each kind, each in an untyped of exactly its size that held one before: the call clears the memory.
fn recycled(meter: &mut Meter) -> Result<(), Failure> {
    for (kind, name) in [
        (ObjectKind::Tcb, "retype/thread, used memory"),
        (ObjectKind::Endpoint, "retype/endpoint, used memory"),
        (ObjectKind::CNode { bits: 8 }, "retype/cnode of 256 slots, used memory"),
        (ObjectKind::PageTable, "retype/page table, used memory"),
        (ObjectKind::PageDirectory, "retype/page directory, used memory"),
        (FRAME, "retype/4 KiB frame, alone, used memory"),
    ] {
        const COUNT: u32 = 32;
        let own = ObjectKind::Untyped { bits: kind.memory_bits() };
        let memory = meter.ground.untyped(kind.memory_bits() + COUNT.ilog2() as u8)?;
        let memory = memory.make_batch::<Untyped>(&mut meter.ground, own, COUNT)?;
        let slots = meter.ground.objects.take_slots(COUNT)?.start;
        for i in 0..COUNT {
            memory.offset(i).make_at::<Untyped>(kind, slots + i, 1)?.delete()?;
        }
        meter.each(name, COUNT, |i| memory.offset(i).cap().retype(kind, boot::CNODE, slots + i, 1))?;
    }
    Ok(())
}
