//! Objects made of untyped memory, deleted, and made anew.

use ground::{Ground, Loose, Outcome, Test, ensure, ensure_eq, supplies, tests};
use sel4::{
    AsidPool, Cap, Endpoint, Error, Frame, FrameSize, ObjectKind, Rights, Tcb, Untyped, boot, untyped::MAX_OBJECTS,
};
use wire::layout::PAGE;

/// Their list.
pub const TESTS: &[Test] = tests! { objects:
    every_kind_takes_its_size,
    every_kind_is_deleted,
    a_made_object_is_of_its_kind,
    a_batch_has_256,
    a_taken_slot_is_not_overwritten,
    recycled_memory_is_zero,
    revoking_takes_everything,
    memory_comes_back_with_the_last_child,
    an_untyped_with_children_cannot_become_a_pool,
};

const KINDS: [ObjectKind; 11] = [
    ObjectKind::Untyped { bits: 12 },
    ObjectKind::Tcb,
    ObjectKind::Endpoint,
    ObjectKind::Notification,
    ObjectKind::CNode { bits: 4 },
    ObjectKind::Frame(FrameSize::Small),
    ObjectKind::Frame(FrameSize::Large),
    ObjectKind::Frame(FrameSize::Section),
    ObjectKind::Frame(FrameSize::SuperSection),
    ObjectKind::PageTable,
    ObjectKind::PageDirectory,
];

/// An untyped of the size that the typed layer states holds exactly one object of each kind.
pub fn every_kind_takes_its_size(ground: &mut Ground) -> Outcome {
    for kind in KINDS {
        let memory = ground.untyped(kind.memory_bits())?;
        let slots = ground.objects.take_slots(2)?;
        memory.cap().retype(kind, boot::CNODE, slots.start, 1)?;
        let second = memory.cap().retype(kind, boot::CNODE, slots.start + 1, 1);
        ensure_eq!(second, Err(Error::NotEnoughMemory), "{kind:?}");
        if kind.memory_bits() > 4 {
            let half = ground.untyped(kind.memory_bits() - 1)?;
            let result = half.cap().retype(kind, boot::CNODE, slots.start + 1, 1);
            ensure_eq!(result, Err(Error::NotEnoughMemory), "{kind:?}");
        }
    }
    Ok(())
}

/// Every kind can be deleted; its slot is empty then, and its memory is there again.
pub fn every_kind_is_deleted(ground: &mut Ground) -> Outcome {
    for kind in KINDS {
        let memory = ground.untyped(kind.memory_bits())?;
        let object: Loose<Endpoint> = memory.make(ground, kind)?;
        object.delete()?;
        // A place that is empty: nothing can be copied from there, something can be made there.
        let slot = ground.slot()?;
        ensure_eq!(object.slot().copy_to(slot, Rights::ALL), Err(Error::FailedLookup), "{kind:?}");
        memory.cap().retype(kind, boot::CNODE, object.cap().number(), 1)?;
        object.delete()?;
    }
    Ok(())
}

/// What was made answers as its kind does, and as no other.
pub fn a_made_object_is_of_its_kind(ground: &mut Ground) -> Outcome {
    let frame: Loose<Frame> = ground.frame(FrameSize::Small)?;
    ensure!(frame.cap().address().is_ok());
    let thread: Loose<Tcb> = ground.loose(ObjectKind::Tcb)?;
    ensure_eq!(thread.cap().suspend(), Ok(()));
    ensure_eq!(thread.cap().cast::<Frame>().address(), Err(Error::IllegalOperation));
    ensure_eq!(frame.cap().cast::<Tcb>().suspend(), Err(Error::IllegalOperation));
    Ok(())
}

/// One call makes 256 objects and not one more; what it makes are different ones, one behind the other.
pub fn a_batch_has_256(ground: &mut Ground) -> Outcome {
    ensure_eq!(MAX_OBJECTS, 256);
    let memory = ground.untyped(21)?;
    let slots = ground.objects.take_slots(257)?;
    let kind = ObjectKind::Frame(FrameSize::Small);
    ensure_eq!(memory.cap().retype(kind, boot::CNODE, slots.start, 257), Err(Error::RangeError));
    memory.cap().retype(kind, boot::CNODE, slots.start, 256)?;
    let start = Cap::<Frame>::new(slots.start).address()?;
    for (slot, address) in slots.clone().take(256).zip((start..).step_by(PAGE as usize)) {
        ensure_eq!(Cap::<Frame>::new(slot).address(), Ok(address));
    }
    Ok(())
}

/// A slot that holds something is not overwritten, nor is any other of the batch then.
pub fn a_taken_slot_is_not_overwritten(ground: &mut Ground) -> Outcome {
    let memory = ground.untyped(14)?;
    let slots = ground.objects.take_slots(3)?;
    let kind = ObjectKind::Frame(FrameSize::Small);
    memory.cap().retype(kind, boot::CNODE, slots.start + 1, 1)?;
    let before = Cap::<Frame>::new(slots.start + 1).address();
    ensure_eq!(memory.cap().retype(kind, boot::CNODE, slots.start, 3), Err(Error::DeleteFirst));
    ensure_eq!(Cap::<Frame>::new(slots.start + 1).address(), before);
    let empty = ground.slot()?;
    let first = Cap::<Frame>::new(slots.start).slot(boot::CNODE);
    ensure_eq!(first.copy_to(empty, Rights::ALL), Err(Error::FailedLookup));
    Ok(())
}

/// Memory that was used, given back and made into a frame again is zero.
pub fn recycled_memory_is_zero(ground: &mut Ground) -> Outcome {
    let memory = ground.untyped(12)?;
    let address = ground.megabyte()?;
    let mut physical = None;
    for round in 0..3 {
        let frame: Loose<Frame> = memory.make(ground, ObjectKind::Frame(FrameSize::Small))?;
        ensure_eq!(frame.cap().address()?, *physical.get_or_insert(frame.cap().address()?));
        frame.map(address, Rights::READ_WRITE)?;
        for word in (0..PAGE).step_by(4) {
            ensure_eq!(supplies::read(address + word), 0, "word {word} in round {round}");
            supplies::write(address + word, !0);
        }
        memory.revoke()?;
    }
    Ok(())
}

/// Revoking an untyped deletes what was made of it, and copies, and what was made of what was made.
pub fn revoking_takes_everything(ground: &mut Ground) -> Outcome {
    let memory = ground.untyped(14)?;
    let inner: Loose<Untyped> = memory.make(ground, ObjectKind::Untyped { bits: 13 })?;
    let frame: Loose<Frame> = inner.make(ground, ObjectKind::Frame(FrameSize::Small))?;
    let copy = ground.copy(frame.cap(), Rights::READ)?;
    memory.revoke()?;
    let empty = ground.slot()?;
    for gone in [inner.slot(), frame.slot(), copy.slot()] {
        ensure_eq!(gone.copy_to(empty, Rights::ALL), Err(Error::FailedLookup));
    }
    ensure_eq!(memory.slot().copy_to(empty, Rights::ALL), Ok(()));
    Ok(())
}

/// Memory comes back only when all objects made of an untyped are gone, not one by one.
pub fn memory_comes_back_with_the_last_child(ground: &mut Ground) -> Outcome {
    let memory = ground.untyped(13)?;
    let kind = ObjectKind::Frame(FrameSize::Small);
    let one: Loose<Frame> = memory.make(ground, kind)?;
    let other: Loose<Frame> = memory.make(ground, kind)?;
    let full = |slot| memory.cap().retype(kind, boot::CNODE, slot, 1) == Err(Error::NotEnoughMemory);
    let slot = ground.slot()?.index;
    ensure!(full(slot));
    one.delete()?;
    ensure!(full(slot));
    let copy = ground.copy(other.cap(), Rights::READ)?;
    other.delete()?;
    ensure!(full(slot), "a copy is left");
    copy.delete()?;
    ensure_eq!(memory.cap().retype(kind, boot::CNODE, slot, 1), Ok(()));
    Ok(())
}

/// A pool of address space numbers needs an untyped of 4 KiB of which nothing is made.
pub fn an_untyped_with_children_cannot_become_a_pool(ground: &mut Ground) -> Outcome {
    let memory = ground.untyped(12)?;
    let endpoint: Loose<Endpoint> = memory.make(ground, ObjectKind::Endpoint)?;
    let slot = ground.slot()?;
    ensure_eq!(boot::ASID_CONTROL.make_pool(memory.cap(), slot), Err(Error::RevokeFirst));
    endpoint.delete()?;
    boot::ASID_CONTROL.make_pool(memory.cap(), slot)?;
    let directory: Loose<sel4::PageDirectory> = ground.loose(ObjectKind::PageDirectory)?;
    slot.cap::<AsidPool>().assign(directory.cap())?;
    ensure_eq!(slot.cap::<AsidPool>().assign(directory.cap()), Err(Error::InvalidCapability));
    Ok(())
}
