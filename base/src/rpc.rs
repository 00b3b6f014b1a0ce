//! Requests and replies.
//!
//! A request is an operation number, which travels in the message's label, and up to [`MAX_WORDS`] words. The first
//! [`FAST_WORDS`] of them travel in registers. A reply is a [`Status`] and words. Nothing in a request is a capability:
//! who calls is told by the badge of the capability that was called.

use core::fmt;

/// Most words of a request or reply.
pub const MAX_WORDS: usize = 120;
/// Words that travel in registers, several times faster than the others.
pub const FAST_WORDS: usize = 4;

/// A slot of a component's capability space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u32);

/// How a request ended, as told in the reply's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Done.
    Done,
    /// The server does not know the operation.
    UnknownOperation,
    /// The words are not what the operation takes.
    Malformed,
    /// A label that no server of this framework sends.
    Foreign(u32),
}

impl Status {
    // Labels that the kernel itself produces (faults, errors) are small numbers; these are not.
    const BASE: u32 = 0x8000;

    /// The label that tells it.
    pub fn label(self) -> u32 {
        match self {
            Self::Done => Self::BASE,
            Self::UnknownOperation => Self::BASE + 1,
            Self::Malformed => Self::BASE + 2,
            Self::Foreign(label) => label,
        }
    }

    /// What a label tells.
    pub fn from_label(label: u32) -> Self {
        match label.wrapping_sub(Self::BASE) {
            0 => Self::Done,
            1 => Self::UnknownOperation,
            2 => Self::Malformed,
            _ => Self::Foreign(label),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => write!(f, "done"),
            Self::UnknownOperation => write!(f, "the server does not know this operation"),
            Self::Malformed => write!(f, "the server could not read the request"),
            Self::Foreign(label) => write!(f, "the answer has the label {label:#x}, which no server sends"),
        }
    }
}

/// How a platform carries requests: on seL4, a call on an endpoint.
pub trait Transport: Sync {
    /// Sends a request to whoever serves `to` and waits for the reply. Words beyond [`MAX_WORDS`] are not sent; of the
    /// reply as many words are stored as `reply` holds, and their number is returned.
    fn call(&self, to: Slot, operation: u32, request: &[u32], reply: &mut [u32]) -> (Status, usize);
}
