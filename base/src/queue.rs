//! Queues of things that have numbers: each in one queue at most, put in and taken out at either place in constant time.
//!
//! The links of all queues lie in one table by the things' numbers, so a queue itself is two words, and nothing is
//! allocated when something is queued. For whoever keeps what is pending: signals of a doorbell, exceptions of a
//! protection domain.

use alloc::vec::Vec;

/// No thing has this number.
const NONE: u32 = u32::MAX;

/// The links of things numbered from 0 on.
#[derive(Clone, Debug)]
pub struct Links {
    links: Vec<Link>,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    before: u32,
    behind: u32,
    queued: bool,
}

impl Link {
    const LOOSE: Self = Self { before: NONE, behind: NONE, queued: false };
}

/// Things in a row, oldest first. The [`Links`] belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    first: u32,
    last: u32,
}

impl Default for Queue {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl Queue {
    /// Nothing.
    pub const EMPTY: Self = Self { first: NONE, last: NONE };

    /// Whether there is nothing in it.
    pub const fn is_empty(&self) -> bool {
        self.first == NONE
    }

    /// The oldest.
    pub const fn first(&self) -> Option<u32> {
        if self.first == NONE { None } else { Some(self.first) }
    }
}

impl Links {
    /// Links for things numbered below `most`, none of them in a queue.
    pub fn new(most: u32) -> Self {
        Self { links: alloc::vec![Link::LOOSE; most as usize] }
    }

    /// Whether that thing is in a queue.
    pub fn is_queued(&self, thing: u32) -> bool {
        self.links.get(thing as usize).is_some_and(|link| link.queued)
    }

    /// Puts a thing at the end; false, and nothing done, if it is in a queue or beyond the table.
    pub fn push(&mut self, queue: &mut Queue, thing: u32) -> bool {
        let Some(link) = self.links.get_mut(thing as usize).filter(|link| !link.queued) else { return false };
        *link = Link { before: queue.last, behind: NONE, queued: true };
        match self.links.get_mut(queue.last as usize) {
            Some(last) => last.behind = thing,
            None => queue.first = thing,
        }
        queue.last = thing;
        true
    }

    /// Takes the oldest out.
    pub fn pop(&mut self, queue: &mut Queue) -> Option<u32> {
        let first = queue.first()?;
        self.remove(queue, first);
        Some(first)
    }

    /// Takes a thing out, which is in no other queue than this; false if it is in none.
    pub fn remove(&mut self, queue: &mut Queue, thing: u32) -> bool {
        let Some(link) = self.links.get_mut(thing as usize).filter(|link| link.queued) else { return false };
        let Link { before, behind, .. } = core::mem::replace(link, Link::LOOSE);
        match self.links.get_mut(before as usize) {
            Some(link) => link.behind = behind,
            None => queue.first = behind,
        }
        match self.links.get_mut(behind as usize) {
            Some(link) => link.before = before,
            None => queue.last = before,
        }
        true
    }

    /// Empties a queue that is given up. Costs a step for each thing in it.
    pub fn clear(&mut self, queue: &mut Queue) {
        while self.pop(queue).is_some() {}
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    const THINGS: u32 = 8;

    proptest! {
        #[test]
        fn two_queues_over_the_same_things_are_as_two_lists(
            steps in prop::collection::vec((0..4u8, 0..2usize, 0..THINGS + 1), 0..200),
        ) {
            let mut links = Links::new(THINGS);
            let mut queues = [Queue::EMPTY; 2];
            let mut lists = [VecDeque::new(), VecDeque::new()];
            for (step, which, thing) in steps {
                let elsewhere = lists.iter().any(|list| list.contains(&thing));
                match step {
                    0 => {
                        let fits = !elsewhere && thing < THINGS;
                        prop_assert_eq!(links.push(&mut queues[which], thing), fits);
                        if fits {
                            lists[which].push_back(thing);
                        }
                    }
                    1 => prop_assert_eq!(links.pop(&mut queues[which]), lists[which].pop_front()),
                    2 if !lists[1 - which].contains(&thing) => {
                        prop_assert_eq!(links.remove(&mut queues[which], thing), elsewhere);
                        lists[which].retain(|&other| other != thing);
                    }
                    _ => {}
                }
                for (queue, list) in queues.iter().zip(&lists) {
                    prop_assert_eq!(queue.first(), list.front().copied());
                    prop_assert_eq!(queue.is_empty(), list.is_empty());
                }
                prop_assert_eq!(links.is_queued(thing), lists.iter().any(|list| list.contains(&thing)));
            }
        }
    }

    #[test]
    fn what_was_cleared_can_be_queued_again() {
        let (mut links, mut queue) = (Links::new(THINGS), Queue::EMPTY);
        (0..THINGS).for_each(|thing| assert!(links.push(&mut queue, thing)));
        links.clear(&mut queue);
        assert_eq!(queue, Queue::EMPTY);
        assert!(links.push(&mut queue, 3));
    }
}
