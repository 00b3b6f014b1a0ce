//! Endpoints.

use base::{
    rpc::{CallError, Slot, Transport},
    session::pd::{AllocateError, Grant, InstallError},
};

use super::Owned;
use crate::upstream::Upstream;

/// An endpoint of the component's, in its capability space under the same number. Dropping it takes it from there and
/// frees it.
pub struct Endpoint<T: Transport + Copy> {
    /// Taken out of the component's capability space before it is freed.
    installed: Option<Installed<T>>,
    pub(crate) owned: Owned<T>,
}

impl<T: Transport + Copy> Endpoint<T> {
    /// An endpoint that `pd` pays and has as `slot`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn create(up: Upstream<T>, at: Slot, pd: Slot, slot: u32) -> Result<Self, CallError<AllocateError>> {
        let owned = Owned::new(up, up.pd().create_endpoint(at, pd)?);
        Ok(Self { installed: Some(Installed::new(&owned, pd, slot)?), owned })
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

/// A capability in the component's capability space. Dropping it takes it out.
pub struct Installed<T: Transport + Copy> {
    up: Upstream<T>,
    pd: Slot,
    slot: Slot,
}

impl<T: Transport + Copy> Installed<T> {
    /// Something of the parent's becomes the component's `slot` too.
    pub(crate) fn granted(
        up: Upstream<T>,
        number: Slot,
        pd: Slot,
        slot: Slot,
        grant: Grant,
    ) -> Result<Self, CallError<InstallError>> {
        up.pd().install(number, pd, slot, grant)?;
        Ok(Self { up, pd, slot })
    }

    /// What is owned becomes the component's `slot` too.
    pub(crate) fn new(owned: &Owned<T>, pd: Slot, slot: u32) -> Result<Self, CallError<AllocateError>> {
        Self::granted(owned.up, owned.number, pd, Slot(slot), Grant::OWN).map_err(|error| match error {
            CallError::Error(InstallError::Caps) => AllocateError::Caps.into(),
            CallError::Error(InstallError::Occupied) => AllocateError::Occupied.into(),
            CallError::Error(InstallError::Range) => AllocateError::Range.into(),
            // It was made a moment ago; so it is whoever is asked that is at fault.
            _ => CallError::<AllocateError>::Refused,
        })
    }
}

impl<T: Transport + Copy> Drop for Installed<T> {
    fn drop(&mut self) {
        self.up.remove(self.pd, self.slot);
    }
}
