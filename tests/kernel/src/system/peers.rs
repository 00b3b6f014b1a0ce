//! Those who wait for somebody who will not come.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use base::{rpc::Status, session::pd::FrameSize};
use ground::{Outcome, ensure_eq};
use rtcr_core::guardian::OWN_PRIORITY;
use sel4::{
    Cap, CapData, Endpoint, Message, Notification, Priority, Tcb, UserContext, boot,
    thread::{MessageBuffer, Space},
};

use crate::Bench;

const PAGE: u32 = 4096;
const CLIENT_PRIORITY: u8 = 20;
const BELOW: u8 = 10;
const USER_MODE: u32 = 0x10;

static ANSWERS: AtomicU32 = AtomicU32::new(0);
static ANSWER: AtomicU32 = AtomicU32::new(0);

/// Where the client waits when it has its answer.
static END: AtomicU32 = AtomicU32::new(0);

extern "C" fn client(endpoint: u32) -> ! {
    let answer = Cap::<Endpoint>::new(endpoint).call(Message::new(0x1000, []));
    ANSWER.store(answer.label(), Relaxed);
    ANSWERS.fetch_add(1, Relaxed);
    loop {
        Cap::<Notification>::new(END.load(Relaxed)).wait();
    }
}

/// Two threads call on an endpoint at which nobody receives; both are told.
pub fn queued_calls_are_ended(bench: &mut Bench) -> Outcome {
    let resources = &mut bench.system.resources;
    let (endpoint, end) = (resources.make::<Endpoint>()?, resources.make::<Notification>()?);
    END.store(end.number(), Relaxed);
    for _ in 0..2 {
        let (stack, buffer) = (resources.take_frame(FrameSize::Small)?, resources.take_frame(FrameSize::Small)?);
        let sp = resources.content(stack, 0).addr() as u32 + PAGE;
        let buffer = MessageBuffer {
            address: resources.content(buffer, 0).addr() as u32,
            frame: resources.own_frame_cap(buffer),
        };
        let thread = resources.make::<Tcb>()?;
        let space = Space {
            fault_endpoint: 0,
            root: boot::CNODE,
            root_data: CapData::None,
            address_space: boot::ADDRESS_SPACE,
        };
        let pc = client as *const () as u32;
        let registers = UserContext { pc, sp, cpsr: USER_MODE, r0: endpoint.number(), ..UserContext::default() };
        // SAFETY: a stack and a message buffer of its own.
        unsafe {
            thread.configure(space, Priority::new(CLIENT_PRIORITY), Some(buffer))?;
            thread.write_registers(true, &registers)?;
        }
    }
    let let_run = || boot::TCB.set_priority(BELOW).and_then(|()| boot::TCB.set_priority(OWN_PRIORITY));
    let_run()?;
    ensure_eq!(bench.system.hang_up_queued(endpoint), 2);
    ensure_eq!(bench.system.hang_up_queued(endpoint), 0);
    bench.system.answer_kept(Message::new(0, []));
    ensure_eq!(bench.system.has_kept(), false);
    let_run()?;
    ensure_eq!(ANSWERS.load(Relaxed), 2);
    ensure_eq!(ANSWER.load(Relaxed), Status::PeerGone.label());
    Ok(())
}
