//! Signal contexts.

use base::{
    rpc::{CallError, Slot, Transport},
    session::signal::CreateError,
};

use super::{Timeout, TimeoutInfo};
use crate::{table::Link, upstream::Upstream};

/// A signal context. Dropping it ends it.
///
/// Upstream its cookie is its number, so that what is fetched there is found here at once.
pub struct SignalContext<T: Transport + Copy> {
    pub(crate) up: Upstream<T>,
    pub(crate) number: Slot,
    pub(crate) doorbell: Link,
    pub(crate) cookie: u32,
    pub(crate) timeout: Option<Timeout>,
    /// How often it was raised, as far as that was fetched for a checkpoint and not by the component.
    pub(crate) raised: u32,
    /// The next one that waits at the same doorbell.
    pub(crate) next: Option<Link>,
}

/// What a [`SignalContext`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalContextInfo {
    /// Number of its notification; none if that is gone.
    pub doorbell: Option<u32>,
    /// What its maker gave it.
    pub cookie: u32,
    /// How often it was raised and not fetched.
    pub pending: u32,
    /// Its timeout.
    pub timeout: Option<TimeoutInfo>,
}

impl<T: Transport + Copy> SignalContext<T> {
    /// A context that rings the notification that the parent knows as `bell`, on the account of `pd`.
    /// `number` is the component's for it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn create(
        up: Upstream<T>,
        (at, number): (Slot, u32),
        pd: Slot,
        (doorbell, bell): (Link, Slot),
        cookie: u32,
    ) -> Result<Self, CallError<CreateError>> {
        let made = up.signal().create(at, pd, bell, number)?;
        Ok(Self { up, number: made, doorbell, cookie, timeout: None, raised: 0, next: None })
    }

    /// What it is. What was raised and what remains of its timeout are found out where all stands still.
    pub const fn info(&self, doorbell: Option<u32>) -> SignalContextInfo {
        SignalContextInfo { doorbell, cookie: self.cookie, pending: self.raised, timeout: None }
    }

    /// Whether it is what a checkpoint says, but for what comes and goes.
    pub fn suits(&self, doorbell: Option<u32>, saved: &SignalContextInfo) -> bool {
        self.cookie == saved.cookie && doorbell == saved.doorbell
    }
}

impl<T: Transport + Copy> Drop for SignalContext<T> {
    fn drop(&mut self) {
        self.up.destroy_context(self.number);
    }
}
