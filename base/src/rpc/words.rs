//! Operations whose arguments and results are words in registers. What the attribute
//! [`interface`](macro@crate::interface) makes calls these; people need not.

use super::{Body, Call, CallError, Connection, FAST_WORDS, Registers, Reply, Status, Transport, Words};

/// Asks and waits.
///
/// # Errors
/// As told by whoever serves it.
#[inline(always)]
pub fn call<C: Call, T: Transport>(
    connection: &Connection<T>,
    arguments: impl Words,
) -> Result<C::Output, CallError<C::Error>>
where
    C::Output: Words,
{
    let answer = connection.transport.call(connection.slot, C::SELECTOR, Registers::of(arguments));
    match answer.status() {
        Status::Done => {
            let value = answer.registers().and_then(Registers::value);
            value.ok_or(CallError::Foreign(Status::Done.label()))
        }
        status => Err(CallError::of(status)),
    }
}

/// Whether values of that type travel in registers.
pub const fn fit<T: Words>() -> bool {
    T::WORDS <= FAST_WORDS
}

/// Reads arguments; none if the words are not what the operation takes.
#[inline(always)]
pub fn decode<T: Words>(body: &Body<'_>) -> Option<T> {
    body.registers()?.value()
}

/// Tells a result.
#[inline(always)]
pub fn reply<'s>(output: impl Words) -> Reply<'s> {
    Reply { status: Status::Done, body: Body::Short(Registers::of(output)) }
}
