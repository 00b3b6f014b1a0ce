//! The children of a component, served by its first thread: their PARENT sessions, their exceptions, what they tell.

use alloc::{boxed::Box, vec::Vec};

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
        pd::{self, ANY, Access, Grant, OWN},
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
    /// Where it serves, whichever instance of it runs.
    pub endpoint: Slot,
    /// How many there have been.
    instances: u32,
    /// How it is made; none if it cannot be made again.
    recipe: Option<Recipe>,
    /// It waits for a session that this component has asked its own parent for.
    pub waits_upward: bool,
    /// Where the parent stands between.
    pub room: Option<Room>,
}

/// How a child is made, for the parent that stands aside.
struct Recipe {
    settings: Settings<'static>,
    program: Program<'static>,
    way: Box<dyn Fn(&Interface) -> Way + Send>,
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
        let endpoint = self.pd().create_endpoint(ANY, OWN).map_err(ChildError::Allocate)?;
        let own = Way::Own(slots::ENDPOINT);
        let child = Child::start(self.machine, settings, program, &standing, endpoint, own, way);
        let child = child.inspect_err(|_| self.free_endpoint(endpoint))?;
        let room = match standing {
            Standing::Aside => None,
            Standing::Between(room) => Some(room),
        };
        let (recipe, instances) = (None, 1);
        self.members.push(Member { name, child: Some(child), endpoint, instances, recipe, waits_upward: false, room });
        Ok(())
    }

    /// As [`start`](Self::start) of a parent that stands aside. The child is started again, with the same endpoint and number,
    /// whenever it ends and the policy wants it.
    ///
    /// # Errors
    /// It does not run.
    pub fn start_lasting(
        &mut self,
        settings: &Settings<'static>,
        program: Program<'static>,
        way: impl Fn(&Interface) -> Way + Send + 'static,
    ) -> Result<(), ChildError> {
        self.start(settings, program, Standing::Aside, &way)?;
        if let Some(member) = self.members.last_mut() {
            member.recipe = Some(Recipe { settings: *settings, program, way: Box::new(way) });
        }
        Ok(())
    }

    /// One more instance of a child that was [started to last](Self::start_lasting) and does not run; tells whether it does now.
    pub fn bring_up(&mut self, number: usize) -> bool {
        self.child(number).is_none() && self.start_again(number)
    }

    fn start_again(&mut self, number: usize) -> bool {
        let Some(Member { endpoint, recipe: Some(Recipe { settings, program, way }), .. }) = self.members.get(number)
        else {
            return false;
        };
        let (endpoint, own) = (*endpoint, Way::Own(slots::ENDPOINT));
        let started = Child::start(self.machine, settings, *program, &Standing::Aside, endpoint, own, way);
        match started {
            Ok(child) => {
                self.members[number].child = Some(child);
                self.members[number].instances += 1;
                true
            }
            Err(error) => {
                let name = self.members[number].name.clone();
                self.policy.event(&name, Event::Failed(shortened(&error)));
                false
            }
        }
    }

    /// How many instances of a child there have been.
    pub fn instances(&self, number: usize) -> u32 {
        self.members.get(number).map_or(0, |member| member.instances)
    }

    /// Ends a child, whatever it is at, so that it can be [brought up](Self::bring_up) again; what siblings have of it stays.
    pub fn take_down(&mut self, number: usize) {
        if let Some(child) = self.members.get_mut(number).and_then(|member| member.child.take()) {
            self.take_apart(number, child);
            let servers = self.book.restarts(number);
            servers.into_iter().for_each(|server| self.ring(server));
        }
    }

    /// A child ends. First those who wait for an answer of it are told, while it is known who they are.
    fn take_apart(&mut self, number: usize, child: Child) {
        while let Ok(1..) = self.pd().hang_up(child.endpoint(), child.number()) {}
        drop(child);
        self.members[number].waits_upward = false;
        self.close_upward(|upward| upward.member == number);
    }

    /// Ends a child, wherever it is; `event` is what is told of it.
    pub fn end(&mut self, number: usize, event: Event) {
        self.ended(number, event);
    }

    /// Gives up an endpoint of a child's.
    fn free_endpoint(&self, endpoint: Slot) {
        while let Ok(1..) = self.pd().free(endpoint) {}
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

    /// The doorbell has rung: for exceptions of children, for answers of this component's own parent, or for nothing.
    /// Tells whether it was for that cookie.
    fn rang(&mut self, cookie: Option<u32>) -> bool {
        let mut is_there = false;
        let signal = signal::Client::new(self.machine, slots::SIGNAL);
        while let Ok(Some(pending)) = signal.fetch(slots::DOORBELL) {
            is_there |= Some(pending.cookie) == cookie;
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

    /// A child has ended: nothing is left of it but what siblings have of it, and they are told.
    pub(super) fn ended(&mut self, number: usize, event: Event) {
        let Some(member) = self.members.get_mut(number) else { return };
        let (name, Some(child)) = (member.name.clone(), member.child.take()) else { return };
        // What it asks for next is asked by another instance, if there is one.
        let again = self.members[number].recipe.is_some() && self.policy.again(&name, &event);
        self.take_apart(number, child);
        if again {
            let servers = self.book.restarts(number);
            servers.into_iter().for_each(|server| self.ring(server));
            if self.start_again(number) {
                return;
            }
        }
        let (servers, dead) = self.book.ended(number);
        for Dead { client, slot } in dead {
            self.bury(client, slot);
        }
        self.free_endpoint(self.members[number].endpoint);
        if let Some(room) = self.members[number].room.take() {
            self.vacate(&room);
        }
        servers.into_iter().for_each(|server| self.ring(server));
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
