//! Region maps: what lies where.

use super::{
    Attachable, MemoryError,
    dataspace::{Owned, Sealed},
};
use crate::{
    Env,
    env::slots,
    rpc::{CallError, Slot},
    session::{
        pd::{ANY, AT_ONCE, OWN, PAGE},
        rm::{AttachError, CreateError, Placement},
    },
};

/// A region of a region map with something attached; detached when dropped.
///
/// Its addresses stay taken until then, even when what was attached is gone.
#[derive(Debug)]
pub struct Region {
    env: Env,
    map: Slot,
    address: u32,
    size: u32,
}

impl Region {
    /// Where it begins, counted from the beginning of the region map.
    pub const fn address(&self) -> u32 {
        self.address
    }

    /// How many bytes it has, whole pages.
    pub const fn size(&self) -> usize {
        self.size as usize
    }

    /// Attached for good; tells where.
    pub fn leak(self) -> u32 {
        let address = self.address;
        core::mem::forget(self);
        address
    }

    pub(super) const fn env(&self) -> Env {
        self.env
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // What cannot be detached stays; nobody could be told.
        while let Ok(1..) = self.env.rm().detach(self.map, self.address) {}
    }
}

/// A managed region map: can be attached like a dataspace, and shows what is attached in it.
#[derive(Debug)]
pub struct RegionMap {
    owned: Owned,
    size: u32,
}

impl RegionMap {
    /// Its number.
    pub const fn slot(&self) -> Slot {
        self.owned.slot
    }

    /// Its size in bytes, whole pages.
    pub const fn size(&self) -> usize {
        self.size as usize
    }

    /// Attaches something in it.
    ///
    /// # Errors
    /// Why it is not attached.
    pub fn attach(&self, what: &impl Attachable, placement: Placement) -> Result<Region, MemoryError> {
        self.owned.env.attach_in(self.owned.slot, what, placement)
    }
}

impl Sealed for RegionMap {}
impl Attachable for RegionMap {
    fn slot(&self) -> Slot {
        self.owned.slot
    }

    fn size(&self, _: Env) -> Result<u32, MemoryError> {
        Ok(self.size)
    }
}

impl Env {
    /// A managed region map of at least that many bytes, in which nothing is attached yet.
    ///
    /// # Errors
    /// Why there is none.
    pub fn region_map(&self, size: usize) -> Result<RegionMap, CallError<CreateError>> {
        let size = u32::try_from(size).ok().and_then(|size| size.checked_next_multiple_of(PAGE));
        let size = size.ok_or(CreateError::Size)?;
        let slot = self.rm().create(ANY, OWN, size)?;
        Ok(RegionMap { owned: Owned { env: *self, slot }, size })
    }

    /// Attaches something in any region map that is known by number, an address space included.
    ///
    /// # Errors
    /// Why it is not attached.
    pub fn attach_in(&self, map: Slot, what: &impl Attachable, placement: Placement) -> Result<Region, MemoryError> {
        let size = match placement.size {
            0 => what.size(*self)?.checked_sub(placement.offset).filter(|size| *size > 0).ok_or(RANGE)?,
            size => size,
        };
        placement.check().map_err(CallError::Error)?;
        // With its size, so that what is attached is as large as the region says. Only all of a region map can be more than
        // the words carry, and the size of that is known from its making.
        let exact = Placement { size, ..placement };
        let placement = if exact.check().is_ok() { exact } else { placement };
        let address = self.rm().attach(map, what.slot(), placement)?;
        let region = Region { env: *self, map, address, size };
        // The first frames are mapped already, each of a page at least, and all of what is small.
        let mut left = (size / PAGE).saturating_sub(AT_ONCE);
        while left > 0 {
            left = self.rm().map(map, address)?;
        }
        Ok(region)
    }

    /// Attaches something in the component's address space.
    pub(super) fn attach_here(&self, what: &impl Attachable, placement: Placement) -> Result<Region, MemoryError> {
        self.attach_in(slots::ADDRESS_SPACE, what, placement)
    }
}

/// Nothing of it is behind that offset.
const RANGE: MemoryError = MemoryError::Attach(CallError::Error(AttachError::Range));
