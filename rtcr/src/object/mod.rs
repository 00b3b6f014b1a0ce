//! Functional objects, and their information.
//!
//! A functional object owns one capability of the parent's; dropping it gives the capability up, and it cannot be
//! copied. Its information is a value without any reference to what lives: other objects are in it by the component's
//! numbers. The information is made from the object, and an object from the information; neither changes its source.

mod doorbell;
mod endpoint;
mod ram_dataspace;
mod region_map;
mod rom_dataspace;
mod session;
mod signal_context;
mod thread;
mod timeout;

use base::{
    rpc::{Slot, Transport},
    session::pd::PAGE,
};

pub use doorbell::Notification;
pub use endpoint::Endpoint;
pub use ram_dataspace::{RamDataspace, RamDataspaceInfo};
pub use region_map::{GoneError, MapKind, Region, RegionInfo, RegionMap, RegionMapInfo};
pub use rom_dataspace::{ModuleName, RomDataspace, RomDataspaceInfo};
pub use session::{Argument, Session, SessionInfo, SharedDataspace, SharedInfo};
pub use signal_context::{SignalContext, SignalContextInfo};
pub use thread::{Thread, ThreadInfo, ThreadName};
pub use timeout::{Timeout, TimeoutInfo};

use crate::{table::Missing, upstream::Upstream};

/// Whatever has a number.
pub enum Object<T: Transport + Copy> {
    /// Memory.
    RamDataspace(RamDataspace<T>),
    /// A module.
    RomDataspace(RomDataspace<T>),
    /// A region map.
    RegionMap(RegionMap<T>),
    /// A thread.
    Thread(Thread<T>),
    /// What is raised.
    SignalContext(SignalContext<T>),
    /// Where requests arrive.
    Endpoint(Endpoint<T>),
    /// What is rung.
    Notification(Notification<T>),
    /// A number of something whose end was begun before a checkpoint; nothing is left but the last step.
    Remnant,
    /// A session with the parent, which every component has from the beginning and which goes with its protection
    /// domain.
    First {
        /// Number of the interface.
        interface: u16,
    },
    /// Where requests for its services arrive: the parent's, and kept beyond it.
    Service,
    /// A session of a service that somebody else offers.
    Session(Session<T>),
    /// Memory that the server of a session has handed over.
    SharedDataspace(SharedDataspace<T>),
}

/// Information of whatever has a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Info {
    /// Memory.
    RamDataspace(RamDataspaceInfo),
    /// A module.
    RomDataspace(RomDataspaceInfo),
    /// A region map.
    RegionMap(RegionMapInfo),
    /// A thread.
    Thread(ThreadInfo),
    /// What is raised.
    SignalContext(SignalContextInfo),
    /// Where requests arrive.
    Endpoint,
    /// What is rung; every one is, once, after a restore, so nothing needs to be known of it.
    Notification,
    /// Something whose end was begun.
    Remnant,
    /// A session of a service that somebody else offers.
    Session(SessionInfo),
    /// Memory that the server of a session has handed over.
    SharedDataspace(SharedInfo),
}

/// Which object some information is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its number.
    pub number: u32,
    /// What it is.
    pub info: Info,
}

impl<T: Transport + Copy> Object<T> {
    /// Whether its end has begun, so that it takes no operation but `free`.
    pub fn is_ending(&self) -> bool {
        match self {
            Self::RamDataspace(object) => object.owned.ending,
            Self::RegionMap(object) => object.owned.ending,
            Self::Endpoint(object) => object.owned.ending,
            Self::Notification(object) => object.owned.ending,
            Self::Remnant => true,
            Self::RomDataspace(_)
            | Self::Thread(_)
            | Self::SignalContext(_)
            | Self::First { .. }
            | Self::Service
            | Self::Session(_)
            | Self::SharedDataspace(_) => false,
        }
    }

    /// It went with its protection domain: only the parent's number is left.
    pub(crate) fn forget(self, up: Upstream<T>, number: Slot) {
        if let Self::First { .. } | Self::Service | Self::Remnant = self {
            return;
        }
        // Nothing of it is to be asked for again; what it has here on the heap goes.
        match self {
            Self::RegionMap(mut map) => {
                map.owned.gone = true;
                drop(map);
            }
            // What it was in the component's space is gone; whoever embeds the library has the session.
            Self::Session(session) => {
                core::mem::forget(session);
                return;
            }
            mut other => {
                if let Some(owned) = other.owned_mut() {
                    owned.gone = true;
                }
                // These have nothing on the heap.
                core::mem::forget(other);
            }
        }
        up.forget(number);
    }

    /// The capability, of those kinds that are given up by `free`.
    pub(crate) fn owned_mut(&mut self) -> Option<&mut Owned<T>> {
        match self {
            Self::RamDataspace(object) => Some(&mut object.owned),
            Self::RegionMap(object) => Some(&mut object.owned),
            Self::Endpoint(object) => Some(&mut object.owned),
            Self::Notification(object) => Some(&mut object.owned),
            _ => None,
        }
    }

    /// Size of what can be attached, in bytes.
    pub(crate) fn attachable(&self) -> Result<u32, Missing> {
        match self {
            _ if self.is_ending() => Err(Missing::Nothing),
            Self::RamDataspace(object) => Ok(object.size),
            Self::RomDataspace(object) => Ok(object.size.next_multiple_of(PAGE)),
            Self::SharedDataspace(object) => Ok(object.size()),
            Self::RegionMap(RegionMap { kind: MapKind::Managed { size }, .. }) => Ok(*size),
            _ => Err(Missing::Kind),
        }
    }
}

macro_rules! kinds {
    ($($function:ident $function_mut:ident $kind:ident $type:ident;)*) => { $(
        impl<T: Transport + Copy> Object<T> {
            #[doc = concat!("It as a [`", stringify!($type), "`].")]
            ///
            /// # Errors
            /// It is something else, or its end has begun.
            pub fn $function(&self) -> Result<&$type<T>, Missing> {
                match self {
                    _ if self.is_ending() => Err(Missing::Nothing),
                    Self::$kind(object) => Ok(object),
                    _ => Err(Missing::Kind),
                }
            }

            #[doc = concat!("It as a [`", stringify!($type), "`].")]
            ///
            /// # Errors
            /// It is something else, or its end has begun.
            pub fn $function_mut(&mut self) -> Result<&mut $type<T>, Missing> {
                match self {
                    _ if self.is_ending() => Err(Missing::Nothing),
                    Self::$kind(object) => Ok(object),
                    _ => Err(Missing::Kind),
                }
            }
        }
    )* };
}

kinds! {
    ram_dataspace ram_dataspace_mut RamDataspace RamDataspace;
    region_map region_map_mut RegionMap RegionMap;
    thread thread_mut Thread Thread;
    session session_mut Session Session;
    signal_context signal_context_mut SignalContext SignalContext;
    notification notification_mut Notification Notification;
}

/// A capability that is given up by `free`. Dropping it does that, however many steps it takes.
pub struct Owned<T: Transport + Copy> {
    pub(crate) up: Upstream<T>,
    /// The parent's number.
    pub(crate) number: Slot,
    /// Some steps have been taken.
    pub(crate) ending: bool,
    /// There is nothing left.
    pub(crate) gone: bool,
}

impl<T: Transport + Copy> Owned<T> {
    pub(crate) fn new(up: Upstream<T>, number: Slot) -> Self {
        Self { up, number, ending: false, gone: false }
    }
}

impl<T: Transport + Copy> Drop for Owned<T> {
    fn drop(&mut self) {
        if !self.gone {
            self.up.free(self.number);
        }
    }
}
