//! Sessions of services that others offer, and memory that their servers have handed over.

use base::{
    rpc::{CallError, Slot, Transport},
    session::{
        parent::{MAX_ARGUMENT, OpenError, RedeemError, ServiceName},
        pd::{Access, Grant, InstallError},
    },
};

use super::endpoint::Installed;
use crate::{surroundings::Opened, upstream::Upstream};

/// What a session is opened with, besides the service's name.
pub type Argument = heapless::Vec<u8, MAX_ARGUMENT>;

/// A session, in the component's capability space. Dropping it takes it from there; whoever embeds the library keeps it,
/// since it outlives the instance.
pub struct Session<T: Transport + Copy> {
    _installed: Installed<T>,
    info: SessionInfo,
}

/// What a [`Session`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// Of this service.
    pub service: ServiceName,
    /// As it was opened.
    pub argument: Argument,
    /// Its number with whoever embeds the library, who may still have it at a restore.
    pub number: u32,
}

impl<T: Transport + Copy> Session<T> {
    /// Makes a session known to `pd` as `slot`.
    ///
    /// # Errors
    /// The component would exceed its capabilities.
    pub fn install(
        up: Upstream<T>,
        pd: Slot,
        slot: u32,
        opened: Opened,
        info: SessionInfo,
    ) -> Result<Self, CallError<OpenError>> {
        let grant = Grant { access: Access::Use, badge: opened.badge };
        let installed =
            Installed::granted(up, opened.endpoint, pd, Slot(slot), grant).map_err(|error| match error {
                CallError::Error(InstallError::Caps | InstallError::Range) => OpenError::Caps.into(),
                // The endpoint is the embedder's own; so it is whoever is asked that is at fault.
                _ => CallError::<OpenError>::Refused,
            })?;
        Ok(Self { _installed: installed, info: SessionInfo { number: opened.number, ..info } })
    }

    /// Its number with whoever embeds the library.
    pub const fn number(&self) -> u32 {
        self.info.number
    }

    /// What it is.
    pub fn info(&self) -> SessionInfo {
        self.info.clone()
    }
}

/// Memory of a server's that it has handed over for a session. It is attached and not copied; dropping it gives up the
/// number.
pub struct SharedDataspace<T: Transport + Copy> {
    up: Upstream<T>,
    number: Slot,
    info: SharedInfo,
}

/// What a [`SharedDataspace`] is. Its content is the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedInfo {
    /// Number of the session, with whoever embeds the library.
    pub session: u32,
    /// The server's handle for it.
    pub handle: u32,
    /// In bytes, whole pages.
    pub size: u32,
}

impl<T: Transport + Copy> SharedDataspace<T> {
    /// What was redeemed a moment ago as the parent's `number`.
    ///
    /// # Errors
    /// It is no dataspace; the number is given up.
    pub fn new(up: Upstream<T>, number: Slot, session: u32, handle: u32) -> Result<Self, CallError<RedeemError>> {
        let mut made = Self { up, number, info: SharedInfo { session, handle, size: 0 } };
        // Signal contexts of servers are not supported.
        made.info.size = up.pd().describe(number).map_err(|_| CallError::<RedeemError>::Refused)?.size;
        Ok(made)
    }

    /// What it is.
    pub const fn info(&self) -> SharedInfo {
        self.info
    }

    /// In bytes, whole pages.
    pub const fn size(&self) -> u32 {
        self.info.size
    }
}

impl<T: Transport + Copy> Drop for SharedDataspace<T> {
    fn drop(&mut self) {
        self.up.forget(self.number);
    }
}
