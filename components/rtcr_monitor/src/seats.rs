//! The sessions that a child has of others' services: for each a relay, which outlives the child's instances.

use alloc::{boxed::Box, collections::BTreeMap, string::String, sync::Arc, vec::Vec};
use core::sync::atomic::{AtomicBool, Ordering::SeqCst};

use base::{
    Env,
    child::MAX_OPEN,
    rpc::{CallError, Slot, ThreadNumber},
    session::parent::{OpenError, RedeemError, SessionError},
};
use rtcr::surroundings::{CallInfo, Opened};

use crate::{
    relay::{Relay, Stage},
    services::{Services, Sibling, Upward},
};

/// Where a service is to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// Of another child, by its number.
    Sibling(usize),
    /// Of whom this component's parent says.
    Upward,
}

/// The sessions of a child.
pub struct Seats {
    env: Env,
    services: Arc<Services>,
    /// Number of the child.
    child: usize,
    name: &'static str,
    priority: u8,
    /// The keeper's doorbell.
    bell: Slot,
    all: BTreeMap<u32, Seat>,
    /// Most relays, those included that have been told to end.
    most: usize,
    /// Relays that have been told to end.
    leaving: Vec<Relay>,
    /// The number that was given last.
    last: u32,
    /// There is an answer for a child that was told to ask again.
    news: Arc<AtomicBool>,
}

struct Seat {
    relay: Relay,
    to: To,
    service: String,
    argument: Vec<u8>,
    /// The child knows it.
    given: bool,
}

impl Seats {
    /// None yet, for the child of that number and name, whose keeper has that doorbell, to be rung when there are news. Relays
    /// get that priority; there are so many at most.
    pub fn new(
        env: Env,
        services: Arc<Services>,
        (child, name): (usize, &'static str),
        (bell, news): (Slot, Arc<AtomicBool>),
        (priority, most): (u8, usize),
    ) -> Self {
        let (all, leaving) = (BTreeMap::new(), Vec::new());
        let most = most.min(MAX_OPEN);
        Self { env, services, child, name, priority, bell, all, most, leaving, last: 0, news }
    }

    /// The child wants a session; it asks the same again until it has it.
    pub fn open(&mut self, to: To, service: &str, argument: &[u8]) -> Result<Opened, CallError<OpenError>> {
        self.bury();
        let asked = self
            .all
            .iter_mut()
            .find(|(_, seat)| !seat.given && seat.to == to && seat.service == service && seat.argument == argument);
        let Some((&number, seat)) = asked else {
            // Those that are to end still have what they have.
            if self.all.len() + self.leaving.len() >= self.most {
                return Err(OpenError::Caps.into());
            }
            self.last += 1;
            let seat = self.seat(to, service, argument, false)?;
            self.all.insert(self.last, seat);
            return Err(CallError::Pending);
        };
        let (stage, badge) = {
            let line = seat.relay.line();
            (line.stage, line.book.badge())
        };
        match stage {
            Stage::Opening => Err(CallError::Pending),
            Stage::Open(_) => {
                seat.given = true;
                Ok(Opened { number, endpoint: seat.relay.endpoint, badge })
            }
            Stage::Failed(error) => {
                self.close(number);
                Err(error)
            }
        }
    }

    fn seat(&self, to: To, service: &str, argument: &[u8], given: bool) -> Result<Seat, OpenError> {
        let (news, machine, bell) = (Arc::clone(&self.news), self.env.platform(), self.bell);
        let tell = move || {
            news.store(true, SeqCst);
            machine.ring(bell);
        };
        let (service, argument) = (String::from(service), Vec::from(argument));
        let wanted = (service.clone(), argument.clone());
        let route: Box<dyn crate::relay::Route> = match to {
            To::Upward => Box::new(Upward::new(self.env, wanted)),
            To::Sibling(server) => {
                Box::new(Sibling::new(Arc::clone(&self.services), (self.child, self.name), server, wanted))
            }
        };
        let relay = Relay::start(self.env, self.name, self.priority, route, tell)?;
        Ok(Seat { relay, to, service, argument, given })
    }

    /// A session of a checkpoint: it is there, or is opened again under its number. Until it is, calls wait; if it cannot be
    /// had, they are answered "peer gone".
    pub fn reopen(
        &mut self,
        number: u32,
        to: Option<To>,
        service: &str,
        argument: &[u8],
    ) -> Result<Opened, CallError<OpenError>> {
        if !self.all.contains_key(&number) {
            let seat = self.seat(to.ok_or(OpenError::Service)?, service, argument, true)?;
            self.all.insert(number, seat);
            self.last = self.last.max(number);
            log::warn!("{} has closed its session of {service} since; it is opened again.", self.name);
        }
        let seat = self.all.get_mut(&number).ok_or(OpenError::Gone)?;
        seat.given = true;
        // The new instance is the client from `keep_only` on.
        let badge = seat.relay.line().book.next_badge();
        Ok(Opened { number, endpoint: seat.relay.endpoint, badge })
    }

    /// Whether a session is of no use any more, and would not be after a restore.
    pub fn is_lost(&self, number: u32) -> bool {
        let Some(seat) = self.all.get(&number) else { return true };
        match seat.to {
            _ if matches!(seat.relay.line().stage, Stage::Failed(_)) => true,
            To::Sibling(server) => !self.services.lives(server),
            To::Upward => false,
        }
    }

    /// The child does not want it any more.
    pub fn close(&mut self, number: u32) {
        if let Some(Seat { relay, .. }) = self.all.remove(&number) {
            relay.close();
            self.leaving.push(relay);
        }
        self.bury();
    }

    /// Those that the child knows and that are none of these are closed; what is left has a new instance of the child as its
    /// client.
    pub fn keep_only(&mut self, kept: &mut dyn Iterator<Item = u32>) {
        let kept: Vec<u32> = kept.collect();
        let surplus = self.all.iter().filter(|(number, seat)| seat.given && !kept.contains(number));
        let surplus: Vec<u32> = surplus.map(|(&number, _)| number).collect();
        surplus.into_iter().for_each(|number| self.close(number));
        self.all.values().for_each(|seat| seat.relay.line().book.begins_anew());
    }

    /// The child has ended.
    pub fn close_all(&mut self) {
        while let Some((&number, _)) = self.all.first_key_value() {
            self.close(number);
        }
    }

    /// Gives back what relays had that have ended.
    pub fn bury(&mut self) {
        for place in (0..self.leaving.len()).rev() {
            if self.leaving[place].is_closed() {
                self.leaving.swap_remove(place).bury();
            }
        }
    }

    /// The child, which is this component's `pd`, donates to a session's server.
    pub fn upgrade(&self, pd: Slot, number: u32, ram: u32, caps: u32) -> Result<(), CallError<SessionError>> {
        let seat = self.all.get(&number).ok_or(SessionError::Nothing)?;
        let Stage::Open(own) = seat.relay.line().stage else { return Err(CallError::PeerGone) };
        match seat.to {
            To::Upward => self.services.upgrade_upward(pd, own, ram, caps),
            To::Sibling(_) => self.services.upgrade(self.child, pd, own, ram, caps),
        }
    }

    /// What a session's server has handed over becomes this component's `at`.
    pub fn redeem(&self, number: u32, handle: u32, at: Slot) -> Result<(), CallError<RedeemError>> {
        let seat = self.all.get(&number).ok_or(RedeemError::Nothing)?;
        let Stage::Open(own) = seat.relay.line().stage else { return Err(CallError::PeerGone) };
        match seat.to {
            To::Upward => self.env.parent().redeem(own, handle, at).map(|_| ()),
            To::Sibling(_) => self.services.redeem(self.child, own, handle, at),
        }
    }

    /// How many requests there were for all of them. Cost: all of them, which are few.
    pub fn requests(&self) -> u32 {
        self.all.values().map(|seat| seat.relay.line().requests).fold(0, u32::wrapping_add)
    }

    /// The call that a thread has with a server.
    pub fn call(&self, thread: ThreadNumber) -> Option<CallInfo> {
        let found = |(&session, seat): (&u32, &Seat)| {
            seat.relay.line().book.call(thread).map(|number| CallInfo { session, number })
        };
        self.all.iter().find_map(found)
    }

    /// A checkpoint has seen a call on its way.
    pub fn keep_call(&self, call: CallInfo) -> bool {
        self.all.get(&call.session).is_some_and(|seat| seat.relay.line().book.keep(call.number))
    }

    /// One that had is not there any more.
    pub fn forget_call(&self, call: CallInfo) {
        if let Some(seat) = self.all.get(&call.session) {
            seat.relay.line().book.forget(call.number);
        }
    }

    /// A thread of the new instance makes a call again.
    pub fn call_again(&self, thread: ThreadNumber, call: CallInfo) {
        if let Some(seat) = self.all.get(&call.session) {
            seat.relay.line().book.again(thread, call.number);
        }
    }
}
