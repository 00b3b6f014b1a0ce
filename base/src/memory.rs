//! Memory of a component: dataspaces, region maps, what is attached, modules.
//!
//! Operations of core's do a bounded part; here they are loops, so that what a function returns is all there. What is
//! dropped is given back.

mod dataspace;
mod region;
mod view;

pub use dataspace::{Attachable, Dataspace, Shared};
pub use region::{Region, RegionMap};
pub use view::{Attachment, Module, PrivateMemory};

use crate::{
    rpc::CallError,
    session::{
        pd::{AllocateError, LookupError},
        rm::AttachError,
        rom::OpenError,
    },
};

/// Why there is no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryError {
    /// Nothing was allocated.
    Allocate(CallError<AllocateError>),
    /// It could not be attached.
    Attach(CallError<AttachError>),
    /// Nobody knows how large it is.
    Describe(CallError<LookupError>),
}

impl From<CallError<AllocateError>> for MemoryError {
    fn from(error: CallError<AllocateError>) -> Self {
        Self::Allocate(error)
    }
}

impl From<CallError<AttachError>> for MemoryError {
    fn from(error: CallError<AttachError>) -> Self {
        Self::Attach(error)
    }
}

/// Why there is no module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModuleError {
    /// It could not be opened.
    Open(CallError<OpenError>),
    /// It could not be attached.
    Attach(MemoryError),
}
