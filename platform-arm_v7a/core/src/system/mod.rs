//! What core keeps for components: one arena for each kind of object, and the tables that give them numbers.
//!
//! An object belongs to the *account* of one protection domain, which paid for it and with which it goes. It may be known
//! under several numbers, in several tables; a number whose object is gone names nothing.
//!
//! * [`domain`], [`table`]: protection domains, tables of numbers, accounts, and how all of that ends.
//! * [`dataspace`], [`region_map`], [`space`]: memory, where it lies, and how the kernel is told.
//! * [`thread`], with its exceptions, peers and links; [`signal`], [`timeout`], [`irq`]: what runs, and how it is told of things.
//!
//! Here are the operations themselves, on identifiers; what a request may do is up to [`serve`](crate::serve).

mod arena;
mod census;
pub(crate) mod control;
mod cure;
pub mod dataspace;
pub mod domain;
mod ending;
mod exception;
pub mod irq;
mod link;
mod look;
mod mapping;
mod owned;
mod peers;
pub mod region_map;
pub mod signal;
pub mod source;
pub mod space;
pub mod table;
pub mod thread;
pub mod timeout;

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use base::{queue::Links, session::pd::AllocateError};
use sel4::{Cap, Endpoint, Notification, Reply};

pub use arena::{Arena, Id};
pub use cure::Cure;
pub use dataspace::{Dataspace, PERSISTENT};
pub use domain::{Account, Domain, Entry, Known, Session};
pub use region_map::RegionMap;
pub use signal::Context;
pub use source::Source;
pub use thread::Thread;

use crate::resources::Resources;

/// Core's own protection domain, without threads: the first that is made, and it stays. None of its numbers is a kernel
/// capability, so no badge is 0.
pub const CORE: Id<Domain> = Id::FIRST;
/// Most protection domains: the badge has ten bits for them.
pub const MAX_DOMAINS: u32 = 1 << 10;
/// Most numbers of one protection domain, as a power of two: the badge has 17 bits for them.
pub const MAX_SLOT_BITS: u8 = 14;

/// Most notifications.
pub const MAX_NOTIFICATIONS: u32 = 1 << 12;

/// Everything that components have.
pub struct System {
    /// Where all requests and faults arrive.
    pub endpoint: Cap<Endpoint>,
    /// One that nobody else has, where threads [meet](crate::meeting).
    meeting: Cap<Endpoint>,
    /// What all of it is made of.
    pub resources: Resources,
    /// Protection domains.
    pub domains: Arena<Domain>,
    /// Dataspaces.
    pub dataspaces: Arena<Dataspace>,
    /// Region maps, address spaces among them.
    pub maps: Arena<RegionMap>,
    /// Threads.
    pub threads: Arena<Thread>,
    /// The same by the kernel's addresses, by which it tells who waits for whom.
    by_kernel: BTreeMap<u32, Id<Thread>>,
    /// Links of the queues of exceptions.
    exceptions: Links,
    /// The authority to answer the request that is being served, if it had to be kept aside.
    kept: Option<Cap<Reply>>,
    /// Interrupts that came while core was doing something else: bits of the badge.
    postponed: u32,
    /// Endpoints.
    pub endpoints: Arena<EndpointObject>,
    /// Notifications.
    pub notifications: Arena<NotificationObject>,
    /// Signal contexts.
    pub contexts: Arena<Context>,
    /// Which of them are pending.
    pub signals: signal::Signals,
    /// The clock, and who waits for what time.
    pub timeouts: timeout::Timeouts,
    /// Interrupts that somebody has.
    pub irqs: Arena<irq::Irq>,
    /// Interrupts that can be had.
    pub lines: irq::Lines,
    /// Bytes of core's heap that components cause to be used.
    room_used: u64,
    /// What threads start with, if that is not nothing: for tests.
    #[cfg(feature = "losses")]
    stale: Option<sel4::UserContext>,
    /// For whose requests the kernel refuses something on purpose.
    #[cfg(feature = "losses")]
    pub watched: Option<Id<Domain>>,
    /// What core had to give when it began.
    pub whole: Account,
    /// Boot modules.
    pub modules: Vec<Module>,
    /// Devices whose registers somebody has asked for, by their addresses.
    pub devices: Vec<(u32, Id<Dataspace>)>,
}

/// A boot module.
pub struct Module {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u32,
    /// Its pages.
    pub dataspace: Id<Dataspace>,
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
    /// Nothing yet. Requests and faults arrive at the one endpoint; the other is for this alone.
    pub fn new(
        [endpoint, meeting]: [Cap<Endpoint>; 2],
        resources: Resources,
        timeouts: timeout::Timeouts,
        lines: irq::Lines,
    ) -> Self {
        Self {
            endpoint,
            meeting,
            resources,
            domains: Arena::new(MAX_DOMAINS),
            dataspaces: Arena::new(1 << 14),
            maps: Arena::new(1 << 12),
            threads: Arena::new(thread::MAX_THREADS),
            by_kernel: BTreeMap::new(),
            exceptions: Links::new(thread::MAX_THREADS),
            kept: None,
            postponed: 0,
            endpoints: Arena::new(1 << 12),
            notifications: Arena::new(MAX_NOTIFICATIONS),
            contexts: Arena::new(signal::MAX_CONTEXTS),
            signals: signal::Signals::new(),
            timeouts,
            irqs: Arena::new(irq::MAX_LINES as u32),
            lines,
            room_used: 0,
            #[cfg(feature = "losses")]
            stale: None,
            #[cfg(feature = "losses")]
            watched: None,
            whole: Account::default(),
            modules: Vec::new(),
            devices: Vec::new(),
        }
    }
}

/// Bytes of core's heap for what components decide about: tables, regions, what is mapped where, lists of frames. Each account
/// has its part of it, so that nobody takes another's. The rest of the heap is for what is limited by the arenas and by
/// capabilities.
pub const fn room(ram: u64) -> u64 {
    ram / domain::ROOM_PART
}

impl System {
    /// Takes bytes of core's heap for something that an account decides about; tells whether they are there. So what
    /// components ask for never exhausts the heap, which would end core. For itself core takes what it needs: one table.
    #[must_use]
    fn take_room(&mut self, account: Id<Domain>, bytes: u32) -> bool {
        let fits = match self.domains.get_mut(account) {
            Some(domain) => domain.account.take_room(bytes) || account == CORE,
            None => account == CORE,
        };
        if fits {
            self.room_used += u64::from(bytes);
        }
        fits
    }

    /// Gives them back.
    fn give_room(&mut self, account: Id<Domain>, bytes: u32) {
        self.room_used -= u64::from(bytes);
        if let Some(domain) = self.domains.get_mut(account) {
            domain.account.give_room(bytes);
        }
    }
}

/// Bytes of an endpoint.
const ENDPOINT_BYTES: u64 = 16;
/// Bytes of a notification.
const NOTIFICATION_BYTES: u64 = 16;

impl System {
    /// An endpoint.
    ///
    /// # Errors
    /// Nothing has been made.
    pub fn create_endpoint(&mut self, account: Id<Domain>) -> Result<Id<EndpointObject>, AllocateError> {
        self.charge(account, ENDPOINT_BYTES, 1).map_err(exceeded)?;
        let made = self.resources.make::<Endpoint>().ok().and_then(|cap| {
            let id = self.endpoints.insert(EndpointObject { cap, account, place: 0 });
            if id.is_none() {
                // SAFETY: nobody knows it.
                unsafe { self.resources.unmake(cap) };
            }
            id
        });
        match made {
            Some(id) => self.own(account, Known::Endpoint(id)),
            None => self.refund(account, ENDPOINT_BYTES, 1),
        }
        made.ok_or(AllocateError::Exhausted)
    }

    /// A notification.
    ///
    /// # Errors
    /// Nothing has been made.
    pub fn create_notification(&mut self, account: Id<Domain>) -> Result<Id<NotificationObject>, AllocateError> {
        self.charge(account, NOTIFICATION_BYTES, 1).map_err(exceeded)?;
        let made = self.resources.make::<Notification>().ok().and_then(|cap| {
            let id = self.notifications.insert(NotificationObject { cap, account, place: 0 });
            if id.is_none() {
                // SAFETY: nobody knows it.
                unsafe { self.resources.unmake(cap) };
            }
            id
        });
        match made {
            Some(id) => self.own(account, Known::Notification(id)),
            None => self.refund(account, NOTIFICATION_BYTES, 1),
        }
        made.ok_or(AllocateError::Exhausted)
    }
}

fn exceeded(quota: domain::Quota) -> AllocateError {
    match quota {
        domain::Quota::Ram => AllocateError::Ram,
        domain::Quota::Caps => AllocateError::Caps,
    }
}
