//! What can be done to a call from outside: answered by hand, dropped, rebuilt between two threads.

use ground::{Failure, Ground, Outcome, Test, Thread, ensure, ensure_eq, ground::PRIORITY, tests};
use rtcr_core::meeting;
use sel4::{Cap, Endpoint, Error, Message, MessageInfo, Notification, ThreadState, UserContext, boot};

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

/// Two new threads that stand still: one to serve, bound to a notification that has rung, and one with the registers of a
/// call.
struct Strangers {
    server: Thread,
    client: Thread,
    call: &'static Step,
    bell: Cap<Notification>,
    /// What is called, and a call that waits there.
    endpoint: Cap<Endpoint>,
    other: &'static Step,
}

/// A message that does not fit into registers.
const LONG: Message = Message { info: MessageInfo::new(0x1100, 20), words: QUESTION.words };

fn strangers(ground: &mut Ground) -> Result<Strangers, Failure> {
    let (endpoint, bell) = (ground.objects.make::<Endpoint>()?, ground.objects.make::<Notification>()?);
    let badged = ground.badged(endpoint, BADGE)?;
    let other = Step::new(ground, SystemCall::Call, endpoint, &LATE)?;
    start(ground, other)?;
    ground.settle();
    let call = Step::new(ground, SystemCall::Call, badged, &LONG)?;
    let (server, client) = (ground.make_thread(PRIORITY, None)?, ground.make_thread(PRIORITY - 1, None)?);
    server.tcb.bind_notification(bell)?;
    bell.signal();
    server.freeze()?;
    client.freeze()?;
    // SAFETY: the step is the thread's stack.
    unsafe { client.tcb.write_registers(true, &call.before(Act::Trap)) }?;
    Ok(Strangers { server, client, call, bell, endpoint, other })
}

impl Strangers {
    /// They meet at `meeting`.
    fn meet(&self, ground: &mut Ground, meeting: Cap<Endpoint>) -> Result<bool, Failure> {
        let aside = Cap::<Endpoint>::new(ground.objects.take_slots(1)?.start);
        let slot = Cap::<Endpoint>::new(self.call.before(Act::Trap).r0).slot(boot::CNODE);
        let Thread { tcb: thread, buffer, .. } = self.server;
        let server = meeting::Server { thread, priority: PRIORITY, buffer, bound: Some(self.bell) };
        let client = meeting::Client { thread: self.client.tcb, priority: PRIORITY - 1, slot };
        // SAFETY: the threads have done nothing yet.
        Ok(unsafe { meeting::meet(meeting, aside.slot(boot::CNODE), &server, &client) })
    }
}

/// Two threads that have never run meet: the one owes the other an answer, and neither has done anything else. The client
/// is where its registers say; the server's buffer, what has rung for it and who waits at the real endpoint are as before.
/// What is then written to the server with `resume` is no end of it: its answer arrives.
pub fn strangers_meet(ground: &mut Ground) -> Outcome {
    let them = strangers(ground)?;
    let words = |thread: Thread| {
        let words = core::ptr::with_exposed_provenance::<[u32; 128]>(thread.buffer.address as usize);
        // SAFETY: the thread's buffer, which is mapped; nobody writes to it now.
        unsafe { words.read_volatile() }
    };
    let fill = |thread: Thread, word: u32| {
        let words = core::ptr::with_exposed_provenance_mut::<[u32; 127]>(thread.buffer.address as usize);
        // SAFETY: as above.
        unsafe { words.write_volatile([word; 127]) };
    };
    fill(them.server, 0x5e);
    fill(them.client, 0xc1);
    let before = words(them.server);
    let meeting = ground.objects.make::<Endpoint>()?;
    ensure!(them.meet(ground, meeting)?);
    ground.settle();

    let info = |thread: Thread| -> Result<_, Failure> {
        let (_, info) = thread.tcb.read_registers_and_info(false)?;
        info.ok_or_else(|| Failure("the kernel does not tell what a thread does".into()))
    };
    let (owes, waits) = (info(them.server)?, info(them.client)?);
    ensure_eq!((waits.state, owes.caller), (ThreadState::BlockedOnReply, Some(waits.thread)));
    same(them.client.tcb.read_registers(false)?, them.call.before(Act::Trap))?;
    ensure!(words(them.server) == before);
    them.other.is_pending()?;
    let serving = Step::new(ground, SystemCall::Reply, Cap::<Endpoint>::NULL, &ANSWER)?;
    let receives = Step::receiving(ground, them.endpoint)?;
    serving.then(receives);
    // SAFETY: the step is the thread's stack.
    unsafe { them.server.tcb.write_registers(true, &serving.before(Act::Trap)) }?;
    ensure_eq!(info(them.server)?.caller, Some(waits.thread));
    same(them.server.tcb.read_registers(false)?, serving.before(Act::Trap))?;
    them.server.thaw()?;
    them.client.thaw()?;
    ground.settle();
    them.call.is_done_with(received(them.call.before(Act::Trap), 0, &ANSWER))?;
    serving.is_done_with(past(serving.before(Act::Trap)))?;
    // The ring that had come before, and only then the call that waits at the endpoint.
    ensure_eq!(receives.after().r0, 0);
    ensure_eq!(receives.count(), 1);
    them.other.is_pending()?;
    is_message(take(them.endpoint)?, 0, &LATE)?;
    // What was called is where it was.
    let called = Cap::<Endpoint>::new(them.call.before(Act::Trap).r0);
    let again = Step::new(ground, SystemCall::Call, called, &QUESTION)?;
    start(ground, again)?;
    ground.settle();
    is_message(take(them.endpoint)?, BADGE, &QUESTION)
}

/// A server that has met its client can be a client itself: of the two who wait for each other none is lost.
pub fn a_chain_meets(ground: &mut Ground) -> Outcome {
    let first = strangers(ground)?;
    let meeting = ground.objects.make::<Endpoint>()?;
    ensure!(first.meet(ground, meeting)?);
    let second = strangers(ground)?;
    // The server of the first is the client of the second.
    let second = Strangers { client: first.server, ..second };
    // SAFETY: the step is the thread's stack.
    unsafe { second.client.tcb.write_registers(true, &second.call.before(Act::Trap)) }?;
    ensure!(second.meet(ground, meeting)?);
    let answer = |ground: &mut Ground| Step::new(ground, SystemCall::Reply, Cap::<Endpoint>::NULL, &ANSWER);
    let (last, between) = (answer(ground)?, answer(ground)?);
    second.call.then(between);
    // SAFETY: as above.
    unsafe { second.server.tcb.write_registers(true, &last.before(Act::Trap)) }?;
    for thread in [first.client, first.server, second.server] {
        thread.thaw()?;
    }
    ground.settle();
    ensure_eq!((last.count(), between.count()), (1, 1));
    second.call.is_done_with(received(second.call.before(Act::Trap), 0, &ANSWER))?;
    first.call.is_done_with(received(first.call.before(Act::Trap), 0, &ANSWER))
}

/// A client that does not stand at a call does not meet anybody. Afterwards both are as before: they wait for nothing, the
/// server, which was never started, does not run and has its own registers, and what rings for it does.
pub fn who_does_not_call_meets_nobody(ground: &mut Ground) -> Outcome {
    let them = strangers(ground)?;
    let own = past(Step::receiving(ground, them.endpoint)?.before(Act::Trap));
    // SAFETY: it does not run.
    unsafe { them.server.tcb.write_registers(false, &own) }?;
    let step = Step::receiving(ground, them.endpoint)?;
    let registers = UserContext { r0: them.call.before(Act::Trap).r0, ..step.before(Act::Trap) };
    // SAFETY: the step is the thread's stack.
    unsafe { them.client.tcb.write_registers(true, &registers) }?;
    let meeting = ground.objects.make::<Endpoint>()?;
    ensure!(!them.meet(ground, meeting)?);
    let before = [(them.server, own, ThreadState::Inactive), (them.client, registers, ThreadState::Restart)];
    for (thread, registers, state) in before {
        let (found, info) = thread.tcb.read_registers_and_info(false)?;
        ensure_eq!(info.map(|info| (info.state, info.caller)), Some((state, None)));
        same(found, registers)?;
    }
    // It is bound, and so cannot be again.
    let other = ground.objects.make::<Notification>()?;
    ensure_eq!(them.server.tcb.bind_notification(other), Err(Error::IllegalOperation));
    nothing_waits(meeting)
}

/// Nor does one that goes on for ever; what it would have called is where it was, and what waits there still does.
pub fn who_spins_meets_nobody(ground: &mut Ground) -> Outcome {
    let them = strangers(ground)?;
    let step = Step::with(ground)?;
    // SAFETY: the step is the thread's stack.
    unsafe { them.client.tcb.write_registers(true, &step.before(Act::Spin)) }?;
    let meeting = ground.objects.make::<Endpoint>()?;
    ensure!(!them.meet(ground, meeting)?);
    ensure!(step.count() > 0);
    same(them.client.tcb.read_registers(false)?, step.before(Act::Spin))?;
    nothing_waits(meeting)?;
    them.other.is_pending()?;
    is_message(take(them.endpoint)?, 0, &LATE)?;
    let called = Cap::<Endpoint>::new(them.call.before(Act::Trap).r0);
    let again = Step::new(ground, SystemCall::Call, called, &QUESTION)?;
    start(ground, again)?;
    ground.settle();
    is_message(take(them.endpoint)?, BADGE, &QUESTION)
}

/// Names and tests.
pub const TESTS: &[Test] = tests! { threads::calls:
    answered_by_hand, dropped, dropped_while_queued, overwritten_unless_dropped, rebuilt_between_two_threads,
    rebuilt_relation_holds_once, strangers_meet, a_chain_meets, who_does_not_call_meets_nobody,
    who_spins_meets_nobody,
};
