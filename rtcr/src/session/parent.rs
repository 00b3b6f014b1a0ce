//! PARENT: sessions of services that others offer, and what was handed over for them. Everything else is asked of whoever
//! embeds the library, who also says which session there may be.

use base::{
    env::slots,
    rpc::{self, Buffer, Call, CallError, Reply, Request, Slot, Status, Transport},
    session::{
        parent::{self, OpenError, RedeemError, ServiceName, SessionError, call},
        pd::{ANY, OWN, TransferError},
    },
};

use super::{Asked, because};
use crate::{
    child::Child,
    information::Stage,
    object::{Argument, Object, Session, SessionInfo, SharedDataspace},
    surroundings::Surroundings,
    table::{Missing, Taken},
};

/// Answers a request for PARENT.
pub(super) fn interpose<'s, T: Transport + Copy, P: Surroundings + ?Sized>(
    asked: &mut Asked<'_, T, P>,
    request: &Request<'_>,
    space: &'s mut Buffer,
) -> Option<Reply<'s>> {
    /// Decodes what one operation takes, and does that.
    macro_rules! answered {
        ($call:ident, $arguments:pat => $result:expr) => {
            match <call::$call as Call>::decode(&request.body) {
                Some($arguments) => rpc::answer::<call::$call>($result, space),
                None => Reply::of(Status::Malformed),
            }
        };
    }
    let selector = request.label.selector();
    Some(if selector == call::Open::SELECTOR {
        answered!(Open, (service, argument) => open(asked, service, argument))
    } else if selector == call::Close::SELECTOR {
        answered!(Close, (session,) => close(asked, session))
    } else if selector == call::Upgrade::SELECTOR {
        answered!(Upgrade, (session, ram, caps) => upgrade(asked, session, ram, caps))
    } else if selector == call::Redeem::SELECTOR {
        answered!(Redeem, (session, handle, at) => redeem(asked, session, handle, at))
    } else if selector == call::HandOver::SELECTOR {
        match <call::HandOver as Call>::decode(&request.body).map(|(_, number, _)| handed_over(asked, number)) {
            // To whom, whoever embeds the library knows.
            Some(Ok(())) => return asked.surroundings.parent(request, space),
            Some(Err(missing)) => rpc::answer::<call::HandOver>(Err(because(missing)), space),
            None => Reply::of(Status::Malformed),
        }
    } else {
        return asked.surroundings.parent(request, space);
    })
}

/// The service of which a request wants a session, if it does.
pub(crate) fn wanted_service(interface: u16, request: &Request<'_>) -> Option<ServiceName> {
    let is_open = interface == parent::INTERFACE.id && request.label.selector() == call::Open::SELECTOR;
    let (service, _) = is_open.then(|| <call::Open as Call>::decode(&request.body)).flatten()?;
    ServiceName::try_from(service).ok()
}

fn open<T: Transport + Copy, P: Surroundings + ?Sized>(
    asked: &mut Asked<'_, T, P>,
    service: &str,
    argument: &[u8],
) -> Result<Slot, CallError<OpenError>> {
    // Until the barrier a component asks for nothing that depends on others: its bootstrap must be the same again.
    if asked.child.stage == Stage::Booting {
        return Err(CallError::Refused);
    }
    let name = ServiceName::try_from(service).map_err(|_| OpenError::Service)?;
    let argument = Argument::from_slice(argument).map_err(|_| OpenError::Refused)?;
    let number = asked.place(ANY).map_err(|_| OpenError::Caps)?;
    let opened = asked.surroundings.open(service, &argument)?;
    let info = SessionInfo { service: name, argument, number: opened.number };
    let made = Session::install(asked.child.up, asked.child.pd.number, number, opened, info);
    let made = made.inspect_err(|_| asked.surroundings.close(opened.number))?;
    asked.child.table.insert(number, Object::Session(made));
    Ok(Slot(number))
}

/// Number of the session that the component calls so, with whoever embeds the library.
fn session<T: Transport + Copy, P: ?Sized>(
    asked: &Asked<'_, T, P>,
    number: Slot,
) -> Result<u32, CallError<SessionError>> {
    Ok(asked.child.table.named(number).and_then(Object::session).map_err(because)?.number())
}

fn close<T: Transport + Copy, P: Surroundings + ?Sized>(
    asked: &mut Asked<'_, T, P>,
    number: Slot,
) -> Result<(), CallError<SessionError>> {
    if number.0 < slots::FIRST_FREE.0 {
        return Err(SessionError::Kind.into());
    }
    let closed = session(asked, number)?;
    // Dropping it takes it from the component.
    drop(asked.child.table.take(number.0));
    asked.surroundings.close(closed);
    Ok(())
}

fn upgrade<T: Transport + Copy, P: Surroundings + ?Sized>(
    asked: &mut Asked<'_, T, P>,
    number: Slot,
    ram: u32,
    caps: u32,
) -> Result<(), CallError<SessionError>> {
    let upgraded = session(asked, number)?;
    asked.surroundings.upgrade(asked.child.pd.number, upgraded, ram, caps)
}

fn redeem<T: Transport + Copy, P: Surroundings + ?Sized>(
    asked: &mut Asked<'_, T, P>,
    of: Slot,
    handle: u32,
    at: Slot,
) -> Result<Slot, CallError<RedeemError>> {
    let of = session(asked, of).map_err(|_| RedeemError::Nothing)?;
    let number = asked.place(at).map_err(|taken| match taken {
        Taken::Occupied => RedeemError::Occupied,
        Taken::Range => RedeemError::Range,
    })?;
    let outside = asked.child.table.outward(number);
    asked.surroundings.redeem(of, handle, outside)?;
    let made = SharedDataspace::new(asked.child.up, outside, of, handle)?;
    asked.child.table.insert(number, Object::SharedDataspace(made));
    Ok(Slot(number))
}

/// Whether the component may let others have what it calls so: whoever embeds the library computes its own number from
/// that, which for one that is not the component's would be something of somebody else.
fn handed_over<T: Transport + Copy, P: ?Sized>(asked: &Asked<'_, T, P>, number: Slot) -> Result<(), Missing> {
    match asked.child.table.named(number)? {
        Object::SignalContext(_) => Ok(()),
        other => other.attachable().map(|_| ()),
    }
}

/// A request for PARENT that was done before is done again for a new instance, as far as the instance needs it: it gets
/// the quota that it was given.
pub(crate) fn again<T: Transport + Copy>(
    child: &Child<T>,
    request: &Request<'_>,
) -> Result<(), CallError<TransferError>> {
    if request.label.selector() == call::Request::SELECTOR
        && let Some((ram, caps)) = <call::Request as Call>::decode(&request.body)
    {
        child.up.pd().transfer(OWN, child.pd.number, ram, caps)?;
    }
    Ok(())
}
