//! How one thread comes to wait for another's answer, once more.
//!
//! The right to answer a call comes about in one way only: the one receives, the other calls. So both do that, one system
//! call each, at an endpoint that nobody else knows. They stand still before and after, and nothing else of them runs: each
//! is let run at core's own priority, and blocks in the call.
//!
//! The client's registers are not touched, for the answer continues it from where it really called: so it calls what they
//! say, and it is the slot there that holds another endpoint for the moment. Calls that wait at its own are not received,
//! and it may be gone.

use sel4::{
    Cap, Endpoint, Notification, Rights, Slot, Tcb, ThreadInfo, ThreadState, UserContext, boot, registers::SystemCall,
    thread::MessageBuffer, yield_now,
};

use crate::{guardian::OWN_PRIORITY, insist::insist, system::control::set_running};

/// How often a thread is given the processor for its instruction, at most: the kernel's tick may come in before it, and
/// then the thread has a whole time slice.
const CHANCES: u32 = 2;

/// The thread that is to owe an answer. It runs nothing and waits for nothing.
#[derive(Clone, Copy, Debug)]
pub struct Server {
    /// It.
    pub thread: Cap<Tcb>,
    /// Its priority.
    pub priority: u8,
    /// Its message buffer, which the call leaves as it is.
    pub buffer: MessageBuffer,
    /// What wakes it when it receives, which here it must not.
    pub bound: Option<Cap<Notification>>,
}

/// The thread that is to wait. Its registers are those of a call to `slot`, at an instruction that enters the kernel in
/// both threads' address spaces, for it runs at core's priority.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// It.
    pub thread: Cap<Tcb>,
    /// Its priority.
    pub priority: u8,
    /// Where what it calls lies, or lay, in its capability space.
    pub slot: Slot,
}

/// The client waits for the server's answer. Both must be stopped, and are afterwards; the server's registers mean
/// nothing then. What lies in the client's slot is kept in `aside` meanwhile, where nothing lies. Tells whether that is so;
/// otherwise both are as they were. About 15 us.
///
/// # Safety
/// Nothing relies on what the threads run. Both wait for nothing, and the server has the buffer that is told of it.
pub unsafe fn meet(endpoint: Cap<Endpoint>, aside: Slot, server: &Server, client: &Client) -> bool {
    let (Some(one), Some(other)) = (look(server.thread), look(client.thread)) else { return false };
    // The slot may be empty.
    let is_kept = client.slot.move_to(aside).is_ok();
    // If something lies there still, it is the component's own, and this fails.
    let is_lent = endpoint.slot(boot::CNODE).copy_to(client.slot, Rights::ALL).is_ok();
    // SAFETY: the caller vouches.
    let met = is_lent && unsafe { try_to_meet(server, client, &other.0) };
    if is_lent {
        // SAFETY: it is the copy made right above, of an endpoint, which is no memory; not the last: core has its own.
        let _ = insist(|| unsafe { client.slot.delete() });
    }
    if is_kept {
        // The slot is empty again: what was lent is deleted, if it was.
        let _ = insist(|| aside.move_to(client.slot));
    }
    if !met {
        // SAFETY: the caller vouches; the registers are those that `look` found before anything was done to the threads.
        unsafe {
            undo(server.thread, &one);
            undo(client.thread, &other);
        }
    }
    met
}

/// Tells whether they have met. Whatever comes of it, priorities, buffer and binding are as before, and both are stopped.
///
/// # Safety
/// As [`meet`]; the endpoint lies in the client's slot.
unsafe fn try_to_meet(server: &Server, client: &Client, registers: &UserContext) -> bool {
    // SAFETY: the caller vouches for what they run, and of whose memory the buffer is.
    let owes = unsafe { call(server, client, registers) };
    // SAFETY: it is the buffer that it had, as the caller vouches; so nothing changes if `call` did not take it away.
    let has_buffer = insist(|| unsafe { server.thread.set_message_buffer(Some(server.buffer)) }).is_ok();
    // If it could not be unbound this fails, and nothing changes. It does not wait any more, or is about to be stopped in it.
    let is_bound = server.bound.is_none_or(|bound| insist(|| server.thread.bind_notification(bound)).is_ok());
    // Both capabilities are core's own, and it may give what it has itself.
    let _ = insist(|| server.thread.set_priority(server.priority));
    let _ = insist(|| client.thread.set_priority(client.priority));
    owes.is_some() && has_buffer && is_bound
}

/// The server receives, the client calls. Leaves behind what [`try_to_meet`] puts back.
///
/// # Safety
/// As [`try_to_meet`].
unsafe fn call(server: &Server, client: &Client, registers: &UserContext) -> Option<()> {
    let receives = UserContext { r7: SystemCall::Recv.number(), ..*registers };
    // SAFETY: the caller vouches.
    unsafe { server.thread.write_registers(true, &receives) }.ok()?;
    if server.bound.is_some() {
        // It would be woken by what has rung already.
        server.thread.unbind_notification().ok()?;
    }
    run(server.thread, ThreadState::BlockedOnReceive)?;
    // SAFETY: it stands still until `try_to_meet` has given it back; without one, none is written to.
    unsafe { server.thread.set_message_buffer(None) }.ok()?;
    let waits = run(client.thread, ThreadState::BlockedOnReply)?;
    let (_, owes) = look(server.thread)?;
    (owes.caller == Some(waits.thread)).then_some(())
}

/// Lets a stopped thread run at core's priority until it blocks, and tells how it then is if that is as expected. It runs
/// for one time slice at most, and not a second time if it did anything: what is not at its system call is not waited for.
fn run(thread: Cap<Tcb>, until: ThreadState) -> Option<ThreadInfo> {
    let (before, _) = look(thread)?;
    thread.set_priority(OWN_PRIORITY).ok()?;
    set_running(thread, true);
    let mut found = None;
    for _ in 0..CHANCES {
        // The only other thread of this priority; so it has the processor until it blocks.
        yield_now();
        found = look(thread);
        let is_new = |&(now, info): &Look| {
            now.pc == before.pc && matches!(info.state, ThreadState::Running | ThreadState::Restart)
        };
        if !found.as_ref().is_some_and(is_new) {
            break;
        }
    }
    set_running(thread, false);
    found.map(|(_, info)| info).filter(|info| info.state == until)
}

/// A thread's registers, and what it does.
type Look = (UserContext, ThreadInfo);

fn look(thread: Cap<Tcb>) -> Option<Look> {
    let (registers, info) = thread.read_registers_and_info(false).ok()?;
    Some((registers, info?))
}

/// Whatever a thread has come to wait for, it does not: it is as it was found when it waited for nothing.
///
/// # Safety
/// It can go on with these registers: they were its own.
unsafe fn undo(thread: Cap<Tcb>, (registers, info): &Look) {
    // One that was never started, or was suspended, is not to run because of this.
    let runs = info.state != ThreadState::Inactive;
    if !runs {
        let _ = insist(|| thread.suspend());
    }
    // SAFETY: the caller vouches.
    let _ = insist(|| unsafe { thread.write_registers(runs, registers) });
}
