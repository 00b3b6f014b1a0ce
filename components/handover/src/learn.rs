//! A node that has just started knows nothing, and learns from all others what there is.

use crate::{
    Action, Body, Epoch, Message, Node, Phase, Report, Standing,
    step::{From, Step},
};

impl Step<'_> {
    pub fn ask_all(&mut self) {
        let round = self.state.round;
        self.config.others().for_each(|other| self.actions.push(Action::Send(other, Message::Who { round })));
    }

    pub fn learn(&mut self, from: Node, report: Report) {
        let Phase::Learning(mut reports) = self.state.phase else { return };
        let Some(place) = reports.get_mut(usize::from(from.0)) else { return };
        *place = Some(report);
        self.state.phase = Phase::Learning(reports);
        if self.config.others().all(|other| reports[usize::from(other.0)].is_some()) {
            self.conclude(reports);
        }
    }

    /// All others have told what they know.
    fn conclude(&mut self, reports: [Option<Report>; 3]) {
        let known = || self.config.others().filter_map(|node| Some((node, reports[usize::from(node.0)]?)));
        let seen = known().map(|(_, report)| report.seen).max().unwrap_or_default();
        // One that has started some time ago and asks again knows something itself.
        let vote = known().filter_map(|(_, report)| report.vote).max().max(self.state.vote);
        let peer = known().find(|(node, _)| Some(*node) == self.config.peer).map(|(_, report)| report.standing);
        self.state.seen = self.state.seen.max(seen);
        // Another vote than before might let two have the majority: so this node's is given to whom it was.
        self.state.vote = vote;
        self.state.lent = self.now.saturating_add(self.config.timing.lease);
        self.state.phase = Phase::Idle;
        let voted = vote.map_or(Epoch::NONE, |(number, _)| number);
        match peer {
            // This node had asked for it to be moved, may have given the word, and has nothing any more.
            Some(Standing::Ready(number)) if number > voted || vote.is_none() => {
                self.state.vote = self.config.peer.map(|peer| (number, peer));
                self.state.phase = Phase::Given(number);
            }
            // It had given it to this node, which has lost it.
            Some(Standing::Gives(number)) if vote == Some((number, self.config.own)) => {
                self.state.vote = self.config.peer.map(|peer| (number, peer));
                self.send_peer(Message::Lost(number));
            }
            // Nobody has anything.
            Some(Standing::Nothing | Standing::Fresh) => {
                let is_own = vote.map_or(self.config.home, |(_, holder)| holder) == self.config.own;
                if is_own {
                    self.begin();
                }
            }
            _ => {}
        }
    }

    /// The component begins anew here, when this node has the votes that it needs.
    fn begin(&mut self) {
        let number = self.new_number();
        if self.config.needs_vote() {
            self.state.may_begin = true;
            self.state.claim = Some(number);
        } else {
            self.hold(number);
            self.run(From::Beginning);
        }
    }

    /// This node has had the right and has nothing: the others may have lost what they had when it asked them.
    pub fn ask_again(&mut self) {
        let is_own = self.state.vote.is_some_and(|(_, holder)| holder == self.config.own);
        let has = self.state.body != Body::None || self.state.copy.is_some() || self.state.may_begin;
        if self.state.phase == Phase::Idle && is_own && !has && self.now >= self.state.lent {
            self.state.phase = Phase::Learning([None; 3]);
            self.state.claim = None;
            self.state.round = self.state.round.wrapping_add(1);
            self.ask_all();
        }
    }
}
