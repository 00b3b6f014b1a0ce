//! The part of a parent's numbers that stands for those of a child.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::{
    rpc::Slot,
    session::pd::{ANY, OWN},
};

/// Numbers `base` to `base + size` of a parent that stands between: number *n* of the child is *base + n*.
///
/// Nothing is looked up, so translating costs an addition and a comparison, and a number that the child names is one of the
/// child's or none. `base + 1` is the child's own protection domain; 0 means "any" in the child's space as in the parent's,
/// and never has a meaning of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    base: u32,
    size: u32,
}

impl Window {
    /// That window; none if it reaches beyond the numbers that there are.
    pub const fn new(base: u32, size: u32) -> Option<Self> {
        match base.checked_add(size) {
            Some(_) if size > OWN.0 => Some(Self { base, size }),
            _ => None,
        }
    }

    /// The parent's number for the child's number 0, which names nothing.
    pub const fn base(&self) -> u32 {
        self.base
    }

    /// How many numbers it has.
    pub const fn size(&self) -> u32 {
        self.size
    }

    /// The first number behind it.
    pub const fn end(&self) -> u32 {
        self.base + self.size
    }

    /// The child's own protection domain.
    pub const fn pd(&self) -> Slot {
        Slot(self.base + OWN.0)
    }

    /// The parent's number for what the child calls `number`; none beyond the window, and for 0.
    #[inline]
    pub const fn outward(&self, number: Slot) -> Option<Slot> {
        if number.0 == ANY.0 || number.0 >= self.size { None } else { Some(Slot(self.base + number.0)) }
    }

    /// The child's number for what the parent calls `number`, if it is in the window.
    #[inline]
    pub const fn inward(&self, number: Slot) -> Option<Slot> {
        match number.0.checked_sub(self.base) {
            Some(own) if own != ANY.0 && own < self.size => Some(Slot(own)),
            _ => None,
        }
    }
}

/// Which numbers of a window are in use. Threads claim and give without waiting for each other.
#[derive(Debug)]
pub struct Numbers {
    words: Vec<AtomicU32>,
    size: u32,
}

/// Why a number cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is in use.
    Occupied,
    /// It is beyond the window, or all are in use.
    Range,
}

impl Numbers {
    /// None in use but those below `first`.
    pub fn new(size: u32, first: u32) -> Self {
        let words = (0..size.div_ceil(32)).map(|_| AtomicU32::new(0)).collect();
        let numbers = Self { words, size };
        (0..first.min(size)).for_each(|number| _ = numbers.mark(number));
        numbers
    }

    /// Whether it was free.
    fn mark(&self, number: u32) -> bool {
        let bit = 1 << (number % 32);
        // Nothing but the bit itself is told from thread to thread.
        self.words[(number / 32) as usize].fetch_or(bit, Relaxed) & bit == 0
    }

    /// Takes the number `at`, or the lowest free one for [`ANY`]. Looks at 32 numbers in one step.
    ///
    /// # Errors
    /// It cannot be had.
    pub fn claim(&self, at: Slot) -> Result<Slot, Taken> {
        if at != ANY {
            return match at.0 < self.size {
                true if self.mark(at.0) => Ok(at),
                true => Err(Taken::Occupied),
                false => Err(Taken::Range),
            };
        }
        for (index, word) in self.words.iter().enumerate() {
            loop {
                let number = index as u32 * 32 + word.load(Relaxed).trailing_ones();
                if number == (index as u32 + 1) * 32 {
                    break;
                }
                if number >= self.size {
                    return Err(Taken::Range);
                }
                // Another thread may have been quicker.
                if self.mark(number) {
                    return Ok(Slot(number));
                }
            }
        }
        Err(Taken::Range)
    }

    /// A number is free again.
    pub fn give(&self, number: Slot) {
        if let Some(word) = self.words.get((number.0 / 32) as usize) {
            word.fetch_and(!(1 << (number.0 % 32)), Relaxed);
        }
    }

    /// Those from `first` on that are in use.
    pub fn used(&self, first: u32) -> impl Iterator<Item = Slot> + '_ {
        let is_used = |number: &u32| self.words[(number / 32) as usize].load(Relaxed) >> (number % 32) & 1 != 0;
        (first..self.size).filter(is_used).map(Slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_translated_both_ways_and_others_not_at_all() {
        let window = Window::new(1000, 300).unwrap();
        for number in 1..300 {
            let outside = window.outward(Slot(number)).unwrap();
            assert_eq!((outside, window.inward(outside)), (Slot(1000 + number), Some(Slot(number))));
        }
        for number in [0, 300, 301, u32::MAX, u32::MAX - 999] {
            assert_eq!(window.outward(Slot(number)), None);
        }
        for number in [0, 999, 1000, 1300, u32::MAX] {
            assert_eq!(window.inward(Slot(number)), None);
        }
        assert_eq!((window.pd(), window.end()), (Slot(1001), 1300));
        assert_eq!((Window::new(u32::MAX, 2), Window::new(5, 1)), (None, None));
    }

    #[test]
    fn the_lowest_free_number_is_found() {
        let numbers = Numbers::new(130, 16);
        for expected in 16..130 {
            assert_eq!(numbers.claim(ANY), Ok(Slot(expected)));
        }
        assert_eq!((numbers.claim(ANY), numbers.claim(Slot(129))), (Err(Taken::Range), Err(Taken::Occupied)));
        numbers.give(Slot(100));
        numbers.give(Slot(20));
        assert_eq!((numbers.claim(Slot(3)), numbers.claim(Slot(130))), (Err(Taken::Occupied), Err(Taken::Range)));
        assert_eq!((numbers.claim(ANY), numbers.claim(Slot(100))), (Ok(Slot(20)), Ok(Slot(100))));
        numbers.give(Slot(1000));
        assert_eq!(numbers.used(126).collect::<Vec<_>>(), [126, 127, 128, 129].map(Slot));
        assert_eq!(Numbers::new(8, 16).claim(ANY), Err(Taken::Range));
    }
}
