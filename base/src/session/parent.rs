//! PARENT: what a component asks of whoever made it.

use serde::{Deserialize, Serialize};

use super::{
    cpu::{Cause, Place},
    figures::Figures,
};
use crate::{
    ErrorCode, interface,
    rpc::{CallError, Slot},
};

/// PARENT: what a component asks of whoever made it.
///
/// What takes longer is answered `Pending`; the component's doorbell rings, and it asks again with the same arguments.
#[interface(id = 8)]
pub trait Parent {
    /// Ends the component with `code`; 0 means that it did what it should.
    #[operation(1, unanswered)]
    fn exit(&mut self, code: i32);

    /// Ends the component, which has panicked; its message is in LOG, and the place is where its first thread is.
    #[operation(2, unanswered)]
    fn panicked(&mut self);

    /// What the component is called.
    #[operation(3, idempotent, encoded)]
    fn name(&mut self) -> Name;

    /// A value of the scenario, as text.
    #[operation(4, idempotent, encoded)]
    fn value(&mut self, key: &str) -> Option<Value>;

    /// Opens a session of a service: one that another component announces, or one of core's by its interface's name in
    /// lower case. `argument` goes to the server, or is the label.
    #[operation(5, encoded)]
    fn open(&mut self, service: &str, argument: &[u8]) -> Result<Slot, CallError<OpenError>>;

    /// Closes a session.
    #[operation(6)]
    fn close(&mut self, session: Slot) -> Result<(), CallError<SessionError>>;

    /// Donates more memory and capabilities to a session's server.
    #[operation(7)]
    fn upgrade(&mut self, session: Slot, ram: u32, caps: u32) -> Result<(), CallError<SessionError>>;

    /// Asks for more memory and capabilities.
    #[operation(8)]
    fn request(&mut self, ram: u32, caps: u32) -> Result<(), CallError<RequestError>>;

    /// Offers a service; requests arrive at the component's endpoint. From then on the doorbell rings for [`Task`]s.
    #[operation(9, encoded)]
    fn announce(&mut self, service: &str) -> Result<(), AnnounceError>;

    /// The next thing to do for a service, if there is one. It is told until it is `done`.
    #[operation(10, idempotent, encoded)]
    fn task(&mut self) -> Option<Task>;

    /// That task is done, or not for that reason.
    #[operation(11)]
    fn done(&mut self, session: u32, accepted: bool) -> Result<(), SessionError>;

    /// A handle by which the client of a session can have a dataspace or signal context of this component.
    #[operation(12)]
    fn hand_over(&mut self, session: u32, number: Slot, writable: bool) -> Result<u32, SessionError>;

    /// What the server of a session has a handle for.
    #[operation(13)]
    fn redeem(&mut self, session: Slot, handle: u32, at: Slot) -> Result<Slot, RedeemError>;

    /// Tells the parent what became of a component below this one.
    #[operation(14, encoded)]
    fn report(&mut self, component: &str, event: Event) -> Result<(), ReportError>;

    /// The requests of a session that the component is asked to open are to arrive wherever that capability of its own leads,
    /// with that capability's badge, instead of at its own endpoint. Before the task is `done`.
    #[operation(15)]
    fn serve_at(&mut self, session: u32, endpoint: Slot) -> Result<(), SessionError>;

    /// A handle by which the server of a session can have a signal context of this component, to raise it.
    #[operation(16)]
    fn lend(&mut self, session: Slot, context: Slot) -> Result<u32, SessionError>;

    /// What the client of a session has lent by that handle.
    #[operation(17)]
    fn borrow(&mut self, session: u32, handle: u32, at: Slot) -> Result<Slot, RedeemError>;
}

/// Name of a component.
pub type Name = heapless::String<32>;
/// A value of a scenario, as text.
pub type Value = heapless::String<64>;
/// Name of a service.
pub type ServiceName = heapless::String<32>;
/// Longest argument of a session in bytes.
pub const MAX_ARGUMENT: usize = 160;

/// Something to do for a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Which session, and the badge with which its requests arrive.
    pub session: u32,
    /// What.
    pub what: TaskKind,
}

/// What is to do for a service.
// Passed on by value, one at a time, by whoever may have no heap.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskKind {
    /// A client wants a session.
    Open {
        /// Of this service.
        service: ServiceName,
        /// Name of the client.
        client: Name,
        /// As the client gave it.
        argument: heapless::Vec<u8, MAX_ARGUMENT>,
    },
    /// The client has donated.
    Upgrade {
        /// Bytes.
        ram: u32,
        /// Capabilities.
        caps: u32,
    },
    /// The client has closed the session, or is gone.
    Close,
}

/// What became of a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It ended itself.
    Exited(i32),
    /// It panicked.
    Panicked(Place),
    /// It did what it may not.
    Faulted(Cause, Place),
    /// It cannot be started, or its parent has given it up; for people.
    Failed(heapless::String<200>),
    /// It was asked to exit, did not in time, and was ended.
    Overdue,
    /// It has crashed, and its parent does something about that.
    Crashed {
        /// How.
        crash: Crash,
        /// What its parent does. What becomes of one that is given up is told next.
        remedy: Remedy,
        /// How often it was recovered until now, with this time.
        recoveries: u32,
    },
    /// It goes on: a checkpoint of it was taken, or it was restored from one.
    Worked(Figures),
    /// It goes on; its parent has looked whether it could be checkpointed.
    Checked {
        /// What stands in the way, for people; empty if nothing does.
        obstacles: heapless::String<160>,
        /// What it has asked for and was refused, because it is not supported, for people.
        refused: heapless::String<160>,
    },
}

/// How a component crashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Crash {
    /// It did what it may not.
    Faulted(Cause, Place),
    /// It panicked.
    Panicked(Place),
    /// It ended itself with another code than 0.
    Exited(i32),
    /// It ran and asked for nothing for so many microseconds; and where it was then.
    Silent(u32, Place),
    /// It has crashed, and could not be recovered like the last remedy says.
    Unrestored,
}

/// What a parent does about a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Remedy {
    /// The component goes back to its checkpoint of that number.
    Restored(u32),
    /// It starts from its beginning.
    Started,
    /// It was recovered as often as may be.
    GivenUp,
}

/// Why there is no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum OpenError {
    /// Nobody offers that service to this component.
    Service = 14,
    /// The server refused.
    Refused = 23,
    /// The client would exceed its capabilities.
    Caps = 4,
    /// The client has not the memory that a session costs.
    Ram = 3,
    /// The server has ended.
    Gone = 24,
}

/// Why nothing happened to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum SessionError {
    /// There is no such session.
    Nothing = 1,
    /// There is something else under this number.
    Kind = 2,
    /// The giver has not so much memory left.
    Ram = 3,
    /// The giver has not so many capabilities left.
    Caps = 4,
}

/// Why there is not more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum RequestError {
    /// The parent does not give so much.
    Denied = 25,
}

/// Why a service is not offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum AnnounceError {
    /// An empty name, or one that is too long.
    Name = 12,
    /// It is offered already.
    Occupied = 5,
}

/// Why a handle was not redeemed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum RedeemError {
    /// There is no such session, or no such handle of it.
    Nothing = 1,
    /// The client would exceed its capabilities.
    Caps = 4,
    /// The number is taken.
    Occupied = 5,
    /// The number is beyond the caller's space, or its space is full.
    Range = 6,
}

/// Why a report was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum ReportError {
    /// It is not about a component below the caller.
    Name = 12,
}
