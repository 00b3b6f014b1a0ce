//! PARENT as a family serves it.

use super::{Badge, ChildPolicy, Family, Opened, Room, Route, book::Handed, family::Upward};
use crate::{
    env::slots,
    rpc::{CallError, Interface, Slot},
    session::{
        INTERFACES, echo, log,
        parent::{
            self, AnnounceError, Event, Name, OpenError, Parent, RedeemError, ReportError, RequestError, SessionError,
            Task, Value,
        },
        pd::{ANY, Access, Grant, InstallError, OWN, TransferError},
        rom, timer,
    },
};

/// A request of a child.
pub(super) struct Asked<'a, P> {
    family: &'a mut Family<P>,
    child: usize,
}

impl<'a, P: ChildPolicy> Asked<'a, P> {
    pub(super) fn new(family: &'a mut Family<P>, child: usize) -> Self {
        Self { family, child }
    }

    fn called(&self) -> &str {
        &self.family.members[self.child].name
    }

    /// The parent's number for the protection domain of a child that runs.
    fn pd_of(&self, child: usize) -> Option<Slot> {
        self.family.child(child).map(|child| child.number())
    }

    /// Another child's service.
    fn open_sibling(&mut self, sibling: &str, service: &str, argument: &[u8]) -> Result<Slot, CallError<OpenError>> {
        let server = self.family.members.iter().position(|member| member.name == sibling);
        // One that has not been started yet will be: all children are, before any of them is served.
        let server = server.ok_or(OpenError::Service)?;
        if !self.family.members[server].is_there() {
            return Err(OpenError::Gone.into());
        }
        let name = self.family.members[self.child].name.clone();
        match self.family.book.open((self.child, &name), server, service, argument)? {
            Opened::Pending { ring } => {
                if ring {
                    self.family.ring(server);
                }
                Err(CallError::Pending)
            }
            Opened::Accepted(number) => {
                let slot = match self.family.book.served_at(number) {
                    // A capability of the server's, passed on as it is.
                    Some(handed) => self.share(handed, ANY).map_err(opening)?,
                    None => {
                        let endpoint = self.family.members[server].endpoint;
                        self.install(endpoint, Grant { access: Access::Use, badge: number })?
                    }
                };
                self.family.book.installed(number, slot);
                Ok(slot)
            }
        }
    }

    /// A service of whoever serves PD.
    fn open_core(&mut self, service: &str, argument: &[u8]) -> Result<Slot, CallError<OpenError>> {
        let interface = INTERFACES.iter().find(|interface| is_lower_case(interface.name, service));
        let interface = interface.ok_or(OpenError::Service)?;
        let label = core::str::from_utf8(argument).map_err(|_| OpenError::Refused)?;
        if !self.family.policy.may_connect(self.called(), service, label) {
            return Err(OpenError::Service.into());
        }
        let pd = self.pd_of(self.child).ok_or(OpenError::Gone)?;
        match self.room(self.child) {
            Some(_) => self.relay(interface, label),
            None => self.family.pd().connect(pd, ANY, interface.id, label).map_err(opening),
        }
    }

    /// A service further up.
    fn open_upward(&mut self, service: &str, argument: &[u8]) -> Result<Slot, CallError<OpenError>> {
        let own = self.ask_upward(service, argument)?;
        match self.install(own, Grant::USE) {
            Ok(slot) => {
                self.family.upward.push(Upward { member: self.child, own, slot, log: None });
                Ok(slot)
            }
            Err(error) => {
                // It was made a moment ago, for this.
                let _ = parent::Client::new(self.family.machine, slots::PARENT).close(own);
                Err(error)
            }
        }
    }

    /// A session of this component's own parent's. If it takes longer, the child is told to ask again.
    fn ask_upward(&mut self, service: &str, argument: &[u8]) -> Result<Slot, CallError<OpenError>> {
        let opened = parent::Client::new(self.family.machine, slots::PARENT).open(service, argument);
        self.family.members[self.child].waits_upward |= opened == Err(CallError::Pending);
        opened
    }

    /// Makes a session known to the child, under any number.
    fn install(&self, number: Slot, grant: Grant) -> Result<Slot, CallError<OpenError>> {
        let (pd, domain) = (self.family.pd(), self.pd_of(self.child).ok_or(OpenError::Gone)?);
        let Some(room) = self.room(self.child) else {
            return pd.install(number, domain, ANY, grant).map_err(opening);
        };
        let slot = room.numbers.claim(ANY).map_err(|_| OpenError::Caps)?;
        let outside = room.window.outward(slot).ok_or(OpenError::Caps)?;
        // Under the number that stands for the child's too, so that the child can hand it on.
        let installed = pd.install(number, OWN, outside, grant).and_then(|_| {
            let installed = pd.install(number, domain, slot, grant);
            installed.inspect_err(|_| _ = pd.remove(OWN, outside))
        });
        installed.inspect_err(|_| room.numbers.give(slot)).map_err(opening)
    }

    /// Makes a service of core's known to a child whose requests all end here.
    fn relay(&mut self, interface: &Interface, label: &str) -> Result<Slot, CallError<OpenError>> {
        const RELAYED: [Interface; 3] = [rom::INTERFACE, timer::INTERFACE, echo::INTERFACE];
        if *interface == log::INTERFACE {
            return self.relay_log(label);
        }
        match RELAYED.contains(interface) {
            true => self.install_own(Badge::first(self.child as u16, interface.id)),
            false => Err(CallError::Refused),
        }
    }

    /// What is printed is shown under the label, so each needs a session of this component's own.
    fn relay_log(&mut self, label: &str) -> Result<Slot, CallError<OpenError>> {
        let own = self.ask_upward("log", label.as_bytes())?;
        let parent = parent::Client::new(self.family.machine, slots::PARENT);
        let logs = self.room(self.child).map(|room| room.logs.clone()).ok_or(OpenError::Gone)?;
        let Some(session) = logs.add(own) else {
            // It was made a moment ago, for this; here and below.
            let _ = parent.close(own);
            return Err(OpenError::Caps.into());
        };
        let badge = Badge { child: self.child as u16, session, interface: log::INTERFACE.id };
        let slot = self.install_own(badge).inspect_err(|_| {
            logs.give(session);
            let _ = parent.close(own);
        })?;
        self.family.upward.push(Upward { member: self.child, own, slot, log: Some(session) });
        Ok(slot)
    }

    /// Makes a session that is served where all requests of the child are known to it.
    fn install_own(&self, badge: Badge) -> Result<Slot, CallError<OpenError>> {
        let endpoint = self.room(self.child).ok_or(OpenError::Gone)?.endpoint;
        let badge = badge.number().ok_or(OpenError::Caps)?;
        self.install(endpoint, Grant { access: Access::Use, badge })
    }

    /// What a child has here, if this component stands between.
    fn room(&self, child: usize) -> Option<&Room> {
        self.family.members.get(child)?.room.as_ref()
    }

    /// A session of the child's own opened upwards, by its number.
    fn upward(&self, session: Slot) -> Option<&Upward> {
        self.family.upward.iter().find(|upward| upward.member == self.child && upward.slot == session)
    }

    /// A session is not known to the child any more. Fails as core does if the child has none under this number.
    fn take_back(&self, session: Slot) -> Result<(), CallError<InstallError>> {
        let (pd, domain) = (self.family.pd(), self.pd_of(self.child).ok_or(InstallError::Nothing)?);
        pd.remove(domain, session)?;
        if let Some(room) = self.room(self.child) {
            if let Some(outside) = room.window.outward(session) {
                // There it may never have been.
                let _ = pd.remove(OWN, outside);
            }
            room.numbers.give(session);
        }
        Ok(())
    }

    /// What a sibling has handed over, or lent, becomes known to the child.
    fn share(&self, handed: Handed, at: Slot) -> Result<Slot, CallError<InstallError>> {
        let (pd, from, to) = (self.family.pd(), self.pd_of(handed.server), self.pd_of(self.child));
        let (Some(from), Some(to)) = (from, to) else { return Err(InstallError::Nothing.into()) };
        let (source, target) = (self.room(handed.server), self.room(self.child));
        if let (None, None, true) = (source, target, handed.writable) {
            return pd.share(from, handed.number, to, at);
        }
        // Through this component: it knows what the server calls so, or comes to know it for a moment. What is shared by
        // its owner may be written to; where it may not be, that right is left behind here.
        let own = match source {
            Some(room) => room.window.outward(handed.number).ok_or(InstallError::Nothing)?,
            None => pd.share(from, handed.number, OWN, ANY)?,
        };
        let grant = if handed.writable { Grant::OWN } else { Grant::USE };
        let shared = match target {
            None => pd.install(own, to, at, grant),
            Some(room) => room.numbers.claim(at).map_err(CallError::from).and_then(|slot| {
                let outside = room.window.outward(slot).ok_or(InstallError::Range)?;
                pd.install(own, OWN, outside, grant).map(|_| slot).inspect_err(|_| room.numbers.give(slot))
            }),
        };
        if source.is_none() {
            // It has been put there a moment ago.
            let _ = pd.remove(OWN, own);
        }
        shared
    }
}

impl<P: ChildPolicy> Parent for Asked<'_, P> {
    fn exit(&mut self, code: i32) {
        self.family.ended(self.child, Event::Exited(code));
    }

    fn panicked(&mut self) {
        let place = self.family.place(self.child).unwrap_or_default();
        self.family.ended(self.child, Event::Panicked(place));
    }

    fn name(&mut self) -> Name {
        self.family.members[self.child].name.clone()
    }

    fn value(&mut self, key: &str) -> Option<Value> {
        self.family.policy.value(self.called(), key)
    }

    fn open(&mut self, service: &str, argument: &[u8]) -> Result<Slot, CallError<OpenError>> {
        match self.family.policy.route(self.called(), service) {
            Route::Sibling(sibling) => self.open_sibling(&sibling, service, argument),
            Route::Core => self.open_core(service, argument),
            Route::Upward => self.open_upward(service, argument),
            Route::Nobody => Err(OpenError::Service.into()),
        }
    }

    fn close(&mut self, session: Slot) -> Result<(), CallError<SessionError>> {
        if session.0 < slots::FIRST_FREE.0 {
            return Err(SessionError::Kind.into());
        }
        if self.upward(session).is_some() {
            // If it is not there any more, it is closed.
            let _ = self.take_back(session);
            let child = self.child;
            self.family.close_upward(|upward| upward.member == child && upward.slot == session);
            return Ok(());
        }
        match self.family.book.close(self.child, session) {
            Ok(server) => {
                // As above.
                let _ = self.take_back(session);
                server.into_iter().for_each(|server| self.family.ring(server));
                Ok(())
            }
            // One of core's; it knows whether it put something there by `connect`.
            Err(_) => self.take_back(session).map_err(|error| match error {
                CallError::Error(InstallError::Kind) => SessionError::Kind.into(),
                _ => SessionError::Nothing.into(),
            }),
        }
    }

    fn upgrade(&mut self, session: Slot, ram: u32, caps: u32) -> Result<(), CallError<SessionError>> {
        let client = self.pd_of(self.child).ok_or(SessionError::Nothing)?;
        if let Some(own) = self.upward(session).map(|upward| upward.own) {
            // What the child gives goes through this component's account.
            self.family.pd().transfer(client, OWN, ram, caps).map_err(giving)?;
            let parent = parent::Client::new(self.family.machine, slots::PARENT);
            return parent.upgrade(own, ram, caps).inspect_err(|_| {
                // Given a moment ago, so it can be given back.
                let _ = self.family.pd().transfer(OWN, client, ram, caps);
            });
        }
        let (number, server) = self.family.book.session(self.child, session).ok_or(SessionError::Nothing)?;
        let to = self.pd_of(server).ok_or(CallError::PeerGone)?;
        if !self.family.book.can_upgrade(number) {
            return Err(CallError::Refused);
        }
        self.family.pd().transfer(client, to, ram, caps).map_err(giving)?;
        let server = self.family.book.upgraded(number, ram, caps)?;
        self.family.ring(server);
        Ok(())
    }

    fn request(&mut self, ram: u32, caps: u32) -> Result<(), CallError<RequestError>> {
        if !self.family.policy.grants(self.called(), ram, caps) {
            return Err(RequestError::Denied.into());
        }
        let pd = self.pd_of(self.child).ok_or(RequestError::Denied)?;
        self.family.pd().transfer(OWN, pd, ram, caps).map_err(|_| RequestError::Denied)?;
        let name = Parent::name(self);
        self.family.policy.granted(&name, ram, caps);
        Ok(())
    }

    fn announce(&mut self, service: &str) -> Result<(), AnnounceError> {
        if self.family.book.announce(self.child, service)? {
            self.family.ring(self.child);
        }
        Ok(())
    }

    fn task(&mut self) -> Option<Task> {
        self.family.book.task(self.child).cloned()
    }

    fn done(&mut self, session: u32, accepted: bool) -> Result<(), SessionError> {
        if let Some(client) = self.family.book.done(self.child, session, accepted)? {
            self.family.ring(client);
        }
        Ok(())
    }

    fn hand_over(&mut self, session: u32, number: Slot, writable: bool) -> Result<u32, SessionError> {
        self.family.book.hand_over(self.child, session, number, writable)
    }

    fn redeem(&mut self, session: Slot, handle: u32, at: Slot) -> Result<Slot, RedeemError> {
        let handed = self.family.book.redeem(self.child, session, handle).ok_or(RedeemError::Nothing)?;
        self.share(handed, at).map_err(redeeming)
    }

    fn report(&mut self, component: &str, event: Event) -> Result<(), ReportError> {
        if !self.family.policy.is_below(component, self.called()) {
            return Err(ReportError::Name);
        }
        self.family.policy.event(component, event);
        Ok(())
    }

    fn serve_at(&mut self, session: u32, endpoint: Slot) -> Result<(), SessionError> {
        self.family.book.serve_at(self.child, session, endpoint)
    }

    fn lend(&mut self, session: Slot, context: Slot) -> Result<u32, SessionError> {
        self.family.book.lend(self.child, session, context)
    }

    fn borrow(&mut self, session: u32, handle: u32, at: Slot) -> Result<Slot, RedeemError> {
        let lent = self.family.book.borrow(self.child, session, handle).ok_or(RedeemError::Nothing)?;
        self.share(lent, at).map_err(redeeming)
    }
}

/// Whether `service` is the name of an interface in lower case, with `_` between its words.
fn is_lower_case(interface: &str, service: &str) -> bool {
    let mut expected = interface.char_indices().flat_map(|(at, c)| {
        let gap = (at > 0 && c.is_ascii_uppercase()).then_some('_');
        gap.into_iter().chain([c.to_ascii_lowercase()])
    });
    service.chars().all(|c| expected.next() == Some(c)) && expected.next().is_none()
}

fn opening(error: CallError<InstallError>) -> CallError<OpenError> {
    match error {
        CallError::Error(InstallError::Caps | InstallError::Range) => OpenError::Caps.into(),
        CallError::Error(_) => OpenError::Service.into(),
        CallError::Refused => CallError::Refused,
        _ => OpenError::Gone.into(),
    }
}

fn redeeming(error: CallError<InstallError>) -> RedeemError {
    match error {
        CallError::Error(InstallError::Caps) => RedeemError::Caps,
        CallError::Error(InstallError::Occupied) => RedeemError::Occupied,
        CallError::Error(InstallError::Range) => RedeemError::Range,
        _ => RedeemError::Nothing,
    }
}

fn giving(error: CallError<TransferError>) -> CallError<SessionError> {
    match error {
        CallError::Error(TransferError::Ram) => SessionError::Ram.into(),
        CallError::Error(TransferError::Caps) => SessionError::Caps.into(),
        CallError::Error(_) => SessionError::Nothing.into(),
        _ => CallError::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_of_core_are_its_interfaces() {
        for (interface, service, same) in [
            ("Timer", "timer", true),
            ("IoMem", "io_mem", true),
            ("Timer", "time", false),
            ("Timer", "timers", false),
            ("IoMem", "iomem", false),
            ("IoMem", "IoMem", false),
        ] {
            assert_eq!(is_lower_case(interface, service), same, "{interface} {service}");
        }
    }
}
