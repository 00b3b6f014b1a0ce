//! A node from which a component moves away.

use crate::{
    Action, Body, Epoch, Message, Phase, Time, Why,
    step::{From, Step, Tale},
};

impl Step<'_> {
    pub fn wanted(&mut self) {
        if self.state.phase != Phase::Holder || self.state.body != Body::Runs || self.config.peer.is_none() {
            self.tell(Tale::CannotMove);
            return;
        }
        // Whatever becomes of this attempt, its number is used up.
        let number = self.new_number();
        self.state.phase = Phase::Asking(number, self.until());
        self.send_peer(Message::Ask { number, held: self.state.took });
    }

    pub fn accepted(&mut self, number: Epoch) {
        if let Phase::Asking(asking, _) = self.state.phase
            && asking == number
        {
            self.state.phase = Phase::Stopping(number);
            self.actions.push(Action::Stop(number));
        }
    }

    pub fn refused(&mut self, number: Epoch, seen: Epoch, why: Why) {
        self.heard(seen);
        if let Phase::Asking(asking, _) = self.state.phase
            && asking == number
        {
            self.state.phase = Phase::Holder;
            self.tell(Tale::Refused(why));
        }
    }

    pub fn stopped(&mut self, number: Epoch, done: bool) {
        if self.state.phase != Phase::Stopping(number) {
            return;
        }
        if done {
            self.state.body = Body::Stands;
            self.state.phase = Phase::Sending(number, self.until());
            self.send_peer(Message::State(number));
        } else {
            self.goes_on(number);
        }
    }

    /// The attempt is over, and the component was here all the time.
    fn goes_on(&mut self, number: Epoch) {
        self.state.phase = Phase::Holder;
        self.send_peer(Message::Abort(number));
        self.tell(Tale::GoesOn);
        self.hold_or_run();
    }

    pub fn ready(&mut self, number: Epoch, stamp: Time) {
        self.heard(number);
        match self.state.phase {
            Phase::Sending(sending, _) if sending == number => {
                // From here on this node never runs it under the number that it had.
                self.give(number);
                self.tell(Tale::GivenAway(number));
                self.send_peer(Message::Commit { number, stamp });
            }
            Phase::Given(given) if given == number => {
                self.give(number);
                self.send_peer(Message::Commit { number, stamp });
            }
            // This node has the right, or is to have it: so there was no word, and will be none.
            _ if self.state.holds() || self.state.vote.is_some_and(|(_, holder)| holder == self.config.own) => {
                self.send_peer(Message::Abort(number));
            }
            _ => {}
        }
    }

    fn give(&mut self, number: Epoch) {
        self.state.vote = self.config.peer.map(|peer| (number, peer));
        // The word is a vote too.
        self.state.lent = self.now.saturating_add(self.config.timing.lease);
        self.state.claim = None;
        self.state.sure = 0;
        self.state.phase = Phase::Given(number);
    }

    pub fn taken(&mut self, number: Epoch) {
        if self.state.phase == Phase::Given(number) {
            self.gone(number);
        }
    }

    /// It is known to be taken.
    pub fn gone(&mut self, number: Epoch) {
        self.end();
        self.state.phase = Phase::Idle;
        self.tell(Tale::Moved(number));
    }

    pub fn lost(&mut self, number: Epoch) {
        match self.state.phase {
            // One that is being stopped is waited for: it will not be answered when it is sent.
            Phase::Asking(own, _) | Phase::Sending(own, _) if own == number => self.goes_on(number),
            Phase::Given(given) if given == number => {
                let number = self.new_number();
                self.tell(Tale::TakenBack(number));
                match self.state.body {
                    Body::None => {
                        // Lost on both sides.
                        self.state.phase = Phase::Idle;
                        self.state.vote = Some((number, self.config.own));
                        self.state.lent = 0;
                        self.ask_again();
                    }
                    _ => {
                        self.hold(number);
                        self.hold_or_run();
                    }
                }
            }
            _ => {}
        }
    }

    pub fn tick_source(&mut self, is_due: bool) {
        match self.state.phase {
            Phase::Asking(number, until) | Phase::Sending(number, until) if self.now >= until => self.goes_on(number),
            // Whoever has it says so.
            Phase::Given(number) if is_due => self.send_peer(Message::Commit { number, stamp: 0 }),
            _ => {}
        }
    }

    pub fn until(&self) -> Time {
        self.now.saturating_add(self.config.timing.patience)
    }

    /// Stops the instance when its time has run out, and lets it go on when there is time again.
    pub fn hold_or_run(&mut self) {
        let may_run = !self.config.needs_vote() || self.now < self.state.sure;
        match (self.state.phase, self.state.body) {
            (_, Body::Runs) if !may_run => {
                self.state.body = Body::Stands;
                self.actions.push(Action::Hold);
                self.tell(Tale::Held);
            }
            (Phase::Holder, Body::Stands) if may_run => self.run(From::Standing),
            _ => {}
        }
    }
}
