//! RM: region maps.

use base::{
    rpc::{Arguments, CallError, Decision, Slot, Transport},
    session::{
        pd::ANY,
        rm::{self, AttachError, CreateError, DetachError, PageFault, Placement, call},
    },
};

use super::{Asked, because};
use crate::{
    object::{MapKind, Object, RegionMap},
    surroundings::Surroundings,
};

#[base::interposer()]
impl<T: Transport + Copy, P: Surroundings + ?Sized> rm::Interposer for Asked<'_, T, P> {
    fn create(&mut self, (at, account, size): Arguments<'_, call::Create>) -> Decision<call::Create> {
        create(self, at, account, MapKind::Managed { size }).into()
    }

    fn create_space(&mut self, (at, pd): Arguments<'_, call::CreateSpace>) -> Decision<call::CreateSpace> {
        create(self, at, pd, MapKind::Space).into()
    }

    fn attach(&mut self, (map, dataspace, placement): Arguments<'_, call::Attach>) -> Decision<call::Attach> {
        attach(self, map, dataspace, placement).into()
    }

    /// None: they are asked for one by one.
    fn several(&mut self, _: Arguments<'_, call::Several>) -> Decision<call::Several> {
        Decision::Answer(Ok(0))
    }

    fn map(&mut self, (map, address): Arguments<'_, call::Map>) -> Decision<call::Map> {
        self::map(self, map, address).into()
    }

    fn detach(&mut self, (map, address): Arguments<'_, call::Detach>) -> Decision<call::Detach> {
        detach(self, map, address).into()
    }

    fn handle_faults(&mut self, (map, context): Arguments<'_, call::HandleFaults>) -> Decision<call::HandleFaults> {
        handle_faults(self, map, context).into()
    }

    fn fault(&mut self, (map,): Arguments<'_, call::Fault>) -> Decision<call::Fault> {
        fault(self, map).into()
    }
}

fn create<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    at: Slot,
    pd: Slot,
    kind: MapKind,
) -> Result<Slot, CallError<CreateError>> {
    let pd = asked.own(pd).map_err(because)?;
    let number = asked.place(at).map_err(because)?;
    let table = &mut asked.child.table;
    let made = RegionMap::create(asked.child.up, table.outward(number), pd, kind)?;
    table.insert(number, Object::RegionMap(made));
    Ok(Slot(number))
}

fn attach<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    map: Slot,
    dataspace: Slot,
    placement: Placement,
) -> Result<u32, CallError<AttachError>> {
    let bytes = asked.child.table.named(dataspace).and_then(Object::attachable).map_err(because)?;
    let what = (asked.link(dataspace).map_err(because)?, asked.child.table.outward(dataspace.0), bytes);
    let placement = Placement { address: asked.forced.or(placement.address), ..placement };
    let table = &mut asked.child.table;
    let address = table.named_mut(map).and_then(Object::region_map_mut).map_err(because)?.attach(what, placement)?;
    if let Ok(Ok(attached)) = table.named_mut(dataspace).map(Object::ram_dataspace_mut) {
        attached.attached += 1;
    }
    Ok(address)
}

fn map<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    map: Slot,
    address: u32,
) -> Result<u32, CallError<AttachError>> {
    let up = asked.child.up;
    let map = asked.child.table.named_mut(map).and_then(Object::region_map_mut).map_err(because)?;
    let left = up.rm().map(map.number(), address)?;
    if let Some(region) = map.regions.get_mut(&address) {
        region.mapped = left == 0;
    }
    Ok(left)
}

fn detach<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    map: Slot,
    address: u32,
) -> Result<u32, CallError<DetachError>> {
    let (up, table) = (asked.child.up, &mut asked.child.table);
    let map = table.named_mut(map).and_then(Object::region_map_mut).map_err(because)?;
    let left = match up.rm().detach(map.number(), address) {
        // What was attached is gone, and its region went with it.
        Err(error @ CallError::Error(DetachError::Nothing)) => {
            map.regions.remove(&address);
            return Err(error);
        }
        detached => detached?,
    };
    if left == 0
        && let Some(region) = map.regions.remove(&address)
        && let Some(Object::RamDataspace(detached)) = table.follow_mut(region.what)
    {
        detached.attached -= 1;
    }
    Ok(left)
}

fn handle_faults<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    map: Slot,
    context: Slot,
) -> Result<(), CallError<DetachError>> {
    let (handler, outside) = match context {
        ANY => (None, ANY),
        context => {
            let number = asked.child.table.named(context).and_then(Object::signal_context).map_err(because)?.number;
            (Some(asked.link(context).map_err(because)?), number)
        }
    };
    let up = asked.child.up;
    let map = asked.child.table.named_mut(map).and_then(Object::region_map_mut).map_err(because)?;
    up.rm().handle_faults(map.number(), outside)?;
    map.handler = handler;
    Ok(())
}

fn fault<T: Transport + Copy, P: ?Sized>(
    asked: &Asked<'_, T, P>,
    map: Slot,
) -> Result<Option<PageFault>, CallError<DetachError>> {
    let map = asked.child.table.named(map).and_then(Object::region_map).map_err(because)?;
    asked.child.up.rm().fault(map.number())
}
