//! Those who wait for somebody who will not come.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use base::rpc::Status;
use ground::{Outcome, ensure_eq};
use sel4::{Cap, Endpoint, Message, Notification};

use crate::{Bench, let_run};

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
        bench.spawn(client, endpoint.number())?;
    }
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
