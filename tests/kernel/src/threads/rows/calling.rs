//! Threads in a call.

use ground::{Failure, Ground, Outcome, Thread, ensure_eq};
use sel4::{Cap, Endpoint, Message, UserContext};

use super::super::{
    row::{How, Row},
    step::{Act, Step, SystemCall, is_message, message, nothing_waits, received, same, start, take},
};

/// The badge of the client.
const BADGE: u32 = 0x77;
/// What it sends.
const QUESTION: Message = message(0x1100);
/// What it gets.
const ANSWER: Message = message(0x2200);
/// What must not arrive.
const LATE: Message = message(0x3300);

/// A client in a call to an endpoint that the test serves.
struct Client {
    endpoint: Cap<Endpoint>,
    step: &'static Step,
    thread: Thread,
}

impl Client {
    fn new(ground: &mut Ground) -> Result<Self, Failure> {
        let endpoint = ground.objects.make::<Endpoint>()?;
        let badged = ground.badged(endpoint, BADGE)?;
        let step = Step::new(ground, SystemCall::Call, badged, &QUESTION)?;
        let thread = start(ground, step)?;
        Ok(Self { endpoint, step, thread })
    }

    fn check_before(&self, seen: UserContext) -> Outcome {
        same(seen, self.step.before(Act::Trap))
    }

    /// The question waits, is answered, and is not asked again.
    fn ask_and_answer(&self, ground: &mut Ground) -> Outcome {
        is_message(take(self.endpoint)?, BADGE, &QUESTION)?;
        sel4::reply(ANSWER);
        self.is_answered(ground)
    }

    fn is_answered(&self, ground: &mut Ground) -> Outcome {
        ground.settle();
        self.step.is_done_with(received(self.step.before(Act::Trap), 0, &ANSWER))?;
        nothing_waits(self.endpoint)
    }
}

/// Has sent; nobody has received.
pub struct CallNotReceived(Client);

impl Row for CallNotReceived {
    fn enter(ground: &mut Ground) -> Result<Self, Failure> {
        let client = Client::new(ground)?;
        ground.settle();
        Ok(Self(client))
    }

    fn thread(&self) -> Thread {
        self.0.thread
    }

    fn check(&self, seen: UserContext) -> Outcome {
        self.0.check_before(seen)
    }

    fn complete(self, ground: &mut Ground, _: Thread, _: How) -> Outcome {
        ground.settle();
        self.0.step.is_pending()?;
        self.0.ask_and_answer(ground)
    }
}

/// Was received; the answer is outstanding.
pub struct CallWaitingForReply(Client);

impl Row for CallWaitingForReply {
    fn enter(ground: &mut Ground) -> Result<Self, Failure> {
        let client = Client::new(ground)?;
        let question = ground.receive(client.endpoint)?.map(|(badge, message)| (badge.number(), message));
        ensure_eq!(question, Some((BADGE, QUESTION)));
        Ok(Self(client))
    }

    fn thread(&self) -> Thread {
        self.0.thread
    }

    /// As if nobody had received: only who received can know better.
    fn check(&self, seen: UserContext) -> Outcome {
        self.0.check_before(seen)
    }

    fn complete(self, ground: &mut Ground, _: Thread, how: How) -> Outcome {
        if how == How::Thawed {
            ground.settle();
            self.0.step.is_pending()?;
            sel4::reply(ANSWER);
            return self.0.is_answered(ground);
        }
        // The first question can no longer be answered, and is asked again.
        sel4::reply(LATE);
        ground.settle();
        self.0.step.is_pending()?;
        self.0.ask_and_answer(ground)
    }
}

/// Was answered, and has not run since.
pub struct Answered(Client);

impl Row for Answered {
    fn enter(ground: &mut Ground) -> Result<Self, Failure> {
        let client = Client::new(ground)?;
        ground.settle();
        is_message(take(client.endpoint)?, BADGE, &QUESTION)?;
        sel4::reply(ANSWER);
        Ok(Self(client))
    }

    fn thread(&self) -> Thread {
        self.0.thread
    }

    fn check(&self, seen: UserContext) -> Outcome {
        self.0.step.is_pending()?;
        same(seen, received(self.0.step.before(Act::Trap), 0, &ANSWER))
    }

    fn complete(self, ground: &mut Ground, _: Thread, _: How) -> Outcome {
        self.0.is_answered(ground)
    }
}
