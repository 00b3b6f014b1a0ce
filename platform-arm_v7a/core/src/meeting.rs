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

use crate::{guardian::OWN_PRIORITY, system::control::set_running};

/// How often a thread is given the processor for its instruction: the kernel's tick may come in between, 8 ms apart.
const PATIENCE: u32 = 4;

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

/// The thread that is to wait. Its registers are those of a call to `slot`, at an instruction that can be executed in both
/// threads' address spaces.
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
/// otherwise both wait for nothing. About 15 us.
///
/// # Safety
/// Nothing relies on what the threads run.
pub unsafe fn meet(endpoint: Cap<Endpoint>, aside: Slot, server: &Server, client: &Client) -> bool {
    let Ok(registers) = client.thread.read_registers(false) else { return false };
    // The slot may be empty.
    let is_kept = client.slot.move_to(aside).is_ok();
    // SAFETY: the caller vouches.
    let met = unsafe { try_to_meet(endpoint, server, client, registers) }.is_some();
    // SAFETY: an endpoint is no memory, and this is not the last of it: core has its own.
    let _ = unsafe { client.slot.delete() };
    if is_kept {
        // The slot was emptied right above.
        let _ = aside.move_to(client.slot);
    }
    if !met {
        for thread in [server.thread, client.thread] {
            // Whatever they have come to wait for, they do not.
            // SAFETY: the caller vouches.
            let _ = unsafe { thread.write_registers(true, &registers) };
        }
    }
    met
}

unsafe fn try_to_meet(endpoint: Cap<Endpoint>, server: &Server, client: &Client, registers: UserContext) -> Option<()> {
    let receives = UserContext { r7: SystemCall::Recv.number(), ..registers };
    endpoint.slot(boot::CNODE).copy_to(client.slot, Rights::ALL).ok()?;
    // SAFETY: the caller vouches.
    unsafe { server.thread.write_registers(true, &receives) }.ok()?;
    if server.bound.is_some() {
        // It would be woken by what has rung already.
        server.thread.unbind_notification().ok()?;
    }
    let waits = run(server.thread, server.priority, ThreadState::BlockedOnReceive);
    let called = waits.and_then(|_| call(server, client));
    if let Some(bound) = server.bound {
        // It does not wait any more, or never did.
        server.thread.bind_notification(bound).ok()?;
    }
    called
}

fn call(server: &Server, client: &Client) -> Option<()> {
    // SAFETY: for as long as it stands still the server has none, and none is written to.
    unsafe { server.thread.set_message_buffer(None) }.ok()?;
    let waits = run(client.thread, client.priority, ThreadState::BlockedOnReply);
    // SAFETY: it is the one that it had.
    unsafe { server.thread.set_message_buffer(Some(server.buffer)) }.ok()?;
    let owes = look(server.thread)?.caller;
    (owes == Some(waits?.thread)).then_some(())
}

/// Lets a stopped thread run until it blocks, and tells how it then is if that is as expected.
fn run(thread: Cap<Tcb>, priority: u8, until: ThreadState) -> Option<ThreadInfo> {
    thread.set_priority(OWN_PRIORITY).ok()?;
    set_running(thread, true);
    let mut found = None;
    for _ in 0..PATIENCE {
        // The only other thread of this priority; so it has the processor until it blocks.
        yield_now();
        found = look(thread).filter(|info| info.state == until);
        if found.is_some() {
            break;
        }
    }
    set_running(thread, false);
    thread.set_priority(priority).ok()?;
    found
}

fn look(thread: Cap<Tcb>) -> Option<ThreadInfo> {
    thread.read_registers_and_info(false).ok()?.1
}
