//! What carries requests to whoever serves them.

use super::{
    Body, Buffer, FAST_WORDS, MAX_BYTES, MAX_WORDS, Registers, Reply, Request, Selector, Slot, Status, encoded,
};

/// How a platform carries requests: on seL4, a call on an endpoint.
///
/// Requests are labelled and counted here, per thread; see [`Caller`](super::Caller).
pub trait Transport: Sync {
    /// Sends a request of a few words to whoever serves `to` and waits for the reply, of which only what travels in
    /// registers is kept.
    fn call(&self, to: Slot, selector: Selector, request: Registers) -> Answer;

    /// Sends a request of any length to whoever serves `to` and waits for the reply. Of its words, if they are more than
    /// travel in registers, as many are stored as `reply` holds, the first ones included.
    ///
    /// A request that does not fit a message is not sent: [`Status::TooLong`].
    fn call_long(&self, to: Slot, selector: Selector, request: Long<'_>, reply: &mut [u32]) -> Answer;
}

/// The transport of a component: there is one, for as long as the component runs.
pub type Shared = &'static dyn Transport;

impl<T: Transport + ?Sized> Transport for &T {
    #[inline(always)]
    fn call(&self, to: Slot, selector: Selector, request: Registers) -> Answer {
        (**self).call(to, selector, request)
    }

    #[inline(always)]
    fn call_long(&self, to: Slot, selector: Selector, request: Long<'_>, reply: &mut [u32]) -> Answer {
        (**self).call_long(to, selector, request, reply)
    }
}

/// A request that may not fit the registers.
#[derive(Clone, Copy, Debug)]
pub enum Long<'a> {
    /// These words.
    Words(&'a [u32]),
    /// A [payload](encoded): a word that says how many bytes there are, then the bytes.
    Bytes(&'a [u8]),
}

impl Long<'_> {
    /// How many words it has; none if they do not fit a message.
    #[inline]
    pub const fn length(&self) -> Option<usize> {
        match self {
            Self::Words(words) if words.len() <= MAX_WORDS => Some(words.len()),
            Self::Bytes(bytes) if bytes.len() <= MAX_BYTES => Some(encoded::words_of(bytes.len())),
            _ => None,
        }
    }

    /// Writes the words to where they are sent from, and says how many there are; none if they do not fit a message.
    pub fn write(&self, to: &mut [u32; MAX_WORDS]) -> Option<usize> {
        let length = self.length()?;
        let to = &mut to[..length];
        match self {
            Self::Words(words) => to.copy_from_slice(words),
            Self::Bytes(bytes) => encoded::pack(bytes, to),
        }
        Some(length)
    }
}

/// What came back: label, length, and the words that travel in registers.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    label: u32,
    /// How many words came, of which up to four are here.
    length: usize,
    words: [u32; FAST_WORDS],
}

impl Answer {
    /// As received.
    #[inline(always)]
    pub const fn new(label: u32, length: usize, words: [u32; FAST_WORDS]) -> Self {
        Self { label, length, words }
    }

    /// Nothing was sent, for that reason.
    #[inline(always)]
    pub const fn unsent(status: Status) -> Self {
        Self { label: status.label(), length: 0, words: [0; FAST_WORDS] }
    }

    /// How it went.
    #[inline(always)]
    pub const fn status(&self) -> Status {
        Status::from_label(self.label)
    }

    /// All words, if they are few.
    #[inline(always)]
    pub const fn registers(&self) -> Option<Registers> {
        Registers::received(self.length, self.words)
    }

    /// All words; `stored` is where [`Transport::call_long`] stored them. None if it was too small.
    #[inline]
    pub fn body<'a>(&self, stored: &'a [u32]) -> Option<Body<'a>> {
        match self.registers() {
            Some(registers) => Some(Body::Short(registers)),
            None => stored.get(..self.length).map(Body::Long),
        }
    }
}

/// A session, from the side that asks: the transport, and the slot of the capability that leads to who serves it.
#[derive(Clone, Copy)]
pub struct Connection<T = Shared> {
    /// What carries the requests.
    pub transport: T,
    /// Where they go.
    pub slot: Slot,
}

impl<T: Transport> Connection<T> {
    /// Sends a request on as it is, whatever its interface, and hands back the reply as it is: the words and, of the
    /// label, operation and `idempotent`. Thread and sequence number are the forwarder's own.
    pub fn forward<'s>(&self, request: &Request<'_>, space: &'s mut Buffer) -> Reply<'s> {
        let words = Long::Words(request.body.words());
        let answer = self.transport.call_long(self.slot, request.label.selector(), words, space.words());
        // A reply has at most as many words as the buffer.
        let body = answer.body(space.words()).unwrap_or(Body::EMPTY);
        Reply { status: answer.status(), body }
    }
}
