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
    scenario::Scenario,
    session as interfaces,
};

use sel4::Message;

use self::message::to_message;
use crate::{
    judge::Judge,
    system::{Domain, Id, Known, Session, System},
    trace,
};

/// What is outside of the system of components.
pub struct Outside {
    /// Shows what is printed, and judges the run.
    pub judge: Judge,
    /// What the run consists of.
    pub scenario: Scenario,
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

/// Answers a request to the session of that number of that protection domain: the message that does, which must be sent
/// before anything else is. None means that nobody is answered.
#[inline(always)]
pub fn session(
    system: &mut System,
    outside: &mut Outside,
    (domain, number): (u32, u32),
    request: &Request<'_>,
    space: &mut Buffer,
) -> Option<Message> {
    let Some((holder, domain)) = system.domains.at(domain) else { return gone() };
    let Some(entry) = domain.table.get(number as usize) else { return gone() };
    let Known::Session(session) = entry.known else { return gone() };
    // What counts, and can be refused on purpose, is what the kernel is asked for those who wanted that.
    #[cfg(feature = "losses")]
    sel4::faults::watch(system.watched == Some(holder) && session != Session::Census);
    let call = Call { system, outside, holder, number };
    if trace::ON && !trace::is_note(session, request) {
        traced(call, session, request, space)
    } else {
        dispatch(call, session, request, space, |reply| reply.map(|reply| to_message(&reply)))
    }
}

/// The number stands for no session any more.
#[cold]
#[inline(never)]
fn gone() -> Option<Message> {
    Some(to_message(&Reply::of(Status::PeerGone)))
}

/// Answers a request, and records that.
fn traced(call: Call<'_>, session: Session, request: &Request<'_>, space: &mut Buffer) -> Option<Message> {
    let Call { system, outside, holder, number } = call;
    system.trace(holder, trace::request(session, number, request));
    let call = Call { system: &mut *system, outside, holder, number };
    let (answer, event) = dispatch(call, session, request, space, |reply| {
        (reply.map(|reply| to_message(&reply)), trace::answer(session, request, reply.as_ref()))
    });
    system.trace(holder, event);
    answer
}

/// Lets the session's interface answer, and makes of that what `finish` does.
#[inline(always)]
fn dispatch<R>(
    mut call: Call<'_>,
    session: Session,
    request: &Request<'_>,
    space: &mut Buffer,
    finish: impl Fn(Option<Reply<'_>>) -> R,
) -> R {
    use interfaces as i;
    match session {
        Session::Pd => apart(&mut call, |call| finish(i::pd::dispatch(call, request, space))),
        Session::Rm => apart(&mut call, |call| finish(i::rm::dispatch(call, request, space))),
        Session::Rom => apart(&mut call, |call| finish(i::rom::dispatch(call, request, space))),
        Session::Echo => apart(&mut call, |call| finish(i::echo::dispatch(call, request, space))),
        Session::Census => apart(&mut call, |call| finish(i::census::dispatch(call, request, space))),
        Session::Signal => apart(&mut call, |call| finish(i::signal::dispatch(call, request, space))),
        Session::Report => apart(&mut call, |call| finish(i::report::dispatch(call, request, space))),
        Session::Cpu => apart(&mut call, |call| finish(i::cpu::dispatch(call, request, space))),
        Session::Parent => apart(&mut call, |call| finish(i::parent::dispatch(call, request, space))),
        Session::Log(number) => {
            apart(&mut call.printer(number), |printer| finish(i::log::dispatch(printer, request, space)))
        }
        Session::Timer(offset) => {
            apart(&mut timer::TimerCall { call, offset }, |call| finish(i::timer::dispatch(call, request, space)))
        }
        Session::Irq(irq) => {
            apart(&mut device::IrqCall { call, irq }, |call| finish(i::device::irq::dispatch(call, request, space)))
        }
        Session::IoMem(registers) => apart(&mut device::IoMemCall { call, registers }, |call| {
            finish(i::device::io_mem::dispatch(call, request, space))
        }),
        Session::Dma => apart(&mut call, |call| finish(i::device::dma::dispatch(call, request, space))),
        Session::Persistent(memory) => apart(&mut device::PersistentCall { call, memory }, |call| {
            finish(i::device::persistent::dispatch(call, request, space))
        }),
    }
}

/// One function for each interface, so that none pays for the registers and the stack that another needs.
#[inline(never)]
fn apart<S, R>(server: &mut S, serve: impl FnOnce(&mut S) -> R) -> R {
    serve(server)
}
