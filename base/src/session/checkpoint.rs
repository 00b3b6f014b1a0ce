//! CHECKPOINT: a component asks for a checkpoint of itself.

use crate::{ErrorCode, Words, interface, rpc::CallError};

/// Name of the service, of which a component opens a session. Who has none from whoever is its parent is told
/// [`OpenError::Service`](super::parent::OpenError::Service).
pub const SERVICE: &str = "checkpoint";

/// CHECKPOINT: a component asks for a checkpoint of itself, before it does something that it may have to come back from.
///
/// Like a fork, `take` is asked once and answered in each instance: in the one that asked, and in each that goes on from the
/// checkpoint. What a component does not ask for costs it nothing.
#[interface(id = 14)]
pub trait Checkpoint {
    /// A checkpoint of the component. It is taken between two requests, so the first answer is `Pending`; the doorbell
    /// rings, and the thread that asked asks again.
    #[operation(1)]
    fn take(&mut self) -> Result<Taken, CallError<TakeError>>;
}

/// A checkpoint that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Words)]
pub struct Taken {
    /// Its number.
    pub number: u32,
    /// Whether the component goes on from it in a new instance: what it did after it before is undone.
    pub restored: bool,
}

/// Why there is no checkpoint. The component runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum TakeError {
    /// The component serves a call, or is in one that changes hands, and that was not over in time.
    Busy = 1,
    /// There is no room for it, or something stands in the way, of which its parent tells.
    Failed = 2,
}
