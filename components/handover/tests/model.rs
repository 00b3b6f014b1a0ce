//! The protocol, looked at in every order in which things can happen.
//!
//! Messages are lost, repeated and overtake each other without limit; nodes die and start again, requests to move come at any
//! instant. *Stay* is a migration between two nodes without leases, in which any wait may end at any time. *Majority* has
//! leases, three clocks, one of which may stand still for a while.

mod support;

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
};

use handover::{Action, Body, Config, Epoch, Event, From, Message, Node, Phase, Rule, State, Time, Timing, step};
use stateright::{Checker, Model, Property};
use support::{Step, Truth, WRONG};

/// How much may happen.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// All nodes have just started; else the component runs on the first one, and all know that.
    fresh: bool,
    /// A message is gone once it is delivered or lost. Else all stay, and are delivered as often as may be: one that never is
    /// is lost.
    lossy: bool,
    /// Requests to move, of all nodes together.
    moves: u8,
    /// Deaths.
    deaths: u8,
    /// Checks, stops and restores that fail.
    failures: u8,
    /// Ticks of the clock; none for no clock at all.
    time: Time,
    /// Ticks that a clock misses.
    drift: u8,
    /// Checkpoints that are sent to the peer.
    copies: u8,
}

#[derive(Clone)]
struct Protocol {
    step: Step,
    configs: Vec<Config>,
    limits: Limits,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    nodes: Vec<State>,
    clocks: Vec<Time>,
    truth: Truth,
    network: BTreeSet<(Node, Node, Message)>,
    /// What was begun and has not ended: of which node, and how it ends if it succeeds.
    tasks: BTreeSet<(Node, Event)>,
    moves: u8,
    deaths: u8,
    failures: u8,
    drift: u8,
    copies: u8,
    time: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Happening {
    Deliver(Node, Node, Message),
    Lose(Node, Node, Message),
    Tick(Node),
    /// Time passes for all but one at most.
    Clock(Option<Node>),
    Move(Node),
    Done(Node, Event, bool),
    Die(Node),
    Copy(Node),
}

impl Protocol {
    fn stay(step: Step, limits: Limits) -> Self {
        let timing = Timing { lease: 0, trust: 0, renew: 0, patience: 0 };
        let config =
            |own| Config { own: Node(own), peer: Some(Node(1 - own)), home: Node(0), rule: Rule::Stay, timing };
        Self { step, configs: (0..2).map(config).collect(), limits }
    }

    fn majority(step: Step, limits: Limits) -> Self {
        let timing = Timing { lease: 3, trust: 2, renew: 1, patience: 1 };
        let config = |own| Config {
            own: Node(own),
            peer: (own < 2).then(|| Node(1 - own)),
            home: Node(0),
            rule: Rule::Majority(Node(2)),
            timing,
        };
        Self { step, configs: (0..3).map(config).collect(), limits }
    }

    fn node(&self, world: &mut World, node: Node, event: Event) {
        let place = usize::from(node.0);
        let state = world.nodes[place].clone();
        let (state, actions) = (self.step)(&self.configs[place], state, world.clocks[place], event);
        if let Some(copy) = world.truth.copies.get_mut(place) {
            *copy = state.copy.is_some();
        }
        world.nodes[place] = state;
        for action in actions {
            world.truth.act(node, action);
            match action {
                Action::Send(to, message) => {
                    if self.limits.time > 0 {
                        // The one before is lost.
                        let kind = std::mem::discriminant(&message);
                        world.network.retain(|(from, other, old)| {
                            (*from, *other) != (node, to) || std::mem::discriminant(old) != kind
                        });
                    }
                    world.network.insert((node, to, message));
                }
                Action::Check(number) => {
                    world.tasks.insert((node, Event::Checked(number, true)));
                }
                Action::Stop(number) => {
                    world.tasks.insert((node, Event::Stopped(number, true)));
                }
                Action::Restore(number) => {
                    world.tasks.insert((node, Event::Restored(number, true)));
                }
                Action::Drop(_) | Action::End => world.tasks.retain(|(of, _)| *of != node),
                _ => {}
            }
        }
    }

    /// Whether it takes a fault to make that happen.
    fn is_fault(happening: &Happening) -> bool {
        matches!(happening, Happening::Lose(..) | Happening::Die(_) | Happening::Done(_, _, false) | Happening::Move(_))
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Happening;

    fn init_states(&self) -> Vec<World> {
        let mut nodes = vec![State::new(); self.configs.len()];
        let mut truth = Truth::new();
        if !self.limits.fresh {
            // The first one runs it, and all know.
            let number = Epoch::NONE.next(Node(0));
            let needs_vote = self.configs[0].needs_vote();
            for state in &mut nodes {
                *state = State { seen: number, vote: Some((number, Node(0))), phase: Phase::Idle, ..State::new() };
                state.lent = self.configs[0].timing.lease;
            }
            nodes[0] = State { took: number, phase: Phase::Holder, body: Body::Runs, ..nodes[0].clone() };
            nodes[0].lent = 0;
            nodes[0].sure = self.configs[0].timing.trust;
            nodes[0].claim = needs_vote.then_some(number);
            truth.act(Node(0), Action::Run(number, From::Beginning));
        }
        vec![World {
            nodes,
            clocks: vec![0; self.configs.len()],
            truth,
            network: BTreeSet::new(),
            tasks: BTreeSet::new(),
            moves: 0,
            deaths: 0,
            failures: 0,
            drift: 0,
            copies: 0,
            time: 0,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Happening>) {
        let nodes = || self.configs.iter().map(|config| config.own);
        for &(from, to, message) in &world.network {
            actions.push(Happening::Deliver(from, to, message));
            if self.limits.lossy {
                actions.push(Happening::Lose(from, to, message));
            }
        }
        if self.limits.time == 0 {
            actions.extend(nodes().map(Happening::Tick));
        }
        if world.time < self.limits.time {
            actions.push(Happening::Clock(None));
            if world.drift < self.limits.drift {
                actions.extend(nodes().map(|node| Happening::Clock(Some(node))));
            }
        }
        for &(node, event) in &world.tasks {
            actions.push(Happening::Done(node, event, true));
            if world.failures < self.limits.failures {
                actions.push(Happening::Done(node, event, false));
            }
        }
        if world.moves < self.limits.moves {
            let runs = |node: &Node| world.truth.bodies.get(usize::from(node.0)) == Some(&Body::Runs);
            actions.extend(nodes().filter(runs).map(Happening::Move));
        }
        if world.deaths < self.limits.deaths {
            actions.extend(nodes().map(Happening::Die));
        }
        if world.copies < self.limits.copies {
            let runs = |node: &Node| world.truth.bodies.get(usize::from(node.0)) == Some(&Body::Runs);
            actions.extend(nodes().filter(runs).map(Happening::Copy));
        }
    }

    fn next_state(&self, world: &World, happening: Happening) -> Option<World> {
        let mut next = world.clone();
        match happening {
            Happening::Deliver(from, to, message) => {
                if self.limits.lossy {
                    next.network.remove(&(from, to, message));
                }
                self.node(&mut next, to, Event::Received(from, message));
            }
            Happening::Lose(from, to, message) => {
                next.network.remove(&(from, to, message));
            }
            Happening::Tick(node) => self.node(&mut next, node, Event::Tick),
            Happening::Clock(slow) => {
                next.time += 1;
                next.drift += u8::from(slow.is_some());
                for (place, clock) in next.clocks.iter_mut().enumerate() {
                    *clock += Time::from(slow != Some(Node(place as u8)));
                }
                // A node looks at its clock before it does anything else.
                for config in &self.configs {
                    self.node(&mut next, config.own, Event::Tick);
                }
            }
            Happening::Move(node) => {
                next.moves += 1;
                self.node(&mut next, node, Event::Move);
            }
            Happening::Done(node, event, done) => {
                next.tasks.remove(&(node, event));
                next.failures += u8::from(!done);
                let event = match event {
                    Event::Checked(number, _) => Event::Checked(number, done),
                    Event::Stopped(number, _) => Event::Stopped(number, done),
                    Event::Restored(number, _) => Event::Restored(number, done),
                    other => other,
                };
                next.truth.done(node, event);
                self.node(&mut next, node, event);
            }
            Happening::Die(node) => {
                next.deaths += 1;
                let place = usize::from(node.0);
                next.nodes[place] = State::new();
                // Its sessions end with it.
                next.network.retain(|(from, to, _)| *from != node && *to != node);
                next.tasks.retain(|(of, _)| *of != node);
                next.truth.dies(node, &next.nodes);
            }
            Happening::Copy(node) => {
                next.copies += 1;
                let epoch = next.nodes[usize::from(node.0)].took;
                let serial = next.copies.into();
                next.network.insert((node, Node(1 - node.0), Message::Copy { epoch, serial }));
            }
        }
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("nothing is wrong", |_, world: &World| world.truth.wrong.is_none())]
    }
}

/// How many states there are; or what is wrong and how it came to that.
fn check(protocol: Protocol) -> Result<usize, String> {
    let checker = protocol.checker().threads(2).spawn_bfs().join();
    match checker.discovery("nothing is wrong") {
        None => Ok(checker.unique_state_count()),
        Some(path) => {
            let wrong = path.last_state().truth.wrong.unwrap_or_default();
            Err(format!("{wrong}, after {:?}", path.into_actions()))
        }
    }
}

/// Whether from every state there is a way without further faults to one in which exactly one instance runs; else a
/// state from which there is none.
fn never_none(protocol: &Protocol) -> Result<usize, String> {
    let mut known = HashMap::new();
    let mut all = Vec::new();
    let mut backwards: Vec<Vec<u32>> = Vec::new();
    let mut add = |all: &mut Vec<World>, backwards: &mut Vec<Vec<u32>>, world: World| {
        *known.entry(world).or_insert_with_key(|world| {
            all.push(world.clone());
            backwards.push(Vec::new());
            all.len() - 1
        })
    };
    for world in protocol.init_states() {
        add(&mut all, &mut backwards, world);
    }
    let mut place = 0;
    while place < all.len() {
        let world = all[place].clone();
        let mut happenings = Vec::new();
        protocol.actions(&world, &mut happenings);
        for happening in happenings {
            let Some(next) = protocol.next_state(&world, happening) else { continue };
            let next = add(&mut all, &mut backwards, next);
            if !Protocol::is_fault(&happening) {
                backwards[next].push(place as u32);
            }
        }
        place += 1;
    }
    let mut is_good: Vec<bool> = all.iter().map(|world| world.truth.running() == 1).collect();
    let mut open: Vec<usize> = (0..all.len()).filter(|place| is_good[*place]).collect();
    while let Some(place) = open.pop() {
        for &before in &backwards[place] {
            if !std::mem::replace(&mut is_good[before as usize], true) {
                open.push(before as usize);
            }
        }
    }
    match is_good.iter().position(|good| !good) {
        None => Ok(all.len()),
        Some(place) => Err(format!("none runs for ever: {:?}", all[place])),
    }
}

const MIGRATION: Limits =
    Limits { fresh: false, lossy: false, moves: 2, deaths: 1, failures: 1, time: 0, drift: 0, copies: 0 };
const TAKEOVER: Limits =
    Limits { fresh: false, lossy: false, moves: 0, deaths: 1, failures: 0, time: 5, drift: 0, copies: 1 };

/// All runs of the model on transitions, each under a name.
fn runs(step: Step) -> [(&'static str, Protocol); 5] {
    [
        ("the beginning", Protocol::stay(step, Limits { fresh: true, moves: 1, failures: 0, ..MIGRATION })),
        ("two deaths", Protocol::stay(step, Limits { moves: 1, deaths: 2, ..MIGRATION })),
        ("there and back", Protocol::stay(step, MIGRATION)),
        ("clocks that differ", Protocol::majority(step, Limits { deaths: 0, time: 4, drift: 1, ..TAKEOVER })),
        ("a takeover", Protocol::majority(step, TAKEOVER)),
    ]
}

#[test]
fn never_two_and_no_old_epoch() {
    for (name, protocol) in runs(step) {
        let count = check(protocol).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
        println!("model, {name}: {count} states, in none two run, or an old epoch, or what is not there");
    }
}

#[test]
fn never_none_for_ever() {
    let limits = Limits { lossy: true, moves: 1, deaths: 2, ..MIGRATION };
    let count = never_none(&Protocol::stay(step, limits)).unwrap_or_else(|wrong| panic!("{wrong}"));
    println!("model: from each of {count} states one runs in the end if nothing more fails");
}

#[test]
fn what_is_planted_is_found() {
    for (name, wrong) in WRONG {
        let found = runs(wrong).into_iter().find_map(|(_, protocol)| check(protocol).err()).or_else(|| {
            let limits = Limits { lossy: true, moves: 1, ..MIGRATION };
            never_none(&Protocol::stay(wrong, limits)).err()
        });
        let found = found.unwrap_or_else(|| panic!("nobody noticed: {name}"));
        println!("model: found {name}: {}", found.split([',', ':']).next().unwrap_or_default());
    }
}
