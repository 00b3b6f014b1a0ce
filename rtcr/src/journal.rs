//! What a component asked for until the barrier, word for word, and what it was answered.
//!
//! Words, not meanings: so the same code compares requests of all interfaces, those included that nobody has thought of.
//! Thread and sequence number of a request do not count.

use alloc::vec::Vec;
use core::fmt;

use base::{
    rpc::{Label, MAX_WORDS, Reply, Request, Selector, Sequence, Status, ThreadNumber, encoded},
    session::INTERFACES,
};

/// Most words of a journal. A bootstrap takes a few hundred.
pub const MAX_JOURNAL: usize = 16 << 10;
/// Words of an entry besides those of request and reply.
const HEADER: usize = 4;

/// Requests and replies, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    words: Vec<u32>,
    entries: u32,
    /// Something was not written down any more.
    overflown: bool,
}

/// A request and its reply.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry<'a> {
    /// Number of the interface.
    pub interface: u16,
    /// Which operation.
    pub selector: Selector,
    /// With what.
    pub request: &'a [u32],
    /// How it went.
    pub status: Status,
    /// With what result.
    pub reply: &'a [u32],
}

impl Journal {
    /// An empty one with room for so many words.
    pub fn with_capacity(words: usize) -> Self {
        Self { words: Vec::with_capacity(words), entries: 0, overflown: false }
    }

    /// How many entries there are.
    pub const fn len(&self) -> u32 {
        self.entries
    }

    /// Whether nothing was asked for yet.
    pub const fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// How many words it has.
    pub fn words(&self) -> usize {
        self.words.len()
    }

    /// How many words it has room for.
    pub(crate) fn capacity(&self) -> usize {
        self.words.capacity()
    }

    /// Whether something was not written down, since the journal was full.
    pub const fn has_overflown(&self) -> bool {
        self.overflown
    }

    /// Writes down a request and its reply.
    pub(crate) fn record(&mut self, interface: u16, request: &Request<'_>, reply: &Reply<'_>) {
        let (asked, answered) = (request.body.words(), reply.body.words());
        let length = HEADER + asked.len() + answered.len();
        if self.overflown || asked.len().max(answered.len()) > MAX_WORDS || self.words.len() + length > MAX_JOURNAL {
            self.overflown = true;
            return;
        }
        let label = label_of(request.label.selector());
        let lengths = (asked.len() as u32) << 16 | answered.len() as u32;
        self.words.extend([u32::from(interface), label, reply.status.label(), lengths]);
        self.words.extend(asked);
        self.words.extend(answered);
        self.entries += 1;
    }

    /// Writes down what another journal has had: interface, label and status, request and reply, in no more than so many
    /// words in all. Tells whether that was enough.
    pub(crate) fn append(&mut self, head: [u32; 3], (asked, answered): (&[u32], &[u32]), most: usize) -> bool {
        let length = HEADER + asked.len() + answered.len();
        if asked.len().max(answered.len()) > MAX_WORDS || self.words.len() + length > most.min(MAX_JOURNAL) {
            return false;
        }
        self.words.extend(head);
        self.words.push((asked.len() as u32) << 16 | answered.len() as u32);
        self.words.extend(asked);
        self.words.extend(answered);
        self.entries += 1;
        true
    }

    /// Becomes the same as another one, without asking for memory if there is room.
    pub(crate) fn copy_from(&mut self, src: &Self) {
        self.words.clear();
        self.words.extend_from_slice(&src.words);
        (self.entries, self.overflown) = (src.entries, src.overflown);
    }

    pub(crate) fn clear(&mut self) {
        self.words.clear();
        (self.entries, self.overflown) = (0, false);
    }

    /// The entry at a place, 0 for the first, and the place of the next.
    pub fn entry(&self, place: usize) -> Option<(Entry<'_>, usize)> {
        let words = self.words.get(place..)?;
        let &[interface, label, status, lengths, ref rest @ ..] = words else { return None };
        let (asked, answered) = ((lengths >> 16) as usize, (lengths & 0xffff) as usize);
        let entry = Entry {
            interface: u16::try_from(interface).ok()?,
            selector: Label::received(label).selector(),
            request: rest.get(..asked)?,
            status: Status::from_label(status),
            reply: rest.get(asked..asked + answered)?,
        };
        Some((entry, place + HEADER + asked + answered))
    }
}

/// The label of an operation, without who asks for the how-manieth time.
fn label_of(selector: Selector) -> u32 {
    Label::new(selector, ThreadNumber::FIRST, Sequence::FIRST).number()
}

impl Entry<'_> {
    /// The request's label, as it was written down.
    pub fn label(&self) -> u32 {
        label_of(self.selector)
    }

    /// Whether a request is the one that was written down.
    pub fn is_of(&self, interface: u16, request: &Request<'_>) -> bool {
        self.interface == interface && self.selector == request.label.selector() && self.request == request.body.words()
    }

    /// What was asked, to be kept.
    pub fn asked(&self) -> Asked {
        Asked::new(self.interface, self.selector, self.request)
    }
}

/// A request, for people.
#[derive(Clone, PartialEq, Eq)]
pub struct Asked {
    interface: u16,
    operation: u8,
    words: Vec<u32>,
}

impl Asked {
    pub(crate) fn new(interface: u16, selector: Selector, words: &[u32]) -> Self {
        Self { interface, operation: selector.operation(), words: words.into() }
    }
}

/// `PD.allocate(0, 1, 0x10000, 0)`.
impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let interface = INTERFACES.iter().find(|interface| interface.id == self.interface);
        let operation = interface.and_then(|interface| interface.operation(self.operation));
        match interface {
            Some(interface) => write!(f, "{}", interface.name)?,
            None => write!(f, "interface {}", self.interface)?,
        }
        match operation {
            Some(operation) => write!(f, ".{}(", operation.name)?,
            None => write!(f, ".operation {}(", self.operation)?,
        }
        match operation.filter(|operation| operation.encoded).and_then(|_| encoded::payload(&self.words)) {
            Some(bytes) => write!(f, "\"{}\"", bytes.escape_ascii())?,
            None => {
                for (place, word) in self.words.iter().enumerate() {
                    let gap = if place > 0 { ", " } else { "" };
                    if *word < 10 { write!(f, "{gap}{word}")? } else { write!(f, "{gap}{word:#x}")? }
                }
            }
        }
        write!(f, ")")
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use base::rpc::{Body, Caller, Registers};
    use std::string::ToString;

    fn request(operation: u8, words: &[u32]) -> Request<'_> {
        Request { label: Caller::default().label(Selector::new(operation, false)), body: Body::Long(words) }
    }

    #[test]
    fn entries_come_back_as_they_were_written_down() {
        let mut journal = Journal::default();
        let reply = Reply { status: Status::Done, body: Body::Short(Registers::of(17)) };
        journal.record(1, &request(2, &[0, 1, 0x1_0000, 0]), &reply);
        journal.record(3, &request(3, &[]), &Reply::of(Status::Refused));
        let (first, next) = journal.entry(0).unwrap();
        assert!(first.is_of(1, &request(2, &[0, 1, 0x1_0000, 0])));
        assert!(!first.is_of(1, &request(2, &[0, 1, 0x1_0000, 1])) && !first.is_of(2, &request(2, first.request)));
        assert_eq!((first.status, first.reply), (Status::Done, &[17][..]));
        let (second, end) = journal.entry(next).unwrap();
        assert_eq!((second.status, second.reply, journal.entry(end)), (Status::Refused, &[][..], None));
        assert_eq!(first.asked().to_string(), "Pd.allocate(0, 1, 0x10000, 0)");
        assert_eq!(Asked::new(2, Selector::new(1, false), &[3, 0x0a_6968]).to_string(), "Log.write(\"hi\\n\")");
        assert_eq!(Asked::new(999, Selector::new(7, false), &[]).to_string(), "interface 999.operation 7()");
    }

    #[test]
    fn a_journal_that_is_full_says_so() {
        let mut journal = Journal::default();
        while !journal.has_overflown() {
            journal.record(1, &request(2, &[0; 100]), &Reply::of(Status::Done));
        }
        let (words, entries) = (journal.words(), journal.len());
        assert!(words <= MAX_JOURNAL);
        journal.record(1, &request(2, &[]), &Reply::of(Status::Done));
        assert_eq!((journal.words(), journal.len()), (words, entries), "nothing is written behind a gap");
    }
}
