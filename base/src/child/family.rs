//! The children of a component, served by its first thread: their PARENT sessions, their exceptions, what they tell.

use alloc::{boxed::Box, vec::Vec};

use super::{
    Badge, Book, Child, ChildError, ChildPolicy,
    life::{ALARM, Plan},
    parent::Asked,
    start::{Room, Settings, Standing, Way},
};
use crate::{
    child::Program,
    env::slots,
    platform::{Machine, Received},
    rpc::{Buffer, CallError, Interface, Reply, Slot, Status},
    session::{
        cpu,
        parent::{self, Event, Name},
        pd::{self, ANY, Grant, OWN},
        signal,
    },
};

/// Badge of what is left of a session whose server has ended; no child's, and no session's of a server.
pub(super) const GONE: u32 = Grant::MAX_BADGE;
const PARENT: u16 = parent::INTERFACE.id;

/// All children of a component.
pub struct Family<P> {
    pub(super) machine: Machine,
    pub(super) policy: P,
    pub(super) members: Vec<Member>,
    pub(super) book: Book,
    /// Sessions that children have of services further up, by child and number.
    pub(super) upward: Vec<Upward>,
    /// The signal by which this component wakes up when something is planned; made when it is needed first.
    pub(super) alarm: Slot,
}

/// A child, or what is left of it.
pub(super) struct Member {
    pub name: Name,
    /// None once it has ended.
    pub child: Option<Child>,
    /// Where it serves, whichever instance of it runs.
    pub endpoint: Slot,
    /// How many there have been.
    pub instances: u32,
    /// How it is made; none if it cannot be made again.
    pub recipe: Option<Recipe>,
    /// It waits for a session that this component has asked its own parent for.
    pub waits_upward: bool,
    /// Where the parent stands between.
    pub room: Option<Room>,
    /// Nothing is served any more of what an instance that has ended has asked for.
    pub is_settled: bool,
    /// When its instance began, in nanoseconds; known only where it matters.
    pub born: u64,
    /// It was asked to exit.
    pub asked: bool,
    /// How its last instance has ended, while it waits for the next one.
    pub absent: Option<Event>,
    /// What happens to it next.
    pub plan: Option<Plan>,
}

impl Member {
    /// It runs, or will be started again.
    pub const fn is_there(&self) -> bool {
        self.child.is_some() || self.absent.is_some()
    }
}

/// How a child is made.
pub(super) struct Recipe {
    pub settings: Settings<'static>,
    pub program: Program<'static>,
    pub way: Box<dyn Fn(&Interface) -> Way + Send>,
}

/// A session of this component's own that it has handed on.
pub(super) struct Upward {
    pub member: usize,
    pub own: Slot,
    pub slot: Slot,
    /// Requests go through this component, where it is known as the child's LOG session of that number.
    pub log: Option<u8>,
}

impl<P: ChildPolicy> Family<P> {
    /// No children yet.
    pub fn new(machine: Machine, policy: P) -> Self {
        Self { machine, policy, members: Vec::new(), book: Book::new(), upward: Vec::new(), alarm: ANY }
    }

    /// Whom it asks.
    pub fn policy(&mut self) -> &mut P {
        &mut self.policy
    }

    /// The number that the next child will have.
    pub fn next(&self) -> u16 {
        // A parent has far fewer, since each costs capabilities.
        self.members.len() as u16
    }

    /// Starts another child; `settings.number` is [`next`](Self::next).
    ///
    /// # Errors
    /// It does not run, which the policy has been told.
    pub fn start(
        &mut self,
        settings: &Settings<'_>,
        program: Program<'_>,
        standing: Standing,
        way: impl Fn(&Interface) -> Way,
    ) -> Result<(), ChildError> {
        self.add(settings, program, standing, &way)?;
        self.begun(self.members.len() - 1);
        Ok(())
    }

    /// As [`start`](Self::start). The child is started again, with the same endpoint and number, whenever it ends and the policy
    /// wants it.
    ///
    /// # Errors
    /// It does not run.
    pub fn start_lasting(
        &mut self,
        settings: &Settings<'static>,
        program: Program<'static>,
        standing: Standing,
        way: impl Fn(&Interface) -> Way + Send + 'static,
    ) -> Result<(), ChildError> {
        self.add(settings, program, standing, &way)?;
        let recipe = Recipe { settings: *settings, program, way: Box::new(way) };
        let number = self.members.len() - 1;
        self.members[number].recipe = Some(recipe);
        self.begun(number);
        Ok(())
    }

    fn add(
        &mut self,
        settings: &Settings<'_>,
        program: Program<'_>,
        standing: Standing,
        way: &dyn Fn(&Interface) -> Way,
    ) -> Result<(), ChildError> {
        let name = Name::try_from(settings.name).map_err(|_| ChildError::Number)?;
        let endpoint = self.pd().create_endpoint(ANY, OWN).map_err(ChildError::Allocate)?;
        let own = Way::Own(slots::ENDPOINT);
        let child = Child::start(self.machine, settings, program, &standing, endpoint, own, way);
        let child = Some(child.inspect_err(|_| self.free_endpoint(endpoint))?);
        let room = match standing {
            Standing::Aside => None,
            Standing::Between(room) => Some(room),
        };
        self.members.push(Member {
            name,
            child,
            endpoint,
            instances: 0,
            recipe: None,
            waits_upward: false,
            room,
            is_settled: true,
            born: 0,
            asked: false,
            absent: None,
            plan: None,
        });
        Ok(())
    }

    /// How many instances of a child there have been.
    pub fn instances(&self, number: usize) -> u32 {
        self.members.get(number).map_or(0, |member| member.instances)
    }

    /// Ends a child, wherever it is; `event` is what is told of it.
    pub fn end(&mut self, number: usize, event: Event) {
        self.ended(number, event);
    }

    /// Gives up an endpoint of a child's.
    pub(super) fn free_endpoint(&self, endpoint: Slot) {
        while let Ok(1..) = self.pd().free(endpoint) {}
    }

    /// A child could not be started, for people.
    pub fn failed(&mut self, name: &str, reason: &dyn core::fmt::Display) {
        self.policy.event(name, Event::Failed(shortened(reason)));
    }

    /// Whether no child is left that has not ended, or will be started again.
    pub fn is_empty(&self) -> bool {
        !self.members.iter().any(Member::is_there)
    }

    /// A child by its number, while it runs.
    pub fn child(&self, number: usize) -> Option<&Child> {
        self.members.get(number)?.child.as_ref()
    }

    /// Serves the children for ever.
    pub fn serve(&mut self) -> ! {
        loop {
            self.serve_until(None);
        }
    }

    /// Serves the children until a signal of this component's own has rung the doorbell, by the cookie of its context. That is
    /// no child's number.
    pub fn serve_until(&mut self, cookie: Option<u32>) {
        if self.is_empty() {
            self.policy.all_ended();
        }
        let (mut words, mut space) = (Buffer::new(), Buffer::new());
        let mut reply = None::<Reply<'_>>;
        loop {
            let received = match reply.take() {
                Some(reply) => self.machine.answer_and_receive(slots::ENDPOINT, &reply, &mut words),
                None => self.machine.receive(slots::ENDPOINT, &mut words),
            };
            reply = match received {
                Received::Ring => {
                    if self.rang(cookie) {
                        return;
                    }
                    None
                }
                Received::Request { badge: GONE, .. } => Some(Reply::of(Status::PeerGone)),
                Received::Request { badge, request } => match Badge::of(badge) {
                    Some(Badge { child, interface: PARENT, .. }) if usize::from(child) < self.members.len() => {
                        parent::dispatch(&mut Asked::new(self, child.into()), &request, &mut space)
                    }
                    // Nobody has such a badge.
                    _ => Some(Reply::of(Status::Refused)),
                },
            };
        }
    }

    /// The doorbell has rung: for exceptions of children, for what is planned, because this component is asked to exit, for
    /// answers of its own parent, or for nothing.
    /// Tells whether it was for that cookie.
    pub(super) fn rang(&mut self, cookie: Option<u32>) -> bool {
        let mut is_there = false;
        let signal = signal::Client::new(self.machine, slots::SIGNAL);
        while let Ok(Some(pending)) = signal.fetch(slots::DOORBELL) {
            match pending.cookie {
                own if Some(own) == cookie => is_there = true,
                signal::EXIT => self.ask_all_to_exit(),
                ALARM => self.alarm(),
                child => self.exceptions(child as usize),
            }
            if !pending.more {
                break;
            }
        }
        self.settle();
        for member in &mut self.members {
            if core::mem::take(&mut member.waits_upward)
                && let Some(child) = &member.child
            {
                child.ring();
            }
        }
        is_there
    }

    /// A child may have done what it may not, which ends it.
    fn exceptions(&mut self, number: usize) {
        let Some(child) = self.child(number) else { return };
        let cpu = cpu::Client::new(self.machine, slots::CPU);
        if let Ok(Some(exception)) = cpu.exception(child.number()) {
            self.ended(number, Event::Faulted(exception.cause, exception.place));
        }
    }

    /// Closes sessions that were handed on, at this component's own parent.
    pub(super) fn close_upward(&mut self, which: impl Fn(&Upward) -> bool) {
        let parent = parent::Client::new(self.machine, slots::PARENT);
        self.upward.retain(|upward| {
            let close = which(upward);
            if close {
                if let (Some(log), Some(room)) = (upward.log, self.members[upward.member].room.as_ref()) {
                    room.logs.give(log);
                }
                // If its parent does not know it any more, it is closed.
                let _ = parent.close(upward.own);
            }
            !close
        });
    }

    pub(super) fn ring(&self, number: usize) {
        if let Some(child) = self.child(number) {
            child.ring();
        }
    }

    pub(super) fn pd(&self) -> pd::Client {
        pd::Client::new(self.machine, slots::PD)
    }

    /// Where a child's first thread is.
    pub(super) fn place(&self, number: usize) -> Result<cpu::Place, CallError<cpu::ThreadError>> {
        let thread = self.child(number).map_or(pd::ANY, Child::thread);
        cpu::Client::new(self.machine, slots::CPU).place(thread)
    }
}

/// The text of an event for people, cut to what it holds.
pub(super) fn shortened(reason: &dyn core::fmt::Display) -> heapless::String<200> {
    let text: alloc::string::String = alloc::format!("{reason}");
    let mut short = heapless::String::new();
    for c in text.chars() {
        if short.push(c).is_err() {
            break;
        }
    }
    short
}
