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
//! * [`region`]: which frames memory is made of, and what lies where.
//! * [`layout`]: where things lie in a component's address space.
//! * [`child`]: how a component makes, serves and ends another one (feature `scenario`).
//! * [`interpose`]: how a parent stands between a child and the system (feature `scenario`).
//! * [`text`], [`allowance`]: what a component prints, made safe to show, and how much of it is shown.
//!
//! With the feature `runtime`, what a component runs with:
//!
//! * [`Env`]: its methods are what a component can do.
//! * [`memory`]: dataspaces, region maps, and what is attached.
//! * [`thread`], [`sync`]: threads, and locks that they share.
//! * [`signal`]: being told that something has happened.
//! * [`service`], [`client`]: services that a component offers, and sessions of others'.
//! * [`exit`]: being asked to exit.
//! * [`endpoint`]: calls between threads of one component.
//! * [`entrypoint`]: what the first thread does for ever.
//! * [`heap`]: memory for `alloc`.
//! * [`runtime`]: what all these share.
//!
//! With the feature `heap`: [`deadlines`], [`queue`], for whoever serves time and signals.
//! With the feature `scenario`: [`scenario`], [`oracle`]: a run described as data, and judged.
//! With the feature `testing`: the module `testing`, a machine in memory.
//!
//! # Unsafe
//! Denied, but in the files that cannot do without: `heap.rs` (an allocator), `memory/view.rs` (attached memory as bytes and
//! words), `sync.rs` (locks).
#![no_std]
#![deny(unsafe_code)]

#[cfg(feature = "heap")]
extern crate alloc;
#[cfg(feature = "testing")]
extern crate std;
// What `interface` makes says `::base`, here as everywhere.
extern crate self as base;

pub mod allowance;
#[cfg(feature = "scenario")]
pub mod child;
#[cfg(feature = "runtime")]
pub mod client;
#[cfg(feature = "heap")]
pub mod deadlines;
#[cfg(test)]
#[path = "../tests/support/elf.rs"]
mod elf_file;
#[cfg(feature = "runtime")]
pub mod endpoint;
#[cfg(feature = "runtime")]
pub mod entrypoint;
pub mod env;
pub mod executable;
#[cfg(feature = "runtime")]
pub mod exit;
#[cfg(feature = "runtime")]
pub mod heap;
#[cfg(feature = "scenario")]
pub mod interpose;
pub mod layout;
#[cfg(feature = "runtime")]
pub mod memory;
#[cfg(feature = "scenario")]
pub mod oracle;
pub mod platform;
#[cfg(feature = "heap")]
pub mod queue;
#[cfg(feature = "heap")]
pub mod region;
pub mod rpc;
#[cfg(feature = "runtime")]
pub mod runtime;
#[cfg(feature = "scenario")]
pub mod scenario;
#[cfg(feature = "runtime")]
pub mod service;
pub mod session;
#[cfg(feature = "runtime")]
pub mod signal;
#[cfg(feature = "runtime")]
pub mod sync;
#[cfg(feature = "testing")]
pub mod testing;
pub mod text;
#[cfg(feature = "runtime")]
pub mod thread;
pub mod trace;

#[cfg(feature = "runtime")]
pub use env::Env;
pub use interface::{ErrorCode, Words, interface, interposer};
