//! Who waits for whom, as the kernel tells it, and what to tell those who wait for somebody who is gone.

use ground::{Failure, Ground, Outcome, Test, Thread, ensure, ensure_eq, ground::PRIORITY, tests};
use sel4::{Cap, Endpoint, Message, MessageInfo, Notification, ThreadInfo, ThreadState, UserContext, boot};

use super::step::{Act, Step, SystemCall, empty, message, nothing_waits, past, same, start, start_with, take};

const QUESTION: Message = message(0x1100);
/// A label that no server uses.
const GONE: u32 = 0xf_dead;

/// What the kernel tells of a thread.
fn look(thread: Thread) -> Result<ThreadInfo, Failure> {
    let (registers, info) = thread.tcb.read_registers_and_info(false)?;
    // Asked for either way, they are the same.
    same(registers, thread.tcb.read_registers(false)?)?;
    info.ok_or_else(|| Failure("the kernel does not tell what a thread does".into()))
}

/// A thread that calls, with a badge.
fn call(ground: &mut Ground, endpoint: Cap<Endpoint>, badge: u32) -> Result<(&'static Step, Thread), Failure> {
    let badged = ground.badged(endpoint, badge)?;
    let step = Step::new(ground, SystemCall::Call, badged, &QUESTION)?;
    let thread = start(ground, step)?;
    ground.settle();
    Ok((step, thread))
}

/// A thread that receives once, and never answers.
fn serve(ground: &mut Ground, endpoint: Cap<Endpoint>) -> Result<Thread, Failure> {
    let step = Step::receiving(ground, endpoint)?;
    let thread = start(ground, step)?;
    ground.settle();
    Ok(thread)
}

/// In user code: running, waiting for nothing.
pub fn running(ground: &mut Ground) -> Outcome {
    let step = Step::with(ground)?;
    let thread = start_with(ground, step, Act::Spin, PRIORITY, None)?;
    ground.run_for(10);
    let info = look(thread)?;
    ensure_eq!((info.state, info.caller), (ThreadState::Running, None));
    Ok(())
}

/// Never started, or suspended: inactive. Resumed, not run since: about to start anew.
pub fn inactive(ground: &mut Ground) -> Outcome {
    let thread = ground.make_thread(PRIORITY, None)?;
    ensure_eq!(look(thread)?.state, ThreadState::Inactive);
    let step = Step::with(ground)?;
    let thread = start_with(ground, step, Act::Spin, PRIORITY, None)?;
    ground.run_for(10);
    thread.tcb.suspend()?;
    ensure_eq!(look(thread)?.state, ThreadState::Inactive);
    thread.tcb.resume()?;
    ensure_eq!(look(thread)?.state, ThreadState::Restart);
    Ok(())
}

/// Each thread tells its own address, which no other has.
pub fn each_thread_is_itself(ground: &mut Ground) -> Outcome {
    let (first, second) = (ground.make_thread(PRIORITY, None)?, ground.make_thread(PRIORITY, None)?);
    ensure!(look(first)?.thread != 0);
    ensure_eq!(look(first)?.thread, look(first)?.thread);
    ensure!(look(first)?.thread != look(second)?.thread);
    Ok(())
}

/// Receiving: the endpoint is the same for all who receive from it, and another one is another.
pub fn receiving(ground: &mut Ground) -> Outcome {
    let (one, other) = (ground.objects.make::<Endpoint>()?, ground.objects.make::<Endpoint>()?);
    let first = serve(ground, one)?;
    let (same, different) = (serve(ground, one)?, serve(ground, other)?);
    let info = look(first)?;
    ensure_eq!((info.state, info.caller), (ThreadState::BlockedOnReceive, None));
    ensure_eq!(look(same)?.blocking_object, info.blocking_object);
    ensure!(look(different)?.blocking_object != info.blocking_object);
    Ok(())
}

/// Queued: the endpoint, as those see it who receive from it, and the badge.
pub fn queued(ground: &mut Ground) -> Outcome {
    let endpoint = ground.objects.make::<Endpoint>()?;
    let server = serve(ground, endpoint)?;
    let address = look(server)?.blocking_object;
    call(ground, endpoint, 0x11)?;
    let (_, second) = call(ground, endpoint, 0x12)?;
    let info = look(second)?;
    ensure_eq!((info.state, info.badge, info.caller), (ThreadState::BlockedOnSend, 0x12, None));
    ensure_eq!(info.blocking_object, address);
    Ok(())
}

/// Received: waiting for a reply, and the server names the client. When it has answered, it names nobody.
pub fn waiting_for_reply(ground: &mut Ground) -> Outcome {
    let endpoint = ground.objects.make::<Endpoint>()?;
    let receives = Step::receiving(ground, endpoint)?;
    let doorbell = ground.objects.make::<Notification>()?;
    let waits = Step::receiving(ground, doorbell)?;
    let answers = Step::new(ground, SystemCall::Reply, Cap::<Endpoint>::NULL, &empty(0))?;
    receives.then(waits);
    waits.then(answers);
    let server = start(ground, receives)?;
    ground.settle();
    let (_, client) = call(ground, endpoint, 0x11)?;
    let (serving, waiting) = (look(server)?, look(client)?);
    ensure_eq!(waiting.state, ThreadState::BlockedOnReply);
    ensure_eq!(serving.caller, Some(waiting.thread));
    ensure_eq!(waiting.caller, None);
    doorbell.signal();
    ground.settle();
    ensure_eq!(answers.count(), 1);
    ensure_eq!(look(server)?.caller, None);
    Ok(())
}

/// Waiting for a signal: the notification is the same for all who wait for it, and another one is another.
pub fn waiting_for_a_signal(ground: &mut Ground) -> Outcome {
    let (one, other) = (ground.objects.make::<Notification>()?, ground.objects.make::<Notification>()?);
    let mut wait = |notification| {
        let step = Step::receiving(ground, notification)?;
        let thread = start(ground, step)?;
        ground.settle();
        look(thread)
    };
    let (first, same, different) = (wait(one)?, wait(one)?, wait(other)?);
    ensure_eq!((first.state, first.caller), (ThreadState::BlockedOnNotification, None));
    ensure_eq!(same.blocking_object, first.blocking_object);
    ensure!(different.blocking_object != first.blocking_object);
    Ok(())
}

/// A server that is frozen or suspended in the middle of serving still names its client.
pub fn stopped_server_names_its_client(ground: &mut Ground) -> Outcome {
    let endpoint = ground.objects.make::<Endpoint>()?;
    let server = serve(ground, endpoint)?;
    let (_, client) = call(ground, endpoint, 0x11)?;
    let waiting = Some(look(client)?.thread);
    server.freeze()?;
    ensure_eq!(look(server)?.caller, waiting);
    server.tcb.suspend()?;
    let info = look(server)?;
    ensure_eq!((info.state, info.caller), (ThreadState::Inactive, waiting));
    Ok(())
}

/// A client that is suspended is no longer named: it will ask again.
pub fn suspended_client_is_not_named(ground: &mut Ground) -> Outcome {
    let endpoint = ground.objects.make::<Endpoint>()?;
    let server = serve(ground, endpoint)?;
    let (_, client) = call(ground, endpoint, 0x11)?;
    client.freeze()?;
    ensure_eq!(look(server)?.caller, Some(look(client)?.thread));
    client.tcb.suspend()?;
    ensure_eq!(look(server)?.caller, None);
    Ok(())
}

/// Registers of a client in a call, as if it had been answered with a message that only says that nobody is there.
fn peer_gone(thread: Thread) -> Result<UserContext, Failure> {
    let registers = thread.tcb.read_registers(false)?;
    let info = MessageInfo::new(GONE, 0).word();
    let told = UserContext { pc: registers.pc + 4, r0: 0, r1: info, ..registers };
    // SAFETY: the thread is told what an answer tells; its stack is as it was.
    unsafe { thread.tcb.write_registers(true, &told) }?;
    Ok(told)
}

/// A server with two clients, one received and one queued, and both their calls.
type Served = (Cap<Endpoint>, Thread, [(&'static Step, Thread); 2]);

fn served(ground: &mut Ground) -> Result<Served, Failure> {
    let endpoint = ground.objects.make::<Endpoint>()?;
    let server = serve(ground, endpoint)?;
    let clients = [call(ground, endpoint, 0x11)?, call(ground, endpoint, 0x12)?];
    ensure_eq!(look(clients[0].1)?.state, ThreadState::BlockedOnReply);
    ensure_eq!(look(clients[1].1)?.state, ThreadState::BlockedOnSend);
    Ok((endpoint, server, clients))
}

fn are_told(ground: &mut Ground, clients: [(&'static Step, Thread); 2]) -> Outcome {
    // Both before either runs.
    let told = [peer_gone(clients[0].1)?, peer_gone(clients[1].1)?];
    ground.settle();
    for ((step, _), told) in clients.into_iter().zip(told) {
        same(told, UserContext { r0: 0, r1: MessageInfo::new(GONE, 0).word(), ..past(step.before(Act::Trap)) })?;
        step.is_done_with(told)?;
    }
    Ok(())
}

/// The server's thread is deleted: its received client waits for ever, and nobody names it any more. It and the queued
/// one are told that the peer is gone, by their registers, written with `resume`. Each goes on once, and the queued one's
/// question is gone from the endpoint.
pub fn peer_gone_when_the_thread_is_deleted(ground: &mut Ground) -> Outcome {
    let (endpoint, server, clients) = served(ground)?;
    // SAFETY: a thread is no memory of anybody.
    unsafe { server.tcb.slot(boot::CNODE).delete() }?;
    ground.settle();
    ensure_eq!(look(clients[0].1)?.state, ThreadState::BlockedOnReply);
    ensure_eq!(look(clients[1].1)?.state, ThreadState::BlockedOnSend);
    are_told(ground, clients)?;
    nothing_waits(endpoint)
}

/// The same when the endpoint is deleted too. Then the queued client is about to repeat its call, on a slot that is
/// empty by then, so it is told before it runs.
pub fn peer_gone_when_the_endpoint_is_deleted(ground: &mut Ground) -> Outcome {
    let (endpoint, server, clients) = served(ground)?;
    let slot = endpoint.slot(boot::CNODE);
    // SAFETY: threads and endpoints are no memory of anybody.
    unsafe {
        server.tcb.slot(boot::CNODE).delete()?;
        slot.revoke()?;
        slot.delete()?;
    }
    ensure_eq!(look(clients[0].1)?.state, ThreadState::BlockedOnReply);
    ensure_eq!(look(clients[1].1)?.state, ThreadState::Restart);
    are_told(ground, clients)
}

/// Why they must be told: a received client stays blocked for ever when thread and endpoint of its server are deleted.
pub fn untold_client_waits_for_ever(ground: &mut Ground) -> Outcome {
    let endpoint = ground.objects.make::<Endpoint>()?;
    let server = serve(ground, endpoint)?;
    let (step, client) = call(ground, endpoint, 0x11)?;
    let slot = endpoint.slot(boot::CNODE);
    // SAFETY: threads and endpoints are no memory of anybody.
    unsafe {
        server.tcb.slot(boot::CNODE).delete()?;
        slot.revoke()?;
        slot.delete()?;
    }
    ground.settle();
    step.is_pending()?;
    same(client.tcb.read_registers(false)?, step.before(Act::Trap))
}

/// A server whose client was told already answers into the void: no other call of the client is answered by it.
pub fn told_client_ignores_a_late_answer(ground: &mut Ground) -> Outcome {
    let endpoint = ground.objects.make::<Endpoint>()?;
    let (step, client) = call(ground, endpoint, 0x11)?;
    let again = Step::new(ground, SystemCall::Call, endpoint, &QUESTION)?;
    step.then(again);
    take(endpoint)?;
    let told = peer_gone(client)?;
    ground.settle();
    step.is_done_with(told)?;
    sel4::reply(message(0x3300));
    ground.settle();
    again.is_pending()
}

/// Names and tests.
pub const TESTS: &[Test] = tests! { threads::waiting:
    running, inactive, each_thread_is_itself, receiving, queued, waiting_for_reply, waiting_for_a_signal,
    stopped_server_names_its_client, suspended_client_is_not_named, peer_gone_when_the_thread_is_deleted,
    peer_gone_when_the_endpoint_is_deleted, untold_client_waits_for_ever, told_client_ignores_a_late_answer,
};
