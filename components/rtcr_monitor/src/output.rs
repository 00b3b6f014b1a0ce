//! What a child says, when it may say the same again after it has gone back to a checkpoint.
//!
//! Its text is taken apart into lines, each with a number: the how-manieth it is in what the child says from its beginning. A
//! checkpoint knows how many there were, so a child that has gone back says its next line under the number that it had. A line
//! that was shown under the same number with the same text is one that is said again: it is marked, or left out.
//!
//! With `held`, lines wait for the next checkpoint, and go with what has become undone. So nothing is ever shown that did not
//! happen, and nothing twice.

use alloc::{boxed::Box, collections::BTreeSet, vec::Vec};
use core::str::FromStr;

/// How many lines that were shown are remembered, to know them when they come again.
const REMEMBERED: usize = 4096;
/// Where a line without an end is cut.
const LONGEST: usize = 1024;
/// Stands before a line that is said again.
const AGAIN: &[u8] = b"again: ";
/// Stands before a line that belongs to no checkpoint.
const UNCONFIRMED: &[u8] = b"unconfirmed: ";

/// What becomes of what a child says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It goes on as it is.
    Now,
    /// It goes on, and what is said again is marked.
    Marked,
    /// It waits for the next checkpoint.
    Held,
}

impl FromStr for Way {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "now" => Ok(Self::Now),
            "marked" => Ok(Self::Marked),
            "held" => Ok(Self::Held),
            _ => Err(()),
        }
    }
}

/// How far a child was in what it says, for a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    lines: u64,
    /// The beginning of a line.
    partial: Vec<u8>,
}

/// What a child has said.
#[derive(Debug)]
pub struct Output {
    way: Way,
    /// Most bytes that wait.
    room: usize,
    /// Where the child is.
    mark: Mark,
    /// Lines that wait: the last before `mark`.
    held: Vec<Box<[u8]>>,
    bytes: usize,
    /// Numbers and hashes of lines that were shown; under one number there can be several texts, what a panic says for one.
    shown: BTreeSet<(u64, u64)>,
}

impl Output {
    /// Of a child that has not said anything yet.
    pub const fn new(way: Way, room: usize) -> Self {
        let mark = Mark { lines: 0, partial: Vec::new() };
        Self { way, room, mark, held: Vec::new(), bytes: 0, shown: BTreeSet::new() }
    }

    /// Whether nothing is to be done but to hand on.
    pub fn is_transparent(&self) -> bool {
        self.way == Way::Now
    }

    /// The child says something. What is to be shown now goes to `show`.
    pub fn say(&mut self, text: &[u8], mut show: impl FnMut(&[u8])) {
        for &byte in text {
            self.mark.partial.push(byte);
            if byte == b'\n' || self.mark.partial.len() == LONGEST {
                let line = core::mem::take(&mut self.mark.partial);
                let number = self.mark.lines;
                self.mark.lines += 1;
                match self.way {
                    Way::Held => {
                        self.bytes += line.len();
                        self.held.push(line.into());
                    }
                    _ => self.show(number, &line, b"", &mut show),
                }
            }
        }
    }

    /// Whether more waits than there is room for.
    pub const fn is_full(&self) -> bool {
        self.bytes > self.room
    }

    /// For a checkpoint that is taken now.
    pub fn mark(&self) -> Mark {
        self.mark.clone()
    }

    /// What waits is shown: there is a checkpoint.
    pub fn release(&mut self, show: impl FnMut(&[u8])) {
        self.let_go(b"", show);
    }

    /// What waits is shown although it may become undone: there is no room for it, and no checkpoint.
    pub fn release_unconfirmed(&mut self, show: impl FnMut(&[u8])) {
        self.let_go(UNCONFIRMED, show);
    }

    fn let_go(&mut self, mark: &[u8], mut show: impl FnMut(&[u8])) {
        let held = core::mem::take(&mut self.held);
        self.bytes = 0;
        let first = self.mark.lines - held.len() as u64;
        (first..).zip(held).for_each(|(number, line)| self.show(number, &line, mark, &mut show));
    }

    /// What it said last that waits, which may be why it has crashed.
    pub fn last(&self) -> Option<&[u8]> {
        self.held.last().map(|line| line.strip_suffix(b"\n").unwrap_or(line))
    }

    /// The child goes back to a checkpoint at which it was there, or to its beginning.
    pub fn goes_back(&mut self, to: Option<&Mark>, mut show: impl FnMut(&[u8])) {
        if self.way == Way::Marked && !self.mark.partial.is_empty() {
            // The line has no end, and never gets one.
            self.mark.partial.push(b'\n');
            show(&self.mark.partial);
        }
        (self.held, self.bytes) = (Vec::new(), 0);
        self.mark = to.cloned().unwrap_or_default();
    }

    /// The child has ended, well or not.
    pub fn ends(&mut self, well: bool, mut show: impl FnMut(&[u8])) {
        let mark = if well { b"".as_slice() } else { UNCONFIRMED };
        self.let_go(mark, &mut show);
        let partial = core::mem::take(&mut self.mark.partial);
        if !partial.is_empty() {
            let mark = if self.way == Way::Held { mark } else { b"" };
            self.show(self.mark.lines, &partial, mark, &mut show);
        }
    }

    /// A line is shown under its number, unless it was, and is to be shown once.
    fn show(&mut self, number: u64, line: &[u8], mark: &[u8], show: &mut impl FnMut(&[u8])) {
        let again = !self.shown.insert((number, hash(line)));
        if self.shown.len() > REMEMBERED {
            self.shown.pop_first();
        }
        let mark = match (again, self.way) {
            (true, Way::Held) => return,
            (true, _) => AGAIN,
            (false, _) => mark,
        };
        match mark {
            b"" => show(line),
            mark => show(&[mark, line].concat()),
        }
    }
}

/// FNV-1a.
fn hash(line: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    line.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;
    use std::{format, string::String, vec};

    /// A child's output and a console.
    struct World {
        output: Output,
        console: Vec<u8>,
    }

    impl World {
        fn new(way: Way) -> Self {
            Self { output: Output::new(way, 64), console: vec![] }
        }

        fn say(&mut self, text: &str) {
            self.output.say(text.as_bytes(), |line| self.console.extend(line));
        }

        fn checkpoint(&mut self) -> Mark {
            let mark = self.output.mark();
            self.output.release(|line| self.console.extend(line));
            mark
        }

        fn goes_back(&mut self, to: Option<&Mark>) {
            self.output.goes_back(to, |line| self.console.extend(line));
        }

        fn ends(&mut self, well: bool) {
            self.output.ends(well, |line| self.console.extend(line));
        }

        fn console(&self) -> &str {
            std::str::from_utf8(&self.console).unwrap()
        }
    }

    #[test]
    fn what_is_said_again_is_marked() {
        let mut world = World::new(Way::Marked);
        world.say("1\n2\n");
        let mark = world.checkpoint();
        world.say("3\n4\npanicked\n");
        world.goes_back(Some(&mark));
        world.say("3\n4\n5\n");
        world.goes_back(None);
        world.say("1\n2\n3\n4\n5\n6\n");
        let expected =
            "1\n2\n3\n4\npanicked\nagain: 3\nagain: 4\n5\nagain: 1\nagain: 2\nagain: 3\nagain: 4\nagain: 5\n6\n";
        assert_eq!(world.console(), expected);
    }

    #[test]
    fn a_line_that_was_begun_before_the_checkpoint_is_whole() {
        for (way, expected) in [(Way::Marked, "ab\nac\nagain: ac\n"), (Way::Held, "ac\n")] {
            let mut world = World::new(way);
            world.say("a");
            let mark = world.checkpoint();
            world.say("b");
            world.goes_back(Some(&mark));
            world.say("c\n");
            let _ = world.checkpoint();
            world.goes_back(Some(&mark));
            world.say("c\n");
            world.ends(true);
            assert_eq!(world.console(), expected);
        }
    }

    /// What a panic says may become part of a checkpoint, under the number of a line that was shown, or will be.
    #[test]
    fn several_texts_have_one_number() {
        let mut world = World::new(Way::Held);
        for text in ["1\n2\n3\n", "1\npanicked\n", "1\n2\n3\n", "1\n2\npanicked\n", "1\npanicked\n", "1\n2\n3\n4\n"] {
            world.goes_back(None);
            world.say(text);
            let _ = world.checkpoint();
        }
        assert_eq!(world.console(), "1\n2\n3\npanicked\npanicked\n4\n");
    }

    #[test]
    fn what_is_held_is_shown_at_the_next_checkpoint_or_never() {
        let mut world = World::new(Way::Held);
        world.say("1\n2\n");
        assert_eq!(world.console(), "");
        let first = world.checkpoint();
        assert_eq!(world.console(), "1\n2\n");
        world.say("3\npanicked\n");
        assert_eq!(world.output.last(), Some(b"panicked".as_slice()));
        world.goes_back(Some(&first));
        world.say("3\n4\n");
        let _ = world.checkpoint();
        // Further back than what was shown.
        world.goes_back(Some(&first));
        world.say("3\n4\n5\n");
        let _ = world.checkpoint();
        world.say("6");
        world.ends(true);
        assert_eq!(world.console(), "1\n2\n3\n4\n5\n6");
    }

    #[test]
    fn what_belongs_to_no_checkpoint_at_the_end_is_marked() {
        let mut world = World::new(Way::Held);
        world.say("1\n");
        let _ = world.checkpoint();
        world.say("2\n3");
        world.ends(false);
        assert_eq!(world.console(), "1\nunconfirmed: 2\nunconfirmed: 3");
    }

    #[test]
    fn what_does_not_fit_is_told_of() {
        let mut world = World::new(Way::Held);
        world.say(&format!("{:63}\n", "x"));
        assert!(!world.output.is_full());
        world.say("y\n");
        assert!(world.output.is_full());
        world.output.release_unconfirmed(|line| world.console.extend(line));
        assert!(!world.output.is_full() && world.console().ends_with("\nunconfirmed: y\n"));
        // Said again it is known, and once is enough.
        let before = world.console.len();
        world.goes_back(None);
        world.say(&format!("{:63}\ny\nz\n", "x"));
        let _ = world.checkpoint();
        assert_eq!(&world.console()[before..], "z\n");
    }

    #[test]
    fn a_line_without_an_end_takes_bounded_room() {
        let mut world = World::new(Way::Marked);
        (0..10).for_each(|_| world.say(&"x".repeat(476)));
        assert_eq!(world.console.len(), 4 * LONGEST);
        assert!(world.output.mark.partial.len() < LONGEST);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut world = World::new(Way::Held);
        for line in 0..2 * REMEMBERED {
            world.say(&format!("{line}\n"));
        }
        let _ = world.checkpoint();
        assert_eq!(world.output.shown.len(), REMEMBERED);
        let before = world.console.len();
        // What is forgotten is shown again rather than never.
        world.goes_back(None);
        world.say("0\n");
        let _ = world.checkpoint();
        assert_eq!(&world.console()[before..], "0\n");
    }

    proptest! {
        /// A program that always says the same says each line once, wherever it crashes, and to whichever checkpoint it goes
        /// back; marked lines taken away, the same holds where they are marked.
        #[test]
        fn each_line_is_shown_once(
            steps in prop::collection::vec((0..5u8, 0..100usize), 0..200),
            lines in prop::collection::vec("[a-c]{0,3}\n", 1..40),
        ) {
            let text = lines.concat();
            for way in [Way::Marked, Way::Held] {
                let (mut world, mut at) = (World::new(way), 0);
                let mut kept: Vec<(usize, Mark)> = vec![];
                for &(what, number) in &steps {
                    match what {
                        0..=2 => {
                            let to = (at + number).min(text.len());
                            world.say(&text[at..to]);
                            at = to;
                        }
                        3 => kept.push((at, world.checkpoint())),
                        _ => {
                            let place = number.checked_rem(kept.len()).map(|place| kept[place].clone());
                            at = place.as_ref().map_or(0, |(at, _)| *at);
                            // It crashes where a line is whole: what has no end is shown then, and once more when it has one.
                            if !world.output.mark.partial.is_empty() {
                                continue_line(&mut world);
                            }
                            world.goes_back(place.as_ref().map(|(_, mark)| mark));
                        }
                    }
                }
                world.say(&text[at..]);
                world.ends(true);
                let shown: String = world.console().split_inclusive('\n').filter(|line| !line.starts_with("again: ")).collect();
                prop_assert_eq!(&shown, &text, "{:?}", way);
            }
        }
    }

    /// The crash itself says nothing.
    fn continue_line(world: &mut World) {
        world.output.mark.partial.clear();
    }
}
