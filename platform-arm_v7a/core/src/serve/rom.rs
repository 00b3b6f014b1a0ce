//! ROM.
