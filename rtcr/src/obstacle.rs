//! What stands in the way of a checkpoint: asked for before anything is stopped.

use core::fmt;

use base::{
    layout::Stack,
    rpc::{CallError, Transport},
    session::{
        INTERFACES,
        cpu::{Activity, Debt, ThreadError},
        parent::ServiceName,
    },
};

use crate::{
    child::Child,
    object::{Object, ThreadName},
    standing::{Stand, Standing},
    surroundings::{CallInfo, Surroundings},
};

/// Something that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The component asked for more until the barrier than the journal holds.
    Journal,
    /// A thread is in a call that somebody has received and not answered who is no thread of the component: what becomes of
    /// it is not the component's to decide.
    Calling(ThreadName),
    /// A thread has received a call from outside and not answered it.
    Serving(ThreadName),
    /// It has handed over memory to clients: after a restore they would look at memory of an instance that is gone.
    HandedOver,
    /// A thread has faulted, and no region map of the component has a handler that could cure it.
    Faulted(ThreadName),
    /// Its session of that service cannot be had again: the server is gone. A restored instance has a dead one, as this one
    /// has, so a checkpoint can be taken.
    Lost(ServiceName),
    /// It has memory of a server, for a session that it has closed, or whose server is gone: nobody could hand that over again.
    Orphaned {
        /// Number of the memory.
        number: u32,
    },
    /// A thread cannot be looked at.
    Unreadable(ThreadName, CallError<ThreadError>),
}

/// Something that the component asked for and that is not supported. A component that can do without can be checkpointed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Number of the interface.
    pub interface: u16,
    /// Number of the operation.
    pub operation: u8,
    /// Of which service there was to be a session, if that was asked for.
    pub service: Option<ServiceName>,
    /// How often.
    pub times: u32,
}

/// Most different operations that are told of.
const REFUSALS: usize = 16;

/// What was refused.
#[derive(Debug, Default)]
pub(crate) struct Refusals(heapless::Vec<Refusal, REFUSALS>);

impl Refusals {
    pub fn note(&mut self, interface: u16, operation: u8, service: Option<ServiceName>) {
        let same = |refusal: &&mut Refusal| {
            (refusal.interface, refusal.operation, &refusal.service) == (interface, operation, &service)
        };
        match self.0.iter_mut().find(same) {
            Some(refusal) => refusal.times = refusal.times.saturating_add(1),
            // What is beyond the list was not the first thing to be told of.
            None => drop(self.0.push(Refusal { interface, operation, service, times: 1 })),
        }
    }

    pub fn all(&self) -> &[Refusal] {
        &self.0
    }
}

impl<T: Transport + Copy> Child<T> {
    /// Tells everything that stands in the way of a checkpoint now. Nothing is stopped, so it may be otherwise a moment
    /// later; a checkpoint looks again.
    pub fn obstacles<P: Surroundings + ?Sized>(&self, surroundings: &mut P, mut found: impl FnMut(Obstacle)) {
        if self.journal.has_overflown() {
            found(Obstacle::Journal);
        }
        if surroundings.has_handed_over() {
            found(Obstacle::HandedOver);
        }
        let mut standing = Standing::new();
        for (number, object) in self.table.iter() {
            match object {
                Object::Thread(thread) => match self.up.cpu().read(thread.number()) {
                    Ok(state) => standing.note(number, &state),
                    Err(error) => found(Obstacle::Unreadable(thread.name.clone(), error)),
                },
                Object::Session(session) if surroundings.is_lost(session.number()) => {
                    found(Obstacle::Lost(session.info().service));
                }
                // Few components have any, so looking for the session of each is fine.
                Object::SharedDataspace(shared) => {
                    let session = shared.info().session;
                    if !self.has_session(session) || surroundings.is_lost(session) {
                        found(Obstacle::Orphaned { number });
                    }
                }
                _ => {}
            }
        }
        for stand in standing.iter() {
            let Some(Object::Thread(thread)) = self.table.get(stand.number) else { continue };
            let call = self.call_of(thread.buffer, surroundings);
            if let Some(obstacle) = self.thread_obstacle(&thread.name, stand, (&standing, call)) {
                found(obstacle);
            }
        }
    }

    /// The call that a thread is in, or will make again, if whoever embeds the library has it in its book. Threads are told
    /// apart by their pages for messages, since it is there that their numbers are.
    pub(crate) fn call_of<P: Surroundings + ?Sized>(&self, buffer: u32, surroundings: &mut P) -> Option<CallInfo> {
        surroundings.call(Stack::owner(buffer)?)
    }

    /// What was asked for and refused since the component runs.
    pub fn refusals(&self) -> &[Refusal] {
        self.refusals.all()
    }

    /// What is in the way with a thread that stands so, among all others, and is in that call to somebody outside.
    pub(crate) fn thread_obstacle(
        &self,
        name: &ThreadName,
        stand: &Stand,
        (standing, call): (&Standing, Option<CallInfo>),
    ) -> Option<Obstacle> {
        match stand.activity {
            _ if stand.owes == Debt::Outside => Some(Obstacle::Serving(name.clone())),
            Activity::Calling if call.is_none() && !standing.is_owed(stand) => Some(Obstacle::Calling(name.clone())),
            Activity::Faulted if !self.handles_faults() => Some(Obstacle::Faulted(name.clone())),
            _ => None,
        }
    }

    /// Whether it has a session that whoever embeds the library knows by that number.
    fn has_session(&self, number: u32) -> bool {
        self.table.iter().any(|(_, object)| matches!(object, Object::Session(session) if session.number() == number))
    }

    /// Whether some region map has a handler. Only asked when a thread has faulted.
    fn handles_faults(&self) -> bool {
        self.table.iter().any(|(_, object)| matches!(object, Object::RegionMap(map) if map.handler.is_some()))
    }
}

impl Obstacle {
    /// Whether there can be no checkpoint because of it.
    pub const fn prevents(&self) -> bool {
        !matches!(self, Self::Lost(_))
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal => write!(f, "it asks for more before its construction than the journal holds"),
            Self::Calling(thread) => write!(f, "its thread {thread} is in a call that was received and not answered"),
            Self::Serving(thread) => write!(f, "its thread {thread} serves a call from outside"),
            Self::HandedOver => write!(f, "it has handed over memory to clients of its own"),
            Self::Faulted(thread) => write!(f, "its thread {thread} has faulted"),
            Self::Lost(service) => write!(f, "its session of {service} cannot be had again: the server is gone"),
            Self::Orphaned { number } => {
                write!(f, "its memory {number} is that of a server whose session is closed or gone")
            }
            Self::Unreadable(thread, error) => write!(f, "its thread {thread} cannot be looked at: {error:?}"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let interface = INTERFACES.iter().find(|interface| interface.id == self.interface);
        let operation = interface.and_then(|interface| interface.operation(self.operation));
        match (interface, operation) {
            _ if self.service.is_some() => write!(f, "a session of {}", self.service.as_deref().unwrap_or_default())?,
            (Some(interface), Some(operation)) => write!(f, "{}.{}", interface.name, operation.name)?,
            _ => write!(f, "operation {} of interface {}", self.operation, self.interface)?,
        }
        write!(f, " was refused {} times", self.times)
    }
}
