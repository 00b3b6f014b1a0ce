//! SIGNAL: being told that something has happened.

use crate::{ErrorCode, Words, interface, rpc::Slot};

/// SIGNAL: being told that something has happened.
///
/// A signal is a doorbell: the notification that rings says only that something is pending. What is pending are contexts,
/// each with the cookie that its maker gave it and a count of how often it was raised since it was fetched last. Every
/// ring may be for nothing.
#[interface(id = 7)]
pub trait Signal {
    /// A context whose signals ring `doorbell`, a notification.
    #[operation(1)]
    fn create(&mut self, at: Slot, account: Slot, doorbell: Slot, cookie: u32) -> Result<Slot, CreateError>;

    /// Raises the signal.
    #[operation(2)]
    fn raise(&mut self, context: Slot) -> Result<(), SignalError>;

    /// The next context of a doorbell that is pending, which it no longer is.
    #[operation(3)]
    fn fetch(&mut self, doorbell: Slot) -> Result<Option<Pending>, SignalError>;

    /// Ends a context.
    #[operation(4)]
    fn destroy(&mut self, context: Slot) -> Result<(), SignalError>;
}

/// Cookie of the signal by which a parent asks a component to exit. It is the parent's signal; what a component makes with this
/// cookie deceives only itself.
pub const EXIT: u32 = u32::MAX;

/// A signal that was pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Words)]
pub struct Pending {
    /// What the maker of the context gave it.
    pub cookie: u32,
    /// How often it was raised, at least once.
    pub count: u32,
    /// Whether another one is pending.
    pub more: bool,
}

/// Why there is no context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum CreateError {
    /// There is nothing under this number.
    Nothing = 1,
    /// There is something else under this number.
    Kind = 2,
    /// The account would exceed its memory.
    Ram = 3,
    /// The account would exceed its capabilities.
    Caps = 4,
    /// The number is taken.
    Occupied = 5,
    /// The number is beyond the caller's space, or its space is full.
    Range = 6,
    /// There is no more room.
    Exhausted = 8,
}

/// Why nothing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum SignalError {
    /// There is nothing under this number.
    Nothing = 1,
    /// There is something else under this number.
    Kind = 2,
}
