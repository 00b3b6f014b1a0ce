//! What core does in a run, event by event: what is recorded on the board, and how it comes to the host.
//!
//! An [`Event`] is a [`Moment`] of four words, so that recording one is four stores. The [`Ring`] keeps the last ones.
//! Components and threads are called by numbers; their [`Names`] are kept beside it. All of it comes to the host as
//! [`Piece`]s after everything else has happened, so that telling it delays nothing.

mod event;
mod names;
mod ring;

use serde::{Deserialize, Serialize};

pub use event::{Event, FaultEnd, Misdeed};
pub use names::Names;
pub use ring::Ring;

/// Words of an event.
pub const WORDS: usize = 4;
/// Bytes of an event in a [`Piece`].
pub const BYTES: usize = WORDS * 4;
/// Most events of a piece: it fits a record.
pub const EVENTS: usize = 60;
/// Longest name in bytes; longer ones are cut.
pub const MAX_NAME: usize = 32;

/// An event, and when it was and whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Nanoseconds since core's clock was started; 48 bits.
    pub time: u64,
    /// The place of the protection domain that it is about. Places are used again.
    pub domain: u16,
    /// The number of that one's name; 0 if it has none.
    pub name: u8,
    /// What happened.
    pub event: Event,
}

/// What is told of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Piece<'a> {
    /// It comes: so many events have been recorded, the last ones of which follow.
    Begin {
        /// All that were ever recorded.
        recorded: u64,
        /// Those that are still there.
        kept: u32,
    },
    /// The name of that number.
    Name {
        /// The number, which is not 0.
        number: u8,
        /// The name.
        name: &'a str,
    },
    /// The name of a kind of events that components leave.
    Kind {
        /// The number, which is not 0.
        number: u8,
        /// The name.
        name: &'a str,
    },
    /// The next events, oldest first, [`BYTES`] each.
    Events(&'a [u8]),
}

impl Moment {
    /// As it is kept.
    #[inline]
    pub fn words(self) -> [u32; WORDS] {
        let event::Parts { kind, detail, thread, value } = self.event.parts();
        [
            self.time as u32,
            (self.time >> 32) as u32 & 0xffff | u32::from(kind) << 16 | u32::from(detail) << 24,
            u32::from(self.domain) | u32::from(self.name) << 16 | u32::from(thread) << 24,
            value,
        ]
    }

    /// From such words; none if they are no event of this version.
    pub fn from_words(words: [u32; WORDS]) -> Option<Self> {
        let [low, high, who, value] = words;
        let parts =
            event::Parts { kind: (high >> 16) as u8, detail: (high >> 24) as u8, thread: (who >> 24) as u8, value };
        Some(Self {
            time: u64::from(low) | u64::from(high & 0xffff) << 32,
            domain: who as u16,
            name: (who >> 16) as u8,
            event: Event::from_parts(parts)?,
        })
    }

    /// From the bytes of a piece; none if they are no event of this version.
    pub fn from_bytes(bytes: [u8; BYTES]) -> Option<Self> {
        let mut words = [0; WORDS];
        for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(4)) {
            *word = u32::from_le_bytes(bytes.try_into().ok()?);
        }
        Self::from_words(words)
    }
}

/// Tells a trace, piece by piece.
pub fn tell<const EVENTS_KEPT: usize, const NAMES: usize, const KINDS: usize>(
    ring: &Ring<EVENTS_KEPT>,
    names: &Names<NAMES>,
    kinds: &Names<KINDS>,
    mut piece: impl FnMut(Piece<'_>),
) {
    let kept = ring.kept();
    piece(Piece::Begin { recorded: ring.recorded(), kept });
    let mut buffer = [0; MAX_NAME];
    for number in 1..=names.count() {
        piece(Piece::Name { number, name: names.get(number, &mut buffer) });
    }
    for number in 1..=kinds.count() {
        piece(Piece::Kind { number, name: kinds.get(number, &mut buffer) });
    }
    let (mut bytes, mut length) = ([0; EVENTS * BYTES], 0);
    for index in 0..kept {
        for word in ring.get(index) {
            bytes[length..length + 4].copy_from_slice(&word.to_le_bytes());
            length += 4;
        }
        if length == bytes.len() || index + 1 == kept {
            piece(Piece::Events(&bytes[..length]));
            length = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{MAX, Record};
    use proptest::prelude::*;

    #[test]
    fn a_trace_is_told_in_order_and_in_pieces_that_fit() {
        let (ring, names) = (Ring::<100>::new(), Names::<4>::new());
        names.number("hello");
        let kinds = Names::<4>::new();
        kinds.number("barrier");
        let moment = |number: u32| Moment {
            time: number.into(),
            domain: 3,
            name: 1,
            event: Event::Signal { cookie: number, rings: true },
        };
        (0..130).for_each(|number| ring.push(moment(number).words()));
        let (mut told, mut names_told, mut kinds_told, mut begin) = (Vec::new(), Vec::new(), Vec::new(), None);
        tell(&ring, &names, &kinds, |piece| {
            let mut buffer = [0; MAX];
            let mut frame = Record::Trace(piece).encode(&mut buffer).unwrap().to_vec();
            match Record::decode(&mut frame).unwrap() {
                Record::Trace(Piece::Begin { recorded, kept }) => begin = Some((recorded, kept)),
                Record::Trace(Piece::Name { number, name }) => names_told.push((number, name.to_owned())),
                Record::Trace(Piece::Kind { number, name }) => kinds_told.push((number, name.to_owned())),
                Record::Trace(Piece::Events(bytes)) => {
                    let (events, rest) = bytes.as_chunks();
                    assert!(rest.is_empty());
                    told.extend(events.iter().map(|&bytes| Moment::from_bytes(bytes).unwrap()));
                }
                other => panic!("{other:?}"),
            }
        });
        assert_eq!(begin, Some((130, 100)));
        assert_eq!(names_told, [(1, "hello".to_owned())]);
        assert_eq!(kinds_told, [(1, "barrier".to_owned())]);
        assert_eq!(told, (30..130).map(moment).collect::<Vec<_>>());
    }

    #[test]
    fn of_an_empty_ring_only_that_is_told() {
        let mut pieces = 0;
        tell(&Ring::<4>::new(), &Names::<4>::new(), &Names::<4>::new(), |piece| {
            assert_eq!(piece, Piece::Begin { recorded: 0, kept: 0 });
            pieces += 1;
        });
        assert_eq!(pieces, 1);
    }

    proptest! {
        #[test]
        fn any_words_are_an_event_or_none(words: [u32; WORDS]) {
            if let Some(moment) = Moment::from_words(words) {
                prop_assert_eq!(Moment::from_words(moment.words()), Some(moment));
            }
        }
    }
}
