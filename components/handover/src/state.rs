//! What a node knows of a component.

use crate::{Epoch, Node, Report, Standing, Time};

/// What does not change while a node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// This node.
    pub own: Node,
    /// The node with which the component is shared; the witness has none.
    pub peer: Option<Node>,
    /// Where the component starts when nobody knows of it.
    pub home: Node,
    /// What becomes of it when a node is silent.
    pub rule: Rule,
    /// Times, by this node's clock.
    pub timing: Timing,
}

/// What becomes of a component when the other node is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Nothing: it stays where it is.
    Stay,
    /// There is no witness. This node stops its instance while it does not hear from the other, which does not take
    /// over. An instance on the other goes on.
    Yields(Node),
    /// Who has the votes of two of the three, this witness among them, runs it.
    Majority(Node),
}

/// Times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timing {
    /// For how long a vote is given, by the clock of whoever gives it.
    pub lease: Time,
    /// For how long whoever has got it counts on it, by its own clock from when it asked: shorter than the lease by what
    /// clocks may differ and by what stopping takes ([`Timing::trusted`]).
    pub trust: Time,
    /// From one claim to the next; also how often what is not answered is said again.
    pub renew: Time,
    /// How long a partner of a migration is waited for.
    pub patience: Time,
}

impl Timing {
    /// How long a lease can be counted on if clocks differ from true time by `drift` millionths at most, and stopping takes
    /// `guard`.
    ///
    /// By true time the lease ends `lease * (1 - drift)` after it was given at the earliest, and whoever has it has counted
    /// `1 + drift` times less true time than its clock shows: so two times the drift, rounded up, is enough.
    pub const fn trusted(lease: Time, drift: u32, guard: Time) -> Time {
        let drifting = lease.div_ceil(1_000_000).saturating_mul(2 * drift as Time);
        lease.saturating_sub(drifting).saturating_sub(guard)
    }
}

impl Config {
    /// All others that have a say.
    pub fn others(&self) -> impl Iterator<Item = Node> + use<> {
        let witness = match self.rule {
            Rule::Majority(witness) => Some(witness),
            Rule::Stay | Rule::Yields(_) => None,
        };
        let own = self.own;
        let nodes = match self.peer {
            Some(peer) => [Some(peer), witness],
            // The witness: all but itself.
            None => [Some(Node(0)), Some(Node(1))],
        };
        nodes.into_iter().flatten().filter(move |node| *node != own)
    }

    /// Whether this node needs a vote of another one to run the component.
    pub fn needs_vote(&self) -> bool {
        match self.rule {
            Rule::Stay => false,
            Rule::Yields(node) => node == self.own,
            Rule::Majority(_) => true,
        }
    }

    /// Whether silence is a reason to take over.
    pub const fn takes_over(&self) -> bool {
        matches!(self.rule, Rule::Majority(_)) && self.peer.is_some()
    }
}

/// The instance here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    /// There is none.
    None,
    /// It runs.
    Runs,
    /// It stands still and can go on.
    Stands,
}

/// What a node is doing about a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// It has just started and asks the others, those in order of their numbers.
    Learning([Option<Report>; 3]),
    /// The component is not here.
    Idle,
    /// It is, and runs, or stands still for want of votes.
    Holder,
    /// It has asked the peer; the component runs.
    Asking(Epoch, Time),
    /// It has been accepted; the component is being stopped and checkpointed.
    Stopping(Epoch),
    /// The component stands still, its state is on its way.
    Sending(Epoch, Time),
    /// The component is given away; the instance here stands still for as long as it is not known to be taken.
    Given(Epoch),
    /// It is to come: being looked at whether it can live here.
    Asked(Epoch, Time),
    /// It can, and its state is waited for.
    Accepted(Epoch, Time),
    /// Its state is being restored.
    Restoring(Epoch),
    /// It is restored, stands still, and the word is waited for.
    Ready(Epoch),
}

/// What a node knows of a component.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The highest number that was heard of or made.
    pub seen: Epoch,
    /// The last tenure of this node's.
    pub took: Epoch,
    /// To whom this node has given its vote last, under which number.
    pub vote: Option<(Epoch, Node)>,
    /// What is going on.
    pub phase: Phase,
    /// The instance here.
    pub body: Body,
    /// The peer's checkpoint that is kept here: its tenure, and the how-manieth.
    pub copy: Option<(Epoch, u32)>,
    /// Until when the vote is given away, by this node's clock.
    pub lent: Time,
    /// The number under which votes are asked for.
    pub claim: Option<Epoch>,
    /// Until when this node may run the component, by its clock.
    pub sure: Time,
    /// When the others were spoken to last.
    pub spoke: Option<Time>,
    /// How often the others were asked what they know, one time after the other.
    pub round: u32,
    /// Nobody has any state of the component: it may begin from its beginning here.
    pub may_begin: bool,
}

impl State {
    /// Of a node that has just started.
    pub const fn new() -> Self {
        Self {
            seen: Epoch::NONE,
            took: Epoch::NONE,
            vote: None,
            phase: Phase::Learning([None; 3]),
            body: Body::None,
            copy: None,
            lent: 0,
            claim: None,
            sure: 0,
            spoke: None,
            round: 0,
            may_begin: false,
        }
    }

    /// Whether the right to run the component is here.
    pub const fn holds(&self) -> bool {
        matches!(self.phase, Phase::Holder | Phase::Asking(..) | Phase::Stopping(_) | Phase::Sending(..))
    }

    /// For one that has just started.
    pub fn report(&self) -> Report {
        let standing = match self.phase {
            Phase::Learning(_) => Standing::Fresh,
            Phase::Given(number) => Standing::Gives(number),
            Phase::Restoring(number) | Phase::Ready(number) => Standing::Ready(number),
            _ if self.holds() => Standing::Holds,
            _ if self.copy.is_some() || self.body == Body::Stands => Standing::Copy,
            _ => Standing::Nothing,
        };
        Report { seen: self.seen, vote: self.vote, standing }
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}
