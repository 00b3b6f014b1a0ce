//! What the badges of core's endpoint stand for.

use sel4::Badge;

use super::MAX_DOMAINS;

/// Who sent a message to core's endpoint, and to what; what its badge stands for.
///
/// | bits | hold |
/// |---|---|
/// | 27 to 18 | the protection domain whose capability it is, by its place in the arena |
/// | 17 | whether the kernel sends, for a thread that faulted |
/// | 16 to 0 | the session's number, or the thread's place in the arena |
///
/// No session has number 0, so no badge is 0.
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
        let (domain, low, fault) = match self {
            Self::Session { domain, number } => (domain, number, 0),
            Self::Fault { domain, thread } => (domain, thread, FAULT_BIT),
        };
        let fits = domain < MAX_DOMAINS && low < FAULT_BIT;
        fits.then(|| Badge::new(domain << DOMAIN_SHIFT | fault | low)).flatten()
    }

    /// What a badge stands for.
    #[inline(always)]
    pub fn of(badge: Badge) -> Self {
        let (domain, low) = (badge.number() >> DOMAIN_SHIFT, badge.number() & (FAULT_BIT - 1));
        match badge.number() & FAULT_BIT {
            0 => Self::Session { domain, number: low },
            _ => Self::Fault { domain, thread: low },
        }
    }
}
