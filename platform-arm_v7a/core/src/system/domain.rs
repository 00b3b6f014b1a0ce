//! Protection domains: a table of numbers, a capability space, an account.

use alloc::{string::String, vec::Vec};

use base::session::pd;
use sel4::{CNode, Cap};

use super::{EndpointObject, Id, NotificationObject};

/// A protection domain.
pub struct Domain {
    /// What it is called.
    pub name: String,
    /// Whose child it is; none for the first.
    pub parent: Option<Id<Domain>>,
    /// What its numbers stand for; as long as its capability space.
    pub table: Vec<Entry>,
    /// Its capability space.
    pub slots: Cap<CNode>,
    /// Slots of that, as a power of two.
    pub slot_bits: u8,
    /// What it may use and uses.
    pub account: Account,
}

/// What a number stands for, and what its holder may do with it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The object.
    pub known: Known,
    /// Whether it may be written, received at, waited for, freed.
    pub owned: bool,
}

/// What a number can stand for.
#[derive(Clone, Copy, Debug)]
pub enum Known {
    /// Nothing.
    Nothing,
    /// A session of core's; the slot holds core's endpoint.
    Session(Session),
    /// A protection domain.
    Domain(Id<Domain>),
    /// An endpoint; the slot holds it.
    Endpoint(Id<EndpointObject>),
    /// A notification; the slot holds it.
    Notification(Id<NotificationObject>),
}

/// A session of core's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// PD.
    Pd,
}

/// What a protection domain may use and uses. What it has handed to children counts as neither: quota moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Bytes that it may use.
    pub ram: u64,
    /// Bytes that it uses.
    pub ram_used: u64,
    /// Capabilities that it may have.
    pub caps: u32,
    /// Capabilities that it has.
    pub caps_used: u32,
}

impl Account {
    /// As it is told; what is beyond 32 bits is told as the largest number.
    pub fn told(&self) -> pd::Account {
        let word = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX);
        pd::Account { ram: word(self.ram), ram_used: word(self.ram_used), caps: self.caps, caps_used: self.caps_used }
    }
}
