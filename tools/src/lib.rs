//! The host program behind `cargo rtcr`, as a library, so that tests drive it as the command line does.
//!
//! A scenario becomes a run in four steps, each usable alone:
//!
//! 1. [`scenario`]: read `run/NAME.toml`, apply overrides, check.
//! 2. [`build`]: let cargo build loader, core and each program for the board, each on its own, and find the kernel.
//! 3. [`image`]: pack them into one bootable file; equal parts give equal bytes.
//! 4. [`machine`]: boot it in QEMU and listen to core's reports until it has ended; [`explain`] says why it did.
//!
//! [`run`] does all four; [`checkup`] finds out what can be checkpointed; [`timeline`] shows what core did meanwhile, [`trace`] single instructions; [`setup`] is what the host must have for them. [`inspect`] shows checkpoint images. [`scaffold`] makes new components. [`verbs`] are what the command line offers, one file each. What people see while they wait is [`terminal`]'s.
#![forbid(unsafe_code)]

pub mod build;
pub mod checkup;
pub mod cli;
pub mod executable;
pub mod explain;
pub mod file;
pub mod image;
pub mod inspect;
pub mod interrupt;
pub mod machine;
pub mod nodes;
pub mod persistent;
pub mod process;
pub mod run;
pub mod scaffold;
pub mod scenario;
pub mod setup;
pub mod suggest;
pub mod suite;
pub mod terminal;
pub mod timeline;
pub mod trace;
pub mod verbs;
pub mod workspace;
