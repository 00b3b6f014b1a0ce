//! The sessions that siblings have of each other's services.
//!
//! Components are numbers here, and nothing is called: what is to be done follows from what is returned. A session's number
//! is the badge with which its requests reach the server, and is never used twice.
//!
//! What a component can make its parent keep is bounded: [`MAX_OPEN`] sessions of a client, [`MAX_HANDLES`] handles of each side and
//! [`MAX_UPGRADES`] upgrades that were not looked at of a session, [`MAX_SERVICES`] services of a server.

use alloc::{
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};

use crate::{
    rpc::Slot,
    session::{
        parent::{AnnounceError, MAX_ARGUMENT, Name, OpenError, ServiceName, SessionError, Task, TaskKind},
        pd::Grant,
    },
};

/// Most sessions of a client, those that are not answered yet included.
pub const MAX_OPEN: usize = 64;
/// Most handles of a session, of each side.
pub const MAX_HANDLES: usize = 32;
/// Most upgrades of a session that its server has not looked at.
pub const MAX_UPGRADES: usize = 8;
/// Most services of a server.
pub const MAX_SERVICES: usize = 16;

/// A component of the book: the parent's number of a child.
pub type Member = usize;

/// Sessions, and what their servers still have to do for them.
#[derive(Debug, Default)]
pub struct Book {
    sessions: BTreeMap<u32, Session>,
    /// Which session a client knows under which number.
    slots: BTreeMap<(Member, Slot), u32>,
    /// How many sessions a client has.
    open: BTreeMap<Member, usize>,
    services: BTreeMap<Member, Vec<ServiceName>>,
    tasks: BTreeMap<Member, VecDeque<Task>>,
    /// The number that was given last.
    last: u32,
}

#[derive(Debug)]
struct Session {
    client: Member,
    server: Member,
    service: ServiceName,
    client_name: Name,
    argument: heapless::Vec<u8, MAX_ARGUMENT>,
    state: State,
    handles: Vec<Handed>,
    /// What the client lets the server have: numbers of its own.
    lent: Vec<Slot>,
    upgrades: usize,
    /// The server's capability by which the client reaches it; none for the server's endpoint.
    at: Option<Slot>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The server has not said anything, or has not even announced.
    Waiting,
    /// The server has accepted; the client has not asked again.
    Accepted,
    /// The server has refused, or is gone.
    Refused(OpenError),
    /// The client knows it under this number.
    Open(Slot),
    /// Likewise, and the server has begun anew and does not know of it yet.
    Again(Slot),
    /// The client has closed it; the server does not know.
    Closing,
}

/// What a client that wants a session is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// It is to be told when there is more to say; so is the server, if it has to be rung now.
    Pending {
        /// Whether the server has something new to do.
        ring: bool,
    },
    /// The session with that number is there: it is to be installed, then [`Book::installed`].
    Accepted(u32),
}

/// What a server has handed over, or a client lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handed {
    /// By whom.
    pub server: Member,
    /// Its number for it.
    pub number: Slot,
    /// Whether who gets it may write to it.
    pub writable: bool,
}

/// What a server knows of its services and sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// What it offers, in the order in which it said so.
    pub services: Vec<ServiceName>,
    /// In ascending order.
    pub sessions: Vec<u32>,
}

/// A session whose server is gone, and by which number its client knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dead {
    /// Whose.
    pub client: Member,
    /// Under which number; none if the client waits for it.
    pub slot: Option<Slot>,
}

impl Book {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// A server offers a service. Tells whether somebody waits for it already.
    ///
    /// # Errors
    /// The name is none, it is offered already, or the server offers too many.
    pub fn announce(&mut self, server: Member, service: &str) -> Result<bool, AnnounceError> {
        let name = ServiceName::try_from(service).ok().filter(|name| !name.is_empty()).ok_or(AnnounceError::Name)?;
        let services = self.services.entry(server).or_default();
        if services.contains(&name) || services.len() == MAX_SERVICES {
            return Err(AnnounceError::Occupied);
        }
        services.push(name.clone());
        let mut waits = false;
        // Once for each service, so looking at all sessions is fine.
        for (&number, session) in &self.sessions {
            let unknown = matches!(session.state, State::Waiting | State::Again(_));
            if session.server == server && session.service == name && unknown {
                self.tasks.entry(server).or_default().push_back(session.task(number));
                waits = true;
            }
        }
        Ok(waits)
    }

    /// A client wants a session; it asks the same again until it is told that it has it.
    ///
    /// # Errors
    /// There will be none.
    pub fn open(
        &mut self,
        client: (Member, &str),
        server: Member,
        service: &str,
        argument: &[u8],
    ) -> Result<Opened, OpenError> {
        let (client, client_name) = client;
        let service = ServiceName::try_from(service).map_err(|_| OpenError::Service)?;
        // A client has few sessions, and opening one is rare.
        let asked = self.sessions.iter().find(|(_, session)| {
            let same = session.client == client && session.server == server && session.service == service;
            same && session.argument == argument
                && !matches!(session.state, State::Open(_) | State::Again(_) | State::Closing)
        });
        if let Some((&number, session)) = asked {
            return match session.state {
                State::Refused(error) => {
                    self.forget(number);
                    Err(error)
                }
                State::Accepted => Ok(Opened::Accepted(number)),
                _ => Ok(Opened::Pending { ring: false }),
            };
        }
        let open = self.open.entry(client).or_default();
        if *open == MAX_OPEN || self.last + 1 == Grant::MAX_BADGE {
            return Err(OpenError::Caps);
        }
        let client_name = Name::try_from(client_name).map_err(|_| OpenError::Refused)?;
        let argument = heapless::Vec::from_slice(argument).map_err(|_| OpenError::Refused)?;
        *open += 1;
        self.last += 1;
        let state = State::Waiting;
        let session = Session {
            client,
            server,
            service,
            client_name,
            argument,
            state,
            handles: Vec::new(),
            lent: Vec::new(),
            upgrades: 0,
            at: None,
        };
        let ring = self.services.get(&server).is_some_and(|services| services.contains(&session.service));
        if ring {
            self.tasks.entry(server).or_default().push_back(session.task(self.last));
        }
        self.sessions.insert(self.last, session);
        Ok(Opened::Pending { ring })
    }

    /// The client knows the session under that number from now on.
    pub fn installed(&mut self, number: u32, slot: Slot) {
        if let Some(session) = self.sessions.get_mut(&number) {
            session.state = State::Open(slot);
            self.slots.insert((session.client, slot), number);
        }
    }

    /// What a server has to do next.
    pub fn task(&self, server: Member) -> Option<&Task> {
        self.tasks.get(&server)?.front()
    }

    /// A server has done what it had to do for a session; tells which client is to be rung, if one is.
    ///
    /// # Errors
    /// There was nothing to do for it.
    pub fn done(&mut self, server: Member, number: u32, accepted: bool) -> Result<Option<Member>, SessionError> {
        let tasks = self.tasks.get_mut(&server).ok_or(SessionError::Nothing)?;
        let at = tasks.iter().position(|task| task.session == number).ok_or(SessionError::Nothing)?;
        let Some(task) = tasks.remove(at) else { return Err(SessionError::Nothing) };
        // One that a server closes a second time, since it has gone back, is not there any more.
        let Some(session) = self.sessions.get_mut(&number) else { return Ok(None) };
        match task.what {
            TaskKind::Open { .. } if session.state == State::Waiting => {
                session.state = if accepted { State::Accepted } else { State::Refused(OpenError::Refused) };
                Ok(Some(session.client))
            }
            TaskKind::Open { .. } => {
                // If it does not want the session any more, requests are refused by itself.
                if let State::Again(slot) = session.state {
                    session.state = State::Open(slot);
                }
                Ok(None)
            }
            TaskKind::Upgrade { .. } => {
                session.upgrades -= 1;
                Ok(None)
            }
            TaskKind::Close => {
                self.forget(number);
                Ok(None)
            }
        }
    }

    /// Session and server of what a client knows under that number.
    pub fn session(&self, client: Member, slot: Slot) -> Option<(u32, Member)> {
        let number = *self.slots.get(&(client, slot))?;
        Some((number, self.sessions.get(&number)?.server))
    }

    /// Whose session of a server's that is, whether it has been accepted or not.
    pub fn client(&self, server: Member, number: u32) -> Option<Member> {
        let session = self.sessions.get(&number).filter(|s| s.server == server && s.state != State::Closing);
        session.map(|session| session.client)
    }

    /// A client gives a session up; tells which server is to be rung, if one is.
    ///
    /// # Errors
    /// It has no such session.
    pub fn close(&mut self, client: Member, slot: Slot) -> Result<Option<Member>, SessionError> {
        let number = self.slots.remove(&(client, slot)).ok_or(SessionError::Nothing)?;
        Ok(self.end(number))
    }

    /// The server of a session gets more; it is to be rung.
    ///
    /// # Errors
    /// There is no such session, or the server does not look at what it got.
    pub fn upgraded(&mut self, number: u32, ram: u32, caps: u32) -> Result<Member, SessionError> {
        let session = self.sessions.get_mut(&number).ok_or(SessionError::Nothing)?;
        session.upgrades += 1;
        let what = TaskKind::Upgrade { ram, caps };
        self.tasks.entry(session.server).or_default().push_back(Task { session: number, what });
        Ok(session.server)
    }

    /// Whether a session can be upgraded again before its server has looked.
    pub fn can_upgrade(&self, number: u32) -> bool {
        self.sessions.get(&number).is_some_and(|session| session.upgrades < MAX_UPGRADES)
    }

    /// A server lets the client of a session have something of its own; tells the handle.
    ///
    /// # Errors
    /// It has no such session, or has handed over too much.
    pub fn hand_over(&mut self, server: Member, number: u32, own: Slot, writable: bool) -> Result<u32, SessionError> {
        let session = self.sessions.get_mut(&number).filter(|s| s.server == server && s.state != State::Closing);
        let session = session.ok_or(SessionError::Nothing)?;
        let handed = Handed { server, number: own, writable };
        // The same again is the same handle.
        if let Some(known) = session.handles.iter().position(|known| *known == handed) {
            return Ok(known as u32 + 1);
        }
        if session.handles.len() == MAX_HANDLES {
            return Err(SessionError::Caps);
        }
        session.handles.push(handed);
        Ok(session.handles.len() as u32)
    }

    /// The requests of a session that is not accepted yet are to go where a capability of the server's leads.
    ///
    /// # Errors
    /// Nobody waits for it.
    pub fn serve_at(&mut self, server: Member, number: u32, own: Slot) -> Result<(), SessionError> {
        let session = self.sessions.get_mut(&number).filter(|s| s.server == server && s.state == State::Waiting);
        session.ok_or(SessionError::Nothing)?.at = Some(own);
        Ok(())
    }

    /// That capability, if it was said.
    pub fn served_at(&self, number: u32) -> Option<Handed> {
        let session = self.sessions.get(&number)?;
        Some(Handed { server: session.server, number: session.at?, writable: true })
    }

    /// A client lets the server of a session have something of its own; tells the handle.
    ///
    /// # Errors
    /// It has no such session, or has lent too much.
    pub fn lend(&mut self, client: Member, slot: Slot, own: Slot) -> Result<u32, SessionError> {
        let number = self.slots.get(&(client, slot)).ok_or(SessionError::Nothing)?;
        let session = self.sessions.get_mut(number).ok_or(SessionError::Nothing)?;
        // The same again is the same handle.
        if let Some(known) = session.lent.iter().position(|known| *known == own) {
            return Ok(known as u32 + 1);
        }
        if session.lent.len() == MAX_HANDLES {
            return Err(SessionError::Caps);
        }
        session.lent.push(own);
        Ok(session.lent.len() as u32)
    }

    /// What the client of a server's session meant by that handle: from whom, and its number there.
    pub fn borrow(&self, server: Member, number: u32, handle: u32) -> Option<Handed> {
        let session = self.sessions.get(&number).filter(|s| s.server == server && s.state != State::Closing)?;
        let own = *session.lent.get((handle as usize).checked_sub(1)?)?;
        Some(Handed { server: session.client, number: own, writable: true })
    }

    /// What the server of a client's session meant by that handle.
    pub fn redeem(&self, client: Member, slot: Slot, handle: u32) -> Option<Handed> {
        let session = self.sessions.get(self.slots.get(&(client, slot))?)?;
        session.handles.get((handle as usize).checked_sub(1)?).copied()
    }

    /// Whether a client waits for a session. Cost: all sessions.
    pub fn waits(&self, client: Member) -> bool {
        let waits = |session: &Session| matches!(session.state, State::Waiting | State::Accepted | State::Refused(_));
        self.sessions.values().any(|session| session.client == client && waits(session))
    }

    /// A component has ended, and with it all its sessions and services.
    ///
    /// Tells which servers are to be rung because they have lost a client, and whose sessions are dead because it was the
    /// server. Cost: all sessions; this is rare.
    pub fn ended(&mut self, member: Member) -> (Vec<Member>, Vec<Dead>) {
        self.services.remove(&member);
        self.tasks.remove(&member);
        let (mut servers, mut dead) = (Vec::new(), Vec::new());
        let numbers: Vec<_> = self.sessions.keys().copied().collect();
        for number in numbers {
            let Some(session) = self.sessions.get_mut(&number) else { continue };
            let (client, server, state) = (session.client, session.server, session.state);
            if client == member {
                if let State::Open(slot) | State::Again(slot) = state {
                    self.slots.remove(&(client, slot));
                }
                match server == member {
                    true => self.forget(number),
                    false => servers.extend(self.end(number)),
                }
            } else if server == member {
                session.handles.clear();
                match state {
                    State::Closing => self.forget(number),
                    State::Open(slot) | State::Again(slot) => dead.push(Dead { client, slot: Some(slot) }),
                    State::Waiting | State::Accepted | State::Refused(_) => {
                        session.state = State::Refused(OpenError::Gone);
                        dead.push(Dead { client, slot: None });
                    }
                }
            }
        }
        servers.dedup();
        (servers, dead)
    }

    /// A component begins anew: as a client it has no sessions, as a server it does not know yet which it has, and is told
    /// when it has announced its services. Handles are gone, with what they stood for. Tells which servers are to be rung.
    /// Cost as of [`ended`](Self::ended).
    pub fn restarts(&mut self, member: Member) -> Vec<Member> {
        self.services.remove(&member);
        self.tasks.remove(&member);
        let mut servers = Vec::new();
        let numbers: Vec<_> = self.sessions.keys().copied().collect();
        for number in numbers {
            let Some(session) = self.sessions.get_mut(&number) else { continue };
            if session.client == member {
                if let State::Open(slot) | State::Again(slot) = session.state {
                    self.slots.remove(&(member, slot));
                }
                servers.extend(self.end(number));
            } else if session.server == member {
                session.handles.clear();
                session.upgrades = 0;
                match session.state {
                    State::Closing => self.forget(number),
                    State::Open(slot) => session.state = State::Again(slot),
                    State::Accepted => session.state = State::Waiting,
                    State::Waiting | State::Again(_) | State::Refused(_) => {}
                }
            }
        }
        servers.dedup();
        servers
    }

    /// What a server knows of its services and sessions. Cost: all sessions.
    pub fn known(&self, server: Member) -> Known {
        let mut known = Known::default();
        self.write_known(server, &mut known);
        known
    }

    /// Likewise; asks for no memory if there is room. Cost: all sessions.
    pub fn write_known(&self, server: Member, known: &mut Known) {
        known.services.clear();
        known.services.extend(self.services.get(&server).into_iter().flatten().cloned());
        known.sessions.clear();
        known.sessions.extend(self.known_sessions(server));
    }

    /// How many sessions a server knows. Cost: all sessions.
    pub fn count_known(&self, server: Member) -> usize {
        self.known_sessions(server).count()
    }

    fn known_sessions(&self, server: Member) -> impl Iterator<Item = u32> {
        let known = |session: &Session| matches!(session.state, State::Accepted | State::Open(_) | State::Closing);
        let sessions = self.sessions.iter().filter(move |(_, session)| session.server == server && known(session));
        sessions.map(|(&number, _)| number)
    }

    /// A server is as it was when that was all it knew: what was opened since it is to open again, what was closed since it
    /// is to close again. Upgrades are forgotten, as what they brought is. Cost: all sessions.
    pub fn goes_back(&mut self, server: Member, known: &Known) {
        self.services.insert(server, known.services.clone());
        let mut tasks = VecDeque::new();
        let close = |session| Task { session, what: TaskKind::Close };
        // Those that are not there any more were closed, with the server's knowledge.
        let closed = known.sessions.iter().filter(|number| !self.sessions.contains_key(number));
        tasks.extend(closed.map(|&number| close(number)));
        let numbers: Vec<_> = self.sessions.keys().copied().collect();
        for number in numbers {
            let Some(session) = self.sessions.get_mut(&number).filter(|session| session.server == server) else {
                continue;
            };
            let (is_known, offered) =
                (known.sessions.binary_search(&number).is_ok(), known.services.contains(&session.service));
            (session.upgrades, session.handles) = (0, Vec::new());
            session.state = match session.state {
                State::Closing if is_known => {
                    tasks.push_back(close(number));
                    continue;
                }
                State::Closing => {
                    self.forget(number);
                    continue;
                }
                State::Again(slot) if is_known => State::Open(slot),
                state if is_known => state,
                State::Open(slot) => State::Again(slot),
                State::Accepted => State::Waiting,
                state => state,
            };
            if offered && matches!(session.state, State::Waiting | State::Again(_)) {
                tasks.push_back(session.task(number));
            }
        }
        self.tasks.insert(server, tasks);
    }

    /// The client does not want a session any more; tells which server is to be rung, if one is.
    fn end(&mut self, number: u32) -> Option<Member> {
        let session = self.sessions.get_mut(&number)?;
        let server = session.server;
        let known = matches!(session.state, State::Accepted | State::Open(_));
        let tasks = self.tasks.entry(server).or_default();
        // What was to be done before is of no use.
        tasks.retain(|task| task.session != number);
        if !known || !self.services.contains_key(&server) {
            self.forget(number);
            return None;
        }
        session.state = State::Closing;
        tasks.push_back(Task { session: number, what: TaskKind::Close });
        Some(server)
    }

    fn forget(&mut self, number: u32) {
        let Some(session) = self.sessions.remove(&number) else { return };
        if let Some(open) = self.open.get_mut(&session.client) {
            *open -= 1;
        }
    }
}

impl Session {
    fn task(&self, number: u32) -> Task {
        let (service, client, argument) = (self.service.clone(), self.client_name.clone(), self.argument.clone());
        Task { session: number, what: TaskKind::Open { service, client, argument } }
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
