//! The last events, in memory of fixed size.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::WORDS;

/// Keeps the last `SIZE` events.
///
/// One thread records. Others may look when that one has stopped, as core's guardian does; so the words are atomic, which
/// costs nothing here: each is one store.
#[derive(Debug)]
pub struct Ring<const SIZE: usize> {
    events: [[AtomicU32; WORDS]; SIZE],
    /// Where the next goes.
    next: AtomicU32,
    /// How often it came round.
    rounds: AtomicU32,
}

impl<const SIZE: usize> Ring<SIZE> {
    /// An empty one, all zero.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self {
            events: [const { [const { AtomicU32::new(0) }; WORDS] }; SIZE],
            next: AtomicU32::new(0),
            rounds: AtomicU32::new(0),
        }
    }

    /// Records an event, in place of the oldest if there is no room.
    #[inline]
    pub fn push(&self, words: [u32; WORDS]) {
        let next = self.next.load(Relaxed);
        let Some(event) = self.events.get(next as usize) else { return };
        event.iter().zip(words).for_each(|(to, word)| to.store(word, Relaxed));
        if next as usize + 1 == SIZE {
            self.rounds.store(self.rounds.load(Relaxed).wrapping_add(1), Relaxed);
            self.next.store(0, Relaxed);
        } else {
            self.next.store(next + 1, Relaxed);
        }
    }

    /// How many events were ever recorded.
    pub fn recorded(&self) -> u64 {
        u64::from(self.rounds.load(Relaxed)) * SIZE as u64 + u64::from(self.next.load(Relaxed))
    }

    /// How many are still there.
    pub fn kept(&self) -> u32 {
        if self.rounds.load(Relaxed) > 0 { SIZE as u32 } else { self.next.load(Relaxed) }
    }

    /// One of those, the oldest first; zeros if there are not so many.
    pub fn get(&self, index: u32) -> [u32; WORDS] {
        let oldest = if self.rounds.load(Relaxed) > 0 { self.next.load(Relaxed) as usize } else { 0 };
        let event = self.events.get((oldest + index as usize) % SIZE.max(1));
        let Some(event) = event.filter(|_| index < self.kept()) else { return [0; WORDS] };
        event.each_ref().map(|word| word.load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all<const SIZE: usize>(ring: &Ring<SIZE>) -> Vec<u32> {
        (0..ring.kept()).map(|index| ring.get(index)[0]).collect()
    }

    #[test]
    fn the_last_events_are_kept_in_order_and_all_are_counted() {
        let ring = Ring::<3>::new();
        let mut recorded = Vec::new();
        for number in 1..20u32 {
            ring.push([number; WORDS]);
            recorded.push(number);
            let kept = recorded.len().min(3);
            assert_eq!(all(&ring), recorded[recorded.len() - kept..]);
            assert_eq!((ring.recorded(), ring.kept()), (number.into(), kept as u32));
            assert_eq!(ring.get(ring.kept()), [0; WORDS]);
        }
    }

    #[test]
    fn a_ring_without_room_keeps_nothing() {
        let ring = Ring::<0>::new();
        ring.push([1; WORDS]);
        assert_eq!((ring.kept(), ring.get(0)), (0, [0; WORDS]));
    }
}
