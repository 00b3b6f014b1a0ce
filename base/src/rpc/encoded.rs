//! Payloads: what operations marked `encoded` send, bytes in the message buffer.
//!
//! The first word of the message says how many bytes follow, 1 to [`MAX_BYTES`]; then they come, four a word, the first
//! lowest, the rest of the last word zero. A payload without bytes is a message without words. So every payload has one
//! form, and everything else is refused.
//!
//! The bytes are the arguments, or the result, in postcard's encoding, one after the other, without anything between or
//! behind them. An exception is a *last* argument of type `&[u8]`: it is the rest of the payload, as it is. Where it is the
//! only argument, nothing is encoded at all, and a client sends the bytes from where they lie.
//!
//! Postcard's encoding says nothing about itself: both sides need the same definition. Decoding does not allocate, borrows
//! strings and bytes from the message, and cannot nest deeper than the types do.
//!
//! What the attribute [`interface`](macro@crate::interface) makes calls the functions; people need not.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Body, Buffer, Call, CallError, Connection, Long, MAX_WORDS, Reply, Status, Transport};

/// Most bytes of a payload.
pub const MAX_BYTES: usize = (MAX_WORDS - 1) * 4;

/// Words of a message with that many bytes of payload.
#[inline]
pub(super) const fn words_of(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { 1 + bytes.div_ceil(4) }
}

/// Writes a payload's message, whose length `to` has.
pub(super) fn pack(bytes: &[u8], to: &mut [u32]) {
    if let Some((first, rest)) = to.split_first_mut() {
        *first = bytes.len() as u32;
        if let Some(last) = rest.last_mut() {
            *last = 0;
        }
        bytemuck::cast_slice_mut(rest)[..bytes.len()].copy_from_slice(bytes);
    }
}

/// The payload of a message; none if it has none.
pub fn payload(words: &[u32]) -> Option<&[u8]> {
    let Some((&length, words)) = words.split_first() else { return Some(&[]) };
    let (length, bytes) = (length as usize, bytemuck::cast_slice::<u32, u8>(words));
    if length == 0 || length > MAX_BYTES || words.len() != length.div_ceil(4) {
        return None;
    }
    let (bytes, padding) = bytes.split_at_checked(length)?;
    padding.iter().all(|&byte| byte == 0).then_some(bytes)
}

/// Asks and waits. `head` are the arguments that are encoded, `tail` the bytes that are not.
///
/// # Errors
/// The arguments do not fit; or as told by whoever serves it.
pub fn call<C: Call, T: Transport>(
    connection: &Connection<T>,
    head: &impl Serialize,
    tail: &[u8],
) -> Result<C::Output, CallError<C::Error>>
where
    C::Output: DeserializeOwned,
{
    let mut space = [0; MAX_BYTES];
    let head = postcard::to_slice(head, &mut space).map_err(|_| CallError::TooLong)?.len();
    let bytes = match (head, tail) {
        (0, tail) => tail,
        (head, tail) => {
            let whole = space.get_mut(..head + tail.len()).ok_or(CallError::TooLong)?;
            whole[head..].copy_from_slice(tail);
            whole
        }
    };
    if const { size_of::<C::Output>() == 0 } {
        // It takes no room to speak of, so there is no need to clear any: registers hold up to twelve bytes of it.
        return send::<C, T>(connection, bytes, &mut []);
    }
    send::<C, T>(connection, bytes, Buffer::new().words())
}

#[inline(always)]
fn send<C: Call, T: Transport>(
    connection: &Connection<T>,
    bytes: &[u8],
    stored: &mut [u32],
) -> Result<C::Output, CallError<C::Error>>
where
    C::Output: DeserializeOwned,
{
    let answer = connection.transport.call_long(connection.slot, C::SELECTOR, Long::Bytes(bytes), stored);
    match answer.status() {
        Status::Done => {
            let output = answer.body(stored).as_ref().and_then(decode_all);
            output.ok_or(CallError::Foreign(Status::Done.label()))
        }
        status => Err(CallError::of(status)),
    }
}

/// Reads what is encoded, and hands over the bytes behind it.
pub fn decode<'a, H: Deserialize<'a>>(body: &'a Body<'_>) -> Option<(H, &'a [u8])> {
    postcard::take_from_bytes(payload(body.words())?).ok()
}

/// Reads what is encoded, with nothing behind it.
pub fn decode_all<'a, H: Deserialize<'a>>(body: &'a Body<'_>) -> Option<H> {
    decode(body).and_then(|(head, tail)| tail.is_empty().then_some(head))
}

/// Tells a result.
pub fn reply<'s>(output: &impl Serialize, space: &'s mut Buffer) -> Reply<'s> {
    let mut bytes = [0; MAX_BYTES];
    let Ok(bytes) = postcard::to_slice(output, &mut bytes) else { return Reply::of(Status::TooLong) };
    let words = &mut space.words()[..words_of(bytes.len())];
    pack(bytes, words);
    Reply { status: Status::Done, body: Body::Long(words) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packed(bytes: &[u8], space: &mut Buffer) -> Option<usize> {
        Long::Bytes(bytes).write(space.words())
    }

    #[test]
    fn the_layout_is_as_described() {
        let mut space = Buffer::new();
        space.words().fill(u32::MAX);
        assert_eq!(packed(b"abcde", &mut space), Some(3));
        assert_eq!(space.words()[..4], [5, 0x6463_6261, 0x65, u32::MAX]);
        assert_eq!(packed(b"", &mut space), Some(0));
    }

    #[test]
    fn a_payload_that_lies_is_refused() {
        let most = [MAX_BYTES as u32; MAX_WORDS];
        assert_eq!(payload(&most).map(<[u8]>::len), Some(MAX_BYTES));
        for words in [&[0][..], &[0, 0], &[1], &[1, 0x100], &[4, 1, 0], &[5, 0], &[u32::MAX, 0], &[u32::MAX - 3, 0]] {
            assert_eq!(payload(words), None, "{words:?}");
        }
        let mut longer = [0; MAX_WORDS + 1];
        longer[0] = MAX_BYTES as u32 + 4;
        assert_eq!(payload(&longer), None);
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(bytes in prop::collection::vec(any::<u8>(), 0..=MAX_BYTES)) {
            let mut space = Buffer::new();
            let length = packed(&bytes, &mut space).unwrap();
            prop_assert_eq!(payload(&space.words()[..length]), Some(&bytes[..]));
        }

        #[test]
        fn any_words_are_a_payload_or_none(words in prop::collection::vec(any::<u32>(), 0..130), length in 0u32..500) {
            let _ = payload(&words);
            // And with a length that may fit.
            let mut words = words;
            if let Some(first) = words.first_mut() {
                *first = length;
            }
            if let Some(bytes) = payload(&words) {
                // The one form that it has.
                let mut space = Buffer::new();
                let length = packed(bytes, &mut space).unwrap();
                prop_assert_eq!(&space.words()[..length], &words[..]);
            }
        }

        #[test]
        fn what_does_not_fit_is_not_packed(bytes in prop::collection::vec(any::<u8>(), MAX_BYTES + 1..MAX_BYTES + 9)) {
            prop_assert_eq!(packed(&bytes, &mut Buffer::new()), None);
        }
    }
}
