//! Operations as types and as data, and what a call of one can end in.

use core::{fmt, num::NonZeroU8};

use serde::{Deserialize, Serialize};

use super::{Body, Buffer, Connection, Label, Reply, Request, Selector, Status, Transport};

/// What is known of an interface, for those who serve, relay, trace or recover it without knowing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its number, which no other interface has.
    pub id: u16,
    /// Its name, as in the source.
    pub name: &'static str,
    /// What it is for.
    pub doc: &'static str,
    /// What can be asked, in the order of the source.
    pub operations: &'static [Operation],
}

impl Interface {
    /// The operation of that number.
    pub fn operation(&self, number: u8) -> Option<&'static Operation> {
        self.operations.iter().find(|operation| operation.number == number)
    }
}

/// What is known of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its number, 1 to 255, which no other operation of the interface has.
    pub number: u8,
    /// Its name, as in the source.
    pub name: &'static str,
    /// Whether asking again does no more than asking once.
    pub idempotent: bool,
    /// Whether arguments and result are a [payload](super::encoded); otherwise they are words in registers.
    pub encoded: bool,
    /// Whether there is never a reply.
    pub unanswered: bool,
    /// Names of its arguments.
    pub arguments: &'static [&'static str],
    /// The type of what it gives when it succeeds, as in the source; empty if that is nothing.
    pub result: &'static str,
    /// Codes and names of its own errors.
    pub errors: &'static [(u8, &'static str)],
    /// What it does.
    pub doc: &'static str,
}

/// An operation as a type. The attribute [`interface`](macro@crate::interface) implements it for a type of each
/// operation, named like the operation, in the module `call` beside the interface.
pub trait Call {
    /// What is known of it.
    const OPERATION: Operation;
    /// What stands for it in the label.
    const SELECTOR: Selector = Selector::new(Self::OPERATION.number, Self::OPERATION.idempotent);

    /// What it takes, a tuple in the order of the definition.
    type Arguments<'a>;
    /// What it gives when it succeeds.
    type Output;
    /// How else it can end.
    type Error: ErrorCode;

    /// Asks and waits.
    ///
    /// # Errors
    /// As told by whoever serves it.
    fn call<T: Transport>(
        connection: &Connection<T>,
        arguments: Self::Arguments<'_>,
    ) -> Result<Self::Output, CallError<Self::Error>>;

    /// Reads arguments that arrived; none if they are not what the operation takes.
    fn decode<'a>(body: &'a Body<'_>) -> Option<Self::Arguments<'a>>;

    /// Tells a result.
    fn reply(output: Self::Output, space: &mut Buffer) -> Reply<'_>;
}

/// What the operation `C` takes.
pub type Arguments<'a, C> = <C as Call>::Arguments<'a>;

/// The errors of an operation, by their codes. [`#[derive(ErrorCode)]`](derive@crate::ErrorCode) implements it for an
/// enum without fields whose variants have explicit codes, 1 to 255.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no error of an operation: its causes have no codes",
    note = "derive `base::ErrorCode` for it"
)]
pub trait ErrorCode: Sized {
    /// All codes and their names.
    const CODES: &'static [(u8, &'static str)];

    /// Its code.
    fn code(&self) -> NonZeroU8;

    /// The error of that code.
    fn from_code(code: NonZeroU8) -> Option<Self>;
}

/// What there is none of: the error of an operation that has none of its own, the reply of one that is never answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Never {}

impl ErrorCode for Never {
    const CODES: &'static [(u8, &'static str)] = &[];

    fn code(&self) -> NonZeroU8 {
        match *self {}
    }

    fn from_code(_: NonZeroU8) -> Option<Self> {
        None
    }
}

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

/// How a call can fail, besides the errors that the operation itself has.
///
/// Each variant stands for the [`Status`] of the same name; a server whose definition says `Result<T, CallError<E>>` can
/// answer with any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallError<E> {
    /// An error of the operation's own.
    Error(E),
    /// The server does not know the operation: it serves another interface, or an older one.
    UnknownOperation,
    /// The server could not read the request: it has another definition of the operation.
    Malformed,
    /// Whoever serves the session does not allow or does not support the operation.
    Refused,
    /// Whoever would have answered is gone for good; nobody knows whether it did what it was asked for.
    PeerGone,
    /// Accepted, not done: whoever serves the session rings when there is more to say.
    Pending,
    /// A restore lies between request and answer, and nobody knows whether it was done.
    Interrupted,
    /// Arguments or result do not fit a message.
    TooLong,
    /// The reply has this label, and says nothing that this operation can end in: an unknown error code, a result that
    /// cannot be read, or whoever was called is no server.
    Foreign(u32),
}

impl<E: ErrorCode> CallError<E> {
    /// What a status other than [`Status::Done`] tells.
    #[inline]
    pub fn of(status: Status) -> Self {
        match status {
            Status::Error(code) => E::from_code(code).map_or(Self::Foreign(status.label()), Self::Error),
            Status::UnknownOperation => Self::UnknownOperation,
            Status::Malformed => Self::Malformed,
            Status::Refused => Self::Refused,
            Status::PeerGone => Self::PeerGone,
            Status::Pending => Self::Pending,
            Status::Interrupted => Self::Interrupted,
            Status::TooLong => Self::TooLong,
            Status::Done | Status::Foreign(_) => Self::Foreign(status.label()),
        }
    }

    /// The status that tells it.
    #[inline]
    pub fn status(&self) -> Status {
        match self {
            Self::Error(error) => Status::Error(error.code()),
            Self::UnknownOperation => Status::UnknownOperation,
            Self::Malformed => Status::Malformed,
            Self::Refused => Status::Refused,
            Self::PeerGone => Status::PeerGone,
            Self::Pending => Status::Pending,
            Self::Interrupted => Status::Interrupted,
            Self::TooLong => Status::TooLong,
            Self::Foreign(label) => Status::Foreign(*label),
        }
    }
}

impl<E> From<E> for CallError<E> {
    fn from(error: E) -> Self {
        Self::Error(error)
    }
}

impl<E: fmt::Display + ErrorCode> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            other => other.status().fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display + ErrorCode> core::error::Error for CallError<E> {}

/// What an interposer decides about one request of the operation `C`.
pub enum Decision<C: Call> {
    /// It goes on to the next server as it is, and its answer comes back as it is.
    Forward,
    /// It is answered [`Status::Refused`], and nobody else hears of it.
    Refuse,
    /// It is answered like this.
    Answer(Result<C::Output, CallError<C::Error>>),
    /// It is not answered: never, or later by the platform's means.
    Unanswered,
}

impl<C: Call> From<Result<C::Output, CallError<C::Error>>> for Decision<C> {
    fn from(result: Result<C::Output, CallError<C::Error>>) -> Self {
        Self::Answer(result)
    }
}

/// The reply that tells how an operation went.
#[inline(always)]
pub fn answer<C: Call>(result: Result<C::Output, CallError<C::Error>>, space: &mut Buffer) -> Reply<'_> {
    match result {
        Ok(output) => C::reply(output, space),
        Err(error) => Reply::of(error.status()),
    }
}

/// Does what an interposer has decided; none means that nobody is answered.
#[inline]
pub fn decide<'s, C: Call, T: Transport>(
    decision: Decision<C>,
    upstream: &Connection<T>,
    request: &Request<'_>,
    space: &'s mut Buffer,
) -> Option<Reply<'s>> {
    match decision {
        // Whoever forwarded what is never answered would wait for ever.
        Decision::Forward if C::OPERATION.unanswered => Some(Reply::of(Status::Refused)),
        Decision::Forward => Some(upstream.forward(request, space)),
        Decision::Refuse => Some(Reply::of(Status::Refused)),
        Decision::Answer(result) => Some(answer::<C>(result, space)),
        Decision::Unanswered => None,
    }
}

/// The reply to a request that is none of `operations`: its number is unknown, or it is wrong about `idempotent`.
#[cold]
pub fn unknown<'s>(operations: &[Operation], label: Label) -> Reply<'s> {
    let known = operations.iter().any(|operation| operation.number == label.selector().operation());
    Reply::of(if known { Status::Malformed } else { Status::UnknownOperation })
}
