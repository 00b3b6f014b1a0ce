//! Requests of components, and what answers them: one file for each interface.
//!
//! The badge says whose capability was called, and which number of its table it is; the entry there says which session
//! that is. All of this is indexing, nothing is searched or allocated.

mod census;
mod cpu;
mod device;
mod echo;
mod log;
pub mod lookup;
pub mod message;
mod parent;
mod pd;
mod report;
mod rm;
mod rom;
mod signal;
mod timer;

use base::{
    rpc::{Buffer, Reply, Request, Status},
    session as interfaces,
};

use crate::{
    judge::Judge,
    system::{Domain, Id, Known, Session, System},
    trace,
};

/// What is outside of the system of components.
pub struct Outside {
    /// Shows what is printed, and judges the run.
    pub judge: Judge,
}

/// A request that is being answered.
pub struct Call<'a> {
    /// What components have.
    pub system: &'a mut System,
    /// What is outside of that.
    pub outside: &'a mut Outside,
    /// Who asks, that is, whose capability was called.
    pub holder: Id<Domain>,
    /// The session's number in its table.
    pub number: u32,
}

/// Answers a request to the session of that number of that protection domain. None means that nobody is answered.
#[inline]
pub fn session<'s>(
    system: &mut System,
    outside: &mut Outside,
    (domain, number): (u32, u32),
    request: &Request<'_>,
    space: &'s mut Buffer,
) -> Option<Reply<'s>> {
    let gone = Some(Reply::of(Status::PeerGone));
    let Some((holder, domain)) = system.domains.at(domain) else { return gone };
    let Some(entry) = domain.table.get(number as usize) else { return gone };
    let Known::Session(session) = entry.known else { return gone };
    let call = Call { system, outside, holder, number };
    if trace::ON { traced(call, session, request, space) } else { dispatch(call, session, request, space) }
}

/// Answers a request, and records that.
fn traced<'s>(call: Call<'_>, session: Session, request: &Request<'_>, space: &'s mut Buffer) -> Option<Reply<'s>> {
    let Call { system, outside, holder, number } = call;
    system.trace(holder, trace::request(session, number, request));
    let reply = dispatch(Call { system: &mut *system, outside, holder, number }, session, request, space);
    system.trace(holder, trace::answer(session, request, reply.as_ref()));
    reply
}

#[inline(always)]
fn dispatch<'s>(
    mut call: Call<'_>,
    session: Session,
    request: &Request<'_>,
    space: &'s mut Buffer,
) -> Option<Reply<'s>> {
    match session {
        Session::Pd => interfaces::pd::dispatch(&mut call, request, space),
        Session::Rm => interfaces::rm::dispatch(&mut call, request, space),
        Session::Rom => interfaces::rom::dispatch(&mut call, request, space),
        Session::Echo => interfaces::echo::dispatch(&mut call, request, space),
        Session::Census => interfaces::census::dispatch(&mut call, request, space),
        Session::Signal => interfaces::signal::dispatch(&mut call, request, space),
        Session::Timer(offset) => interfaces::timer::dispatch(&mut timer::TimerCall { call, offset }, request, space),
        Session::Log(number) => interfaces::log::dispatch(&mut call.printer(number), request, space),
        Session::Report => interfaces::report::dispatch(&mut call, request, space),
        Session::Irq(irq) => interfaces::device::irq::dispatch(&mut device::IrqCall { call, irq }, request, space),
        Session::Cpu => interfaces::cpu::dispatch(&mut call, request, space),
        Session::Parent => interfaces::parent::dispatch(&mut call, request, space),
        Session::IoMem(registers) => {
            interfaces::device::io_mem::dispatch(&mut device::IoMemCall { call, registers }, request, space)
        }
    }
}
