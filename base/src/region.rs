//! The arithmetic of memory: which frames a dataspace is made of, and what lies where in a region map.
//!
//! All of it counts in pages of 4 KiB. Core keeps its books by it, and so does a parent that stands between.

use alloc::vec::Vec;
use core::ops::Range;

use crate::session::pd::FrameSize;

/// How a dataspace of so many pages is cut into frames: as many of the largest size as fit, then of the next, and so on.
/// So each frame begins, in the dataspace, at a multiple of its own size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pieces {
    pages: u32,
    largest: FrameSize,
}

/// One of the frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Which, in order.
    pub index: u32,
    /// Its size.
    pub size: FrameSize,
    /// Its first page.
    pub page: u32,
}

impl Piece {
    /// Behind its last page.
    pub const fn end(&self) -> u32 {
        self.page + self.size.pages()
    }
}

impl Pieces {
    /// Of a dataspace of so many pages, of frames up to that size.
    pub const fn new(pages: u32, largest: FrameSize) -> Self {
        Self { pages, largest }
    }

    /// How many there are.
    pub fn count(self) -> u32 {
        self.runs().map(|(_, count, _, _)| count).sum()
    }

    /// The one that holds a page.
    #[inline]
    pub fn at(self, page: u32) -> Option<Piece> {
        if self.largest == FrameSize::Small {
            return self.small(page);
        }
        let (first, _, size, start) =
            self.runs().find(|&(_, count, size, start)| page < start + (count << size.page_bits()))?;
        let index = (page - start) >> size.page_bits();
        Some(Piece { index: first + index, size, page: start + (index << size.page_bits()) })
    }

    /// The one of that number.
    #[inline]
    pub fn of(self, index: u32) -> Option<Piece> {
        if self.largest == FrameSize::Small {
            return self.small(index);
        }
        let (first, _, size, start) = self.runs().find(|&(first, count, ..)| index < first + count)?;
        Some(Piece { index, size, page: start + ((index - first) << size.page_bits()) })
    }

    /// Where all are pages, number and page are the same.
    #[inline]
    fn small(self, page: u32) -> Option<Piece> {
        (page < self.pages).then_some(Piece { index: page, size: FrameSize::Small, page })
    }

    /// For each size, from the largest down: number of the first, how many there are, their size, their first page.
    fn runs(self) -> impl Iterator<Item = (u32, u32, FrameSize, u32)> {
        let sizes = FrameSize::ALL.into_iter().rev().filter(move |&size| size <= self.largest);
        sizes.scan((0, 0), move |(index, page), size| {
            let count = (self.pages - *page) >> size.page_bits();
            let run = (*index, count, size, *page);
            *index += count;
            *page += count << size.page_bits();
            Some(run)
        })
    }
}

/// What lies where: regions that do not overlap, in ascending order. Finding takes a binary search; adding and removing
/// moves those behind.
#[derive(Clone, Debug)]
pub struct Regions<T> {
    list: Vec<Region<T>>,
}

/// Some pages, and what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region<T> {
    /// First page.
    pub start: u32,
    /// How many, at least one.
    pub pages: u32,
    /// What is there.
    pub what: T,
}

impl<T> Region<T> {
    /// Behind its last page.
    pub const fn end(&self) -> u32 {
        self.start + self.pages
    }
}

/// Why there is no new region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Something is there.
    Occupied,
    /// There is no memory to keep it in.
    Exhausted,
}

impl<T> Default for Regions<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Regions<T> {
    /// None.
    pub const fn new() -> Self {
        Self { list: Vec::new() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All, in ascending order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Region<T>> {
        self.list.iter()
    }

    /// The region that holds a page.
    #[inline]
    pub fn at(&self, page: u32) -> Option<&Region<T>> {
        self.list.get(self.index(page)).filter(|region| region.start <= page)
    }

    /// The first page of the first region that begins behind a page.
    pub fn next(&self, page: u32) -> Option<u32> {
        let index = self.list.partition_point(|region| region.start <= page);
        self.list.get(index).map(|region| region.start)
    }

    /// The region that begins at a page.
    pub fn get(&self, start: u32) -> Option<&Region<T>> {
        self.at(start).filter(|region| region.start == start)
    }

    /// The region that begins at a page, to be changed in what is there.
    pub fn get_mut(&mut self, start: u32) -> Option<&mut T> {
        let index = self.index(start);
        self.list.get_mut(index).filter(|region| region.start == start).map(|region| &mut region.what)
    }

    /// Whether nothing is in these pages.
    pub fn is_free(&self, start: u32, pages: u32) -> bool {
        self.list.get(self.index(start)).is_none_or(|next| next.start >= start + pages)
    }

    /// Adds a region of at least one page, which ends below 2^32.
    ///
    /// # Errors
    /// Something is there; there is no room. Nothing has changed.
    pub fn insert(&mut self, start: u32, pages: u32, what: T) -> Result<(), Refused> {
        self.insert_at(start, pages, what).map(drop)
    }

    /// The same; tells its place in the list, where it is until something else comes or goes.
    ///
    /// # Errors
    /// As of [`insert`](Self::insert).
    pub fn insert_at(&mut self, start: u32, pages: u32, what: T) -> Result<usize, Refused> {
        let index = self.index(start);
        if self.list.get(index).is_some_and(|next| next.start < start + pages) {
            return Err(Refused::Occupied);
        }
        self.list.try_reserve(1).map_err(|_| Refused::Exhausted)?;
        self.list.insert(index, Region { start, pages, what });
        Ok(index)
    }

    /// The region in that place of the list.
    pub fn in_place(&mut self, index: usize) -> Option<&mut Region<T>> {
        self.list.get_mut(index)
    }

    /// Removes the region that begins at a page.
    pub fn remove(&mut self, start: u32) -> Option<Region<T>> {
        let index = self.index(start);
        let found = self.list.get(index).is_some_and(|region| region.start == start);
        found.then(|| self.list.remove(index))
    }

    /// The lowest page within `within` from which on `pages` are free and which leaves the remainder `phase` when divided
    /// by `alignment`, a power of two. Looks at regions one after the other.
    pub fn fit(&self, pages: u32, alignment: u32, phase: u32, within: Range<u32>) -> Option<u32> {
        debug_assert!(alignment.is_power_of_two());
        let mask = alignment - 1;
        let phase = phase & mask;
        // What would exceed a word stays at its top, which is above `within`.
        let suit = |page: u32| (page.saturating_sub(phase).saturating_add(mask) & !mask) | phase;
        let mut candidate = suit(within.start);
        for region in &self.list[self.index(within.start)..] {
            if candidate.checked_add(pages)? <= region.start {
                break;
            }
            if region.end() > candidate {
                candidate = suit(region.end());
            }
        }
        (candidate.checked_add(pages)? <= within.end).then_some(candidate)
    }

    /// Where the first region is that ends behind a page.
    fn index(&self, page: u32) -> usize {
        self.list.partition_point(|region| region.end() <= page)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;

    fn size() -> impl Strategy<Value = FrameSize> {
        prop::sample::select(&FrameSize::ALL[..])
    }

    proptest! {
        #[test]
        fn pieces_cover_every_page_once_and_are_aligned(pages in 0u32..20_000, largest in size()) {
            let pieces = Pieces::new(pages, largest);
            let mut next = 0;
            for index in 0..pieces.count() {
                let piece = pieces.of(index).unwrap();
                prop_assert_eq!((piece.index, piece.page), (index, next));
                prop_assert!(piece.size <= largest && piece.page.is_multiple_of(piece.size.pages()));
                prop_assert_eq!(pieces.at(piece.page), Some(piece));
                prop_assert_eq!(pieces.at(piece.end() - 1), Some(piece));
                next = piece.end();
            }
            prop_assert_eq!(next, pages);
            prop_assert_eq!(pieces.at(pages), None);
            prop_assert_eq!(pieces.of(pieces.count()), None);
        }

        #[test]
        fn regions_are_what_a_map_of_pages_says(
            steps in prop::collection::vec((any::<bool>(), 0u32..64, 1u32..12), 1..60),
            wanted in 1u32..12, alignment in prop::sample::select(&[1u32, 4, 16][..]), phase in 0u32..16,
        ) {
            let mut model = [None; 96];
            let mut regions = Regions::new();
            for (number, (add, start, pages)) in steps.into_iter().enumerate() {
                let range = start as usize..(start + pages) as usize;
                if add {
                    let free = model[range.clone()].iter().all(Option::is_none);
                    prop_assert_eq!(regions.is_free(start, pages), free);
                    prop_assert_eq!(regions.insert(start, pages, number).is_ok(), free);
                    if free {
                        model[range].fill(Some((start, number)));
                    }
                } else {
                    let there = model[start as usize].filter(|&(first, _)| first == start);
                    prop_assert_eq!(regions.remove(start).map(|region| (region.start, region.what)), there);
                    if there.is_some() {
                        model.iter_mut().filter(|page| **page == there).for_each(|page| *page = None);
                    }
                }
            }
            for page in 0..96 {
                let found = regions.at(page).map(|region| (region.start, region.what));
                prop_assert_eq!(found, model[page as usize]);
                let behind = (page + 1..96).filter_map(|at| model[at as usize].filter(|&(start, _)| start == at));
                prop_assert_eq!(regions.next(page), behind.map(|(start, _)| start).next());
            }
            let fits = |at: &u32| {
                at % alignment == phase % alignment
                    && model[*at as usize..(*at + wanted) as usize].iter().all(Option::is_none)
            };
            prop_assert_eq!(regions.fit(wanted, alignment, phase, 3..96), (3..=96 - wanted).find(fits));
        }
    }

    #[test]
    fn fitting_does_not_overflow() {
        let mut regions = Regions::new();
        regions.insert(0, 0xffff_0000, ()).unwrap();
        assert_eq!(regions.fit(0x2_0000, 1, 0, 0..u32::MAX), None);
    }
}
