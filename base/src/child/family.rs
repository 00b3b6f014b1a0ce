//! The children of a component, served by its first thread: their PARENT sessions, their exceptions, what they tell.

use alloc::vec::Vec;

use super::{
    Badge, Book, Child, ChildError, ChildPolicy, Dead,
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
        pd::{self, Access, Grant, OWN},
        signal,
    },
};

/// Badge of what is left of a session whose server has ended; no child's, and no session's of a server.
const GONE: u32 = Grant::MAX_BADGE;
const PARENT: u16 = parent::INTERFACE.id;

/// All children of a component.
pub struct Family<P> {
    pub(super) machine: Machine,
    pub(super) policy: P,
    pub(super) members: Vec<Member>,
    pub(super) book: Book,
    /// Sessions that children have of services further up, by child and number.
    pub(super) upward: Vec<Upward>,
}

/// A child, or what is left of it.
pub(super) struct Member {
    pub name: Name,
    /// None once it has ended.
    pub child: Option<Child>,
    /// It waits for a session that this component has asked its own parent for.
    pub waits_upward: bool,
    /// Where the parent stands between.
    pub room: Option<Room>,
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
        Self { machine, policy, members: Vec::new(), book: Book::new(), upward: Vec::new() }
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
        let name = Name::try_from(settings.name).map_err(|_| ChildError::Number)?;
        let child = Child::start(self.machine, settings, program, &standing, Way::Own(slots::ENDPOINT), way)?;
        let room = match standing {
            Standing::Aside => None,
            Standing::Between(room) => Some(room),
        };
        self.members.push(Member { name, child: Some(child), waits_upward: false, room });
        Ok(())
    }

    /// A child could not be started, for people.
    pub fn failed(&mut self, name: &str, reason: &dyn core::fmt::Display) {
        self.policy.event(name, Event::Failed(shortened(reason)));
    }

    /// Whether a child is left that has not ended.
    pub fn is_empty(&self) -> bool {
        self.members.iter().all(|member| member.child.is_none())
    }

    /// A child by its number, while it runs.
    pub fn child(&self, number: usize) -> Option<&Child> {
        self.members.get(number)?.child.as_ref()
    }

    /// Serves the children for ever.
    pub fn serve(&mut self) -> ! {
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
                    self.rang();
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

    /// The doorbell has rung: for exceptions of children, for answers of this component's own parent, or for nothing.
    fn rang(&mut self) {
        let signal = signal::Client::new(self.machine, slots::SIGNAL);
        while let Ok(Some(pending)) = signal.fetch(slots::DOORBELL) {
            self.exceptions(pending.cookie as usize);
            if !pending.more {
                break;
            }
        }
        for member in &mut self.members {
            if core::mem::take(&mut member.waits_upward)
                && let Some(child) = &member.child
            {
                child.ring();
            }
        }
    }

    /// A child may have done what it may not, which ends it.
    fn exceptions(&mut self, number: usize) {
        let Some(child) = self.child(number) else { return };
        let cpu = cpu::Client::new(self.machine, slots::CPU);
        if let Ok(Some(exception)) = cpu.exception(child.number()) {
            self.ended(number, Event::Faulted(exception.cause, exception.place));
        }
    }

    /// A child has ended: nothing is left of it but what siblings have of it, and they are told.
    pub(super) fn ended(&mut self, number: usize, event: Event) {
        let Some(member) = self.members.get_mut(number) else { return };
        let (name, Some(child)) = (member.name.clone(), member.child.take()) else { return };
        // First those who wait for an answer of it, while it is known who they are.
        while let Ok(1..) = self.pd().hang_up(child.endpoint(), child.number()) {}
        let (servers, dead) = self.book.ended(number);
        for Dead { client, slot } in dead {
            self.bury(client, slot);
        }
        drop(child);
        if let Some(room) = self.members[number].room.take() {
            self.vacate(&room);
        }
        servers.into_iter().for_each(|server| self.ring(server));
        self.close_upward(|upward| upward.member == number);
        self.policy.event(&name, event);
        if self.is_empty() {
            self.policy.all_ended();
        }
    }

    /// Everything that a child knew is given up: what it had made for itself is gone with it, what remains are protection
    /// domains below it, modules and sessions.
    fn vacate(&self, room: &Room) {
        let pd = self.pd();
        for outside in room.numbers.used(slots::FIRST_FREE.0).filter_map(|number| room.window.outward(number)) {
            while let Ok(1..) = pd.free(outside) {}
            // What is not freed like this is known here only by having been shared, opened or installed; or it is nothing.
            let _ = pd.remove(OWN, outside);
        }
    }

    /// A client's session is dead: from now on requests are answered "peer gone" here. Nothing runs in between, since clients
    /// are below this thread's priority.
    fn bury(&self, client: usize, slot: Option<Slot>) {
        let Some(child) = self.child(client) else { return };
        if let Some(slot) = slot {
            let pd = self.pd();
            // If the second fails the slot is empty, and a request faults: no better answer is to be had.
            let _ = pd.remove(child.number(), slot);
            let _ = pd.install(slots::ENDPOINT, child.number(), slot, Grant { access: Access::Use, badge: GONE });
        }
        child.ring();
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
fn shortened(reason: &dyn core::fmt::Display) -> heapless::String<200> {
    let text: alloc::string::String = alloc::format!("{reason}");
    let mut short = heapless::String::new();
    for c in text.chars() {
        if short.push(c).is_err() {
            break;
        }
    }
    short
}
