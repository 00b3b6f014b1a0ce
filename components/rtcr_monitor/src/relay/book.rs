//! What a relay knows of the calls of its session.
//!
//! One call at a time is with the server. Of those that a checkpoint has seen there, the answer is kept for as long as the
//! checkpoint is: every instance that is restored from it makes the call again and gets the same answer, and the server does
//! it once.

use alloc::{collections::BTreeMap, vec::Vec};

use base::rpc::{Label, Status, ThreadNumber};

/// The calls of one session.
#[derive(Debug, Default)]
pub struct Book {
    current: Option<Entry>,
    /// Calls that checkpoints have seen on their way, and that are not any more.
    over: Vec<Entry>,
    /// Which call each thread of the new instance makes again first.
    again: BTreeMap<ThreadNumber, u32>,
    /// The number that was given last.
    last: u32,
    /// How many instances there were before the one that calls now.
    instance: u32,
}

#[derive(Debug)]
struct Entry {
    number: u32,
    label: Label,
    words: Vec<u32>,
    /// How many checkpoints have seen it on its way.
    wanted: u32,
    /// The instance that made it is gone.
    orphan: bool,
    outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// The server has it.
    Open,
    Answered(Status, Vec<u32>),
    /// Gone with the server: nobody knows whether it was done.
    Lost,
}

/// What is to be done with a call that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// The server is asked, then [`Book::answered`].
    Ask,
    /// It is answered like this, and the server does not hear of it.
    Answer(Status, Vec<u32>),
}

impl Book {
    /// Badge of the capability that the instance calls by. A request with another one was received of an instance before,
    /// and is not the call that this one makes again.
    pub const fn badge(&self) -> u32 {
        self.instance + 1
    }

    /// Badge for the instance that is being made, which takes over when it [begins](Self::begins_anew).
    pub const fn next_badge(&self) -> u32 {
        self.badge() + 1
    }

    /// A thread has called.
    pub fn arrives(&mut self, label: Label, words: &[u32]) -> Arrived {
        let Some(number) = self.again.remove(&label.thread()) else { return self.ask(label, words, None) };
        let idempotent = label.selector().is_idempotent();
        let place = self.over.iter().position(|entry| entry.number == number);
        let arrived = match place.map(|place| (place, &self.over[place])) {
            // A component that does not make it again deceives itself alone.
            Some((_, entry)) if entry.label != label || entry.words != words => self.ask(label, words, None),
            Some((_, Entry { outcome: Outcome::Answered(status, answer), .. })) => {
                Arrived::Answer(*status, answer.clone())
            }
            Some((place, _)) if idempotent => {
                let lost = self.over.swap_remove(place);
                self.ask(label, words, Some(lost))
            }
            // The book is another one than it was then: its session was closed and opened again.
            None if idempotent => self.ask(label, words, None),
            Some(_) | None => Arrived::Answer(Status::Interrupted, Vec::new()),
        };
        self.drop_unwanted();
        arrived
    }

    fn ask(&mut self, label: Label, words: &[u32], lost: Option<Entry>) -> Arrived {
        let entry = lost.unwrap_or_else(|| {
            self.last = self.last.wrapping_add(1);
            Entry { number: self.last, label, words: words.into(), wanted: 0, orphan: false, outcome: Outcome::Open }
        });
        self.current = Some(Entry { outcome: Outcome::Open, orphan: false, ..entry });
        Arrived::Ask
    }

    /// The server has answered, or is gone.
    pub fn answered(&mut self, status: Status, words: &[u32]) {
        if let Some(mut entry) =
            self.current.take().filter(|entry| entry.wanted > 0 || self.is_made_again(entry.number))
        {
            entry.outcome = match status {
                Status::PeerGone => Outcome::Lost,
                status => Outcome::Answered(status, words.into()),
            };
            self.over.push(entry);
        }
    }

    /// The call that a thread of the instance that runs has with the server, or will make again: its request may still wait
    /// until the server has answered that of an instance before.
    pub fn call(&self, thread: ThreadNumber) -> Option<u32> {
        if let Some(&number) = self.again.get(&thread) {
            return Some(number);
        }
        let current = self.current.as_ref().filter(|entry| entry.label.thread() == thread && !entry.orphan);
        current.map(|entry| entry.number)
    }

    /// A checkpoint has seen that call; tells whether it is known.
    pub fn keep(&mut self, number: u32) -> bool {
        match self.entry(number) {
            Some(entry) => entry.wanted += 1,
            // Of one that is made again, nothing may be known.
            None => return self.is_made_again(number),
        }
        true
    }

    /// One that had seen it is not there any more. If the call is still to be made again, the answer stays until it is: the
    /// next checkpoint may see it on its way.
    pub fn forget(&mut self, number: u32) {
        if let Some(entry) = self.entry(number) {
            entry.wanted = entry.wanted.saturating_sub(1);
        }
        self.drop_unwanted();
    }

    fn is_made_again(&self, number: u32) -> bool {
        self.again.values().any(|known| *known == number)
    }

    fn drop_unwanted(&mut self) {
        let again = &self.again;
        self.over.retain(|entry| entry.wanted > 0 || again.values().any(|known| *known == entry.number));
    }

    fn entry(&mut self, number: u32) -> Option<&mut Entry> {
        self.over.iter_mut().chain(&mut self.current).find(|entry| entry.number == number)
    }

    /// The instance that has called is gone, and another one will.
    pub fn begins_anew(&mut self) {
        self.instance += 1;
        self.again.clear();
        self.drop_unwanted();
        if let Some(current) = &mut self.current {
            current.orphan = true;
        }
    }

    /// A thread of the new instance will make that call again, before any other of this session.
    pub fn again(&mut self, thread: ThreadNumber, number: u32) {
        self.again.insert(thread, number);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use base::rpc::{Selector, Sequence};

    const ONE: ThreadNumber = ThreadNumber::FIRST;
    const ADD: Selector = Selector::new(1, false);
    const GET: Selector = Selector::new(2, true);

    fn label(selector: Selector, times: u8) -> Label {
        let sequence = (0..times).fold(Sequence::FIRST, |sequence, _| sequence.next());
        Label::new(selector, ONE, sequence)
    }

    fn answer(word: u32) -> Arrived {
        Arrived::Answer(Status::Done, [word].into())
    }

    /// A book in which a checkpoint has seen a call on its way.
    fn seen(selector: Selector) -> (Book, u32) {
        let mut book = Book::default();
        assert_eq!(book.arrives(label(selector, 3), &[5]), Arrived::Ask);
        let number = book.call(ONE).unwrap();
        assert!(book.keep(number));
        (book, number)
    }

    fn restored(book: &mut Book, number: u32) {
        book.begins_anew();
        book.again(ONE, number);
    }

    #[test]
    fn nothing_is_kept_that_no_checkpoint_wants() {
        let mut book = Book::default();
        for times in 0..3 {
            assert_eq!(book.arrives(label(ADD, times), &[5]), Arrived::Ask);
            book.answered(Status::Done, &[7]);
        }
        assert_eq!((book.over.len(), book.call(ONE)), (0, None));
        assert!(!book.keep(2), "it is answered, and nobody has the answer");
    }

    #[test]
    fn a_call_is_done_once_however_often_it_is_made_again() {
        let (mut book, number) = seen(ADD);
        book.answered(Status::Done, &[7]);
        for _ in 0..3 {
            restored(&mut book, number);
            assert_eq!(book.arrives(label(ADD, 3), &[5]), answer(7));
            // The one after is another one.
            assert_eq!(book.arrives(label(ADD, 4), &[5]), Arrived::Ask);
            book.answered(Status::Done, &[8]);
        }
        book.forget(number);
        assert_eq!(book.over.len(), 0);
        restored(&mut book, number);
        assert_eq!(book.arrives(label(ADD, 3), &[5]), Arrived::Answer(Status::Interrupted, [].into()));
    }

    #[test]
    fn an_answer_that_comes_after_the_instance_has_gone_is_the_next_ones() {
        let (mut book, number) = seen(ADD);
        book.begins_anew();
        assert_eq!(book.call(ONE), None, "the new instance has not called yet");
        book.again(ONE, number);
        book.answered(Status::Done, &[7]);
        assert_eq!(book.arrives(label(ADD, 3), &[5]), answer(7));
    }

    #[test]
    fn a_checkpoint_before_the_call_has_been_made_again() {
        let (mut book, number) = seen(ADD);
        for _ in 0..3 {
            restored(&mut book, number);
            // Its request waits at the endpoint.
            assert_eq!(book.call(ONE), Some(number));
            assert!(book.keep(number));
        }
        book.answered(Status::Done, &[7]);
        restored(&mut book, number);
        assert_eq!(book.arrives(label(ADD, 3), &[5]), answer(7));
        assert_eq!(book.call(ONE), None);
        // So it is if the book knows nothing of the call.
        book.again(ONE, 99);
        assert!(book.keep(99) && !book.keep(98));
    }

    #[test]
    fn what_is_lost_is_asked_again_if_that_does_no_harm() {
        let (mut book, number) = seen(GET);
        book.answered(Status::PeerGone, &[]);
        restored(&mut book, number);
        assert_eq!(book.arrives(label(GET, 3), &[5]), Arrived::Ask);
        assert_eq!(book.call(ONE), Some(number));
        book.answered(Status::Done, &[7]);
        restored(&mut book, number);
        assert_eq!(book.arrives(label(GET, 3), &[5]), answer(7));

        let (mut book, number) = seen(ADD);
        book.answered(Status::PeerGone, &[]);
        for _ in 0..2 {
            restored(&mut book, number);
            assert_eq!(book.arrives(label(ADD, 3), &[5]), Arrived::Answer(Status::Interrupted, [].into()));
        }
    }

    #[test]
    fn a_call_of_a_session_that_was_opened_again() {
        let mut book = Book::default();
        book.again(ONE, 9);
        assert_eq!(book.arrives(label(ADD, 3), &[5]), Arrived::Answer(Status::Interrupted, [].into()));
        book.again(ONE, 9);
        assert_eq!(book.arrives(label(GET, 4), &[5]), Arrived::Ask);
    }

    #[test]
    fn another_call_than_the_one_that_was_seen_is_asked() {
        for (selector, times, word) in [(GET, 3, 5), (ADD, 4, 5), (ADD, 3, 6)] {
            let (mut book, number) = seen(ADD);
            book.answered(Status::Done, &[7]);
            restored(&mut book, number);
            assert_eq!(book.arrives(label(selector, times), &[word]), Arrived::Ask);
        }
    }

    #[test]
    fn each_instance_has_a_badge_of_its_own() {
        let mut book = Book::default();
        for badge in 1..4 {
            assert_eq!((book.badge(), book.next_badge()), (badge, badge + 1), "0 is no badge");
            book.begins_anew();
        }
    }

    #[test]
    fn a_checkpoint_takes_the_place_of_the_one_that_had_seen_the_call() {
        // The server has answered before the old checkpoint goes, or answers after that.
        for is_early in [true, false] {
            let (mut book, number) = seen(ADD);
            if is_early {
                book.answered(Status::Done, &[7]);
            }
            restored(&mut book, number);
            book.forget(number);
            assert_eq!(book.call(ONE), Some(number));
            if !is_early {
                book.answered(Status::Done, &[7]);
            }
            assert!(book.keep(number));
            assert_eq!(book.arrives(label(ADD, 3), &[5]), answer(7));
            restored(&mut book, number);
            assert_eq!(book.arrives(label(ADD, 3), &[5]), answer(7));
            book.forget(number);
            assert_eq!(book.over.len(), 0);
        }
        // Nobody else wants it: it goes when the call has been made again, or will not be.
        for is_made in [true, false] {
            let (mut book, number) = seen(ADD);
            book.answered(Status::Done, &[7]);
            restored(&mut book, number);
            book.forget(number);
            match is_made {
                true => assert_eq!(book.arrives(label(ADD, 3), &[5]), answer(7)),
                false => book.begins_anew(),
            }
            assert_eq!(book.over.len(), 0);
        }
    }

    #[test]
    fn an_answer_is_kept_for_as_many_checkpoints_as_want_it() {
        let (mut book, number) = seen(ADD);
        assert!(book.keep(number));
        book.answered(Status::Refused, &[]);
        book.forget(number);
        restored(&mut book, number);
        assert_eq!(book.arrives(label(ADD, 3), &[5]), Arrived::Answer(Status::Refused, [].into()));
        book.forget(number);
        assert_eq!(book.over.len(), 0);
    }
}
