//! Requests and replies between a component and whoever serves it.
//!
//! What can be asked is written down once, as a trait marked [`interface`](macro@crate::interface); the attribute makes
//! the client, the server's dispatch and the base of interposers from it, all of them thin layers over this module.
//!
//! A **request** is a [`Label`] and up to [`MAX_WORDS`] words. The label says which operation, whether asking twice does
//! no harm, and which thread asks for the how-manieth time; see [its layout](Label). A **reply** is a [`Status`], which
//! travels in its label, and words. Nothing in a message is a capability: an argument that stands for one is its number
//! in the caller's space, a [`Slot`]; who calls is told by the badge of the capability that was called.
//!
//! **Two forms.** An operation's arguments are words in registers, at most [`FAST_WORDS`], by the trait [`Words`]; so is
//! its result. An operation marked `encoded` has a [payload](encoded) of up to [`MAX_BYTES`] bytes instead, both ways.
//!
//! **Nobody is trusted.** What arrives is decoded completely or not at all: too short, too long, a value that the type
//! does not have, or something left over make a request [`Status::Malformed`], and a reply [`CallError::Foreign`].
//! Neither side panics, and decoding is bounded by the message's length.

mod call;
pub mod encoded;
mod label;
mod message;
mod registers;
mod status;
mod transport;
pub mod words;

pub use call::{Arguments, Call, CallError, Decision, ErrorCode, Interface, Never, Operation, answer, decide, unknown};
pub use encoded::MAX_BYTES;
pub use label::{Caller, Label, Selector, Sequence, ThreadNumber};
pub use message::{Body, Buffer, Reply, Request, Serve};
pub use registers::{Reader, Registers, Words};
pub use status::Status;
pub use transport::{Answer, Connection, Long, Shared, Transport};

/// Most words of a request or reply.
pub const MAX_WORDS: usize = 120;
/// Words that travel in registers, several times faster than the others.
pub const FAST_WORDS: usize = 4;

// Payloads are looked at as bytes in place.
#[cfg(not(target_endian = "little"))]
compile_error!("requests and replies have the lowest byte of a word first: only little-endian machines can talk");

/// A slot of a component's capability space. As an argument: the capability in the *caller's* slot of that number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Slot(pub u32);
