//! What can be done to a call from outside: answered by hand, dropped, rebuilt between two threads.

use ground::{Failure, Ground, Outcome, Test, Thread, ensure_eq, ground::PRIORITY, tests};
use sel4::{Cap, Endpoint, Message, UserContext};

use super::step::{Act, Step, SystemCall, is_message, message, nothing_waits, past, received, same, start, take};

const BADGE: u32 = 0x33;
const QUESTION: Message = message(0x1100);
const ANSWER: Message = message(0x2200);
const LATE: Message = message(0x3300);

/// A client in a call that the test has received.
fn received_client(ground: &mut Ground) -> Result<(Cap<Endpoint>, &'static Step, Thread), Failure> {
    let endpoint = ground.objects.make::<Endpoint>()?;
    let badged = ground.badged(endpoint, BADGE)?;
    let step = Step::new(ground, SystemCall::Call, badged, &QUESTION)?;
    let thread = start(ground, step)?;
    ground.settle();
    is_message(take(endpoint)?, BADGE, &QUESTION)?;
    Ok((endpoint, step, thread))
}

/// A fresh thread can be given the answer to a call that another thread made: pc = A + 4, r0 = 0, r1 = message info, r2
/// to r5 = words. Nothing is sent again.
pub fn answered_by_hand(ground: &mut Ground) -> Outcome {
    let (endpoint, step, old) = received_client(ground)?;
    old.freeze()?;
    let saved = old.tcb.read_registers(false)?;
    old.tcb.suspend()?;
    let [r2, r3, r4, r5] = ANSWER.words;
    let answered = UserContext { pc: saved.pc + 4, r0: 0, r1: ANSWER.info.word(), r2, r3, r4, r5, ..saved };
    let new = ground.make_thread(PRIORITY, None)?;
    // SAFETY: the old thread never runs again, so the stack is the new one's.
    unsafe { new.tcb.write_registers(true, &answered) }?;
    sel4::reply(LATE);
    ground.settle();
    step.is_done_with(received(step.before(Act::Trap), 0, &ANSWER))?;
    nothing_waits(endpoint)
}

/// A frozen thread's registers written with `resume`: its call is dropped, a late answer changes nothing, and thawed it
/// runs at the new place.
pub fn dropped(ground: &mut Ground) -> Outcome {
    let (endpoint, step, thread) = received_client(ground)?;
    thread.freeze()?;
    let elsewhere = Step::with(ground)?;
    let written = past(elsewhere.before(Act::Trap));
    // SAFETY: the step is the thread's new stack.
    unsafe { thread.tcb.write_registers(true, &written) }?;
    same(thread.tcb.read_registers(false)?, written)?;
    sel4::reply(LATE);
    ground.settle();
    same(thread.tcb.read_registers(false)?, written)?;
    thread.thaw()?;
    ground.settle();
    elsewhere.is_done_with(written)?;
    step.is_pending()?;
    nothing_waits(endpoint)
}

/// The same for a call that is still queued: nobody receives it any more.
pub fn dropped_while_queued(ground: &mut Ground) -> Outcome {
    let endpoint = ground.objects.make::<Endpoint>()?;
    let step = Step::new(ground, SystemCall::Call, endpoint, &QUESTION)?;
    let thread = start(ground, step)?;
    ground.settle();
    thread.freeze()?;
    let elsewhere = Step::with(ground)?;
    let written = past(elsewhere.before(Act::Trap));
    // SAFETY: the step is the thread's new stack.
    unsafe { thread.tcb.write_registers(true, &written) }?;
    nothing_waits(endpoint)?;
    thread.thaw()?;
    ground.settle();
    elsewhere.is_done_with(written)?;
    step.is_pending()
}

/// Why `resume` is needed: without it the call is still waited for. Thawed, the thread does not run, and the answer, when
/// it comes, overwrites r0 to r5 of what was written.
pub fn overwritten_unless_dropped(ground: &mut Ground) -> Outcome {
    let (_, step, thread) = received_client(ground)?;
    thread.freeze()?;
    let elsewhere = Step::with(ground)?;
    let written = past(elsewhere.before(Act::Trap));
    // SAFETY: the step is the thread's new stack.
    unsafe { thread.tcb.write_registers(false, &written) }?;
    same(thread.tcb.read_registers(false)?, written)?;
    thread.thaw()?;
    ground.settle();
    elsewhere.is_pending()?;
    sel4::reply(LATE);
    ground.settle();
    elsewhere.is_done_with(received(written, 0, &LATE))?;
    step.is_pending()
}

/// Who waits for whose answer can be made anew: a thread parked in Recv is frozen, the client calls, the parked thread's
/// registers are written without `resume`, as those of a server in the middle of serving. Thawed, its answer reaches the
/// client, and what it was parked for never happens.
pub fn rebuilt_between_two_threads(ground: &mut Ground) -> Outcome {
    let endpoint = ground.objects.make::<Endpoint>()?;
    let badged = ground.badged(endpoint, BADGE)?;
    let parked = Step::receiving(ground, endpoint)?;
    let server = start(ground, parked)?;
    ground.settle();
    server.freeze()?;
    let call = Step::new(ground, SystemCall::Call, badged, &QUESTION)?;
    start(ground, call)?;
    ground.settle();
    call.is_pending()?;
    let serving = Step::new(ground, SystemCall::Reply, Cap::<Endpoint>::NULL, &ANSWER)?;
    // SAFETY: the step is the thread's new stack.
    unsafe { server.tcb.write_registers(false, &serving.before(Act::Trap)) }?;
    server.thaw()?;
    ground.settle();
    call.is_done_with(received(call.before(Act::Trap), 0, &ANSWER))?;
    serving.is_done_with(past(serving.before(Act::Trap)))?;
    parked.is_pending()
}

/// The relation holds for one answer: a second one, later, goes nowhere.
pub fn rebuilt_relation_holds_once(ground: &mut Ground) -> Outcome {
    let endpoint = ground.objects.make::<Endpoint>()?;
    let parked = Step::receiving(ground, endpoint)?;
    let server = start(ground, parked)?;
    ground.settle();
    server.freeze()?;
    let call = Step::new(ground, SystemCall::Call, endpoint, &QUESTION)?;
    let again = Step::new(ground, SystemCall::Call, endpoint, &QUESTION)?;
    call.then(again);
    start(ground, call)?;
    ground.settle();
    let serving = Step::new(ground, SystemCall::Reply, Cap::<Endpoint>::NULL, &ANSWER)?;
    let late = Step::new(ground, SystemCall::Reply, Cap::<Endpoint>::NULL, &LATE)?;
    serving.then(late);
    // SAFETY: the step is the thread's new stack.
    unsafe { server.tcb.write_registers(false, &serving.before(Act::Trap)) }?;
    server.thaw()?;
    ground.settle();
    ensure_eq!((serving.count(), late.count()), (1, 1));
    call.is_done_with(received(call.before(Act::Trap), 0, &ANSWER))?;
    // The client's next call waits for somebody who receives it.
    again.is_pending()?;
    is_message(take(endpoint)?, 0, &QUESTION)
}

/// Names and tests.
pub const TESTS: &[Test] = tests! { threads::calls:
    answered_by_hand, dropped, dropped_while_queued, overwritten_unless_dropped, rebuilt_between_two_threads,
    rebuilt_relation_holds_once,
};
