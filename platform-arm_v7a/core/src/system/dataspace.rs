//! Dataspaces: memory that can be attached.

/// Memory that can be attached.
pub struct Dataspace {}
