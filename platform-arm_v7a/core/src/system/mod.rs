//! What core keeps for components: one arena for each kind of object, and the tables that give them numbers.
//!
//! An object belongs to the *account* of one protection domain, which paid for it and with which it goes. It may be known
//! under several numbers, in several tables; a number whose object is gone names nothing.
//!
//! * [`domain`]: protection domains, tables of numbers, accounts.
//! * [`dataspace`], [`region_map`], [`mapping`]: memory, and where it lies.
//! * [`thread`], [`signal`], [`timeout`], [`irq`]: what runs, and how it is told of things.
//!
//! Here are the operations themselves, on identifiers; what a request may do is up to [`serve`](crate::serve).

mod arena;
pub mod dataspace;
pub mod domain;
pub mod irq;
pub mod mapping;
pub mod region_map;
pub mod signal;
pub mod source;
pub mod thread;
pub mod timeout;

use sel4::{Cap, Endpoint, Notification};

pub use arena::{Arena, Id};
pub use dataspace::Dataspace;
pub use domain::{Account, Domain, Entry, Known, Session};
pub use region_map::RegionMap;
pub use signal::Context;
pub use source::Source;
pub use thread::Thread;

/// Most protection domains: the badge has ten bits for them.
pub const MAX_DOMAINS: u32 = 1 << 10;
/// Most numbers of one protection domain, as a power of two: the badge has 17 bits for them.
pub const MAX_SLOT_BITS: u8 = 14;

/// Everything that components have.
pub struct System {
    /// Where all requests and faults arrive.
    pub endpoint: Cap<Endpoint>,
    /// Protection domains.
    pub domains: Arena<Domain>,
    /// Dataspaces.
    pub dataspaces: Arena<Dataspace>,
    /// Region maps, address spaces among them.
    pub maps: Arena<RegionMap>,
    /// Threads.
    pub threads: Arena<Thread>,
    /// Endpoints.
    pub endpoints: Arena<EndpointObject>,
    /// Notifications.
    pub notifications: Arena<NotificationObject>,
    /// Signal contexts.
    pub contexts: Arena<Context>,
}

/// An endpoint that a component has made.
pub struct EndpointObject {
    /// Core's own capability.
    pub cap: Cap<Endpoint>,
    /// Who pays.
    pub account: Id<Domain>,
    /// Where it is in the list of what that account has paid for.
    pub place: u32,
}

/// A notification that a component has made.
pub struct NotificationObject {
    /// Core's own capability.
    pub cap: Cap<Notification>,
    /// Who pays.
    pub account: Id<Domain>,
    /// Where it is in the list of what that account has paid for.
    pub place: u32,
}

impl System {
    /// Nothing yet.
    pub fn new(endpoint: Cap<Endpoint>) -> Self {
        Self {
            endpoint,
            domains: Arena::new(MAX_DOMAINS),
            dataspaces: Arena::new(1 << 14),
            maps: Arena::new(1 << 12),
            threads: Arena::new(1 << 12),
            endpoints: Arena::new(1 << 12),
            notifications: Arena::new(1 << 12),
            contexts: Arena::new(1 << 14),
        }
    }
}
