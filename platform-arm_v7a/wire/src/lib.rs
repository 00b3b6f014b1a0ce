//! What the host tool, the loader and core say to each other.
//!
//! * [`archive`]: named files in one checked block of bytes: kernel, core and boot modules on their way to the board.
//! * [`executable`]: the ELF files in it, checked before anything of them is placed or mapped.
//! * [`layout`], [`plan`]: where things lie in memory.
//! * [`record`]: what core reports to the host over the control line (UART1), which no component can reach.
//! * [`trace`]: what core does in a run, event by event; told in such records.
//!
//! Both sides decode with these types, and each treats what it reads as coming from a stranger.
#![cfg_attr(not(any(test, feature = "write")), no_std)]
#![forbid(unsafe_code)]

pub mod archive;
pub mod executable;
pub mod layout;
pub mod plan;
pub mod record;
pub mod trace;

#[cfg(test)]
#[path = "../../../base/tests/support/elf.rs"]
mod elf_file;
