//! What a checkpoint has and a component does not: it comes, under the number that it had.

use alloc::vec::Vec;

use base::{
    rpc::{CallError, Slot, Transport},
    session::{
        parent::RedeemError,
        pd,
        pd::{ANY, OWN, PAGE},
        rm,
        several::{MOST, PAGES, Several},
    },
};

use super::{RestoreError, difference::Difference};
use crate::{
    object::{
        Endpoint, Info, Notification, Object, ObjectInfo, Owned, RamDataspace, RamDataspaceInfo, Region, RegionInfo,
        RegionMap, RegionMapInfo, RomDataspace, RomDataspaceInfo, Session, SharedDataspace, SignalContext,
        SignalContextInfo, Timeout,
    },
    session,
    surroundings::{Edge, Scope, Surroundings},
    table::Link,
};

impl<T: Transport + Copy> Difference<'_, T> {
    /// Makes what is missing, but for threads; tells how many objects that were. Nothing is attached yet, so that the
    /// content of memory is copied into it before anybody can see it.
    pub fn make<P: Surroundings + ?Sized>(&mut self, surroundings: &mut P) -> Result<u32, RestoreError> {
        let mut made = self.make_memory(surroundings)?;
        for object in &self.saved.objects {
            // What was made a moment ago is there.
            if self.is_kept(object.number) || self.is_made_memory(object) {
                continue;
            }
            made += 1;
            if let Some(new) = self.make_one(object.number, &object.info, surroundings)? {
                self.child.table.insert(object.number, new);
            }
        }
        // Contexts need their doorbells.
        for object in &self.saved.objects {
            if let (Info::SignalContext(info), false) = (&object.info, self.is_kept(object.number)) {
                let new = self.make_context(object.number, info)?;
                self.child.table.insert(object.number, Object::SignalContext(new));
            }
        }
        Ok(made)
    }

    /// Makes small dataspaces, several with each request; tells how many. What is left, or cannot be made, is made alone.
    fn make_memory<P: Surroundings + ?Sized>(&mut self, surroundings: &mut P) -> Result<u32, RestoreError> {
        let (up, pd, saved) = (self.child.up, self.child.pd.number, self.saved);
        let small: Vec<(u32, &RamDataspaceInfo)> = saved
            .objects
            .iter()
            .filter_map(|object| match &object.info {
                Info::RamDataspace(info) if info.size <= PAGES * PAGE && !self.is_kept(object.number) => {
                    Some((object.number, info))
                }
                _ => None,
            })
            .collect();
        let mut rest = small.as_slice();
        let mut made = 0;
        surroundings.scope(Scope::Allocation, Edge::Begin);
        while rest.len() > 1 {
            let mut several = Several::new();
            for (number, info) in rest {
                let arguments = (self.child.table.outward(*number), pd, info.size, info.memory);
                if !several.push::<pd::call::Allocate>(arguments, info.size / PAGE) {
                    break;
                }
            }
            let done = up.pd().several(several.bytes());
            let done = done.map_err(|error| RestoreError::Allocate(CallError::of(error.status())))?;
            for (number, info) in &rest[..(done as usize).min(rest.len())] {
                let dataspace = RamDataspace::made(up, self.child.table.outward(*number), info);
                self.child.table.insert(*number, Object::RamDataspace(dataspace));
                made += 1;
            }
            rest = rest.get(done as usize..).unwrap_or_default();
            if (done as usize) < several.count() {
                break;
            }
        }
        surroundings.scope(Scope::Allocation, Edge::End);
        Ok(made)
    }

    fn is_made_memory(&self, object: &ObjectInfo) -> bool {
        matches!(object.info, Info::RamDataspace(_)) && self.child.table.get(object.number).is_some()
    }

    /// Contexts and threads are made later.
    fn make_one<P: Surroundings + ?Sized>(
        &self,
        number: u32,
        info: &Info,
        surroundings: &mut P,
    ) -> Result<Option<Object<T>>, RestoreError> {
        let (up, pd, at) = (self.child.up, self.child.pd.number, self.child.table.outward(number));
        Ok(Some(match info {
            Info::RamDataspace(info) => {
                surroundings.scope(Scope::Allocation, Edge::Begin);
                let made = RamDataspace::restore(up, at, pd, info).map_err(RestoreError::Allocate)?;
                surroundings.scope(Scope::Allocation, Edge::End);
                Object::RamDataspace(made)
            }
            Info::RomDataspace(info) => Object::RomDataspace(self.open(at, info, surroundings)?),
            Info::RegionMap(info) => {
                Object::RegionMap(RegionMap::create(up, at, pd, info.kind).map_err(RestoreError::Map)?)
            }
            Info::Endpoint => Object::Endpoint(Endpoint::create(up, at, pd, number).map_err(RestoreError::Allocate)?),
            Info::Notification => {
                Object::Notification(Notification::create(up, at, pd, number).map_err(RestoreError::Allocate)?)
            }
            Info::Remnant => Object::Remnant,
            Info::Session(info) => {
                let opened = surroundings.reopen(info).map_err(RestoreError::Session)?;
                let session = Session::install(up, pd, number, opened, info.clone());
                Object::Session(session.map_err(RestoreError::Session)?)
            }
            Info::SharedDataspace(info) => {
                surroundings.redeem(info.session, info.handle, at).map_err(RestoreError::Shared)?;
                let shared = SharedDataspace::new(up, at, info.session, info.handle).map_err(RestoreError::Shared)?;
                // Attached, it would be too short otherwise.
                if shared.info() != *info {
                    return Err(RestoreError::Shared(RedeemError::Nothing.into()));
                }
                Object::SharedDataspace(shared)
            }
            Info::SignalContext(_) | Info::Thread(_) => return Ok(None),
        }))
    }

    fn open<P: Surroundings + ?Sized>(
        &self,
        at: Slot,
        info: &RomDataspaceInfo,
        surroundings: &mut P,
    ) -> Result<RomDataspace<T>, RestoreError> {
        let mut module = RomDataspace::open(self.child.up, at, &info.name).map_err(RestoreError::Open)?;
        module.fingerprint = surroundings.fingerprint(&info.name, module.number());
        if module.suits(info) { Ok(module) } else { Err(RestoreError::Module(info.name.clone())) }
    }

    fn make_context(&self, number: u32, info: &SignalContextInfo) -> Result<SignalContext<T>, RestoreError> {
        let (up, pd, table) = (self.child.up, self.child.pd.number, &self.child.table);
        let at = (table.outward(number), number);
        let create = |doorbell: (Link, Slot)| {
            SignalContext::create(up, at, pd, doorbell, info.cookie).map_err(RestoreError::Context)
        };
        match info.doorbell {
            Some(bell) => {
                let link = self.link(bell)?;
                create((link, table.outward(bell)))
            }
            // Its doorbell is gone: it gets one of the parent's, which goes too.
            None => {
                let stand_in = up.pd().create_notification(ANY, OWN).map_err(RestoreError::Allocate)?;
                let stand_in = Owned::new(up, stand_in);
                // A reference to something that is not there any more: a context has no serial number of its own yet.
                create((Link::NOTHING, stand_in.number))
            }
        }
    }

    /// A reference to what is under a number by now.
    pub fn link(&self, number: u32) -> Result<Link, RestoreError> {
        self.child.table.link(number).ok_or(RestoreError::Broken { number })
    }

    /// Attaches what is missing, and gives region maps their handlers.
    pub fn attach(&mut self) -> Result<(), RestoreError> {
        let buffers: Vec<(Option<u32>, u32)> = self
            .saved
            .objects
            .iter()
            .filter_map(|object| match &object.info {
                Info::Thread(thread) => Some((thread.map, thread.buffer)),
                _ => None,
            })
            .collect();
        for object in &self.saved.objects {
            let Info::RegionMap(info) = &object.info else { continue };
            let number = object.number;
            self.attach_small(number, info)?;
            for region in self.saved.regions_of(info) {
                if let Some(kept) = self.map(number)?.regions.get_mut(&region.address) {
                    kept.mapped = region.mapped;
                    continue;
                }
                match region.what {
                    Some(what) => {
                        let link = self.link(what)?;
                        let bytes = self.child.table.get(what).and_then(|what| what.attachable().ok());
                        let bytes = bytes.ok_or(RestoreError::Broken { number: what })?;
                        let what = (link, self.child.table.outward(what), bytes);
                        self.map(number)?.attach(what, region.placement()).map_err(RestoreError::Attach)?;
                        if let Some(Object::RamDataspace(dataspace)) = self.child.table.follow_mut(link) {
                            dataspace.attached += 1;
                        }
                    }
                    None => self.map(number)?.take_addresses(region).map_err(RestoreError::Gone)?,
                }
                // A page for messages must be mapped for its thread to be made.
                let holds_buffer = |&(map, buffer): &(Option<u32>, u32)| {
                    map == Some(number) && buffer.wrapping_sub(region.address) < region.size
                };
                if region.what.is_some() && (region.mapped || buffers.iter().any(holds_buffer)) {
                    self.map(number)?.map_rest(region.address).map_err(RestoreError::Attach)?;
                    if let Some(mapped) = self.map(number)?.regions.get_mut(&region.address) {
                        mapped.mapped = region.mapped;
                    }
                }
            }
            let handler = info.handler.map(|handler| self.link(handler)).transpose()?;
            if self.map(number)?.handler != handler {
                let context = info.handler.map_or(ANY, |handler| self.child.table.outward(handler));
                let map = self.map(number)?;
                map.owned.up.rm().handle_faults(map.owned.number, context).map_err(RestoreError::Detach)?;
                map.handler = handler;
            }
        }
        Ok(())
    }

    /// Attaches small dataspaces, several with each request. What cannot be attached is attached alone.
    fn attach_small(&mut self, number: u32, info: &RegionMapInfo) -> Result<(), RestoreError> {
        let (mut several, mut waiting) = (Several::new(), heapless::Vec::<_, MOST>::new());
        for region in self.saved.regions_of(info) {
            let Some(what) = region.what.filter(|_| region.size <= PAGES * PAGE) else { continue };
            let map = self.map(number)?;
            if map.regions.contains_key(&region.address) {
                continue;
            }
            let map = map.number();
            let Some(Object::RamDataspace(dataspace)) = self.child.table.get(what) else { continue };
            let (arguments, link) = ((map, dataspace.number(), region.placement()), self.link(what)?);
            if !several.push::<rm::call::Attach>(arguments, region.size / PAGE) {
                self.attach_several(number, &several, &waiting)?;
                (several, waiting) = Default::default();
                several.push::<rm::call::Attach>(arguments, region.size / PAGE);
            }
            // There are never more than in the other.
            let _ = waiting.push((region, link));
        }
        self.attach_several(number, &several, &waiting)
    }

    fn attach_several(
        &mut self,
        number: u32,
        several: &Several,
        waiting: &[(&RegionInfo, Link)],
    ) -> Result<(), RestoreError> {
        if waiting.len() < 2 {
            return Ok(());
        }
        let done = self.child.up.rm().several(several.bytes());
        let done = done.map_err(|error| RestoreError::Attach(CallError::of(error.status())))?;
        for &(region, what) in waiting.iter().take(done as usize) {
            let RegionInfo { address, size, offset, writable, executable, mapped, .. } = *region;
            self.map(number)?.note(address, Region { size, offset, writable, executable, what, mapped });
            if let Some(Object::RamDataspace(dataspace)) = self.child.table.follow_mut(what) {
                dataspace.attached += 1;
            }
        }
        Ok(())
    }

    fn map(&mut self, number: u32) -> Result<&mut RegionMap<T>, RestoreError> {
        match self.child.table.get_mut(number) {
            Some(Object::RegionMap(map)) => Ok(map),
            _ => Err(RestoreError::Broken { number }),
        }
    }

    /// What was pending is pending, and what remained of timeouts remains.
    pub fn set_signals(&mut self) -> Result<(), RestoreError> {
        let bells = self.saved.objects.iter().filter(|object| object.info == Info::Notification);
        for bell in bells {
            self.forget_pending(bell.number)?;
        }
        for object in &self.saved.objects {
            let Info::SignalContext(info) = &object.info else { continue };
            session::raised(self.child, object.number, info.pending);
            let Some(saved) = info.timeout else { continue };
            let Some(Object::SignalContext(context)) = self.child.table.get_mut(object.number) else { continue };
            let timer = context.up.timer();
            context.timeout = Some(match saved.period {
                None => Timeout::Once,
                Some(period) => {
                    let now = timer.now().map_err(RestoreError::Time)?;
                    Timeout::InBeat { period, due: now.saturating_add(saved.remaining) }
                }
            });
            timer.once(context.number, saved.remaining).map_err(RestoreError::Timeout)?;
        }
        Ok(())
    }

    /// What the bootstrap has raised is not pending any more.
    fn forget_pending(&self, doorbell: u32) -> Result<(), RestoreError> {
        let (signal, doorbell) = (self.child.up.signal(), self.child.table.outward(doorbell));
        while signal.fetch(doorbell).map_err(RestoreError::Fetch)?.is_some_and(|pending| pending.more) {}
        Ok(())
    }
}
