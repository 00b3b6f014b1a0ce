//! Region maps: what lies where.

/// What lies where.
pub struct RegionMap {}
