//! What core keeps for components: one arena for each kind of object, and the tables that give them numbers.
//!
//! An object belongs to the *account* of one protection domain, which paid for it and with which it goes. It may be known
//! under several numbers, in several tables; a number whose object is gone names nothing.

mod arena;
mod domain;

use sel4::{Badge, Cap, Endpoint, Notification};

pub use arena::{Arena, Id};
pub use domain::{Account, Domain, Entry, Known, Session};

/// Most protection domains: the badge has ten bits for them.
pub const MAX_DOMAINS: u32 = 1 << 10;
/// Most numbers of one protection domain, as a power of two: the badge has 17 bits for them.
pub const MAX_SLOT_BITS: u8 = 14;

/// Who sent a message to core's endpoint, and to what; what its badge stands for.
///
/// | bits | hold |
/// |---|---|
/// | 27 to 18 | the protection domain whose capability it is, by its place in the arena |
/// | 17 | whether the kernel sends, for a thread that faulted |
/// | 16 to 0 | the session's number, or the thread's place in the arena |
///
/// Place 0 is never used, so no badge is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A request to the session of that number of that protection domain.
    Session {
        /// Whose.
        domain: u32,
        /// Its number.
        number: u32,
    },
    /// A fault of that thread.
    Fault {
        /// Whose.
        domain: u32,
        /// The thread.
        thread: u32,
    },
}

const DOMAIN_SHIFT: u32 = 18;
const FAULT_BIT: u32 = 1 << 17;

impl Source {
    /// The badge that stands for it; none if it does not fit.
    pub fn badge(self) -> Option<Badge> {
        let (domain, low) = match self {
            Self::Session { domain, number } => (domain, number),
            Self::Fault { domain, thread } => (domain, thread | FAULT_BIT),
        };
        (domain < MAX_DOMAINS && low & !FAULT_BIT < FAULT_BIT).then(|| Badge::new(domain << DOMAIN_SHIFT | low)).flatten()
    }

    /// What a badge stands for.
    #[inline]
    pub fn of(badge: Badge) -> Self {
        let (domain, low) = (badge.number() >> DOMAIN_SHIFT, badge.number() & (FAULT_BIT - 1));
        match badge.number() & FAULT_BIT {
            0 => Self::Session { domain, number: low },
            _ => Self::Fault { domain, thread: low },
        }
    }
}

/// An endpoint that a component has made.
pub struct EndpointObject {
    /// Core's own capability.
    pub cap: Cap<Endpoint>,
    /// Who pays.
    pub account: Id<Domain>,
}

/// A notification that a component has made.
pub struct NotificationObject {
    /// Core's own capability.
    pub cap: Cap<Notification>,
    /// Who pays.
    pub account: Id<Domain>,
}
