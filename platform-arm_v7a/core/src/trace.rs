//! What happens in core, recorded event by event, if this core is built with the feature `trace`.
//!
//! Without the feature nothing of this is in core: what is asked for here is decided when it is compiled.

use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use base::{
    rpc::{Call as _, Reply, Request},
    session::{census, cpu, device, echo, log, parent, pd, report, rm, rom, signal, timer},
};
use wire::{
    record::Record,
    trace::{self, Event, Moment, Names, Ring},
};

use crate::{
    console::Lines,
    system::{Domain, Id, MAX_DOMAINS, Session, System},
};

/// Events that are kept: 4 MiB.
const EVENTS: usize = 1 << 18;
/// Names that are kept, of protection domains and threads; others are told by their numbers.
const NAMES: usize = 255;
/// Kinds of events that components leave.
const KINDS: usize = 63;

static RING: Ring<EVENTS> = Ring::new();
static NAMES_OF_ALL: Names<NAMES> = Names::new();
static NAMES_OF_KINDS: Names<KINDS> = Names::new();
/// The number of the name of the protection domain in each place.
static NAME_OF: [AtomicU8; MAX_DOMAINS as usize] = [const { AtomicU8::new(0) }; MAX_DOMAINS as usize];

/// Whether this core records.
pub const ON: bool = cfg!(feature = "trace");

impl System {
    /// Records something of a protection domain.
    #[inline(always)]
    pub fn trace(&mut self, domain: Id<Domain>, event: Event) {
        if ON {
            self.record(domain, event);
        }
    }

    fn record(&mut self, domain: Id<Domain>, event: Event) {
        let (time, domain) = (self.timeouts.now(), domain.index());
        let name = NAME_OF.get(domain as usize).map_or(0, |name| name.load(Relaxed));
        RING.push(Moment { time, domain: domain as u16, name, event }.words());
    }
}

/// A protection domain is called that from now on.
#[inline(always)]
pub fn name_domain(domain: Id<Domain>, name: &str) {
    if ON && let Some(number) = NAME_OF.get(domain.index() as usize) {
        number.store(NAMES_OF_ALL.number(name), Relaxed);
    }
}

/// The number of a name.
#[inline(always)]
pub fn name(name: &str) -> u8 {
    if ON { NAMES_OF_ALL.number(name) } else { 0 }
}

/// The number of a kind of events that components leave; 0 if there is no room. Compares with all there are.
pub fn kind(name: &str) -> u8 {
    NAMES_OF_KINDS.number(name)
}

/// Whether there is a kind of that number.
pub fn is_kind(number: u8) -> bool {
    (1..=NAMES_OF_KINDS.count()).contains(&number)
}

/// Whether a request leaves an event: that is recorded, and not that it was asked for.
pub fn is_note(session: Session, request: &Request<'_>) -> bool {
    matches!(session, Session::Pd) && request.label.selector() == pd::call::Note::SELECTOR
}

/// A request as an event.
pub fn request(session: Session, number: u32, request: &Request<'_>) -> Event {
    let (thread, operation) = selector(request);
    Event::Request { thread, interface: interface(session), operation, session: number }
}

/// The end of a request as an event.
pub fn answer(session: Session, request: &Request<'_>, reply: Option<&Reply<'_>>) -> Event {
    let (thread, operation) = selector(request);
    let status = reply.map(|reply| reply.status.label());
    Event::Answer { thread, interface: interface(session), operation, status }
}

/// Which thread asks for which operation.
fn selector(request: &Request<'_>) -> (u8, u8) {
    (request.label.thread().number(), request.label.selector().operation())
}

fn interface(session: Session) -> u8 {
    let interface = match session {
        Session::Pd => pd::INTERFACE,
        Session::Log(_) => log::INTERFACE,
        Session::Rm => rm::INTERFACE,
        Session::Cpu => cpu::INTERFACE,
        Session::Rom => rom::INTERFACE,
        Session::Timer(_) => timer::INTERFACE,
        Session::Signal => signal::INTERFACE,
        Session::Parent => parent::INTERFACE,
        Session::Irq(_) => device::irq::INTERFACE,
        Session::IoMem(_) => device::io_mem::INTERFACE,
        Session::Dma => device::dma::INTERFACE,
        Session::Persistent(_) => device::persistent::INTERFACE,
        Session::Report => report::INTERFACE,
        Session::Echo => echo::INTERFACE,
        Session::Census => census::INTERFACE,
    };
    // None is larger.
    interface.id as u8
}

/// Tells the host all that was recorded. Call it before the record that ends the run.
pub fn tell(lines: &mut Lines) {
    if ON {
        trace::tell(&RING, &NAMES_OF_ALL, &NAMES_OF_KINDS, |piece| lines.report(&Record::Trace(piece)));
    }
}
