//! Small values that calls take: rights, badges, guards, priorities.

use sel4_raw as raw;

/// What a capability allows. Stands for `seL4_CapRights_t` (manual, section 3.1.4).
///
/// Read: receive, wait, read memory. Write: send, signal, write memory. Grant, of endpoints only: pass capabilities
/// along, and be answered; without it a caller is never woken by its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rights {
    /// Receive, wait, read.
    pub read: bool,
    /// Send, signal, write.
    pub write: bool,
    /// Pass capabilities along and be answered.
    pub grant: bool,
}

impl Rights {
    /// None.
    pub const NONE: Self = Self::new(false, false, false);
    /// Read only.
    pub const READ: Self = Self::new(true, false, false);
    /// Write only.
    pub const WRITE: Self = Self::new(false, true, false);
    /// Read and write.
    pub const READ_WRITE: Self = Self::new(true, true, false);
    /// Write and grant: what a client needs to call.
    pub const CALL: Self = Self::new(false, true, true);
    /// All.
    pub const ALL: Self = Self::new(true, true, true);

    /// The given ones.
    pub const fn new(read: bool, write: bool, grant: bool) -> Self {
        Self { read, write, grant }
    }

    pub(crate) const fn raw(self) -> raw::seL4_CapRights_t {
        raw::seL4_CapRights_t::new(self.grant as u32, self.read as u32, self.write as u32)
    }
}

/// The number by which the receiver of a message or signal tells its senders apart: 28 bits (manual, sections 4.2.1 and
/// 5.1). 0 is the badge of a capability without one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Badge(u32);

impl Badge {
    /// The largest.
    pub const MAX: Self = Self((1 << raw::seL4_BadgeBits) - 1);
    /// No badge.
    pub const NONE: Self = Self(0);

    /// The badge of this number; none if it has more than 28 bits.
    pub const fn new(number: u32) -> Option<Self> {
        if number <= Self::MAX.0 { Some(Self(number)) } else { None }
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// What the kernel put into the badge register.
    pub(crate) const fn received(register: u32) -> Self {
        Self(register & Self::MAX.0)
    }
}

/// Leading bits that a capability number must have, in a capability to a CNode (manual, section 3.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Guard {
    bits: u32,
    size: u8,
}

impl Guard {
    /// The `size` bits of `bits`; none if the kernel cannot hold them: it has 18 bits for the value, 5 for the size, and
    /// the value must fit the size.
    pub const fn new(bits: u32, size: u8) -> Option<Self> {
        let width = if (size as u32) < raw::seL4_GuardBits { size as u32 } else { raw::seL4_GuardBits };
        if (size as u32) < 1 << raw::seL4_GuardSizeBits && bits >> width == 0 {
            Some(Self { bits, size })
        } else {
            None
        }
    }

    /// The guard that makes a plain number the slot: zeros in front of the `bits` that a CNode, or two levels of them,
    /// resolve. None for more than 31 bits.
    pub const fn filling(bits: u8) -> Option<Self> {
        if bits == 0 || bits > 32 { None } else { Self::new(0, 32 - bits) }
    }
}

/// What a capability gets when it is minted or mutated. Stands for `seL4_CapData_t` (manual, section 3.1.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CapData {
    /// Nothing; `seL4_NilData`.
    #[default]
    None,
    /// For endpoints and notifications. A capability that has a badge cannot get another.
    Badge(Badge),
    /// For CNodes.
    Guard(Guard),
}

impl CapData {
    pub(crate) const fn raw(self) -> raw::seL4_CapData_t {
        match self {
            Self::None => raw::seL4_CapData_t::Badge_new(0),
            Self::Badge(Badge(badge)) => raw::seL4_CapData_t::Badge_new(badge),
            Self::Guard(Guard { bits, size }) => raw::seL4_CapData_t::Guard_new(bits, size as u32),
        }
    }
}

impl From<Badge> for CapData {
    fn from(badge: Badge) -> Self {
        Self::Badge(badge)
    }
}

impl From<Guard> for CapData {
    fn from(guard: Guard) -> Self {
        Self::Guard(guard)
    }
}

/// A thread's priority and the highest that it may give to others. Stands for `seL4_PrioProps_t` (manual, section 6.1.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Priority {
    /// 0 (lowest) to 255.
    pub own: u8,
    /// The highest that the thread may give to itself or another; at most that of the thread that configures it.
    pub controlled: u8,
}

impl Priority {
    /// A priority for a thread that may give none.
    pub const fn new(own: u8) -> Self {
        Self { own, controlled: 0 }
    }

    pub(crate) const fn raw(self) -> raw::seL4_PrioProps_t {
        raw::seL4_PrioProps_t::new(self.controlled as u32, self.own as u32)
    }
}

const _: () = assert!(raw::seL4_MaxPrio == 255 && raw::seL4_MinPrio == 0);
