//! The part of a parent's numbers that stands for those of a child.

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

/// Which numbers of a window are in use, so that the lowest free one can be chosen.
#[derive(Clone, Debug)]
pub struct Numbers {
    words: alloc::vec::Vec<u64>,
    size: u32,
    /// No free number is below.
    lowest: u32,
}

impl Numbers {
    /// None in use but those below `first`.
    pub fn new(size: u32, first: u32) -> Self {
        let mut numbers = Self { words: alloc::vec![0; size.div_ceil(64) as usize], size, lowest: first };
        (0..first.min(size)).for_each(|number| numbers.mark(number, true));
        numbers
    }

    fn mark(&mut self, number: u32, used: bool) {
        let (word, bit) = (&mut self.words[(number / 64) as usize], 1 << (number % 64));
        if used { *word |= bit } else { *word &= !bit }
    }

    /// Whether a number is in use; those beyond the window are.
    pub fn is_used(&self, number: u32) -> bool {
        self.words.get((number / 64) as usize).is_none_or(|word| number >= self.size || word >> (number % 64) & 1 != 0)
    }

    /// The lowest free number, 64 looked at in one step; none if all are in use. It is not taken yet.
    pub fn lowest(&self) -> Option<u32> {
        let start = (self.lowest / 64) as usize;
        let found = self.words[start.min(self.words.len())..].iter().position(|&word| word != u64::MAX)? + start;
        let number = found as u32 * 64 + self.words[found].trailing_ones();
        (number < self.size).then_some(number)
    }

    /// A number is in use from now on.
    pub fn take(&mut self, number: u32) {
        if number < self.size {
            self.mark(number, true);
            if number == self.lowest {
                self.lowest += 1;
            }
        }
    }

    /// A number is free again.
    pub fn give(&mut self, number: u32) {
        if number < self.size {
            self.mark(number, false);
            self.lowest = self.lowest.min(number);
        }
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
        let mut numbers = Numbers::new(130, 16);
        for expected in 16..130 {
            assert_eq!(numbers.lowest(), Some(expected));
            numbers.take(expected);
        }
        assert_eq!(numbers.lowest(), None);
        numbers.give(100);
        numbers.give(20);
        assert!(!numbers.is_used(20) && numbers.is_used(21) && numbers.is_used(130) && numbers.is_used(u32::MAX));
        assert_eq!(numbers.lowest(), Some(20));
        numbers.take(20);
        assert_eq!(numbers.lowest(), Some(100));
        numbers.take(1000);
        numbers.give(1000);
        assert_eq!(Numbers::new(8, 16).lowest(), None);
    }
}
