//! The services that children offer, and who has sessions of them: other children, and components outside.
//!
//! The children's keepers share this, and the first thread. The lock is never held across a request. Each child serves at an
//! endpoint that is this component's and outlives the child's instances; so are the badges, one for each session.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    sync::Arc,
    vec::Vec,
};
use core::sync::atomic::{AtomicBool, Ordering::SeqCst};

use base::{
    Env,
    child::{Book, Known, Member, Opened, Window},
    env::slots,
    rpc::{Buffer, CallError, Reply, Request, Serve, Slot, Status},
    service::{Opening, Refused},
    session::{
        parent::{AnnounceError, OpenError, RedeemError, SessionError, Task},
        pd::{ANY, Access, Grant, InstallError, OWN, TransferError},
    },
    sync::Semaphore,
};

use crate::{ceiling::Ceiling, relay::Route};

/// Members of the book from here on are components outside, one for each of their sessions, by what this component's own
/// parent calls it.
const OUTSIDE: Member = 1 << 16;

/// A child, as far as others reach it.
#[derive(Clone)]
pub struct Place {
    /// What it is called.
    pub name: &'static str,
    /// Where it serves.
    pub service: Slot,
    /// This component's numbers for what the child calls its own.
    pub window: Window,
    /// Its keeper's doorbell.
    pub bell: Slot,
    /// There is something to do for it, so its own doorbell is to be rung.
    pub news: Arc<AtomicBool>,
    /// It has not ended.
    pub lives: bool,
}

/// Who serves whom.
pub struct Services {
    env: Env,
    shared: Ceiling<Shared>,
}

struct Shared {
    book: Book,
    places: Vec<Place>,
    /// Who waits for a server.
    waiting: Vec<(Member, Arc<Semaphore>)>,
    /// The component outside whose session is, or was, made last.
    next: Option<Member>,
    /// The session of each of this component's capabilities, by their numbers.
    sessions: BTreeMap<Slot, u32>,
    /// Services that somebody outside is to have of this component, and whether they were announced to its parent.
    wanted: Vec<(String, bool)>,
}

impl Services {
    /// Of these children, in the order of their numbers. Those services of theirs are offered outside too.
    /// The first thread has that priority, and nobody has a higher one.
    pub fn new(env: Env, priority: u8, places: Vec<Place>, wanted: BTreeSet<String>) -> Arc<Self> {
        let wanted = wanted.into_iter().map(|service| (service, false)).collect();
        let shared =
            Shared { book: Book::new(), places, waiting: Vec::new(), next: None, sessions: BTreeMap::new(), wanted };
        Arc::new(Self { env, shared: Ceiling::new(env, priority, shared) })
    }

    /// The calling thread is that one, and has that priority from now on.
    pub fn is_at(&self, thread: Slot, priority: u8) {
        self.shared.is_at(thread, priority);
    }

    /// The number of the child of that name.
    pub fn child(&self, name: &str) -> Option<Member> {
        self.shared.lock().places.iter().position(|place| place.name == name)
    }

    /// Whether a child has not ended.
    pub fn lives(&self, child: Member) -> bool {
        self.shared.lock().places.get(child).is_some_and(|place| place.lives)
    }

    /// There is something to do for a child: its keeper rings it.
    fn tell(&self, child: Member) {
        let bell = self.shared.lock().places.get(child).map(|place| {
            place.news.store(true, SeqCst);
            place.bell
        });
        if let Some(bell) = bell {
            self.env.platform().ring(bell);
        }
    }

    fn wake(&self, client: Member) {
        if client >= OUTSIDE {
            // The first thread looks again.
            self.env.platform().ring(slots::DOORBELL);
        }
        let waiting: Vec<_> = {
            let shared = self.shared.lock();
            shared.waiting.iter().filter(|(member, _)| *member == client).map(|(_, who)| Arc::clone(who)).collect()
        };
        waiting.iter().for_each(|who| who.release());
    }

    /// Opens a session of a child's service for a client, and waits until the child has accepted it; tells its number.
    fn open(
        &self,
        client: (Member, &str),
        server: Member,
        (service, argument): (&str, &[u8]),
    ) -> Result<u32, OpenError> {
        let rung = Arc::new(Semaphore::new(self.env, 0));
        self.shared.lock().waiting.push((client.0, Arc::clone(&rung)));
        let opened = loop {
            match self.try_open(client, server, (service, argument)) {
                Ok(Opened::Accepted(number)) => break Ok(number),
                Ok(Opened::Pending { ring }) => {
                    if ring {
                        self.tell(server);
                    }
                    rung.acquire();
                }
                Err(error) => break Err(error),
            }
        };
        self.shared.lock().waiting.retain(|(_, who)| !Arc::ptr_eq(who, &rung));
        opened
    }

    /// Likewise, without waiting.
    fn try_open(
        &self,
        client: (Member, &str),
        server: Member,
        (service, argument): (&str, &[u8]),
    ) -> Result<Opened, OpenError> {
        let mut shared = self.shared.lock();
        if !shared.places.get(server).is_some_and(|place| place.lives) {
            return Err(OpenError::Gone);
        }
        shared.book.open(client, server, service, argument).inspect(|opened| {
            if let Opened::Accepted(number) = opened {
                // Known to its client under its own number: each has one relay.
                shared.book.installed(*number, Slot(*number));
            }
        })
    }

    /// A component outside is the next one to have a session: the one that was and still waits does not want it any more.
    fn is_next(&self, client: Member) {
        let servers = {
            let mut shared = self.shared.lock();
            match shared.next.replace(client) {
                Some(last) if last != client && shared.book.waits(last) => shared.book.ended(last).0,
                _ => Vec::new(),
            }
        };
        servers.into_iter().for_each(|server| self.tell(server));
    }

    /// This component's own capability for a session.
    fn install(&self, client: Member, server: Member, number: u32) -> Result<Slot, OpenError> {
        let service = self.shared.lock().places.get(server).map_or(ANY, |place| place.service);
        let installed = self.env.pd().install(service, OWN, ANY, Grant { access: Access::Use, badge: number });
        match installed {
            Ok(own) => {
                self.shared.lock().sessions.insert(own, number);
                Ok(own)
            }
            Err(_) => {
                self.end(client, number);
                Err(OpenError::Caps)
            }
        }
    }

    /// A client does not want a session any more.
    fn end(&self, client: Member, number: u32) {
        // If the book does not know it, its server has ended meanwhile.
        let server = self.shared.lock().book.close(client, Slot(number)).ok().flatten();
        if let Some(server) = server {
            self.tell(server);
        }
    }

    /// Likewise, by this component's capability.
    fn close(&self, client: Member, own: Slot) {
        let number = {
            let mut shared = self.shared.lock();
            shared.sessions.remove(&own)
        };
        if let Some(number) = number {
            self.end(client, number);
        }
        // It was put there by `install`.
        let _ = self.env.pd().remove(OWN, own);
    }

    /// A child, which is this component's `pd`, donates to the server of a session.
    pub fn upgrade(
        &self,
        client: Member,
        pd: Slot,
        own: Slot,
        ram: u32,
        caps: u32,
    ) -> Result<(), CallError<SessionError>> {
        let (number, server, to) = {
            let shared = self.shared.lock();
            let number = *shared.sessions.get(&own).ok_or(SessionError::Nothing)?;
            let (_, server) = shared.book.session(client, Slot(number)).ok_or(SessionError::Nothing)?;
            let place = shared.places.get(server).filter(|place| place.lives).ok_or(CallError::PeerGone)?;
            if !shared.book.can_upgrade(number) {
                return Err(CallError::Refused);
            }
            (number, server, place.window.pd())
        };
        self.env.pd().transfer(pd, to, ram, caps).map_err(giving)?;
        self.shared.lock().book.upgraded(number, ram, caps)?;
        self.tell(server);
        Ok(())
    }

    /// Likewise to one further up: what the child gives goes through this component's account.
    pub fn upgrade_upward(&self, pd: Slot, own: Slot, ram: u32, caps: u32) -> Result<(), CallError<SessionError>> {
        self.env.pd().transfer(pd, OWN, ram, caps).map_err(giving)?;
        self.env.parent().upgrade(own, ram, caps).inspect_err(|_| {
            // Given a moment ago, so it can be given back.
            let _ = self.env.pd().transfer(OWN, pd, ram, caps);
        })
    }

    /// What a child has handed over for a session becomes this component's `at`.
    pub fn redeem(&self, client: Member, own: Slot, handle: u32, at: Slot) -> Result<(), CallError<RedeemError>> {
        let (number, grant) = {
            let shared = self.shared.lock();
            let number = *shared.sessions.get(&own).ok_or(RedeemError::Nothing)?;
            let handed = shared.book.redeem(client, Slot(number), handle).ok_or(RedeemError::Nothing)?;
            let place = shared.places.get(handed.server).ok_or(RedeemError::Nothing)?;
            let grant = if handed.writable { Grant::OWN } else { Grant::USE };
            (place.window.outward(handed.number).ok_or(RedeemError::Nothing)?, grant)
        };
        self.env.pd().install(number, OWN, at, grant).map(|_| ()).map_err(|error| match error {
            CallError::Error(InstallError::Caps) => RedeemError::Caps.into(),
            CallError::Error(InstallError::Occupied) => RedeemError::Occupied.into(),
            CallError::Error(InstallError::Range) => RedeemError::Range.into(),
            _ => RedeemError::Nothing.into(),
        })
    }

    /// A child offers a service, to other children and outside.
    pub fn announce(self: &Arc<Self>, server: Member, service: &str) -> Result<(), CallError<AnnounceError>> {
        let waits = self.shared.lock().book.announce(server, service)?;
        if waits {
            self.tell(server);
        }
        self.offer_outside(server, service);
        Ok(())
    }

    /// Likewise outside, if somebody there is to have it.
    fn offer_outside(self: &Arc<Self>, server: Member, service: &str) {
        let is_new = {
            let wanted = &mut self.shared.lock().wanted;
            let found = wanted.iter_mut().find(|(known, _)| known == service);
            found.is_some_and(|(_, announced)| !core::mem::replace(announced, true))
        };
        if is_new {
            let (services, name) = (Arc::clone(self), String::from(service));
            let host = move |opening: &Opening<'_>| Hosted::new(Arc::clone(&services), server, &name, opening);
            // Not offered outside, it is offered to other children all the same.
            if let Err(error) = self.env.serve_when_ready(service, host) {
                log::warn!("{service} is not offered outside: {error:?}");
            }
        }
    }

    /// What a child has to do next for its services.
    pub fn task(&self, server: Member) -> Option<Task> {
        self.shared.lock().book.task(server).cloned()
    }

    /// It has done that.
    pub fn done(&self, server: Member, session: u32, accepted: bool) -> Result<(), SessionError> {
        let client = self.shared.lock().book.done(server, session, accepted)?;
        if let Some(client) = client {
            self.wake(client);
        }
        Ok(())
    }

    /// A child lets the client of a session have something of its own; tells the handle.
    pub fn hand_over(
        &self,
        server: Member,
        session: u32,
        number: Slot,
        writable: bool,
    ) -> Result<u32, CallError<SessionError>> {
        let (upward, own) = {
            let shared = self.shared.lock();
            let place = shared.places.get(server).ok_or(SessionError::Nothing)?;
            // The child says any number; one beyond its own would be another child's.
            let own = place.window.outward(number).ok_or(SessionError::Nothing)?;
            // It may do so while it has not accepted the session yet.
            let client = shared.book.client(server, session).ok_or(SessionError::Nothing)?;
            (client.checked_sub(OUTSIDE), own)
        };
        match upward {
            Some(upward) => self.env.parent().hand_over(upward as u32, own, writable),
            None => Ok(self.shared.lock().book.hand_over(server, session, number, writable)?),
        }
    }

    /// How many sessions a child knows of its services.
    pub fn sessions_served(&self, server: Member) -> usize {
        self.shared.lock().book.count_known(server)
    }

    /// What a child knows of its services and sessions, to [go back](Self::goes_back) to.
    pub fn write_known(&self, server: Member, known: &mut Known) {
        self.shared.lock().book.write_known(server, known);
    }

    /// A child is as it was when that was all it knew; it is told the rest again. Its doorbell is rung after a restore anyway.
    pub fn goes_back(self: &Arc<Self>, server: Member, known: &Known) {
        self.shared.lock().book.goes_back(server, known);
        // If they were announced elsewhere, they are not here.
        known.services.iter().for_each(|service| self.offer_outside(server, service));
    }

    /// A child has ended for good: those who wait for it are told, and whoever receives for it now answers "peer gone".
    pub fn ended(&self, child: Member) {
        let (servers, dead) = {
            let mut shared = self.shared.lock();
            if let Some(place) = shared.places.get_mut(child) {
                place.lives = false;
            }
            shared.book.ended(child)
        };
        servers.into_iter().for_each(|server| self.tell(server));
        dead.into_iter().for_each(|dead| self.wake(dead.client));
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

/// The way to a session of a component outside, by this component's own parent.
pub struct Upward {
    env: Env,
    /// Service and argument.
    wanted: (String, Vec<u8>),
}

impl Upward {
    /// To that service, with that argument.
    pub const fn new(env: Env, wanted: (String, Vec<u8>)) -> Self {
        Self { env, wanted }
    }
}

impl Route for Upward {
    fn open(&mut self) -> Result<Slot, CallError<OpenError>> {
        self.env.until_answered(|| self.env.parent().open(&self.wanted.0, &self.wanted.1))
    }

    fn close(&mut self, session: Slot) {
        // If its parent does not know it any more, it is closed.
        let _ = self.env.parent().close(session);
    }
}

/// The way to a session of another child.
pub struct Sibling {
    services: Arc<Services>,
    client: (Member, &'static str),
    server: Member,
    wanted: (String, Vec<u8>),
}

impl Sibling {
    /// Of that client with that server.
    pub const fn new(
        services: Arc<Services>,
        client: (Member, &'static str),
        server: Member,
        wanted: (String, Vec<u8>),
    ) -> Self {
        Self { services, client, server, wanted }
    }
}

impl Route for Sibling {
    fn begin(&mut self, thread: Slot, priority: u8) {
        self.services.is_at(thread, priority);
    }

    fn open(&mut self) -> Result<Slot, CallError<OpenError>> {
        let number = self.services.open(self.client, self.server, (&self.wanted.0, &self.wanted.1))?;
        Ok(self.services.install(self.client.0, self.server, number)?)
    }

    fn close(&mut self, session: Slot) {
        self.services.close(self.client.0, session);
    }
}

/// A session that a component outside has of a child's service. Its requests reach the child without anybody in between.
struct Hosted {
    services: Arc<Services>,
    client: Member,
    own: Slot,
}

impl Hosted {
    /// Called by the first thread, which waits for no child: none until the child has accepted.
    fn new(
        services: Arc<Services>,
        server: Member,
        service: &str,
        opening: &Opening<'_>,
    ) -> Result<Option<Self>, Refused> {
        let client = OUTSIDE + opening.session as usize;
        services.is_next(client);
        let opened = services.try_open((client, opening.client), server, (service, opening.argument));
        let number = match opened.map_err(|_| Refused)? {
            Opened::Accepted(number) => number,
            Opened::Pending { ring } => {
                if ring {
                    services.tell(server);
                }
                return Ok(None);
            }
        };
        let own = services.install(client, server, number).map_err(|_| Refused)?;
        // From here on dropping it closes it.
        let hosted = Self { services, client, own };
        hosted.services.env.parent().serve_at(opening.session, own).map_err(|_| Refused)?;
        Ok(Some(hosted))
    }
}

impl Serve for Hosted {
    /// Nobody's requests arrive here.
    fn serve<'s>(&mut self, _: &Request<'_>, _: &'s mut Buffer) -> Option<Reply<'s>> {
        Some(Reply::of(Status::Refused))
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        self.services.close(self.client, self.own);
    }
}
