//! What whoever asks for a checkpoint brings: room for information, and for pages.
//!
//! Everything is asked for before the component is stopped.

use alloc::vec::Vec;

use base::{
    rpc::{CallError, Slot, Transport},
    session::pd::{AllocateError, FrameSize, MAX_PAGES, Memory, OWN, PAGE},
};

use crate::{
    checkpoint::Checkpoint,
    information::{Information, Need},
    object::{RamDataspace, RamDataspaceInfo},
    upstream::Upstream,
};

/// Where checkpoints are kept.
pub trait Storage {
    /// Room for a checkpoint. On the path of every checkpoint, so it should not ask for memory.
    ///
    /// # Errors
    /// There is not so much room.
    fn reserve(&mut self, need: &Need) -> Result<Place, Shortage>;

    /// Room that is not needed any more.
    fn release(&mut self, place: Place);
}

/// Room for one checkpoint.
#[derive(Debug)]
pub struct Place {
    /// For information; empty.
    pub information: Information,
    /// For pages.
    pub pages: Pages,
}

/// Some pages of a dataspace of the parent's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pages {
    /// The parent's number for it.
    pub dataspace: Slot,
    /// The first page.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// There is not enough room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// What is needed.
    pub needed: Need,
    /// The most that there is for one checkpoint.
    pub available: Need,
}

/// Storage of a fixed size: a dataspace, and room for a number of checkpoints. Dropping it frees the memory, and with it
/// the content of all checkpoints that were put there.
pub struct Pool<T: Transport + Copy> {
    dataspace: RamDataspace<T>,
    /// Pages that nobody has, in ascending order, no two of them adjacent.
    free: Vec<(u32, u32)>,
    spare: Vec<Information>,
}

impl<T: Transport + Copy> Pool<T> {
    /// Room for `checkpoints` checkpoints, each of as many objects, regions and words as `each` says; and for `pages`
    /// pages in all. The parent pays.
    ///
    /// # Errors
    /// There is no memory for the pages.
    pub fn new(up: Upstream<T>, checkpoints: usize, each: &Need, pages: u32) -> Result<Self, CallError<AllocateError>> {
        if pages == 0 || pages > MAX_PAGES {
            return Err(AllocateError::Size.into());
        }
        // Nobody maps it, so large frames cost nothing later.
        let memory = Memory { largest: FrameSize::Section, ..Memory::default() };
        let info = RamDataspaceInfo { size: pages * PAGE, memory, pages, skipped: 0, stack: false, stored: 0 };
        let dataspace = RamDataspace::restore(up, Slot(0), OWN, &info)?;
        let mut free = Vec::with_capacity(checkpoints + 2);
        free.push((0, pages));
        let mut spare = Vec::with_capacity(checkpoints);
        spare.resize_with(checkpoints, || Information::with_room(each));
        Ok(Self { dataspace, free, spare })
    }

    /// Whether there is room for a checkpoint that needs so much.
    pub fn suffices(&self, need: &Need) -> bool {
        !self.spare.is_empty() && self.available().covers(need)
    }

    /// A checkpoint that is not needed any more.
    pub fn discard(&mut self, checkpoint: Checkpoint) {
        self.release(checkpoint.into_place());
    }

    fn available(&self) -> Need {
        let room = self.spare.last().map_or_else(Need::default, Information::room);
        Need { pages: self.free.iter().map(|&(_, count)| count).max().unwrap_or(0), ..room }
    }
}

impl<T: Transport + Copy> Storage for Pool<T> {
    fn reserve(&mut self, need: &Need) -> Result<Place, Shortage> {
        let available = self.available();
        let shortage = Shortage { needed: *need, available };
        if !available.covers(need) {
            return Err(shortage);
        }
        let found = self.free.iter().position(|&(_, count)| count >= need.pages);
        // A checkpoint without pages takes none, also where none is left.
        let first = match found {
            _ if need.pages == 0 => 0,
            Some(found) => {
                let (first, count) = &mut self.free[found];
                let taken = *first;
                (*first, *count) = (taken + need.pages, *count - need.pages);
                if *count == 0 {
                    self.free.remove(found);
                }
                taken
            }
            None => return Err(shortage),
        };
        let information = self.spare.pop().ok_or(shortage)?;
        Ok(Place { information, pages: Pages { dataspace: self.dataspace.number(), first, count: need.pages } })
    }

    fn release(&mut self, Place { mut information, pages: Pages { first, count, .. } }: Place) {
        information.clear();
        self.spare.push(information);
        if count == 0 {
            return;
        }
        let at = self.free.partition_point(|&(other, _)| other < first);
        self.free.insert(at, (first, count));
        let mut join = |left: usize| {
            if let [a, b, ..] = &mut self.free[left..]
                && a.0 + a.1 == b.0
            {
                a.1 += b.1;
                self.free.remove(left + 1);
            }
        };
        join(at);
        if let Some(left) = at.checked_sub(1) {
            join(left);
        }
    }
}
