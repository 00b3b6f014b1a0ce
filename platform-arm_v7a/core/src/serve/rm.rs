//! RM: region maps.

use base::{
    rpc::Slot,
    session::{
        rm::{AttachError, CreateError, DetachError, PageFault, Placement, Rm},
        several,
    },
};

use super::Call;
use crate::system::{Id, Known, RegionMap, region_map::Object, table::Missing};

impl Call<'_> {
    /// A region map whose regions the caller may change.
    fn own_map(&self, number: Slot) -> Result<Id<RegionMap>, Missing> {
        let map = self.region_map(number)?;
        if self.entry(number).owned { Ok(map) } else { Err(Missing::Kind) }
    }
}

impl Rm for Call<'_> {
    fn create(&mut self, at: Slot, account: Slot, size: u32) -> Result<Slot, CreateError> {
        let account = self.own_domain(account)?;
        let number = self.free_number(at)?;
        let map = self.system.create_map(account, size)?;
        self.enter(number, Known::RegionMap(map));
        Ok(number)
    }

    fn create_space(&mut self, at: Slot, pd: Slot) -> Result<Slot, CreateError> {
        let account = self.own_domain(pd)?;
        let number = self.free_number(at)?;
        let map = self.system.create_space(account)?;
        self.enter(number, Known::RegionMap(map));
        Ok(number)
    }

    fn attach(&mut self, map: Slot, dataspace: Slot, placement: Placement) -> Result<u32, AttachError> {
        let (map, owned) = (self.region_map(map)?, self.entry(map).owned);
        let entry = self.entry(dataspace);
        let object = match entry.known {
            Known::RegionMap(id) => Object::Map(id),
            _ => Object::Dataspace(self.dataspace(dataspace)?),
        };
        if !owned || placement.writable && !entry.owned {
            return Err(AttachError::ReadOnly);
        }
        self.system.attach(map, object, placement)
    }

    fn several(&mut self, requests: &[u8]) -> u32 {
        several::of_rm(self, requests)
    }

    fn map(&mut self, map: Slot, address: u32) -> Result<u32, AttachError> {
        let map = self.own_map(map)?;
        self.system.map_attached(map, address)
    }

    fn detach(&mut self, map: Slot, address: u32) -> Result<u32, DetachError> {
        let map = self.own_map(map)?;
        self.system.detach(map, address)
    }

    fn handle_faults(&mut self, map: Slot, context: Slot) -> Result<(), DetachError> {
        let map = self.own_map(map)?;
        let context = if context == Slot(0) { None } else { Some(self.context(context)?) };
        self.system.handle_faults(map, context)
    }

    fn fault(&mut self, map: Slot) -> Result<Option<PageFault>, DetachError> {
        let map = self.own_map(map)?;
        self.system.oldest_fault(map)
    }
}
