//! What reaches a thread while it is frozen.

use ground::{Failure, Ground, Outcome, Test, Thread, ensure_eq, ground::PRIORITY, tests};
use sel4::{Cap, Endpoint, Fault, Message, Notification, Rights, UserContext, VmAttributes, boot};

use super::step::{
    Act, Step, SystemCall, is_message, message, nothing_waits, past, received, same, start, start_with, take,
};

const BADGE: u32 = 0x44;
const QUESTION: Message = message(0x1100);
const ANSWER: Message = message(0x2200);

/// The thread stands where its registers say, lets nothing happen to `step`, and when it is thawed ends `step` with the
/// same registers.
fn stands_then_ends_with(ground: &mut Ground, thread: Thread, step: &Step, registers: UserContext) -> Outcome {
    ground.settle();
    step.is_pending()?;
    same(thread.tcb.read_registers(false)?, registers)?;
    thread.thaw()?;
    ground.settle();
    step.is_done_with(registers)
}

/// A client, frozen in a call that was received.
fn frozen_client(ground: &mut Ground) -> Result<(Cap<Endpoint>, &'static Step, Thread), Failure> {
    let endpoint = ground.objects.make::<Endpoint>()?;
    let badged = ground.badged(endpoint, BADGE)?;
    let step = Step::new(ground, SystemCall::Call, badged, &QUESTION)?;
    let thread = start(ground, step)?;
    ground.settle();
    is_message(take(endpoint)?, BADGE, &QUESTION)?;
    thread.freeze()?;
    Ok((endpoint, step, thread))
}

/// An answer reaches a frozen client; thawed, it goes on with it, once.
pub fn answered(ground: &mut Ground) -> Outcome {
    let (endpoint, step, thread) = frozen_client(ground)?;
    same(thread.tcb.read_registers(false)?, step.before(Act::Trap))?;
    sel4::reply(ANSWER);
    stands_then_ends_with(ground, thread, step, received(step.before(Act::Trap), 0, &ANSWER))?;
    nothing_waits(endpoint)
}

/// The same when nobody reads the thread's registers meanwhile: freezing by itself disturbs nothing.
pub fn answered_unread(ground: &mut Ground) -> Outcome {
    let (endpoint, step, thread) = frozen_client(ground)?;
    sel4::reply(ANSWER);
    ground.settle();
    step.is_pending()?;
    thread.thaw()?;
    ground.settle();
    step.is_done_with(received(step.before(Act::Trap), 0, &ANSWER))?;
    nothing_waits(endpoint)
}

/// The question of a frozen client that is queued can be received and answered.
pub fn received_and_answered(ground: &mut Ground) -> Outcome {
    let endpoint = ground.objects.make::<Endpoint>()?;
    let badged = ground.badged(endpoint, BADGE)?;
    let step = Step::new(ground, SystemCall::Call, badged, &QUESTION)?;
    let thread = start(ground, step)?;
    ground.settle();
    thread.freeze()?;
    is_message(take(endpoint)?, BADGE, &QUESTION)?;
    same(thread.tcb.read_registers(false)?, step.before(Act::Trap))?;
    sel4::reply(ANSWER);
    stands_then_ends_with(ground, thread, step, received(step.before(Act::Trap), 0, &ANSWER))?;
    nothing_waits(endpoint)
}

/// A message reaches a frozen server.
pub fn given_a_message(ground: &mut Ground) -> Outcome {
    let endpoint = ground.objects.make::<Endpoint>()?;
    let badged = ground.badged(endpoint, BADGE)?;
    let step = Step::receiving(ground, endpoint)?;
    let thread = start(ground, step)?;
    ground.settle();
    thread.freeze()?;
    badged.nb_send(QUESTION);
    stands_then_ends_with(ground, thread, step, received(step.before(Act::Trap), BADGE, &QUESTION))
}

/// A signal reaches a frozen thread that waits; its badge is right, and a second signal stays in the notification.
pub fn signalled(ground: &mut Ground) -> Outcome {
    let notification = ground.objects.make::<Notification>()?;
    let (first, second) = (ground.badged(notification, BADGE)?, ground.badged(notification, 0x80)?);
    let step = Step::receiving(ground, notification)?;
    let thread = start(ground, step)?;
    ground.settle();
    thread.freeze()?;
    first.signal();
    second.signal();
    stands_then_ends_with(ground, thread, step, UserContext { r0: BADGE, ..past(step.before(Act::Trap)) })?;
    ensure_eq!(notification.poll().map(|badge| badge.number()), Some(0x80));
    Ok(())
}

/// A client whose bound notification is signalled and whose call is answered, both while it is frozen, has its answer
/// first, then the badges of all signals, each once.
pub fn answered_and_signalled(ground: &mut Ground) -> Outcome {
    let notification = ground.objects.make::<Notification>()?;
    let (first, second) = (ground.badged(notification, 0x1)?, ground.badged(notification, 0x8)?);
    let endpoint = ground.objects.make::<Endpoint>()?;
    let own = ground.objects.make::<Endpoint>()?;
    let step = Step::new(ground, SystemCall::Call, endpoint, &QUESTION)?;
    let waits = Step::receiving(ground, own)?;
    step.then(waits);
    let thread = start(ground, step)?;
    thread.tcb.bind_notification(notification)?;
    ground.settle();
    take(endpoint)?;
    thread.freeze()?;
    first.signal();
    sel4::reply(ANSWER);
    second.signal();
    stands_then_ends_with(ground, thread, step, received(step.before(Act::Trap), 0, &ANSWER))?;
    // The signal came through an endpoint, but sets the badge only.
    waits.is_done_with(UserContext { r0: 0x9, ..past(waits.before(Act::Trap)) })?;
    // Bound, it could be polled by that thread only.
    thread.tcb.unbind_notification()?;
    ensure_eq!(notification.poll(), None);
    nothing_waits(endpoint)
}

/// A signal reaches a frozen thread that receives, through its bound notification.
pub fn signalled_while_receiving(ground: &mut Ground) -> Outcome {
    let notification = ground.objects.make::<Notification>()?;
    let badged = ground.badged(notification, BADGE)?;
    let endpoint = ground.objects.make::<Endpoint>()?;
    let step = Step::receiving(ground, endpoint)?;
    let thread = start(ground, step)?;
    thread.tcb.bind_notification(notification)?;
    ground.settle();
    thread.freeze()?;
    badged.signal();
    stands_then_ends_with(ground, thread, step, UserContext { r0: BADGE, ..past(step.before(Act::Trap)) })?;
    // Bound, it could be polled by that thread only.
    thread.tcb.unbind_notification()?;
    ensure_eq!(notification.poll(), None);
    Ok(())
}

/// A memory fault of a frozen thread can be cured and answered; the access is then made.
pub fn fault_answered(ground: &mut Ground) -> Outcome {
    let faults = ground.objects.make::<Endpoint>()?;
    let badged = ground.badged(faults, BADGE)?;
    let (frame, address) = ground.page()?;
    let address = address.addr() as u32;
    // SAFETY: nobody refers to the new page.
    unsafe { frame.unmap() }?;
    let step = Step::touching(ground, address)?;
    let thread = start_with(ground, step, Act::Touch, PRIORITY, Some(badged))?;
    ground.settle();
    thread.freeze()?;
    let (_, message) = take(faults)?;
    ensure_eq!(Fault::decode(&message).map(|fault| fault.pc()), Some(Act::Touch.address()));
    // SAFETY: nobody refers to the page, and nothing else is mapped there.
    unsafe { frame.map(boot::ADDRESS_SPACE, address, Rights::READ_WRITE, VmAttributes::DATA) }?;
    sel4::reply(Message::new(0, []));
    ground.settle();
    step.is_pending()?;
    same(thread.tcb.read_registers(false)?, step.before(Act::Touch))?;
    thread.thaw()?;
    ground.settle();
    step.is_done_with(past(step.before(Act::Touch)))?;
    nothing_waits(faults)
}

/// Names and tests.
pub const TESTS: &[Test] = tests! { threads::while_frozen:
    answered, answered_unread, received_and_answered, given_a_message, signalled, answered_and_signalled, signalled_while_receiving,
    fault_answered,
};
