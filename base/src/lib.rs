//! The portable component framework.
//!
//! Everything here is shared by components, by the parents that serve them and by the host tool, and knows neither the
//! kernel nor the processor nor checkpoints. A component is a library with one function, `construct(&mut Env)`; whoever
//! builds an image links it to a platform's start-up code, which brings a [`Transport`](rpc::Transport).
//!
//! * [`env`](mod@env): what a component has from its first instruction.
//! * [`rpc`]: requests and replies between a component and whoever serves it.
//! * [`interface`](macro@interface): one definition, of which client, server and interposer are made.
//! * [`session`]: the interfaces themselves.
//! * [`executable`](mod@executable): programs.
//! * [`platform`]: what a component's machine does for it.
//! * [`layout`]: where things lie in a component's address space.
//! * [`text`]: what a component prints, made safe to show.
//! * [`deadlines`], [`queue`]: for whoever serves time and signals (feature `heap`).
//! * [`scenario`], [`oracle`]: a run described as data, and judged (feature `scenario`).
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "heap")]
extern crate alloc;
// What `interface` makes says `::base`, here as everywhere.
extern crate self as base;

#[cfg(feature = "heap")]
pub mod deadlines;
#[cfg(test)]
#[path = "../tests/support/elf.rs"]
mod elf_file;
pub mod env;
pub mod executable;
pub mod layout;
#[cfg(feature = "scenario")]
pub mod oracle;
pub mod platform;
#[cfg(feature = "heap")]
pub mod queue;
pub mod rpc;
#[cfg(feature = "scenario")]
pub mod scenario;
pub mod session;
pub mod text;

pub use env::Env;
pub use interface::{ErrorCode, Words, interface, interposer};
