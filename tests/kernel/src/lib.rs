//! What root tasks that test or measure the kernel have in common: threads to play with, and ways to let them run.
#![no_std]

extern crate alloc;

pub mod ground;
pub mod outcome;
pub mod supplies;

pub use crate::ground::{Ground, Probe, Thread};
pub use outcome::{Failure, Outcome, Test};
pub use supplies::{AddressSpace, Loose};
