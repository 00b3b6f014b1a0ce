//! Memory of the component's own.

use base::{
    region::Pieces,
    rpc::{CallError, Slot, Transport},
    session::pd::{AT_ONCE, AllocateError, LookupError, Memory, PAGE},
};

use super::Owned;
use crate::upstream::Upstream;

/// A dataspace with memory of its own. Dropping it frees the memory.
pub struct RamDataspace<T: Transport + Copy> {
    pub(crate) owned: Owned<T>,
    /// In bytes, whole pages.
    pub(crate) size: u32,
    pub(crate) memory: Memory,
    /// Pages that it is known to have; it may have more until it is [complete](Self::is_complete).
    pub(crate) pages: u32,
    /// In how many regions it is attached.
    pub(crate) attached: u32,
}

/// What a [`RamDataspace`] is, and where its content is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RamDataspaceInfo {
    /// In bytes, whole pages.
    pub size: u32,
    /// Its kind.
    pub memory: Memory,
    /// Pages that it has.
    pub pages: u32,
    /// Pages at its beginning that are no state: below the pointer of the stack that it is.
    pub skipped: u32,
    /// Whether it is a stack.
    pub stack: bool,
    /// Where its page 0 would be in the storage, counted from the checkpoint's first page.
    pub stored: u32,
}

impl RamDataspaceInfo {
    /// How many pages are stored.
    pub const fn saved(&self) -> u32 {
        self.pages.saturating_sub(self.skipped)
    }
}

impl<T: Transport + Copy> RamDataspace<T> {
    /// Memory on an account, as far as one request brings it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn allocate(
        up: Upstream<T>,
        at: Slot,
        account: Slot,
        size: u32,
        memory: Memory,
    ) -> Result<Self, CallError<AllocateError>> {
        let owned = Owned::new(up, up.pd().allocate(at, account, size, memory)?);
        // Of a size that would wrap, there is no dataspace.
        let size = size.checked_next_multiple_of(PAGE).ok_or(AllocateError::Size)?;
        // The first frames come with it.
        let pages = brought(size / PAGE, memory);
        Ok(Self { owned, size, memory, pages, attached: 0 })
    }

    /// The same with all its pages, or at least so many.
    ///
    /// # Errors
    /// Why there is none.
    pub fn restore(
        up: Upstream<T>,
        at: Slot,
        account: Slot,
        info: &RamDataspaceInfo,
    ) -> Result<Self, CallError<AllocateError>> {
        let mut made = Self::allocate(up, at, account, info.size, info.memory)?;
        made.populate(info.pages)?;
        Ok(made)
    }

    /// What was made of that size and kind, with the frames that come with it.
    pub(crate) fn made(up: Upstream<T>, number: Slot, info: &RamDataspaceInfo) -> Self {
        let all = info.size / PAGE;
        let pages = brought(all, info.memory);
        Self { owned: Owned::new(up, number), size: info.size, memory: info.memory, pages, attached: 0 }
    }

    /// The parent's number for it.
    pub const fn number(&self) -> Slot {
        self.owned.number
    }

    /// How many pages it can have.
    pub const fn all(&self) -> u32 {
        self.size / PAGE
    }

    /// Whether it has all its pages.
    pub const fn is_complete(&self) -> bool {
        self.pages == self.all()
    }

    /// Gives it at least so many pages.
    pub(crate) fn populate(&mut self, pages: u32) -> Result<(), CallError<AllocateError>> {
        // One request too many would bring pages that the component has not asked for.
        if self.pages < pages && pages < self.all() {
            self.count_pages().map_err(|_| AllocateError::Nothing)?;
        }
        if self.pages < pages {
            self.pages = self.all() - self.owned.up.populate(self.owned.number, self.all(), pages)?;
        }
        Ok(())
    }

    /// Finds out how many pages it has, unless that is known.
    pub(crate) fn count_pages(&mut self) -> Result<(), CallError<LookupError>> {
        if !self.is_complete() {
            self.pages = self.owned.up.pd().describe(self.owned.number)?.pages;
        }
        Ok(())
    }

    /// What it is. The content is not looked at.
    pub const fn info(&self) -> RamDataspaceInfo {
        RamDataspaceInfo {
            size: self.size,
            memory: self.memory,
            pages: self.pages,
            skipped: 0,
            stack: false,
            stored: 0,
        }
    }

    /// Whether it can become what a checkpoint says by copying and populating alone.
    pub fn suits(&self, saved: &RamDataspaceInfo) -> bool {
        !self.owned.ending && self.size == saved.size && self.memory == saved.memory && self.pages <= saved.pages
    }
}

/// Pages that come with a dataspace of so many.
fn brought(all: u32, memory: Memory) -> u32 {
    Pieces::new(all, memory.largest).of(AT_ONCE).map_or(all, |piece| piece.page)
}
