//! One interposer for each interface of a component's sessions, in which every operation is decided.
//!
//! | session | decides |
//! |---|---|
//! | PD | memory, endpoints and notifications are made, used and freed; protection domains of its own, and what gives capabilities to others, are refused |
//! | RM | region maps and address spaces, everything |
//! | CPU | threads; freezing itself and handling its own exceptions are refused |
//! | ROM | modules, everything |
//! | TIMER | the time with the component's own offset; timeouts |
//! | SIGNAL | contexts, everything |
//! | LOG | goes on, but not a second time, unless whoever embeds the library shows it |
//! | PARENT | sessions of others' services, under numbers of the component's; what it hands over is its own; the rest, and which session it may have, is whoever embeds the library's |
//!
//! Numbers are the component's; the parent's are computed. What is made upstream is made under the number that
//! the component will know.

mod cpu;
mod log;
mod parent;
mod pd;
mod rm;
mod rom;
mod signal;
mod timer;

use base::{
    rpc::{Buffer, CallError, Reply, Request, Slot, Status, Transport},
    session as interfaces,
    session::pd::OWN,
};

use crate::{
    child::Child,
    surroundings::Surroundings,
    table::{Link, Missing, Taken},
};

pub(crate) use parent::{again as parent_again, wanted_service};
pub(crate) use signal::{collect, raised};
pub(crate) use timer::remaining;

/// A request of a component.
pub(crate) struct Asked<'a, T: Transport + Copy, P: ?Sized> {
    pub child: &'a mut Child<T>,
    pub surroundings: &'a mut P,
    /// In a replay: the number or the address that the journal says it got.
    pub forced: Option<u32>,
}

/// Answers a request; `forced` as in [`Asked`].
pub(crate) fn answer<'s, T: Transport + Copy, P: Surroundings + ?Sized>(
    child: &mut Child<T>,
    interface: u16,
    request: &Request<'_>,
    space: &'s mut Buffer,
    surroundings: &mut P,
    forced: Option<u32>,
) -> Option<Reply<'s>> {
    let (up, log) = (child.up, child.log);
    let mut asked = Asked { child, surroundings, forced };
    // Sorted by how often they are asked.
    if interface == interfaces::pd::INTERFACE.id {
        interfaces::pd::interpose(&mut asked, up.pd().connection(), request, space)
    } else if interface == interfaces::log::INTERFACE.id {
        interfaces::log::interpose(&mut asked, &log, request, space)
    } else if interface == interfaces::timer::INTERFACE.id {
        interfaces::timer::interpose(&mut asked, up.timer().connection(), request, space)
    } else if interface == interfaces::signal::INTERFACE.id {
        interfaces::signal::interpose(&mut asked, up.signal().connection(), request, space)
    } else if interface == interfaces::rm::INTERFACE.id {
        interfaces::rm::interpose(&mut asked, up.rm().connection(), request, space)
    } else if interface == interfaces::cpu::INTERFACE.id {
        interfaces::cpu::interpose(&mut asked, up.cpu().connection(), request, space)
    } else if interface == interfaces::rom::INTERFACE.id {
        interfaces::rom::interpose(&mut asked, up.rom().connection(), request, space)
    } else if interface == interfaces::parent::INTERFACE.id {
        parent::interpose(&mut asked, request, space)
    } else {
        Some(Reply::of(Status::Refused))
    }
}

impl<T: Transport + Copy, P: ?Sized> Asked<'_, T, P> {
    /// The number for something new that the component wants at `at`. In a replay it is the one that it had.
    fn place(&mut self, at: Slot) -> Result<u32, Taken> {
        let at = self.forced.map_or(at, Slot);
        self.child.table.place(at)
    }

    /// The component's own protection domain, which is the only one that it can name.
    fn own(&self, pd: Slot) -> Result<Slot, Missing> {
        match pd {
            OWN => Ok(self.child.table.pd()),
            other => match self.child.table.named(other) {
                Ok(_) => Err(Missing::Kind),
                Err(missing) => Err(missing),
            },
        }
    }

    /// What the component calls `number`, to be referred to.
    fn link(&self, number: Slot) -> Result<Link, Missing> {
        self.child.table.link(number.0).ok_or(Missing::Nothing)
    }
}

/// The error of an operation that a missing object, or a number that is taken, is.
fn because<E>(reason: impl Into<E>) -> CallError<E> {
    CallError::Error(reason.into())
}
