//! What lies where: in order, inside, of what there is.

use alloc::vec;

use base::{layout::HEAP, session::pd::PAGE};

use super::{Fault, ObjectFault};
use crate::image::RegionFault;
use crate::{
    information::Information,
    object::{Info, MapKind, RegionInfo, RegionMapInfo},
};

/// Behind the last address that a component can have.
const SPACE_END: u32 = HEAP.end;
/// How deep region maps lie in each other at most. Whoever serves RM may allow less.
const MAX_NESTING: usize = 8;

pub(super) fn check(information: &Information) -> Result<(), Fault> {
    for object in &information.objects {
        let Info::RegionMap(map) = &object.info else { continue };
        let mut end = 0;
        for region in information.regions_of(map) {
            let fault = |fault| Fault::Region { map: object.number, address: region.address, fault };
            end = one(information, map, region, end).map_err(fault)?;
        }
    }
    nesting(information)
}

/// Tells where the region ends.
fn one(information: &Information, map: &RegionMapInfo, region: &RegionInfo, last: u32) -> Result<u32, RegionFault> {
    let RegionInfo { address, size, offset, .. } = *region;
    if size == 0 || !(address | size | offset).is_multiple_of(PAGE) {
        return Err(RegionFault::Alignment);
    }
    let all = match map.kind {
        MapKind::Space => SPACE_END,
        MapKind::Managed { size } => size,
    };
    let end = address.checked_add(size).filter(|&end| end <= all).ok_or(RegionFault::Range)?;
    if address < last {
        return Err(RegionFault::Overlap);
    }
    if region.writable && region.executable {
        return Err(RegionFault::WritableCode);
    }
    let shown = offset.checked_add(size).ok_or(RegionFault::Size)?;
    let Some(what) = region.what else { return Ok(end) };
    let there_is = match information.object(what) {
        Some(Info::RamDataspace(info)) => info.size,
        Some(Info::RomDataspace(info)) => info.size.checked_next_multiple_of(PAGE).unwrap_or(0),
        Some(Info::SharedDataspace(info)) => info.size,
        Some(Info::RegionMap(RegionMapInfo { kind: MapKind::Managed { size }, .. })) => *size,
        _ => return Err(RegionFault::Reference),
    };
    if shown <= there_is { Ok(end) } else { Err(RegionFault::Size) }
}

/// No region map lies in itself, through others: each gets a height, above those that lie in it, a round of the loop
/// for each that there is.
fn nesting(information: &Information) -> Result<(), Fault> {
    let mut heights = vec![0; information.objects.len()];
    for _ in 0..=MAX_NESTING {
        let mut changed = None;
        for (place, object) in information.objects.iter().enumerate() {
            let Info::RegionMap(map) = &object.info else { continue };
            let inner = information.regions_of(map).iter().filter_map(|region| {
                let inner = information.place(region.what?)?;
                matches!(information.objects[inner].info, Info::RegionMap(_)).then(|| heights[inner] + 1)
            });
            let height = inner.max().unwrap_or(0);
            if heights[place] != height {
                heights[place] = height;
                changed = Some(object.number);
            }
        }
        match changed {
            None => return Ok(()),
            Some(number) if heights.iter().any(|&height| height > MAX_NESTING) => {
                return Err(Fault::Object(number, ObjectFault::Circle));
            }
            Some(_) => {}
        }
    }
    // Heights only grow, one a round at least where there is a circle; a tower of fewer would have come to rest.
    Err(Fault::Object(information.objects.first().map_or(0, |object| object.number), ObjectFault::Circle))
}
