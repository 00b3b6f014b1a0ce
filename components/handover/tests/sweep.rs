//! Whole nodes on a bad network in virtual time, from seeds and with a fault at every point.
//!
//! The same transitions as on the board. Each node has a clock of its own, which is a little fast or slow. At every moment at most one
//! instance runs; a while after the last fault exactly one does.

mod support;

use std::collections::BTreeMap;

use handover::{Action, Body, Config, Event, Message, Node, Rule, State, Time, Timing, step};
use support::{Step, Truth, WRONG};

const MS: Time = 1_000_000;
/// By how many millionths clocks are wrong at most.
const DRIFT: u32 = 200;
const LEASE: Time = 30 * MS;
const RENEW: Time = 5 * MS;

/// Xorshift: the same numbers for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit.max(1)
    }
}

/// What goes wrong at one point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Lose,
    Repeat,
    Late,
    KillSender,
    KillReceiver,
    Cut(Time),
    Fail,
}

const FAULTS: [Fault; 8] = [
    Fault::Lose,
    Fault::Repeat,
    Fault::Late,
    Fault::KillSender,
    Fault::KillReceiver,
    Fault::Cut(10 * MS),
    Fault::Cut(120 * MS),
    Fault::Fail,
];

#[derive(Clone, Copy, Debug)]
enum What {
    Message(Node, Node, Message, (u32, u32)),
    Task(Node, Event, u32),
    Tick(Node, u32),
    Revive(Node),
    Copy,
    Move,
}

struct World {
    step: Step,
    configs: Vec<Config>,
    nodes: Vec<Option<State>>,
    /// The how-manieth life of each node.
    lives: Vec<u32>,
    /// By how many millionths its clock is fast, plus [`DRIFT`]; and when it started.
    clocks: Vec<(u64, Time)>,
    truth: Truth,
    now: Time,
    queue: BTreeMap<(Time, u64), What>,
    number: u64,
    random: Random,
    /// Of a hundred messages so many are lost, and so many come twice.
    bad: (u64, u64),
    /// Until when each pair cannot hear each other.
    cut: BTreeMap<(Node, Node), Time>,
    /// Messages of a migration and tasks, counted; and at which of them what goes wrong.
    point: u32,
    fault: Option<(u32, Fault)>,
    serial: u32,
}

impl World {
    fn new(step: Step, rule: Rule, seed: u64) -> Self {
        let timing = Timing { lease: LEASE, trust: Timing::trusted(LEASE, DRIFT, MS), renew: RENEW, patience: 60 * MS };
        let count = if let Rule::Majority(_) = rule { 3 } else { 2 };
        let peer = |own: u8| (own < 2).then(|| Node(1 - own));
        let configs = (0..count).map(|own| Config { own: Node(own), peer: peer(own), home: Node(0), rule, timing });
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut world = Self {
            step,
            configs: configs.collect(),
            nodes: vec![None; count.into()],
            lives: vec![0; count.into()],
            clocks: (0..count).map(|_| (random.below(2 * u64::from(DRIFT) + 1), 0)).collect(),
            truth: Truth::new(),
            now: 0,
            queue: BTreeMap::new(),
            number: 0,
            random,
            bad: (0, 0),
            cut: BTreeMap::new(),
            point: 0,
            fault: None,
            serial: 0,
        };
        for node in 0..count {
            world.plan(u64::from(node) * MS, What::Revive(Node(node)));
        }
        if count == 3 {
            world.plan(20 * MS, What::Copy);
        }
        world
    }

    fn plan(&mut self, after: Time, what: What) {
        self.number += 1;
        self.queue.insert((self.now + after, self.number), what);
    }

    fn clock(&self, node: Node) -> Time {
        let (rate, start) = self.clocks[usize::from(node.0)];
        let passed = self.now - start;
        passed + passed / 1_000_000 * rate - passed / 1_000_000 * u64::from(DRIFT)
    }

    fn is_cut(&self, a: Node, b: Node) -> bool {
        self.cut.get(&(a.min(b), a.max(b))).is_some_and(|until| self.now < *until)
    }

    fn kill(&mut self, node: Node, down: Time) {
        let place = usize::from(node.0);
        if self.nodes[place].take().is_none() {
            return;
        }
        self.lives[place] += 1;
        let known: Vec<State> = self.nodes.iter().map(|state| state.clone().unwrap_or_default()).collect();
        self.truth.dies(node, &known);
        self.plan(down, What::Revive(node));
    }

    /// Whether something goes wrong now.
    fn fault_here(&mut self) -> Option<Fault> {
        self.point += 1;
        let (point, fault) = self.fault?;
        (point == self.point).then_some(fault)
    }

    fn post(&mut self, from: Node, to: Node, message: Message) {
        let lives = (self.lives[usize::from(from.0)], self.lives[usize::from(to.0)]);
        let is_step = !matches!(message, Message::Claim { .. } | Message::Grant { .. } | Message::Deny { .. });
        let fault = if is_step { self.fault_here() } else { None };
        let (lost, twice) = self.bad;
        let delay = 200_000 + self.random.below(if lost > 0 { 4 * MS } else { MS });
        let is_lost = self.random.below(100) < lost;
        let is_twice = self.random.below(100) < twice;
        match fault {
            Some(Fault::Lose) => return,
            Some(Fault::Late) => return self.plan(80 * MS, What::Message(from, to, message, lives)),
            Some(Fault::Cut(time)) => {
                self.cut.insert((from.min(to), from.max(to)), self.now + time);
            }
            // It has left.
            Some(Fault::KillSender) => {
                self.kill(from, 50 * MS);
                return self.plan(delay, What::Message(from, to, message, lives));
            }
            Some(Fault::KillReceiver) => self.kill(to, 50 * MS),
            _ => {}
        }
        if !is_lost && !self.is_cut(from, to) {
            self.plan(delay, What::Message(from, to, message, lives));
        }
        if is_twice || fault == Some(Fault::Repeat) {
            let later = delay + self.random.below(100 * MS);
            self.plan(later, What::Message(from, to, message, lives));
        }
    }

    fn node(&mut self, node: Node, event: Event) {
        let place = usize::from(node.0);
        let now = self.clock(node);
        let Some(state) = self.nodes[place].take() else { return };
        let life = self.lives[place];
        let (state, actions) = (self.step)(&self.configs[place], state, now, event);
        if let Some(copy) = self.truth.copies.get_mut(place) {
            *copy = state.copy.is_some();
        }
        self.nodes[place] = Some(state);
        for action in actions {
            if self.lives[place] != life {
                return;
            }
            self.truth.act(node, action);
            let task = match action {
                Action::Send(to, message) => {
                    self.post(node, to, message);
                    continue;
                }
                Action::Check(number) => Event::Checked(number, true),
                Action::Stop(number) => Event::Stopped(number, true),
                Action::Restore(number) => Event::Restored(number, true),
                Action::Drop(_) | Action::End => {
                    self.queue.retain(|_, what| !matches!(what, What::Task(of, ..) if *of == node));
                    continue;
                }
                _ => continue,
            };
            let time = MS + self.random.below(3 * MS);
            self.plan(time, What::Task(node, task, life));
        }
    }

    fn task(&mut self, node: Node, event: Event) {
        let done = match self.fault_here() {
            Some(Fault::KillSender | Fault::KillReceiver) => return self.kill(node, 50 * MS),
            Some(Fault::Fail) => false,
            _ => true,
        };
        let event = match event {
            Event::Checked(number, _) => Event::Checked(number, done),
            Event::Stopped(number, _) => Event::Stopped(number, done),
            Event::Restored(number, _) => Event::Restored(number, done),
            other => other,
        };
        self.truth.done(node, event);
        self.node(node, event);
    }

    /// Whoever runs it.
    fn runner(&self) -> Option<Node> {
        self.truth.bodies.iter().position(|body| *body == Body::Runs).map(|place| Node(place as u8))
    }

    fn run(&mut self, until: Time) {
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > until || self.truth.wrong.is_some() {
                break;
            }
            self.now = entry.key().0;
            match entry.remove() {
                What::Message(from, to, message, lives) => {
                    // A session ends with its nodes' lives. What a node has sent before its death can arrive.
                    let place = (usize::from(from.0), usize::from(to.0));
                    let is_session = lives.1 == self.lives[place.1]
                        && (lives.0 == self.lives[place.0] || self.nodes[place.0].is_none());
                    if is_session && !self.is_cut(from, to) {
                        self.node(to, Event::Received(from, message));
                    }
                }
                What::Task(node, event, life) if self.lives[usize::from(node.0)] == life => self.task(node, event),
                What::Tick(node, life) if self.lives[usize::from(node.0)] == life => {
                    self.node(node, Event::Tick);
                    self.plan(MS, What::Tick(node, life));
                }
                What::Task(..) | What::Tick(..) => {}
                What::Revive(node) => {
                    let place = usize::from(node.0);
                    self.nodes[place] = Some(State::new());
                    self.clocks[place].1 = self.now;
                    self.plan(0, What::Tick(node, self.lives[place]));
                }
                What::Copy => {
                    if let Some(node) = self.runner() {
                        self.serial += 1;
                        let epoch =
                            self.nodes[usize::from(node.0)].as_ref().map(|state| state.took).unwrap_or_default();
                        self.post(node, Node(1 - node.0), Message::Copy { epoch, serial: self.serial });
                    }
                    self.plan(15 * MS, What::Copy);
                }
                What::Move => {
                    if let Some(node) = self.runner() {
                        self.node(node, Event::Move);
                    }
                }
            }
        }
        self.now = until;
    }

    /// What must not be, if there is something.
    fn finish(&mut self, when: Time) -> Result<(), String> {
        self.bad = (0, 0);
        self.run(when);
        if let Some(wrong) = self.truth.wrong {
            return Err(format!("{wrong} at {} us", self.now / 1000));
        }
        match self.truth.running() {
            1 => Ok(()),
            count => Err(format!("{count} run in the end: {:?}", self.nodes)),
        }
    }
}

const RULES: [Rule; 3] = [Rule::Stay, Rule::Yields(Node(0)), Rule::Majority(Node(2))];

/// Three moves with one fault; tells how many points there are.
fn with_fault(step: Step, rule: Rule, fault: Option<(u32, Fault)>) -> Result<u32, String> {
    let mut world = World::new(step, rule, 7);
    world.fault = fault;
    for number in 0..3 {
        world.plan((50 + 100 * number) * MS, What::Move);
    }
    world.run(400 * MS);
    let points = world.point;
    world.finish(1200 * MS)?;
    Ok(points)
}

fn with_seed(step: Step, rule: Rule, seed: u64) -> Result<(), String> {
    let mut world = World::new(step, rule, seed);
    world.bad = (world.random.below(30), world.random.below(20));
    let nodes = world.nodes.len() as u64;
    for _ in 0..world.random.below(5) {
        let at = world.random.below(600 * MS);
        world.plan(at, What::Move);
    }
    let faults = world.random.below(4);
    for _ in 0..faults {
        let until = world.now + world.random.below(200 * MS);
        world.run(until);
        let node = Node(world.random.below(nodes) as u8);
        let other = Node(world.random.below(nodes) as u8);
        if world.random.below(2) == 0 {
            let down = world.random.below(100 * MS);
            world.kill(node, down);
        } else if node != other {
            let until = world.now + world.random.below(200 * MS);
            world.cut.insert((node.min(other), node.max(other)), until);
        }
    }
    world.run(700 * MS);
    world.finish(1500 * MS)
}

#[test]
fn a_fault_at_every_point() {
    for rule in RULES {
        let points = with_fault(step, rule, None).unwrap_or_else(|wrong| panic!("{rule:?}: {wrong}"));
        for fault in FAULTS {
            for point in 1..=points {
                let run = with_fault(step, rule, Some((point, fault)));
                run.unwrap_or_else(|wrong| panic!("{rule:?}, {fault:?} at point {point}: {wrong}"));
            }
        }
        println!("sweep, {rule:?}: {} kinds of fault at each of {points} points", FAULTS.len());
    }
}

#[test]
fn seeds() {
    let count: u64 = std::env::var("SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(2000);
    for rule in RULES {
        for seed in 0..count {
            with_seed(step, rule, seed).unwrap_or_else(|wrong| panic!("{rule:?}, seed {seed}: {wrong}"));
        }
        println!("sweep, {rule:?}: {count} seeds");
    }
}

#[test]
fn what_is_planted_is_found() {
    for (name, wrong) in WRONG {
        let points = || (1..200).flat_map(|point| FAULTS.map(|fault| (point, fault)));
        let by_fault = |rule| points().find_map(|fault| with_fault(wrong, rule, Some(fault)).err());
        let by_seed = |rule| (0..2000).find_map(|seed| with_seed(wrong, rule, seed).err());
        let found = RULES.into_iter().find_map(|rule| by_fault(rule).or_else(|| by_seed(rule)));
        let found = found.unwrap_or_else(|| panic!("nobody noticed: {name}"));
        println!("sweep: found {name}: {}", found.split([',', ':']).next().unwrap_or_default());
    }
}
