//! Modules.

use base::{
    rpc::{CallError, Slot, Transport},
    session::rom::{MAX_NAME, OpenError},
};

use crate::upstream::Upstream;

/// Name of a module.
pub type ModuleName = heapless::String<MAX_NAME>;

/// A number for a module. Dropping it gives up the number.
pub struct RomDataspace<T: Transport + Copy> {
    up: Upstream<T>,
    number: Slot,
    pub(crate) name: ModuleName,
    /// Of the module, in bytes.
    pub(crate) size: u32,
    pub(crate) fingerprint: u64,
}

/// What a [`RomDataspace`] is. Its content is the module's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RomDataspaceInfo {
    /// Of the module.
    pub name: ModuleName,
    /// Of the module, in bytes.
    pub size: u32,
    /// What its content is known by.
    pub fingerprint: u64,
}

impl<T: Transport + Copy> RomDataspace<T> {
    /// The module of that name. Its fingerprint is 0 until somebody sets it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn open(up: Upstream<T>, at: Slot, name: &str) -> Result<Self, CallError<OpenError>> {
        let kept = ModuleName::try_from(name).map_err(|_| OpenError::Nothing)?;
        let number = up.rom().open(at, name)?;
        // From here on dropping it gives the number up.
        let mut made = Self { up, number, name: kept, size: 0, fingerprint: 0 };
        made.size = up.rom().size(name)?;
        Ok(made)
    }

    /// The parent's number for it.
    pub const fn number(&self) -> Slot {
        self.number
    }

    /// What it is.
    pub fn info(&self) -> RomDataspaceInfo {
        RomDataspaceInfo { name: self.name.clone(), size: self.size, fingerprint: self.fingerprint }
    }

    /// Whether it is what a checkpoint says.
    pub fn suits(&self, saved: &RomDataspaceInfo) -> bool {
        self.name == saved.name && self.size == saved.size && self.fingerprint == saved.fingerprint
    }
}

impl<T: Transport + Copy> Drop for RomDataspace<T> {
    fn drop(&mut self) {
        self.up.forget(self.number);
    }
}
