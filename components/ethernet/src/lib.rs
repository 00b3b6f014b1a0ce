//! Both ends of a session of LINK, and a network stack at the client's. A library that servers and users of networks share, no
//! component.
//!
//! - [`Ethernet`]: the client's end. It sends and receives frames, and is a device for smoltcp.
//! - [`Stack`]: smoltcp over that, with a thread that waits for whatever comes first: a frame, a time, a signal of others.
//! - [`Port`]: the server's end.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod client;
mod device;
mod server;
mod stack;

pub use client::{Ethernet, LinkFailure};
pub use device::{Incoming, Outgoing};
pub use server::{Port, PortError};
pub use smoltcp;
pub use stack::{Stack, StackError};

/// Room for any frame.
pub type Frame = [u8; base::session::link::MAX_FRAME];
