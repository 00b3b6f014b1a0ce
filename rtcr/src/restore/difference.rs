//! What a component has and a checkpoint does not: it goes. And its quota and clock.

use alloc::vec::Vec;

use base::{
    rpc::{CallError, Transport},
    session::{pd::OWN, rm::DetachError},
};

use super::RestoreError;
use crate::{
    checkpoint::Checkpoint,
    child::Child,
    information::Information,
    object::{Info, Object, Region, RegionInfo, RegionMapInfo},
    table::PRIVATE,
};

/// A component on its way to be what a checkpoint says.
pub(super) struct Difference<'a, T: Transport + Copy> {
    pub child: &'a mut Child<T>,
    pub saved: &'a Information,
    pub checkpoint: &'a Checkpoint,
    /// Of each number, whether what it is now is what it is to be, but for what can be changed.
    kept: Vec<bool>,
}

impl<'a, T: Transport + Copy> Difference<'a, T> {
    pub fn new(child: &'a mut Child<T>, checkpoint: &'a Checkpoint) -> Self {
        let mut kept = Vec::new();
        kept.resize((child.table.slots() + PRIVATE) as usize, false);
        let mut difference = Self { child, saved: checkpoint.information(), checkpoint, kept };
        // Contexts and threads depend on others.
        difference.keep(|difference, object, info| difference.is_kept_alone(object, info));
        difference.keep(|difference, object, info| difference.is_kept_with_others(object, info));
        difference
    }

    fn keep(&mut self, is_kept: impl Fn(&Self, &Object<T>, &Info) -> bool) {
        for object in &self.saved.objects {
            let live = self.child.table.get(object.number);
            if live.is_some_and(|live| is_kept(self, live, &object.info))
                && let Some(kept) = self.kept.get_mut(object.number as usize)
            {
                *kept = true;
            }
        }
    }

    fn is_kept_alone(&self, live: &Object<T>, saved: &Info) -> bool {
        match (live, saved) {
            (live, _) if live.is_ending() => false,
            (Object::RamDataspace(live), Info::RamDataspace(saved)) => live.suits(saved),
            (Object::RomDataspace(live), Info::RomDataspace(saved)) => live.suits(saved),
            (Object::RegionMap(live), Info::RegionMap(saved)) => live.kind == saved.kind,
            (Object::Endpoint(_), Info::Endpoint) | (Object::Notification(_), Info::Notification) => true,
            (Object::Session(live), Info::Session(saved)) => live.number() == saved.number,
            (Object::SharedDataspace(live), Info::SharedDataspace(saved)) => live.info() == *saved,
            _ => false,
        }
    }

    fn is_kept_with_others(&self, live: &Object<T>, saved: &Info) -> bool {
        let number = |link| self.child.table.number_of(link).filter(|&number| self.is_kept(number));
        match (live, saved) {
            (Object::SignalContext(live), Info::SignalContext(saved)) => live.suits(number(live.doorbell), saved),
            (Object::Thread(live), Info::Thread(saved)) => {
                let map = number(live.map);
                live.suits(map, live.bound.and_then(number), saved) && self.keeps_region_at(map, live.buffer)
            }
            _ => self.is_kept_alone(live, saved),
        }
    }

    /// Whether what a number is now stays.
    pub fn is_kept(&self, number: u32) -> bool {
        self.kept.get(number as usize).is_some_and(|&kept| kept)
    }

    /// What the checkpoint says of a region map.
    pub fn saved_map(&self, number: u32) -> Option<&'a RegionMapInfo> {
        match self.saved.object(number)? {
            Info::RegionMap(info) => Some(info),
            _ => None,
        }
    }

    /// Whether a region is what the checkpoint says is there.
    fn keeps_region(&self, map: &RegionMapInfo, address: u32, live: &Region) -> bool {
        let what = self.child.table.number_of(live.what);
        if what.is_some_and(|what| !self.is_kept(what)) {
            return false;
        }
        let live = live.info(address, what);
        let regions = self.saved.regions_of(map);
        let found = regions.binary_search_by_key(&address, |region| region.address);
        // Pages that are mapped and need not be do no harm.
        found.is_ok_and(|place| RegionInfo { mapped: live.mapped, ..regions[place] } == live)
    }

    fn keeps_region_at(&self, map: Option<u32>, address: u32) -> bool {
        let Some(map) = map else { return false };
        let (Some(Object::RegionMap(live)), Some(saved)) = (self.child.table.get(map), self.saved_map(map)) else {
            return false;
        };
        live.region_at(address).is_some_and(|(start, region)| self.keeps_region(saved, start, region))
    }

    /// Removes what the checkpoint does not have; tells how many objects that were.
    ///
    /// Threads go first, since their pages for messages hold regions; then regions, so that what is freed is nowhere
    /// attached; then the rest.
    pub fn remove(&mut self) -> Result<u32, RestoreError> {
        let surplus = |this: &Self| -> Vec<u32> {
            let objects =
                this.child.table.iter().filter(|(_, object)| !matches!(object, Object::First { .. } | Object::Service));
            objects.map(|(number, _)| number).filter(|&number| !this.is_kept(number)).collect()
        };
        let surplus = surplus(self);
        for &number in &surplus {
            if let Some(Object::Thread(_) | Object::SignalContext(_)) = self.child.table.get(number) {
                drop(self.child.table.take(number));
            }
        }
        self.stop_timeouts()?;
        self.detach_surplus()?;
        surplus.iter().for_each(|&number| drop(self.child.table.take(number)));
        Ok(surplus.len() as u32)
    }

    fn stop_timeouts(&mut self) -> Result<(), RestoreError> {
        let numbers: Vec<u32> = self.child.table.iter().map(|(number, _)| number).collect();
        for number in numbers {
            if let Some(Object::SignalContext(context)) = self.child.table.get_mut(number)
                && context.timeout.take().is_some()
            {
                context.up.timer().cancel(context.number).map_err(RestoreError::Timeout)?;
            }
        }
        Ok(())
    }

    fn detach_surplus(&mut self) -> Result<(), RestoreError> {
        let mut surplus = Vec::new();
        for (number, object) in self.child.table.iter() {
            let (Object::RegionMap(map), Some(saved)) = (object, self.saved_map(number)) else { continue };
            if self.is_kept(number) {
                let regions =
                    map.regions.iter().filter(|(address, region)| !self.keeps_region(saved, **address, region));
                surplus.extend(regions.map(|(&address, region)| (number, map.number(), address, region.what)));
            }
        }
        let (up, table) = (self.child.up, &mut self.child.table);
        for (number, map, address, what) in surplus {
            loop {
                match up.rm().detach(map, address) {
                    Ok(0) | Err(CallError::Error(DetachError::Nothing)) => break,
                    Ok(_) => {}
                    Err(error) => return Err(RestoreError::Detach(error)),
                }
            }
            if let Some(Object::RegionMap(map)) = table.get_mut(number) {
                map.regions.remove(&address);
            }
            if let Some(Object::RamDataspace(dataspace)) = table.follow_mut(what) {
                dataspace.attached -= 1;
            }
        }
        Ok(())
    }

    /// Before anything is made, the component gets what it misses of its quota.
    pub fn raise_quota(&mut self) -> Result<(), RestoreError> {
        self.transfer(|saved, live| (saved.saturating_sub(live), 0))
    }

    /// Afterwards it has the quota of the checkpoint.
    pub fn set_quota(&mut self) -> Result<(), RestoreError> {
        self.transfer(|saved, live| (saved.saturating_sub(live), live.saturating_sub(saved)))
    }

    /// Gives and takes back as much as that says.
    fn transfer(&mut self, how_much: impl Fn(u32, u32) -> (u32, u32)) -> Result<(), RestoreError> {
        let (up, pd) = (self.child.up, self.child.pd.number);
        let live = up.pd().account(pd).map_err(RestoreError::Account)?;
        let (ram, ram_back) = how_much(self.saved.account.ram, live.ram);
        let (caps, caps_back) = how_much(self.saved.account.caps, live.caps);
        if ram > 0 || caps > 0 {
            up.pd().transfer(OWN, pd, ram, caps).map_err(RestoreError::Transfer)?;
        }
        if ram_back > 0 || caps_back > 0 {
            up.pd().transfer(pd, OWN, ram_back, caps_back).map_err(RestoreError::Transfer)?;
        }
        Ok(())
    }

    /// The component's time goes on from where it was.
    pub fn set_clock(&mut self) -> Result<(), RestoreError> {
        let now = self.child.up.timer().now().map_err(RestoreError::Time)?;
        self.child.offset = self.saved.clock.wrapping_sub(now);
        Ok(())
    }
}
