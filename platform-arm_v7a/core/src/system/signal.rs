//! Signals: contexts, and which of them are pending.
//!
//! A doorbell's pending contexts are in a queue, each once; raising one that is queued already only counts. So whoever
//! answers a ring fetches until there is no more, and is rung again only for what comes after that. All of it takes the same
//! time, however many contexts there are.
//!
//! The queues lie by the places of notifications. A notification that goes leaves its queue as it is: its contexts are
//! passed over when the place's next notification is asked, since they name another one.

use alloc::vec::Vec;

use base::{
    queue::{Links, Queue},
    session::signal::{CreateError, Pending},
};

use wire::trace::Event;

use super::{Arena, Domain, Id, Known, MAX_NOTIFICATIONS, NotificationObject, System};

/// Most signal contexts.
pub const MAX_CONTEXTS: u32 = 1 << 12;

/// A signal context.
pub struct Context {
    /// Who pays.
    pub account: Id<Domain>,
    /// Where it is in the list of what that account has paid for.
    pub place: u32,
    /// What rings.
    pub doorbell: Id<NotificationObject>,
    /// What its maker gave it.
    pub cookie: u32,
    /// How often it was raised and not fetched.
    count: u32,
}

/// Which contexts are pending.
pub struct Signals {
    links: Links,
    queues: Vec<Queue>,
}

impl Signals {
    /// None.
    pub fn new() -> Self {
        Self { links: Links::new(MAX_CONTEXTS), queues: alloc::vec![Queue::EMPTY; MAX_NOTIFICATIONS as usize] }
    }

    /// Drops from the head of a doorbell's queue what is of another one, and tells which is next.
    fn first(&mut self, contexts: &Arena<Context>, doorbell: Id<NotificationObject>) -> Option<Id<Context>> {
        let queue = self.queues.get_mut(doorbell.index() as usize)?;
        loop {
            let first = queue.first()?;
            match contexts.at(first) {
                Some((id, context)) if context.doorbell == doorbell => return Some(id),
                // Each is dropped once, so that is paid by whoever queued it.
                _ => _ = self.links.pop(queue),
            }
        }
    }
}

impl Default for Signals {
    fn default() -> Self {
        Self::new()
    }
}

impl System {
    /// A context, for which an account pays one capability.
    ///
    /// # Errors
    /// `Caps`, `Exhausted`, or the account is gone.
    pub fn create_context(
        &mut self,
        account: Id<Domain>,
        doorbell: Id<NotificationObject>,
        cookie: u32,
    ) -> Result<Id<Context>, CreateError> {
        let payer = self.domains.get_mut(account).ok_or(CreateError::Nothing)?;
        payer.account.charge(0, 1).map_err(|_| CreateError::Caps)?;
        let context = Context { account, place: 0, doorbell, cookie, count: 0 };
        let Some(id) = self.contexts.insert(context) else {
            payer.account.refund(0, 1);
            return Err(CreateError::Exhausted);
        };
        self.own(account, Known::Context(id));
        Ok(id)
    }

    /// Ends a context: nothing of it is pending, or will be.
    pub fn destroy_context(&mut self, id: Id<Context>) {
        let Some(&Context { account, doorbell, .. }) = self.contexts.get(id) else { return };
        self.disown(account, Known::Context(id));
        self.contexts.remove(id);
        self.signals.links.remove(&mut self.signals.queues[doorbell.index() as usize], id.index());
        self.timeouts.cancel(id);
        if let Some(payer) = self.domains.get_mut(account) {
            payer.account.refund(0, 1);
        }
    }

    /// Raises a signal, `count` times. Nothing happens if it or its doorbell is gone.
    pub fn raise(&mut self, id: Id<Context>, count: u32) {
        let Some(context) = self.contexts.get_mut(id) else { return };
        let Some(doorbell) = self.notifications.get(context.doorbell) else { return };
        context.count = context.count.saturating_add(count);
        let Signals { links, queues } = &mut self.signals;
        let Some(queue) = queues.get_mut(context.doorbell.index() as usize) else { return };
        let rings = links.push(queue, id.index());
        if rings {
            doorbell.cap.signal();
        }
        let (account, cookie) = (context.account, context.cookie);
        self.trace(account, Event::Signal { cookie, rings });
    }

    /// Takes the next pending context of a doorbell.
    pub fn fetch(&mut self, doorbell: Id<NotificationObject>) -> Option<Pending> {
        let id = self.signals.first(&self.contexts, doorbell)?;
        let queue = &mut self.signals.queues[doorbell.index() as usize];
        self.signals.links.remove(queue, id.index());
        let context = self.contexts.get_mut(id)?;
        let (cookie, count) = (context.cookie, core::mem::take(&mut context.count));
        let more = self.signals.first(&self.contexts, doorbell).is_some();
        Some(Pending { cookie, count, more })
    }
}
