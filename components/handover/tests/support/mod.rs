//! What model and simulation have in common: what really runs where, and transitions that are wrong on purpose.
#![allow(dead_code, reason = "each test uses some of it")]

use handover::{Action, Body, Config, Epoch, Event, From, Message, Node, Phase, State, Time, step};

/// A node's transitions.
pub type Step = fn(&Config, State, Time, Event) -> (State, Vec<Action>);

/// What really is where, made of the actions alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Truth {
    /// The instances of the two nodes.
    pub bodies: [Body; 2],
    /// Whether each has a checkpoint of the other's.
    pub copies: [bool; 2],
    /// A node has died.
    pub has_died: bool,
    /// The highest number under which the component has ever run.
    pub last: Epoch,
    /// There is no state of it anywhere: it has not begun, or who had it has died.
    pub orphan: bool,
    /// The first thing that must not be.
    pub wrong: Option<&'static str>,
}

impl Truth {
    pub const fn new() -> Self {
        Self {
            bodies: [Body::None; 2],
            copies: [false; 2],
            has_died: false,
            last: Epoch::NONE,
            orphan: true,
            wrong: None,
        }
    }

    pub fn running(&self) -> usize {
        self.bodies.iter().filter(|body| **body == Body::Runs).count()
    }

    fn is_wrong(&mut self, what: &'static str) {
        self.wrong = self.wrong.or(Some(what));
    }

    /// An action of a node's is done.
    pub fn act(&mut self, node: Node, action: Action) {
        let Some(&body) = self.bodies.get(usize::from(node.0)) else { return };
        let next = match action {
            Action::Run(epoch, from) => {
                if epoch < self.last {
                    self.is_wrong("an old epoch runs");
                }
                self.last = self.last.max(epoch);
                match (from, body) {
                    (From::Standing, Body::Stands) | (From::Copy, Body::None) => {}
                    (From::Beginning, Body::None) if self.orphan => {}
                    (From::Beginning, Body::None) => self.is_wrong("it begins anew, though there is state of it"),
                    _ => self.is_wrong("what is not there is to run"),
                }
                self.orphan = false;
                Body::Runs
            }
            Action::Hold if body == Body::None => body,
            Action::Hold => Body::Stands,
            Action::End | Action::Drop(_) => Body::None,
            _ => return,
        };
        self.bodies[usize::from(node.0)] = next;
        if matches!(action, Action::End | Action::Drop(_)) && body != Body::None && !self.is_left() {
            // Who had taken it may have died.
            if !self.has_died {
                self.is_wrong("the last state is thrown away");
            }
            self.orphan = true;
        }
        if self.running() > 1 {
            self.is_wrong("two run");
        }
    }

    /// What an action has begun has ended.
    pub fn done(&mut self, node: Node, event: Event) {
        if let Event::Stopped(_, true) | Event::Restored(_, true) = event {
            self.bodies[usize::from(node.0)] = Body::Stands;
        }
    }

    /// A node dies; what the others know then.
    pub fn dies(&mut self, node: Node, nodes: &[State]) {
        // A tenure of which nobody else has ever heard leaves nothing, and its number may come again.
        self.last = self.last.min(nodes.iter().map(|state| state.seen).max().unwrap_or_default());
        if let Some(body) = self.bodies.get_mut(usize::from(node.0)) {
            *body = Body::None;
        }
        self.has_died = true;
        self.copies = [0, 1].map(|place| nodes[place].copy.is_some());
        self.orphan |= !self.is_left();
    }

    fn is_left(&self) -> bool {
        (0..2).any(|place| self.bodies[place] != Body::None || self.copies[place])
    }
}

/// Transitions that are wrong, each in one way, with what is found of it.
pub const WRONG: [(&str, Step); 9] = [
    ("the source goes on when the target does not answer its word", goes_on),
    ("the target runs before the word", runs_early),
    ("the target denies what it has taken", denies),
    ("the source does not hear that the target has lost it", deaf),
    ("the target takes an attempt that is old", takes_old),
    ("who has just started asks nobody", asks_nobody),
    ("who cannot renew its lease goes on", runs_on),
    ("a vote is given twice at a time", votes_twice),
    ("a lease is counted on for as long as it lasts", trusts_all),
];

fn goes_on(config: &Config, mut state: State, now: Time, event: Event) -> (State, Vec<Action>) {
    if let (Phase::Given(_), Event::Tick, Body::Stands) = (state.phase, event, state.body) {
        state.phase = Phase::Holder;
    }
    step(config, state, now, event)
}

fn runs_early(config: &Config, state: State, now: Time, event: Event) -> (State, Vec<Action>) {
    let (mut state, mut actions) = step(config, state, now, event);
    if let (Phase::Ready(number), Event::Restored(..)) = (state.phase, event) {
        state.body = Body::Runs;
        actions.push(Action::Run(number, From::Standing));
    }
    (state, actions)
}

fn denies(config: &Config, state: State, now: Time, event: Event) -> (State, Vec<Action>) {
    let (state, mut actions) = step(config, state, now, event);
    for action in &mut actions {
        if let Action::Send(to, Message::Taken(number)) = *action
            && !matches!(event, Event::Received(_, Message::Commit { .. })) | (state.phase == Phase::Holder)
        {
            *action = Action::Send(to, Message::Lost(number));
        }
    }
    (state, actions)
}

fn deaf(config: &Config, state: State, now: Time, event: Event) -> (State, Vec<Action>) {
    match (state.phase, event) {
        (Phase::Given(_), Event::Received(_, Message::Lost(_))) => (state, Vec::new()),
        _ => step(config, state, now, event),
    }
}

fn takes_old(config: &Config, mut state: State, now: Time, event: Event) -> (State, Vec<Action>) {
    if let Event::Received(_, Message::Ask { .. }) = event {
        state.seen = Epoch::NONE;
    }
    step(config, state, now, event)
}

fn asks_nobody(config: &Config, state: State, now: Time, event: Event) -> (State, Vec<Action>) {
    let is_new = matches!(state.phase, Phase::Learning(_)) && config.own == config.home;
    let (mut state, mut actions) = step(config, state, now, event);
    if is_new && event == Event::Tick {
        state.phase = Phase::Holder;
        state.seen = state.seen.next(config.own);
        (state.took, state.body) = (state.seen, Body::Runs);
        state.vote = Some((state.took, config.own));
        state.sure = now + config.timing.trust;
        actions.push(Action::Run(state.took, From::Beginning));
    }
    (state, actions)
}

fn runs_on(config: &Config, mut state: State, now: Time, event: Event) -> (State, Vec<Action>) {
    if state.body == Body::Runs {
        state.sure = Time::MAX;
    }
    step(config, state, now, event)
}

fn votes_twice(config: &Config, mut state: State, now: Time, event: Event) -> (State, Vec<Action>) {
    state.lent = 0;
    step(config, state, now, event)
}

fn trusts_all(config: &Config, state: State, now: Time, event: Event) -> (State, Vec<Action>) {
    let mut config = *config;
    config.timing.trust = config.timing.lease;
    step(&config, state, now, event)
}
