//! Threads that receive or wait.

use ground::{Failure, Ground, Outcome, Thread, ensure_eq};
use sel4::{Cap, Endpoint, Message, Notification, UserContext};

use super::super::{
    row::{How, Row},
    step::{Act, Step, SystemCall, message, past, received, same, start},
};

const BADGE: u32 = 0x55;
const FIRST: Message = message(0x1100);
const ANSWER: Message = message(0x2200);
const SECOND: Message = message(0x3300);
const SURPLUS: Message = message(0x4400);

/// A server of an endpoint to which the test sends.
struct Receiver {
    badged: Cap<Endpoint>,
    step: &'static Step,
    thread: Thread,
}

impl Receiver {
    fn new(ground: &mut Ground) -> Result<Self, Failure> {
        let endpoint = ground.objects.make::<Endpoint>()?;
        let badged = ground.badged(endpoint, BADGE)?;
        let step = Step::receiving(ground, endpoint)?;
        let thread = start(ground, step)?;
        ground.settle();
        Ok(Self { badged, step, thread })
    }

    /// It has the first message, and does not receive again.
    fn has_received(&self, ground: &mut Ground) -> Outcome {
        ground.settle();
        self.badged.nb_send(SURPLUS);
        ground.settle();
        self.step.is_done_with(received(self.step.before(Act::Trap), BADGE, &FIRST))
    }
}

/// Receives.
pub struct Recv(Receiver);

impl Row for Recv {
    fn enter(ground: &mut Ground) -> Result<Self, Failure> {
        Receiver::new(ground).map(Self)
    }

    fn thread(&self) -> Thread {
        self.0.thread
    }

    fn check(&self, seen: UserContext) -> Outcome {
        same(seen, self.0.step.before(Act::Trap))
    }

    fn complete(self, ground: &mut Ground, _: Thread, _: How) -> Outcome {
        ground.settle();
        self.0.step.is_pending()?;
        self.0.badged.nb_send(FIRST);
        self.0.has_received(ground)
    }
}

/// Was given a message, and has not run since.
pub struct MessageDelivered(Receiver);

impl Row for MessageDelivered {
    fn enter(ground: &mut Ground) -> Result<Self, Failure> {
        let receiver = Receiver::new(ground)?;
        receiver.badged.nb_send(FIRST);
        Ok(Self(receiver))
    }

    fn thread(&self) -> Thread {
        self.0.thread
    }

    fn check(&self, seen: UserContext) -> Outcome {
        self.0.step.is_pending()?;
        same(seen, received(self.0.step.before(Act::Trap), BADGE, &FIRST))
    }

    fn complete(self, ground: &mut Ground, _: Thread, _: How) -> Outcome {
        self.0.has_received(ground)
    }
}

/// Waits for a notification that the test signals.
struct Waiter {
    notification: Cap<Notification>,
    badged: Cap<Notification>,
    step: &'static Step,
    thread: Thread,
}

impl Waiter {
    fn new(ground: &mut Ground) -> Result<Self, Failure> {
        let notification = ground.objects.make::<Notification>()?;
        let badged = ground.badged(notification, BADGE)?;
        let step = Step::receiving(ground, notification)?;
        let thread = start(ground, step)?;
        ground.settle();
        Ok(Self { notification, badged, step, thread })
    }

    /// Registers after the signal: the badge in r0, the others untouched, message info included.
    fn signalled(&self) -> UserContext {
        UserContext { r0: BADGE, ..past(self.step.before(Act::Trap)) }
    }

    /// It has the signal, and does not wait again.
    fn has_waited(&self, ground: &mut Ground) -> Outcome {
        ground.settle();
        ensure_eq!(self.notification.poll(), None);
        self.badged.signal();
        ground.settle();
        self.step.is_done_with(self.signalled())?;
        ensure_eq!(self.notification.poll().map(|badge| badge.number()), Some(BADGE));
        Ok(())
    }
}

/// Waits for a signal.
pub struct Wait(Waiter);

impl Row for Wait {
    fn enter(ground: &mut Ground) -> Result<Self, Failure> {
        Waiter::new(ground).map(Self)
    }

    fn thread(&self) -> Thread {
        self.0.thread
    }

    fn check(&self, seen: UserContext) -> Outcome {
        same(seen, self.0.step.before(Act::Trap))
    }

    fn complete(self, ground: &mut Ground, _: Thread, _: How) -> Outcome {
        ground.settle();
        self.0.step.is_pending()?;
        self.0.badged.signal();
        self.0.has_waited(ground)
    }
}

/// Was signalled, and has not run since.
pub struct SignalDelivered(Waiter);

impl Row for SignalDelivered {
    fn enter(ground: &mut Ground) -> Result<Self, Failure> {
        let waiter = Waiter::new(ground)?;
        waiter.badged.signal();
        Ok(Self(waiter))
    }

    fn thread(&self) -> Thread {
        self.0.thread
    }

    fn check(&self, seen: UserContext) -> Outcome {
        self.0.step.is_pending()?;
        same(seen, self.0.signalled())
    }

    fn complete(self, ground: &mut Ground, _: Thread, _: How) -> Outcome {
        self.0.has_waited(ground)
    }
}

/// Has answered a client in `reply_recv`, and receives.
pub struct ReplyRecv {
    server: Receiver,
    second: &'static Step,
    client: &'static Step,
}

impl ReplyRecv {
    /// The client was answered, once.
    fn client_has_answer(&self) -> Outcome {
        self.client.is_done_with(received(self.client.before(Act::Trap), 0, &ANSWER))
    }
}

impl Row for ReplyRecv {
    fn enter(ground: &mut Ground) -> Result<Self, Failure> {
        let endpoint = ground.objects.make::<Endpoint>()?;
        let badged = ground.badged(endpoint, BADGE)?;
        let step = Step::receiving(ground, endpoint)?;
        let second = Step::new(ground, SystemCall::ReplyRecv, endpoint, &ANSWER)?;
        step.then(second);
        let thread = start(ground, step)?;
        ground.settle();
        let client = Step::new(ground, SystemCall::Call, badged, &FIRST)?;
        start(ground, client)?;
        ground.settle();
        step.is_done_with(received(step.before(Act::Trap), BADGE, &FIRST))?;
        let row = Self { server: Receiver { badged, step, thread }, second, client };
        row.client_has_answer()?;
        Ok(row)
    }

    fn thread(&self) -> Thread {
        self.server.thread
    }

    fn check(&self, seen: UserContext) -> Outcome {
        same(seen, self.second.before(Act::Trap))
    }

    fn complete(self, ground: &mut Ground, _: Thread, _: How) -> Outcome {
        ground.settle();
        self.second.is_pending()?;
        self.server.badged.nb_send(SECOND);
        ground.settle();
        self.server.badged.nb_send(SURPLUS);
        ground.settle();
        self.second.is_done_with(received(self.second.before(Act::Trap), BADGE, &SECOND))?;
        self.server.step.is_done_with(received(self.server.step.before(Act::Trap), BADGE, &FIRST))?;
        self.client_has_answer()
    }
}
