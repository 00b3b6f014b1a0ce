//! Threads that woke one of higher priority, the test, by sending or signalling, and have not run since.

use ground::{Failure, Ground, Outcome, Thread, ensure_eq};
use sel4::{Cap, Endpoint, Message, Notification, UserContext};

use super::super::{
    row::{How, Row},
    step::{Act, Step, SystemCall, empty, message, nothing_waits, past, same, start},
};

const BADGE: u32 = 0x66;
const NEWS: Message = message(0x1100);

/// Has sent.
pub struct Sent {
    endpoint: Cap<Endpoint>,
    step: &'static Step,
    thread: Thread,
}

impl Row for Sent {
    fn enter(ground: &mut Ground) -> Result<Self, Failure> {
        let endpoint = ground.objects.make::<Endpoint>()?;
        let badged = ground.badged(endpoint, BADGE)?;
        let step = Step::new(ground, SystemCall::Send, badged, &NEWS)?;
        let thread = start(ground, step)?;
        let news = ground.receive(endpoint)?.map(|(badge, message)| (badge.number(), message));
        ensure_eq!(news, Some((BADGE, NEWS)));
        Ok(Self { endpoint, step, thread })
    }

    fn thread(&self) -> Thread {
        self.thread
    }

    fn check(&self, seen: UserContext) -> Outcome {
        self.step.is_pending()?;
        same(seen, past(self.step.before(Act::Trap)))
    }

    fn complete(self, ground: &mut Ground, _: Thread, _: How) -> Outcome {
        ground.settle();
        self.step.is_done_with(past(self.step.before(Act::Trap)))?;
        nothing_waits(self.endpoint)
    }
}

/// Has signalled.
pub struct Signalled {
    notification: Cap<Notification>,
    step: &'static Step,
    thread: Thread,
}

impl Row for Signalled {
    fn enter(ground: &mut Ground) -> Result<Self, Failure> {
        let notification = ground.objects.make::<Notification>()?;
        let badged = ground.badged(notification, BADGE)?;
        let step = Step::new(ground, SystemCall::Send, badged, &empty(0))?;
        let thread = start(ground, step)?;
        let badge = ground.await_signal(notification)?.map(|badge| badge.number());
        ensure_eq!(badge, Some(BADGE));
        Ok(Self { notification, step, thread })
    }

    fn thread(&self) -> Thread {
        self.thread
    }

    fn check(&self, seen: UserContext) -> Outcome {
        self.step.is_pending()?;
        same(seen, past(self.step.before(Act::Trap)))
    }

    fn complete(self, ground: &mut Ground, _: Thread, _: How) -> Outcome {
        ground.settle();
        self.step.is_done_with(past(self.step.before(Act::Trap)))?;
        ensure_eq!(self.notification.poll(), None);
        Ok(())
    }
}
