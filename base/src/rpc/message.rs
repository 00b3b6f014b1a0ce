//! Requests and replies as they are received and sent.

use super::{Label, MAX_WORDS, Registers, Status};

/// The words of a message.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// Those that travel in registers are all.
    Short(Registers),
    /// All of them; there may be few.
    Long(&'a [u32]),
}

impl Body<'_> {
    /// None.
    pub const EMPTY: Self = Self::Short(Registers::EMPTY);

    /// All words.
    #[inline]
    pub fn words(&self) -> &[u32] {
        match self {
            Self::Short(registers) => registers.words(),
            Self::Long(words) => words,
        }
    }

    /// All words, if they fit the registers.
    #[inline]
    pub fn registers(&self) -> Option<Registers> {
        match self {
            Self::Short(registers) => Some(*registers),
            Self::Long(words) => Registers::from_slice(words),
        }
    }
}

impl PartialEq for Body<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.words() == other.words()
    }
}

/// A request as it arrived: nothing of it has been checked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Request<'a> {
    /// What is asked, and by whom.
    pub label: Label,
    /// With what.
    pub body: Body<'a>,
}

/// A reply.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reply<'a> {
    /// How it went.
    pub status: Status,
    /// The result; empty unless the status is [`Status::Done`].
    pub body: Body<'a>,
}

impl Reply<'_> {
    /// A reply without words.
    #[inline(always)]
    pub const fn of(status: Status) -> Self {
        Self { status, body: Body::EMPTY }
    }
}

/// Answers the requests of one session, whatever its interface. The attribute
/// [`interface`](macro@crate::interface) makes one of everything that implements an interface: `Server`.
pub trait Serve {
    /// Answers a request, of which nothing is trusted. None means that nobody is answered. Long results are put into
    /// `space`.
    fn serve<'s>(&mut self, request: &Request<'_>, space: &'s mut Buffer) -> Option<Reply<'s>>;
}

/// Room for the words of one message. Whoever serves has one for replies, made once: it is 480 bytes large.
#[derive(Clone, Debug)]
pub struct Buffer {
    words: [u32; MAX_WORDS],
}

impl Buffer {
    /// Room.
    pub const fn new() -> Self {
        Self { words: [0; MAX_WORDS] }
    }

    /// All of it.
    #[inline(always)]
    pub const fn words(&mut self) -> &mut [u32; MAX_WORDS] {
        &mut self.words
    }
}

impl Default for Buffer {
    fn default() -> Self {
        Self::new()
    }
}
