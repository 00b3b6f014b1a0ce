//! What the label of a request says.

use core::fmt;

/// Label of a request: 20 bits, which travel beside the words and cost nothing.
///
/// | bits | hold |
/// |---|---|
/// | 19 to 12 | number of the operation, 1 to 255 |
/// | 11 | whether it is idempotent: asking again does no more than asking once |
/// | 10 to 5 | number of the calling thread in its protection domain, see [`ThreadNumber`] |
/// | 4 to 0 | sequence number of the thread's requests, see [`Sequence`] |
///
/// The first two, together the [`Selector`], come from the interface's definition and are checked by whoever serves it;
/// they are in the label so that a relay can forward interfaces that it does not know. The other two tell a request that
/// is sent again, after a restore, from a new one. A client can say there what it likes; it deceives nobody but itself,
/// since both count only among the requests that come with the same badge.
///
/// No label of a request is one that the kernel sends for a fault (1 to 5): the operation is not 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Label(u32);

impl Label {
    /// Bits of a label, as the kernel transports it.
    pub const BITS: u32 = 20;
    /// Where the operation's number begins.
    pub const OPERATION_SHIFT: u32 = 12;
    /// Where the bit for idempotent operations is.
    pub const IDEMPOTENT_SHIFT: u32 = 11;
    /// Where the thread's number begins.
    pub const THREAD_SHIFT: u32 = 5;
    /// Where the sequence number is.
    pub const SEQUENCE_SHIFT: u32 = 0;

    /// The label of a request.
    #[inline(always)]
    pub const fn new(selector: Selector, thread: ThreadNumber, sequence: Sequence) -> Self {
        Self(selector.0 | (thread.0 as u32) << Self::THREAD_SHIFT | (sequence.0 as u32) << Self::SEQUENCE_SHIFT)
    }

    /// The label that arrived; bits beyond [`Label::BITS`] do not count.
    #[inline(always)]
    pub const fn received(label: u32) -> Self {
        Self(label & ((1 << Self::BITS) - 1))
    }

    /// As it is sent.
    #[inline(always)]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// Which operation, and whether it is idempotent.
    #[inline(always)]
    pub const fn selector(self) -> Selector {
        Selector(self.0 >> Self::IDEMPOTENT_SHIFT << Self::IDEMPOTENT_SHIFT)
    }

    /// Which thread of its protection domain says that it asks.
    pub const fn thread(self) -> ThreadNumber {
        ThreadNumber((self.0 >> Self::THREAD_SHIFT) as u8 & ThreadNumber::MAX.0)
    }

    /// For the how-manieth time.
    pub const fn sequence(self) -> Sequence {
        Sequence((self.0 >> Self::SEQUENCE_SHIFT) as u8 & Sequence::MASK)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut label = f.debug_struct("Label");
        label.field("operation", &self.selector().operation()).field("idempotent", &self.selector().is_idempotent());
        label.field("thread", &self.thread().0).field("sequence", &self.sequence().0).finish()
    }
}

/// The part of a [`Label`] that the interface's definition decides: operation and whether it is idempotent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Selector(u32);

impl Selector {
    /// Of an operation. Number 0 is no operation's, so every server refuses it.
    #[inline(always)]
    pub const fn new(operation: u8, idempotent: bool) -> Self {
        Self((operation as u32) << Label::OPERATION_SHIFT | (idempotent as u32) << Label::IDEMPOTENT_SHIFT)
    }

    /// Number of the operation.
    pub const fn operation(self) -> u8 {
        (self.0 >> Label::OPERATION_SHIFT) as u8
    }

    /// Whether it is said to be idempotent.
    pub const fn is_idempotent(self) -> bool {
        self.0 >> Label::IDEMPOTENT_SHIFT & 1 != 0
    }
}

/// Number of a thread in its protection domain: 0 to 63. The first thread is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadNumber(u8);

impl ThreadNumber {
    /// The first thread of a protection domain.
    pub const FIRST: Self = Self(0);
    /// The largest.
    pub const MAX: Self = Self(63);

    /// That number; none above [`ThreadNumber::MAX`].
    pub const fn new(number: u8) -> Option<Self> {
        if number <= Self::MAX.0 { Some(Self(number)) } else { None }
    }

    /// As a number.
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// Counts the requests of one thread, modulo 32.
///
/// A thread has one request outstanding at most, so what a server must tell apart are two: the last one that it saw,
/// sent again, and the one after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sequence(u8);

impl Sequence {
    const MASK: u8 = 31;

    /// The first.
    pub const FIRST: Self = Self(0);

    /// The one after; 0 after 31.
    #[inline(always)]
    pub const fn next(self) -> Self {
        Self((self.0 + 1) & Self::MASK)
    }

    /// As a number.
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// Who makes requests: a thread, and the sequence number of its next request.
///
/// Every thread has its own. It is as much a part of the thread's state as its registers are: after a restore it counts
/// on from where it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    thread: ThreadNumber,
    next: Sequence,
}

impl Caller {
    /// A thread that has not asked for anything yet.
    pub const fn new(thread: ThreadNumber) -> Self {
        Self { thread, next: Sequence::FIRST }
    }

    /// The label of its next request; the request is counted.
    #[inline(always)]
    pub const fn label(&mut self, selector: Selector) -> Label {
        let label = Label::new(selector, self.thread, self.next);
        self.next = self.next.next();
        label
    }

    /// The thread.
    pub const fn thread(self) -> ThreadNumber {
        self.thread
    }

    /// As one word, for places that are not typed. 0 is `Caller::new(ThreadNumber::FIRST)`.
    #[inline(always)]
    pub const fn word(self) -> u32 {
        Label::new(Selector(0), self.thread, self.next).0
    }

    /// From [such a word](Self::word); bits that are not the caller's do not count.
    #[inline(always)]
    pub const fn from_word(word: u32) -> Self {
        let label = Label(word);
        Self { thread: label.thread(), next: label.sequence() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The layout is what peers of other builds rely on.
    #[test]
    fn each_part_has_its_bits() {
        let label = Label::new(Selector::new(0xab, true), ThreadNumber::MAX, Sequence(0));
        assert_eq!(label.number(), 0xab_fe0);
        let label = Label::new(Selector::new(1, false), ThreadNumber::FIRST, Sequence(31));
        assert_eq!(label.number(), 0x0_101f);
        assert_eq!(Label::received(u32::MAX).number(), 0xf_ffff);
    }

    #[test]
    fn every_label_is_put_together_from_its_parts() {
        for number in 0..1 << Label::BITS {
            let label = Label::received(number);
            assert_eq!(Label::new(label.selector(), label.thread(), label.sequence()), label);
            let selector = label.selector();
            assert_eq!(Selector::new(selector.operation(), selector.is_idempotent()), selector);
            let caller = Caller::from_word(number);
            assert_eq!((caller.thread, caller.next), (label.thread(), label.sequence()));
            assert_eq!(Caller::from_word(caller.word()), caller);
        }
    }

    #[test]
    fn requests_of_a_thread_are_counted() {
        let mut caller = Caller::new(ThreadNumber(3));
        let selector = Selector::new(7, false);
        for round in 0..100 {
            let label = caller.label(selector);
            assert_eq!((label.selector(), label.thread().number()), (selector, 3));
            assert_eq!(label.sequence().number(), round % 32);
        }
    }

    #[test]
    fn a_thread_number_fits_its_bits() {
        assert_eq!(ThreadNumber::new(63), Some(ThreadNumber::MAX));
        assert_eq!(ThreadNumber::new(64), None);
    }
}
