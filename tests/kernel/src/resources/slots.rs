//! The capability space of two levels.

use alloc::vec::Vec;

use ground::{Outcome, ensure, ensure_eq};
use sel4::{Badge, Cap, Error, Notification, Rights, boot};

use crate::Bench;

/// More than there are in the CNode that the kernel made.
const MANY: usize = 150_000;

/// What the root task started with has its numbers still.
pub fn old_numbers_are_valid(bench: &mut Bench) -> Outcome {
    ensure_eq!(boot::TCB.set_priority(rtcr_core::guardian::OWN_PRIORITY), Ok(()));
    let frame = bench.boot_info.image_frames().next().map(|frame| frame.address());
    ensure!(matches!(frame, Some(Ok(_))), "{frame:?}");
    let slot: Cap<Notification> = Cap::new(bench.resources.take_slot()?);
    let copied = boot::IRQ_CONTROL.slot(boot::CNODE).copy_to(slot.slot(boot::CNODE), Rights::ALL);
    ensure!(copied.is_err(), "interrupt control cannot be copied");
    bench.resources.give_slot(slot.number());
    Ok(())
}

/// Slots are all different, beyond 2^16, and all come back.
pub fn there_are_more_than_one_level_holds(bench: &mut Bench) -> Outcome {
    let mut slots = Vec::new();
    for round in 0..2 {
        for _ in 0..MANY {
            slots.push(bench.resources.take_slot()?);
        }
        ensure_eq!(bench.resources.counts().slots, MANY as u32, "round {round}");
        slots.sort_unstable();
        ensure!(slots.windows(2).all(|pair| pair[0] != pair[1]), "round {round}: one was given twice");
        ensure!(slots[MANY - 1] >= 2 << 16);
        slots.drain(..).for_each(|slot| bench.resources.give_slot(slot));
    }
    Ok(())
}

/// A capability can be put into slots of every CNode, used there, and deleted; objects too are made everywhere.
pub fn every_slot_can_be_used(bench: &mut Bench) -> Outcome {
    let notification = bench.resources.make::<Notification>()?;
    let mut slots = Vec::new();
    for _ in 0..MANY {
        slots.push(bench.resources.take_slot()?);
    }
    for &slot in slots.iter().step_by(1_009) {
        let copy: Cap<Notification> = Cap::new(slot);
        let Some(badge) = Badge::new(slot) else { continue };
        notification.slot(boot::CNODE).mint_to(copy.slot(boot::CNODE), Rights::ALL, badge.into())?;
        copy.signal();
        ensure_eq!(notification.poll(), Some(badge));
        let again = notification.slot(boot::CNODE).copy_to(copy.slot(boot::CNODE), Rights::ALL);
        ensure_eq!(again, Err(Error::DeleteFirst), "{slot:#x}");
        // SAFETY: a notification is no memory.
        unsafe { copy.slot(boot::CNODE).delete() }?;
    }
    slots.drain(..).for_each(|slot| bench.resources.give_slot(slot));
    // SAFETY: a notification is no thread.
    unsafe { bench.resources.unmake(notification) };
    Ok(())
}
