//! Votes: who gives them, who asks for them, and what they are good for.

use crate::{
    Body, Config, Epoch, Message, Node, Phase, Rule, Time,
    step::{Step, Tale},
};

impl Step<'_> {
    /// A node claims the right, or wants to keep it.
    pub fn claimed(&mut self, from: Node, number: Epoch, stamp: Time) {
        let known = self.state.seen;
        self.heard(number);
        if self.votes_for(from, number) {
            self.send(from, Message::Grant { number, stamp });
        } else {
            self.send(from, Message::Deny { number, seen: known.max(self.state.seen) });
        }
    }

    fn votes_for(&mut self, from: Node, number: Epoch) -> bool {
        let is_given_to = |holder: Node| holder == from;
        match self.state.vote {
            Some((voted, _)) if voted > number => return false,
            Some((voted, holder)) if voted == number && !is_given_to(holder) => return false,
            Some((_, holder)) if is_given_to(holder) => {}
            _ if self.state.holds() => {
                if !self.config.needs_vote() || self.now < self.state.sure {
                    return false;
                }
                // This node has no majority, and whoever asks may get one. If it does not, what stands still here is still there.
                self.hold_or_run();
                self.state.phase = Phase::Idle;
                self.tell(Tale::Superseded(number));
            }
            _ if self.now < self.state.lent => return false,
            _ => {}
        }
        self.state.vote = Some((number, from));
        self.state.lent = self.now.saturating_add(self.config.timing.lease);
        self.state.claim = None;
        true
    }

    /// Another node's vote. With this node's own that is a majority of three.
    pub fn granted(&mut self, number: Epoch, stamp: Time) {
        if self.state.claim != Some(number) {
            return;
        }
        let until = stamp.saturating_add(self.config.timing.trust);
        if self.state.holds() && self.state.took == number {
            self.state.sure = self.state.sure.max(until);
            self.hold_or_run();
            return;
        }
        // This node's own vote: it may have been given away since, or still be.
        let own = self.config.own;
        let is_free = match self.state.vote {
            Some((voted, holder)) => voted < number && (holder == own || self.now >= self.state.lent),
            None => true,
        };
        if !is_free || self.now >= until {
            return;
        }
        if self.state.holds() {
            // A new number for the same tenure: nothing that is going on changes.
            self.state.took = number;
            self.state.vote = Some((number, own));
            self.state.sure = self.state.sure.max(until);
            self.hold_or_run();
        } else if let Some(from) = self.has() {
            self.hold(number);
            self.state.sure = until;
            self.tell(Tale::TakesOver(number));
            self.run(from);
        }
    }

    /// Another number is in the way.
    pub fn denied(&mut self, number: Epoch, seen: Epoch) {
        self.heard(seen);
        if self.state.claim == Some(number) && seen > number {
            self.state.claim = Some(self.new_number());
        }
    }

    pub fn tick_lease(&mut self, is_due: bool) {
        let has_say = self.state.holds() || self.claims();
        if !is_due || !has_say {
            if is_due {
                self.ask_again();
            }
            return;
        }
        if let Some(number) = self.state.claim {
            voters(self.config).for_each(|voter| self.send(voter, Message::Claim { number, stamp: self.now }));
        }
    }

    /// Whether this node wants the right, having something to go on from, and the one that had its vote is silent.
    fn claims(&mut self) -> bool {
        if self.state.may_begin && self.state.phase == Phase::Idle {
            return true;
        }
        let has_settled = matches!(self.state.phase, Phase::Idle | Phase::Given(_) | Phase::Ready(_));
        let may = self.config.takes_over() && has_settled && self.state.body != Body::Runs;
        if !may || self.has().is_none() || self.now < self.state.lent {
            self.state.claim = None;
            return false;
        }
        if self.state.claim.is_none() {
            self.state.claim = Some(self.new_number());
        }
        true
    }
}

/// Whose votes count.
fn voters(config: &Config) -> impl Iterator<Item = Node> + use<> {
    let witness = match config.rule {
        Rule::Majority(witness) => Some(witness),
        Rule::Stay | Rule::Yields(_) => None,
    };
    [config.peer, witness].into_iter().flatten()
}
