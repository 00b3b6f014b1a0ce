//! What is to happen when: deadlines in the order of their times, and of their making among equals.
//!
//! Setting and taking back cost a number of steps that grows with the logarithm of how many there are; what comes first is
//! told at once. Times are nanoseconds. Each deadline is for a thing that has a number, and a thing has one at most: so
//! there is room for all from the beginning.

use alloc::vec::Vec;

/// No deadline stands here.
const NOWHERE: u32 = u32::MAX;

/// Deadlines for things numbered from 0 on.
#[derive(Clone, Debug)]
pub struct Deadlines {
    /// A heap: each entry is due no later than the two below it, at twice its place plus one and plus two.
    heap: Vec<Entry>,
    /// For each thing, where its entry is.
    places: Vec<u32>,
    /// How many were made, which decides among equal times.
    made: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    time: u64,
    order: u64,
    /// 0 for once.
    period: u64,
    thing: u32,
}

impl Entry {
    fn is_before(&self, other: &Self) -> bool {
        (self.time, self.order) < (other.time, other.order)
    }
}

/// A thing whose time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub thing: u32,
    /// How often: a period that passed several times before anybody looked counts each time.
    pub count: u64,
}

impl Deadlines {
    /// None, with room for things numbered below `most`.
    pub fn new(most: u32) -> Self {
        let (heap, places) = (Vec::with_capacity(most as usize), alloc::vec![NOWHERE; most as usize]);
        Self { heap, places, made: 0 }
    }

    /// How many things have one.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing has one.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Sets the deadline of a thing, in place of any that it has. `period` is 0 for a single one; otherwise the deadline
    /// moves on by it each time. False, and nothing done, for a thing that there is no room for.
    pub fn set(&mut self, thing: u32, time: u64, period: u64) -> bool {
        if thing as usize >= self.places.len() {
            return false;
        }
        self.cancel(thing);
        self.made += 1;
        let place = self.heap.len();
        self.heap.push(Entry { time, order: self.made, period, thing });
        self.places[thing as usize] = place as u32;
        self.rise(place);
        true
    }

    /// Takes the deadline of a thing back; tells when it would have been.
    pub fn cancel(&mut self, thing: u32) -> Option<u64> {
        let place = self.place(thing)?;
        self.places[thing as usize] = NOWHERE;
        let entry = self.heap.swap_remove(place);
        if let Some(moved) = self.heap.get(place) {
            self.places[moved.thing as usize] = place as u32;
            let place = self.rise(place);
            self.sink(place);
        }
        Some(entry.time)
    }

    /// When the deadline of a thing is.
    pub fn of(&self, thing: u32) -> Option<u64> {
        self.place(thing).map(|place| self.heap[place].time)
    }

    /// When the next deadline is.
    #[inline]
    pub fn next(&self) -> Option<u64> {
        self.heap.first().map(|entry| entry.time)
    }

    /// The first thing whose time has come at `now`. A single deadline is gone then; a periodic one is after `now`, by
    /// whole periods from where it was.
    pub fn due(&mut self, now: u64) -> Option<Due> {
        let Entry { time, period, thing, .. } = *self.heap.first().filter(|entry| entry.time <= now)?;
        if period == 0 {
            self.cancel(thing);
            return Some(Due { thing, count: 1 });
        }
        // Nearly always one period has passed, and dividing 64 bits takes this processor a few hundred instructions.
        let late = now - time;
        let count = if late < period { 1 } else { 1 + late / period };
        self.made += 1;
        let first = &mut self.heap[0];
        first.time = time.saturating_add(period.saturating_mul(count));
        first.order = self.made;
        self.sink(0);
        Some(Due { thing, count })
    }

    fn place(&self, thing: u32) -> Option<usize> {
        self.places.get(thing as usize).filter(|&&place| place != NOWHERE).map(|&place| place as usize)
    }

    /// Moves an entry up to where it belongs; tells where that is.
    fn rise(&mut self, mut place: usize) -> usize {
        while place > 0 {
            let above = (place - 1) / 2;
            if !self.heap[place].is_before(&self.heap[above]) {
                break;
            }
            self.exchange(place, above);
            place = above;
        }
        place
    }

    /// Moves an entry down to where it belongs.
    fn sink(&mut self, mut place: usize) {
        loop {
            let (left, right) = (2 * place + 1, 2 * place + 2);
            let mut first = place;
            for below in [left, right] {
                if self.heap.get(below).is_some_and(|entry| entry.is_before(&self.heap[first])) {
                    first = below;
                }
            }
            if first == place {
                break;
            }
            self.exchange(place, first);
            place = first;
        }
    }

    fn exchange(&mut self, one: usize, other: usize) {
        self.heap.swap(one, other);
        for place in [one, other] {
            self.places[self.heap[place].thing as usize] = place as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    const THINGS: u32 = 6;

    /// The same, by looking at all.
    #[derive(Default)]
    struct Model(Vec<Entry>, u64);

    impl Model {
        fn cancel(&mut self, thing: u32) -> Option<u64> {
            let place = self.0.iter().position(|entry| entry.thing == thing)?;
            Some(self.0.remove(place).time)
        }

        fn set(&mut self, thing: u32, time: u64, period: u64) {
            self.cancel(thing);
            self.1 += 1;
            self.0.push(Entry { time, order: self.1, period, thing });
        }

        fn due(&mut self, now: u64) -> Option<Due> {
            let due = self.0.iter().filter(|entry| entry.time <= now);
            let Entry { time, period, thing, .. } = *due.min_by_key(|entry| (entry.time, entry.order))?;
            self.cancel(thing);
            let mut count = 1;
            if period > 0 {
                while time + count * period <= now {
                    count += 1;
                }
                self.set(thing, time + count * period, period);
            }
            Some(Due { thing, count })
        }
    }

    proptest! {
        #[test]
        fn deadlines_come_as_if_all_were_looked_at(
            steps in prop::collection::vec((0..4u8, 0..THINGS, 0..50u64, 0..4u64), 0..200),
        ) {
            let (mut deadlines, mut model, mut now) = (Deadlines::new(THINGS), Model::default(), 0);
            for (step, thing, time, period) in steps {
                match step {
                    0 => {
                        prop_assert!(deadlines.set(thing, now + time, period));
                        model.set(thing, now + time, period);
                    }
                    1 => prop_assert_eq!(deadlines.cancel(thing), model.cancel(thing)),
                    2 => now += time,
                    _ => prop_assert_eq!(deadlines.due(now), model.due(now)),
                }
                prop_assert_eq!(deadlines.next(), model.0.iter().map(|entry| entry.time).min());
                let of = model.0.iter().find(|entry| entry.thing == thing).map(|entry| entry.time);
                prop_assert_eq!(deadlines.of(thing), of);
            }
        }
    }

    #[test]
    fn a_late_period_counts_what_has_passed_and_comes_on_time_again() {
        let mut deadlines = Deadlines::new(1);
        deadlines.set(0, 100, 10);
        assert_eq!(deadlines.due(99), None);
        assert_eq!(deadlines.due(135), Some(Due { thing: 0, count: 4 }));
        assert_eq!(deadlines.due(135), None);
        assert_eq!(deadlines.next(), Some(140));
    }

    #[test]
    fn times_beyond_the_end_never_come() {
        let mut deadlines = Deadlines::new(1);
        deadlines.set(0, u64::MAX - 1, u64::MAX);
        assert_eq!(deadlines.due(u64::MAX - 1), Some(Due { thing: 0, count: 1 }));
        assert_eq!(deadlines.due(u64::MAX - 1), None);
        assert!(!deadlines.set(1, 0, 0));
    }
}
