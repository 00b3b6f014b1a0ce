//! What a component has from its first instruction.

/// Numbers that every component starts with. Sessions are kernel capabilities; the others are known by number only.
pub mod slots {
    use crate::rpc::Slot;

    /// Its own protection domain: its PD session.
    pub const PD: Slot = Slot(1);
    /// Its LOG session.
    pub const LOG: Slot = Slot(2);
    /// Where the kernel reports faults; of no use to the component.
    pub const FAULT: Slot = Slot(3);
    /// Its doorbell, a notification: rung for signals and for answers that took longer. Bound to its first thread.
    pub const DOORBELL: Slot = Slot(4);
    /// Its CPU session.
    pub const CPU: Slot = Slot(5);
    /// Its RM session.
    pub const RM: Slot = Slot(6);
    /// Its ROM session.
    pub const ROM: Slot = Slot(7);
    /// Its TIMER session.
    pub const TIMER: Slot = Slot(8);
    /// Its SIGNAL session.
    pub const SIGNAL: Slot = Slot(9);
    /// Its PARENT session.
    pub const PARENT: Slot = Slot(10);
    /// The endpoint at which requests for its services arrive.
    pub const ENDPOINT: Slot = Slot(11);
    /// Its address space, a region map.
    pub const ADDRESS_SPACE: Slot = Slot(12);
    /// Its first thread.
    pub const THREAD: Slot = Slot(13);
    /// The REPORT session of the first component of the system; nobody else has one.
    pub const REPORT: Slot = Slot(14);
    /// Free for the component's own use from here on.
    pub const FIRST_FREE: Slot = Slot(16);
}

#[cfg(feature = "runtime")]
mod environment;
#[cfg(feature = "runtime")]
mod logger;

#[cfg(feature = "runtime")]
pub use environment::Env;
#[cfg(feature = "runtime")]
pub use logger::Logger;
