//! Dataspaces: memory that has a number.

use super::MemoryError;
use crate::{
    Env,
    region::Pieces,
    rpc::{CallError, Slot},
    session::pd::{ANY, AT_ONCE, AllocateError, Memory, OWN, PAGE},
};

/// Views of memory rely on sizes, so only what is here tells them.
pub(super) mod sealed {
    pub trait Sealed {}
}
pub(super) use sealed::Sealed;

/// Something that can be attached in a region map.
pub trait Attachable: Sealed {
    /// Its number.
    fn slot(&self) -> Slot;

    /// Its size in bytes.
    ///
    /// # Errors
    /// It is not known and cannot be asked for.
    fn size(&self, env: Env) -> Result<u32, MemoryError>;
}

impl Sealed for Slot {}
/// A dataspace that is known by number only; its size is asked for.
impl Attachable for Slot {
    fn slot(&self) -> Slot {
        *self
    }

    fn size(&self, env: Env) -> Result<u32, MemoryError> {
        Ok(env.pd().describe(*self).map_err(MemoryError::Describe)?.size)
    }
}

/// Memory of the component's own, freed when dropped. What is attached of it then is there no more, and touching it is a
/// fault.
#[derive(Debug)]
pub struct Dataspace {
    owned: Owned,
    size: u32,
}

impl Dataspace {
    /// Its number.
    pub const fn slot(&self) -> Slot {
        self.owned.slot
    }

    /// Its size in bytes, whole pages.
    pub const fn size(&self) -> usize {
        self.size as usize
    }

    /// Its number, for good: it is not freed.
    pub fn leak(self) -> Slot {
        self.owned.leak()
    }
}

impl Sealed for Dataspace {}
impl Attachable for Dataspace {
    fn slot(&self) -> Slot {
        self.owned.slot
    }

    fn size(&self, _: Env) -> Result<u32, MemoryError> {
        Ok(self.size)
    }
}

/// Memory that belongs to somebody else: of a server, redeemed, or a module. Dropped, only the number goes.
#[derive(Debug)]
pub struct Shared {
    env: Env,
    slot: Slot,
    size: u32,
}

impl Shared {
    /// What is known as `slot`; the number is given up with it.
    ///
    /// # Errors
    /// Nobody knows how large it is.
    pub fn new(env: Env, slot: Slot) -> Result<Self, MemoryError> {
        let mut shared = Self { env, slot, size: 0 };
        // Made before it is asked for, so that the number goes in any case.
        shared.size = slot.size(env)?;
        Ok(shared)
    }

    /// Its number.
    pub const fn slot(&self) -> Slot {
        self.slot
    }

    /// Its size in bytes, whole pages.
    pub const fn size(&self) -> usize {
        self.size as usize
    }
}

impl Sealed for Shared {}
impl Attachable for Shared {
    fn slot(&self) -> Slot {
        self.slot
    }

    fn size(&self, _: Env) -> Result<u32, MemoryError> {
        Ok(self.size)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // What was opened and not shared is freed. It may be gone already, with its owner.
        if self.env.pd().remove(OWN, self.slot).is_err() {
            while let Ok(1..) = self.env.pd().free(self.slot) {}
        }
    }
}

/// A number to be freed when dropped.
pub(crate) struct Owned {
    pub env: Env,
    pub slot: Slot,
}

impl Owned {
    pub fn leak(self) -> Slot {
        let slot = self.slot;
        core::mem::forget(self);
        slot
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // What cannot be freed, because it is gone or in use, stays; nobody could be told.
        while let Ok(1..) = self.env.pd().free(self.slot) {}
    }
}

impl core::fmt::Debug for Owned {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.slot.fmt(f)
    }
}

impl Env {
    /// Memory of at least that many bytes, all zero, in frames of 4 KiB.
    ///
    /// # Errors
    /// Why there is none; [`Self::allocate_as`] tells more.
    pub fn allocate(&self, size: usize) -> Result<Dataspace, CallError<AllocateError>> {
        self.allocate_as(size, Memory::default())
    }

    /// Memory of a kind. If the component's account does not suffice, its parent is asked for more, once.
    ///
    /// # Errors
    /// Why there is none. Nothing is left of it then.
    pub fn allocate_as(&self, size: usize, memory: Memory) -> Result<Dataspace, CallError<AllocateError>> {
        let size = u32::try_from(size).ok().and_then(|size| size.checked_next_multiple_of(PAGE));
        let size = size.ok_or(AllocateError::Size)?;
        match self.allocate_once(size, memory) {
            Err(CallError::Error(AllocateError::Ram)) if self.request_more(size, 0).is_ok() => {}
            Err(CallError::Error(AllocateError::Caps)) if self.request_more(0, MORE_CAPS).is_ok() => {}
            result => return result,
        }
        self.allocate_once(size, memory)
    }

    fn allocate_once(&self, size: u32, memory: Memory) -> Result<Dataspace, CallError<AllocateError>> {
        let slot = self.pd().allocate(ANY, OWN, size, memory)?;
        let dataspace = Dataspace { owned: Owned { env: *self, slot }, size };
        // The first frames have come with it; when those are not all, only whoever has made it knows what is missing.
        if Pieces::new(size / PAGE, memory.largest).count() > AT_ONCE {
            while self.pd().populate(slot)? > 0 {}
        }
        Ok(dataspace)
    }
}

/// Capabilities that are asked for when there are too few, so that not each of them is a request.
const MORE_CAPS: u32 = 16;
