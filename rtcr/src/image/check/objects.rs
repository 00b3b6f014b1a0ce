//! Each object by itself, and what it refers to.

use base::session::{
    cpu::{Activity, MAX_PRIORITY, MAX_THREADS},
    pd::{MAX_PAGES, PAGE},
    timer::SHORTEST_PERIOD,
};

use super::{Fault, ObjectFault, all_differ, is_name, is_text};
use crate::{
    information::Information,
    object::{Info, MapKind, RamDataspaceInfo, RegionMapInfo, SignalContextInfo, ThreadInfo},
};

/// Longest time that a timeout can take.
const LONGEST: u64 = 1 << 62;

pub(super) fn check(information: &Information) -> Result<(), Fault> {
    for object in &information.objects {
        let checked = match &object.info {
            Info::RamDataspace(info) => memory(info),
            Info::RomDataspace(info) if !is_text(&info.name) => Err(ObjectFault::Name),
            Info::RomDataspace(info) => size(info.size.checked_next_multiple_of(PAGE)),
            Info::RegionMap(info) => region_map(information, info),
            Info::Thread(info) => thread(information, object.number, info),
            Info::SignalContext(info) => context(information, info),
            Info::Session(info) if !is_text(&info.service) => Err(ObjectFault::Name),
            Info::SharedDataspace(info) => size(Some(info.size)),
            Info::Endpoint | Info::Notification | Info::Remnant | Info::Session(_) => Ok(()),
        };
        checked.map_err(|fault| Fault::Object(object.number, fault))?;
    }
    let twice = |number| Fault::Object(number, ObjectFault::Twice);
    let first = information.objects.first().map_or(0, |object| object.number);
    if !all_differ(information.sessions().collect()) {
        return Err(twice(first));
    }
    threads(information, first)
}

/// There are whole pages, at least one, and no more than an address space has.
fn size(size: Option<u32>) -> Result<(), ObjectFault> {
    match size {
        Some(size) if size > 0 && size.is_multiple_of(PAGE) => Ok(()),
        _ => Err(ObjectFault::Size),
    }
}

fn memory(info: &RamDataspaceInfo) -> Result<(), ObjectFault> {
    size(Some(info.size))?;
    let all = info.size / PAGE;
    let is_good = all <= MAX_PAGES && info.pages <= all && info.skipped <= all && (info.stack || info.skipped == 0);
    is_good.then_some(()).ok_or(ObjectFault::Size)
}

fn region_map(information: &Information, info: &RegionMapInfo) -> Result<(), ObjectFault> {
    if let MapKind::Managed { size: bytes } = info.kind {
        size(Some(bytes))?;
    }
    refers(information, info.handler, |info| matches!(info, Info::SignalContext(_)))
}

fn context(information: &Information, info: &SignalContextInfo) -> Result<(), ObjectFault> {
    refers(information, info.doorbell, |info| *info == Info::Notification)?;
    let Some(timeout) = info.timeout else { return Ok(()) };
    let period = timeout.period.is_none_or(|period| (SHORTEST_PERIOD..=LONGEST).contains(&period));
    if period && timeout.remaining <= LONGEST { Ok(()) } else { Err(ObjectFault::Timeout) }
}

fn thread(information: &Information, number: u32, info: &ThreadInfo) -> Result<(), ObjectFault> {
    let is_space = |info: &Info| matches!(info, Info::RegionMap(RegionMapInfo { kind: MapKind::Space, .. }));
    refers(information, info.map, is_space)?;
    refers(information, info.bound, |info| *info == Info::Notification)?;
    refers(information, info.owes, |info| matches!(info, Info::Thread(_)))?;
    if !is_name(&info.name) {
        Err(ObjectFault::Name)
    } else if !(1..=MAX_PRIORITY).contains(&info.priority) {
        Err(ObjectFault::Priority)
    } else if !info.buffer.is_multiple_of(PAGE) {
        Err(ObjectFault::Address)
    } else if info.started == (info.activity == Activity::Inactive) {
        Err(ObjectFault::Activity)
    } else if info.owes == Some(number) {
        Err(ObjectFault::Circle)
    } else {
        Ok(())
    }
}

/// A reference to nothing, or to something that there is and that is right.
fn refers(information: &Information, to: Option<u32>, is_right: impl Fn(&Info) -> bool) -> Result<(), ObjectFault> {
    let Some(to) = to else { return Ok(()) };
    information.object(to).is_some_and(is_right).then_some(()).ok_or(ObjectFault::Reference(to))
}

/// A thread waits for one other at most, and not, through others, for itself. A notification wakes one.
fn threads(information: &Information, first: u32) -> Result<(), Fault> {
    let threads = || {
        information.objects.iter().filter_map(|object| match &object.info {
            Info::Thread(info) => Some((object.number, info)),
            _ => None,
        })
    };
    if threads().count() > MAX_THREADS {
        return Err(Fault::Object(first, ObjectFault::TooMany));
    }
    let once =
        [threads().filter_map(|(_, info)| info.owes).collect(), threads().filter_map(|(_, t)| t.bound).collect()];
    if !once.into_iter().all(all_differ) {
        return Err(Fault::Object(first, ObjectFault::Twice));
    }
    for (number, info) in threads() {
        let mut next = info.owes;
        // As many steps as there are threads at most, since no two owe the same one.
        while let Some(other) = next {
            if other == number {
                return Err(Fault::Object(number, ObjectFault::Circle));
            }
            next = match information.object(other) {
                Some(Info::Thread(info)) => info.owes,
                _ => None,
            };
        }
    }
    Ok(())
}
