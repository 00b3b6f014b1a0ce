//! One step of a node.

use alloc::vec::Vec;

use crate::{Body, Config, Epoch, Message, Node, Phase, State, Time, Why};

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// Time has passed.
    Tick,
    /// The component is to move to the peer.
    Move,
    /// A message has come.
    Received(Node, Message),
    /// The component is looked at that is to come: whether it can live here.
    Checked(Epoch, bool),
    /// The component is stopped and its state can be sent; or not, and it stands still or runs as before.
    Stopped(Epoch, bool),
    /// Its state is restored here, and stands still; or is not.
    Restored(Epoch, bool),
}

/// What is to be done, before anything that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Tell a node.
    Send(Node, Message),
    /// Look whether the component can live here, and keep for it what it needs. [`Event::Checked`] follows.
    Check(Epoch),
    /// What was kept for it, or is restored of it, goes.
    Drop(Epoch),
    /// Stop the instance, checkpoint it, and keep it stopped. [`Event::Stopped`] follows.
    Stop(Epoch),
    /// Restore what has come. [`Event::Restored`] follows.
    Restore(Epoch),
    /// Let the component run, in that tenure.
    Run(Epoch, From),
    /// Stop the instance at once; it stands still.
    Hold,
    /// End the instance.
    End,
    /// For people.
    Tell(Tale),
}

/// From where a component goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum From {
    /// It has not begun.
    Beginning,
    /// The peer's last checkpoint.
    Copy,
    /// The instance that stands still here.
    Standing,
}

/// What people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tale {
    /// It cannot be moved from here: it is not here, or something is going on.
    CannotMove,
    /// The peer does not want it.
    Refused(Why),
    /// The peer has not answered in time, or has failed; the component goes on here.
    GoesOn,
    /// It is given away.
    GivenAway(Epoch),
    /// It was taken: the instance here is ended.
    Moved(Epoch),
    /// The peer has lost it; it goes on here in a new tenure.
    TakenBack(Epoch),
    /// There is no majority: it stands still.
    Held,
    /// Another node may have it in a later tenure: the instance here stands still.
    Superseded(Epoch),
    /// The other is silent, and it is taken over.
    TakesOver(Epoch),
    /// A checkpoint that is older than what is here was sent; it is thrown away.
    OldCopy,
}

/// What a node knows after something has happened, and what is to be done.
pub fn step(config: &Config, state: State, now: Time, event: Event) -> (State, Vec<Action>) {
    let mut step = Step { config, state, now, actions: Vec::new() };
    match event {
        Event::Tick => step.tick(),
        Event::Move => step.wanted(),
        Event::Received(from, message) => step.received(from, message),
        Event::Checked(number, fits) => step.checked(number, fits),
        Event::Stopped(number, done) => step.stopped(number, done),
        Event::Restored(number, done) => step.restored(number, done),
    }
    (step.state, step.actions)
}

/// A step that is being made.
pub(crate) struct Step<'a> {
    pub config: &'a Config,
    pub state: State,
    pub now: Time,
    pub actions: Vec<Action>,
}

impl Step<'_> {
    fn tick(&mut self) {
        // First of all: time may have run out.
        self.hold_or_run();
        let is_due = self.state.spoke.is_none_or(|spoke| self.now >= spoke.saturating_add(self.config.timing.renew));
        if is_due {
            self.state.spoke = Some(self.now);
        }
        if let Phase::Learning(_) = self.state.phase {
            if is_due {
                self.ask_all();
            }
            return;
        }
        self.tick_source(is_due);
        self.tick_target(is_due);
        self.tick_lease(is_due);
    }

    fn received(&mut self, from: Node, message: Message) {
        if !self.config.others().any(|other| other == from) {
            return;
        }
        match message {
            Message::Who { round } => {
                self.began_anew(from);
                self.send(from, Message::Known { round, report: self.state.report() });
            }
            Message::Known { round, report } if round == self.state.round => self.learn(from, report),
            Message::Known { .. } => {}
            // One that has just started knows too little for anything else.
            _ if matches!(self.state.phase, Phase::Learning(_)) => {}
            Message::Claim { number, stamp } => self.claimed(from, number, stamp),
            Message::Grant { number, stamp } => self.granted(number, stamp),
            Message::Deny { number, seen } => self.denied(number, seen),
            // All others are between the two that share the component.
            _ if self.config.peer != Some(from) => {}
            Message::Ask { number, held } => self.asked(number, held),
            Message::Accept(number) => self.accepted(number),
            Message::Refuse { number, seen, why } => self.refused(number, seen, why),
            Message::State(number) => self.state_came(number),
            Message::Ready { number, stamp } => self.ready(number, stamp),
            Message::Commit { number, stamp } => self.committed(number, stamp),
            Message::Abort(number) => self.aborted(number),
            Message::Taken(number) => self.taken(number),
            Message::Lost(number) => self.lost(number),
            Message::Copy { epoch, serial } => self.copy_came(epoch, serial),
        }
    }

    pub fn send(&mut self, to: Node, message: Message) {
        self.actions.push(Action::Send(to, message));
    }

    pub fn send_peer(&mut self, message: Message) {
        if let Some(peer) = self.config.peer {
            self.send(peer, message);
        }
    }

    pub fn tell(&mut self, tale: Tale) {
        self.actions.push(Action::Tell(tale));
    }

    pub fn heard(&mut self, number: Epoch) {
        self.state.seen = self.state.seen.max(number);
    }

    /// A number that nobody has used.
    pub fn new_number(&mut self) -> Epoch {
        self.state.seen = self.state.seen.next(self.config.own);
        self.state.seen
    }

    /// Lets the instance run.
    pub fn run(&mut self, from: From) {
        self.state.body = Body::Runs;
        self.state.copy = None;
        self.state.may_begin = false;
        self.actions.push(Action::Run(self.state.took, from));
    }

    /// Ends the instance, if there is one.
    pub fn end(&mut self) {
        if self.state.body != Body::None {
            self.state.body = Body::None;
            self.actions.push(Action::End);
        }
    }

    /// The right is here from now on, under that number.
    pub fn hold(&mut self, number: Epoch) {
        self.heard(number);
        self.state.took = number;
        self.state.vote = Some((number, self.config.own));
        self.state.lent = 0;
        self.state.claim = self.config.needs_vote().then_some(number);
        self.state.phase = Phase::Holder;
    }
}

impl core::fmt::Display for Tale {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::CannotMove => write!(f, "it cannot be moved from here now"),
            Self::Refused(Why::Busy) => write!(f, "the peer refuses it: something else is going on"),
            Self::Refused(Why::Old) => write!(f, "the peer refuses it: it has heard of later attempts"),
            Self::Refused(Why::Unfit) => write!(f, "the peer refuses it: it cannot live there"),
            Self::GoesOn => write!(f, "it is not moved, and goes on here"),
            Self::GivenAway(number) => write!(f, "it is given away, tenure {number}"),
            Self::Moved(number) => write!(f, "it runs at the peer, tenure {number}"),
            Self::TakenBack(number) => write!(f, "the peer has lost it, it goes on here, tenure {number}"),
            Self::Held => write!(f, "there is no majority, it stands still"),
            Self::Superseded(number) => write!(f, "another node may have it, tenure {number}; here it stands still"),
            Self::TakesOver(number) => write!(f, "it is taken over, tenure {number}"),
            Self::OldCopy => write!(f, "an old checkpoint of it is thrown away"),
        }
    }
}
