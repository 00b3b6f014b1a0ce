//! The portable component framework.
//!
//! Everything here is shared by components, by the parents that serve them and by the host tool, and knows neither the
//! kernel nor the processor nor checkpoints. A component is a library with one function, `construct(&mut Env)`; whoever
//! builds an image links it to a platform's start-up code.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod scenario;
