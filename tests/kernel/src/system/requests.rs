//! What a request costs: 499 ns beside 373 for a bare call and its answer, both with the loop around them.

use base::{
    rpc::{Buffer, Call, Caller},
    session::echo::call,
};
use ground::{Failure, Outcome, ensure};
use rtcr_core::{
    serve::{self, message::short_request},
    system::{Entry, Known, Session, Source},
};
use sel4::{Cap, CapData, Endpoint, Message, Received, Rights, boot};

use crate::Bench;

/// Requests that are measured together.
const REQUESTS: u64 = 1000;
/// Number of the session.
const NUMBER: u32 = 20;

/// A component's side without its runtime: the request that does nothing, again and again.
extern "C" fn asks(endpoint: u32) -> ! {
    let label = Caller::default().label(call::Nothing::SELECTOR).number();
    loop {
        Cap::<Endpoint>::new(endpoint).call(Message::new(label, []));
    }
}

/// A request to core costs at most half as much again as a call and its answer.
pub fn one_costs_little(bench: &mut Bench) -> Outcome {
    let source = Source::Session { domain: bench.domain.index(), number: NUMBER };
    let badge = source.badge().ok_or_else(|| Failure("no badge".into()))?;
    let session = Entry { known: Known::Session(Session::Echo), owned: false, paid: false };
    if let Some(domain) = bench.system.domains.get_mut(bench.domain) {
        domain.table[NUMBER as usize] = session;
    }
    let own = bench.system.endpoint;
    let badged = Cap::<Endpoint>::new(bench.system.resources.take_slot()?);
    own.slot(boot::CNODE).mint_to(badged.slot(boot::CNODE), Rights::CALL, CapData::Badge(badge))?;
    bench.spawn(asks, badged.number())?;

    let mut received = own.recv();
    let start = bench.system.timeouts.now();
    for _ in 0..REQUESTS {
        received = own.reply_recv(Message::new(0, []));
    }
    let raw = (bench.system.timeouts.now() - start) / REQUESTS;

    let mut space = Buffer::new();
    let start = bench.system.timeouts.now();
    for _ in 0..REQUESTS {
        let Received::Message(badge, message) = received else { return Err(Failure("a signal".into())) };
        let Source::Session { domain, number } = Source::of(badge) else { return Err(Failure("a fault".into())) };
        let Some(request) = short_request(&message) else { return Err(Failure("a long message".into())) };
        let answer = serve::session(&mut bench.system, &mut bench.outside, (domain, number), &request, &mut space);
        let Some(answer) = answer else { return Err(Failure("no answer".into())) };
        received = own.reply_recv(answer);
    }
    let served = (bench.system.timeouts.now() - start) / REQUESTS;
    // The client is never answered again, so it runs no more.
    ensure!(served * 2 <= raw * 3, "{served} ns instead of {raw}");
    Ok(())
}
