//! A node to which a component moves.

use crate::{
    Action, Body, Epoch, Message, Phase, Time, Why,
    step::{From, Step},
};

impl Step<'_> {
    pub fn asked(&mut self, number: Epoch, held: Epoch) {
        let is_new = number > self.state.seen;
        self.heard(number);
        // Whoever asks has taken what was given away.
        if let Phase::Given(given) = self.state.phase
            && held >= given
        {
            self.gone(given);
        }
        let why = match self.state.phase {
            _ if !is_new => Why::Old,
            Phase::Idle => {
                // Whoever asks has newer state.
                self.end();
                self.state.phase = Phase::Asked(number, self.until());
                self.actions.push(Action::Check(number));
                return;
            }
            _ => Why::Busy,
        };
        self.send_peer(Message::Refuse { number, seen: self.state.seen, why });
    }

    pub fn checked(&mut self, number: Epoch, fits: bool) {
        let Phase::Asked(asked, _) = self.state.phase else { return };
        if asked != number {
            return;
        }
        if fits {
            self.state.phase = Phase::Accepted(number, self.until());
            self.send_peer(Message::Accept(number));
        } else {
            self.state.phase = Phase::Idle;
            self.send_peer(Message::Refuse { number, seen: self.state.seen, why: Why::Unfit });
        }
    }

    pub fn state_came(&mut self, number: Epoch) {
        if let Phase::Accepted(accepted, _) = self.state.phase
            && accepted == number
        {
            self.state.phase = Phase::Restoring(number);
            self.actions.push(Action::Restore(number));
        }
    }

    pub fn restored(&mut self, number: Epoch, done: bool) {
        if self.state.phase != Phase::Restoring(number) {
            return;
        }
        if done {
            self.state.body = Body::Stands;
            self.state.phase = Phase::Ready(number);
            self.send_peer(Message::Ready { number, stamp: self.now });
        } else {
            self.state.phase = Phase::Idle;
            self.send_peer(Message::Lost(number));
        }
    }

    pub fn committed(&mut self, number: Epoch, stamp: Time) {
        self.heard(number);
        let is_current = self.state.vote.is_none_or(|(voted, _)| voted <= number);
        match self.state.phase {
            Phase::Ready(ready) if ready == number && is_current => {
                self.hold(number);
                // The word is the other's vote, from when this node has asked for it.
                self.state.sure = self.state.sure.max(stamp.saturating_add(self.config.timing.trust));
                self.hold_or_run();
                self.send_peer(Message::Taken(number));
            }
            _ if self.state.took >= number => self.send_peer(Message::Taken(number)),
            // It will say so when it is ready, or lost.
            Phase::Restoring(own) | Phase::Ready(own) if own == number => {}
            // It never will be: what is not here under a number that was heard of does not come.
            _ => self.send_peer(Message::Lost(number)),
        }
    }

    pub fn aborted(&mut self, number: Epoch) {
        self.heard(number);
        match self.state.phase {
            Phase::Asked(own, _) | Phase::Accepted(own, _) | Phase::Restoring(own) | Phase::Ready(own)
                if own == number =>
            {
                self.dismiss(number);
            }
            _ => {}
        }
    }

    /// A node has just started: what it had begun is not known to it any more, and no state will come.
    pub fn began_anew(&mut self, from: crate::Node) {
        if let (Phase::Asked(number, _) | Phase::Accepted(number, _), true) =
            (self.state.phase, self.config.peer == Some(from))
        {
            self.dismiss(number);
        }
    }

    /// What was kept for it goes.
    pub fn dismiss(&mut self, number: Epoch) {
        self.state.body = Body::None;
        self.state.phase = Phase::Idle;
        self.actions.push(Action::Drop(number));
    }

    pub fn copy_came(&mut self, epoch: Epoch, serial: u32) {
        self.heard(epoch);
        // One who has the right has newer state, or will hear from the others that it has not.
        let is_wanted = self.state.phase == Phase::Idle && self.state.took < epoch;
        if is_wanted && self.state.copy.is_none_or(|kept| kept < (epoch, serial)) {
            self.end();
            self.state.copy = Some((epoch, serial));
            self.state.may_begin = false;
        } else {
            self.tell(crate::Tale::OldCopy);
        }
    }

    pub fn tick_target(&mut self, is_due: bool) {
        match self.state.phase {
            Phase::Asked(number, until) | Phase::Accepted(number, until) if self.now >= until => {
                self.dismiss(number);
                self.send_peer(Message::Lost(number));
            }
            Phase::Ready(number) if is_due => self.send_peer(Message::Ready { number, stamp: self.now }),
            _ => {}
        }
    }

    /// From where the component would go on here.
    pub fn has(&self) -> Option<From> {
        match (self.state.body, self.state.copy) {
            (Body::Stands, _) => Some(From::Standing),
            (Body::None, Some(_)) => Some(From::Copy),
            (Body::None, None) if self.state.may_begin => Some(From::Beginning),
            _ => None,
        }
    }
}
