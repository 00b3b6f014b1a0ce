//! ROM: read-only data by name.

use crate::{ErrorCode, interface, rpc::Slot};

/// ROM: read-only data by name.
#[interface(id = 5)]
pub trait Rom {
    /// The dataspace with the module of that name; and the module's size in bytes, which `size` tells.
    #[operation(1, encoded)]
    fn open(&mut self, at: Slot, name: &str) -> Result<Slot, OpenError>;

    /// Size of the module of that name in bytes.
    #[operation(2, encoded, idempotent)]
    fn size(&mut self, name: &str) -> Result<u32, OpenError>;
}

/// Longest name of a module in bytes.
pub const MAX_NAME: usize = 48;

/// Why nothing was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum OpenError {
    /// There is no module of that name.
    Nothing = 1,
    /// The caller would exceed its capabilities.
    Caps = 4,
    /// The number is taken.
    Occupied = 5,
    /// The number is beyond the caller's space, or its space is full.
    Range = 6,
}
