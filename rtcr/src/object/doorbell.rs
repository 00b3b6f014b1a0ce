//! Notifications, with the contexts that wait here to be fetched.

use base::{
    rpc::{CallError, Slot, Transport},
    session::pd::AllocateError,
};

use super::{Owned, endpoint::Installed};
use crate::{table::Link, upstream::Upstream};

/// A notification of the component's, in its capability space under the same number. Dropping it takes it from there
/// and frees it.
///
/// A checkpoint looks what is pending by fetching it. What was fetched so waits here, a list in the order of arrival
/// through the contexts themselves, so that no memory is needed for it.
pub struct Notification<T: Transport + Copy> {
    installed: Option<Installed<T>>,
    pub(crate) owned: Owned<T>,
    /// How many contexts ring it.
    pub(crate) contexts: u32,
    pub(crate) first: Option<Link>,
    pub(crate) last: Option<Link>,
}

impl<T: Transport + Copy> Notification<T> {
    /// A notification that `pd` pays and has as `slot`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn create(up: Upstream<T>, at: Slot, pd: Slot, slot: u32) -> Result<Self, CallError<AllocateError>> {
        let owned = Owned::new(up, up.pd().create_notification(at, pd)?);
        Ok(Self { installed: Some(Installed::new(&owned, pd, slot)?), owned, contexts: 0, first: None, last: None })
    }

    /// Takes it out of the component's capability space, before it is freed.
    pub(crate) fn take_out(&mut self) {
        self.installed = None;
    }

    /// The parent's number for it.
    pub const fn number(&self) -> Slot {
        self.owned.number
    }
}
