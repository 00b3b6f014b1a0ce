//! Region maps: what lies where.

use alloc::collections::BTreeMap;

use base::{
    rpc::{CallError, Slot, Transport},
    session::{
        pd::{ANY, AT_ONCE, AllocateError, Memory, OWN, PAGE},
        rm::{AttachError, CreateError, Placement},
    },
};

use super::Owned;
use crate::{table::Link, upstream::Upstream};

/// A region map. Dropping it frees it, with all that is mapped by it.
pub struct RegionMap<T: Transport + Copy> {
    pub(crate) owned: Owned<T>,
    pub(crate) kind: MapKind,
    /// By their addresses.
    pub(crate) regions: BTreeMap<u32, Region>,
    /// What faults where nothing is attached raise.
    pub(crate) handler: Option<Link>,
}

/// The two kinds of region maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapKind {
    /// An address space.
    Space,
    /// One that can be attached like a dataspace.
    Managed {
        /// In bytes.
        size: u32,
    },
}

/// A region with something attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// How many bytes show.
    pub size: u32,
    /// First byte that shows.
    pub offset: u32,
    /// May be written.
    pub writable: bool,
    /// May be executed.
    pub executable: bool,
    /// What is attached. The region stays when that goes.
    pub what: Link,
    /// All pages have been mapped.
    pub mapped: bool,
}

/// What a [`RegionMap`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegionMapInfo {
    /// Its kind.
    pub kind: MapKind,
    /// The first of its regions in the checkpoint's list.
    pub first: u32,
    /// How many it has.
    pub count: u32,
    /// Number of the context that faults raise.
    pub handler: Option<u32>,
}

/// What a [`Region`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegionInfo {
    /// Where it begins.
    pub address: u32,
    /// How many bytes show.
    pub size: u32,
    /// First byte that shows.
    pub offset: u32,
    /// May be written.
    pub writable: bool,
    /// May be executed.
    pub executable: bool,
    /// Number of what is attached; none if that is gone.
    pub what: Option<u32>,
    /// All pages have been mapped.
    pub mapped: bool,
}

impl RegionInfo {
    /// As it is asked for.
    pub const fn placement(&self) -> Placement {
        let Self { address, size, offset, writable, executable, .. } = *self;
        Placement { address: Some(address), offset, size, writable, executable }
    }
}

impl Region {
    /// What it is. `what` is the number of what is attached, unless that is gone.
    pub const fn info(&self, address: u32, what: Option<u32>) -> RegionInfo {
        let Self { size, offset, writable, executable, mapped, .. } = *self;
        RegionInfo { address, size, offset, writable, executable, what, mapped }
    }
}

impl<T: Transport + Copy> RegionMap<T> {
    /// A region map with nothing attached, on the account of `pd`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn create(up: Upstream<T>, at: Slot, pd: Slot, kind: MapKind) -> Result<Self, CallError<CreateError>> {
        let number = match kind {
            MapKind::Space => up.rm().create_space(at, pd)?,
            MapKind::Managed { size } => up.rm().create(at, pd, size)?,
        };
        Ok(Self { owned: Owned::new(up, number), kind, regions: BTreeMap::new(), handler: None })
    }

    /// The parent's number for it.
    pub const fn number(&self) -> Slot {
        self.owned.number
    }

    /// Attaches something and writes it down; tells where. `bytes` is its size.
    pub(crate) fn attach(
        &mut self,
        (what, number, bytes): (Link, Slot, u32),
        placement: Placement,
    ) -> Result<u32, CallError<AttachError>> {
        let address = self.owned.up.rm().attach(self.owned.number, number, placement)?;
        let Placement { offset, writable, executable, .. } = placement;
        let size = if placement.size == 0 { bytes.saturating_sub(offset) } else { placement.size };
        self.note(address, Region { size, offset, writable, executable, what, mapped: false });
        Ok(address)
    }

    /// Writes down what was attached.
    pub(crate) fn note(&mut self, address: u32, region: Region) {
        self.forget_regions(address, region.size);
        self.regions.insert(address, region);
    }

    /// Something new lies there. So whatever was is gone, and whoever serves RM has given its addresses to others.
    fn forget_regions(&mut self, address: u32, size: u32) {
        while let Some((&start, region)) = self.regions.range(..address.saturating_add(size)).next_back()
            && start.saturating_add(region.size) > address
        {
            self.regions.remove(&start);
        }
    }

    /// Maps all pages of a region that has just been attached. Attaching has mapped the first frames, each of a page at
    /// least, so of what is small nothing is left.
    pub(crate) fn map_rest(&mut self, address: u32) -> Result<(), CallError<AttachError>> {
        let Some(region) = self.regions.get_mut(&address) else { return Ok(()) };
        if region.size / PAGE > AT_ONCE {
            while self.owned.up.rm().map(self.owned.number, address)? > 0 {}
        }
        region.mapped = true;
        Ok(())
    }

    /// Takes addresses of something that is gone: an empty region map, which is attached there and freed; where region
    /// maps are nested too deep for that, memory.
    ///
    /// That is on the parent's account, since the component's may be full; a moment later it is not there any more.
    pub(crate) fn take_addresses(&mut self, region: &RegionInfo) -> Result<(), GoneError> {
        let (up, map) = (self.owned.up, self.owned.number);
        let RegionInfo { size, offset, writable, executable, mapped, .. } = *region;
        let placement = Placement { offset: 0, ..region.placement() };
        let stand_in = RegionMap::create(up, ANY, OWN, MapKind::Managed { size }).map_err(GoneError::Create)?;
        let address = match up.rm().attach(map, stand_in.number(), placement) {
            Err(CallError::Error(AttachError::Nesting)) => {
                let memory = up.pd().allocate(ANY, OWN, size, Memory::default()).map_err(GoneError::Allocate)?;
                let memory = Owned::new(up, memory);
                up.rm().attach(map, memory.number, placement)
            }
            attached => attached,
        };
        let address = address.map_err(GoneError::Attach)?;
        self.regions.insert(address, Region { size, offset, writable, executable, what: Link::NOTHING, mapped });
        Ok(())
    }

    /// The region in which an address lies.
    pub fn region_at(&self, address: u32) -> Option<(u32, &Region)> {
        let (&start, region) = self.regions.range(..=address).next_back()?;
        (address - start < region.size).then_some((start, region))
    }
}

/// Why addresses were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoneError {
    /// There is no stand-in.
    Create(CallError<CreateError>),
    /// There is no memory to stand in.
    Allocate(CallError<AllocateError>),
    /// It is not attached.
    Attach(CallError<AttachError>),
}
