//! Where there is room among what is taken.

use alloc::vec::Vec;

use base::session::pd::PAGE;

use super::catalogue::DATA;

/// What is free, as offsets and lengths of whole pages.
pub(super) struct Room {
    free: Vec<(u64, u64)>,
}

impl Room {
    /// What these extents leave of a store. They may overlap.
    pub fn new(size: u64, taken: impl Iterator<Item = (u64, u64)>) -> Self {
        let mut taken: Vec<_> = taken.collect();
        taken.sort_unstable();
        let (mut free, mut next) = (Vec::new(), DATA);
        for (offset, length) in taken.into_iter().chain([(size, 0)]) {
            if next < offset {
                free.push((next, offset - next));
            }
            next = next.max((offset + length).next_multiple_of(PAGE.into()));
        }
        Self { free }
    }

    /// Where so many bytes are free in one piece.
    pub fn find(&self, length: u64) -> Option<u64> {
        self.free.iter().find(|(_, free)| *free >= length).map(|&(offset, _)| offset)
    }

    /// The longest piece.
    pub fn largest(&self) -> u64 {
        self.free.iter().map(|&(_, length)| length).max().unwrap_or(0)
    }
}
