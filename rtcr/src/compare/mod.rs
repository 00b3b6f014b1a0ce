//! Whether two checkpoints say the same of a component, and in what they differ first.
//!
//! A checkpoint, a restore from it, and a checkpoint before the new instance has run say the same; so do those of two
//! instances that were restored in different ways. Everything is compared, but for
//!
//! * what a thread does: it has been put where it goes on from, and goes there when it runs;
//! * what lies wholly below a stack's pointer, which is no state.
//!
//! Time goes on meanwhile, so clocks and what is due may be some time apart, and what has been due in between has been
//! raised.

mod difference;
mod object;
mod time;

pub use difference::{Difference, Place};

use crate::{
    image::{Page, PageSource},
    information::Information,
    object::{Info, RegionInfo},
};
use difference::Comparison;
use time::Times;

/// The first thing in which two checkpoints differ; none if there is nothing. Their pages are asked for in ascending order,
/// once. Clocks, and instants at which something is due, may be `apart` nanoseconds apart.
///
/// # Errors
/// A page cannot be seen, and nothing before it differs.
pub fn compare<P: PageSource, Q: PageSource<Error = P::Error>>(
    (one, one_pages): (&Information, &mut P),
    (other, other_pages): (&Information, &mut Q),
    apart: u64,
) -> Result<Option<Difference>, P::Error> {
    match information(one, other, apart) {
        None => pages((one, one_pages), other_pages),
        difference => Ok(difference),
    }
}

/// The first thing in which they differ, the content of memory aside.
pub fn information(one: &Information, other: &Information, apart: u64) -> Option<Difference> {
    let mut found = Comparison::default();
    found.at(Place::Component, |found| component(found, one, other, apart));
    journal(&mut found, one, other);
    let times = Times::new(one.clock, other.clock, apart);
    let (mut ones, mut others) = (one.objects.iter().peekable(), other.objects.iter().peekable());
    // Both lists are in the order of numbers, so what is in one of them only is found where it would be.
    while let Some(number) = ones.peek().into_iter().chain(others.peek()).map(|object| object.number).min() {
        let one = ones.next_if(|object| object.number == number).map(|object| &object.info);
        let other = others.next_if(|object| object.number == number).map(|object| &object.info);
        found.at(Place::Object(number), |found| match (one, other) {
            (Some(one), Some(other)) => object::compare(found, one, other, &times),
            _ => found.field("what it is", &one.map(object::kind), &other.map(object::kind)),
        });
    }
    regions(&mut found, one, other);
    found.into_first()
}

fn component(found: &mut Comparison, one: &Information, other: &Information, apart: u64) {
    let Information { stage, account, slots, clock, journal: _, objects: _, regions: _, served, asking } = one;
    found.field("stage", stage, &other.stage);
    found.field("quota", account, &other.account);
    found.field("numbers", slots, &other.slots);
    found.field("services", &served.services, &other.served.services);
    found.field("sessions of its services", &served.sessions, &other.served.sessions);
    found.field("threads that ask for a checkpoint", asking, &other.asking);
    if clock.abs_diff(other.clock) > apart {
        found.field("clock", clock, &other.clock);
    }
}

fn journal(found: &mut Comparison, one: &Information, other: &Information) {
    if one.journal == other.journal {
        return;
    }
    let (mut place, mut other_place) = (0, 0);
    for index in 0.. {
        let (ones, others) = (one.journal.entry(place), other.journal.entry(other_place));
        found.at(Place::Request(index), |found| {
            found.field("in the journal", &ones.map(|(entry, _)| entry), &others.map(|(entry, _)| entry));
        });
        let (Some((_, next)), Some((_, other_next))) = (ones, others) else { return };
        (place, other_place) = (next, other_next);
    }
}

fn regions(found: &mut Comparison, one: &Information, other: &Information) {
    for object in &one.objects {
        let (Info::RegionMap(ones), Some(Info::RegionMap(others))) = (&object.info, other.object(object.number)) else {
            continue;
        };
        for (one, other) in one.regions_of(ones).iter().zip(other.regions_of(others)) {
            let RegionInfo { address, size, offset, writable, executable, what, mapped } = one;
            found.at(Place::Region { map: object.number, address: (*address).min(other.address) }, |found| {
                found.field("address", address, &other.address);
                found.field("size", size, &other.size);
                found.field("what is attached", what, &other.what);
                // Of what is gone nothing shows, from whatever offset.
                if what.is_some() {
                    found.field("offset", offset, &other.offset);
                    found.field("writable", writable, &other.writable);
                    found.field("executable", executable, &other.executable);
                    found.field("mapped", mapped, &other.mapped);
                }
            });
        }
    }
}

/// The content of memory, of two that are otherwise the same.
fn pages<P: PageSource, Q: PageSource<Error = P::Error>>(
    (information, ones): (&Information, &mut P),
    others: &mut Q,
) -> Result<Option<Difference>, P::Error> {
    for object in &information.objects {
        let Info::RamDataspace(info) = &object.info else { continue };
        for page in info.skipped..info.pages {
            let (one, other) = (ones.page(info.stored + page)?, others.page(info.stored + page)?);
            if let Some(difference) = content(one, other, (object.number, page)) {
                return Ok(Some(difference));
            }
        }
    }
    Ok(None)
}

fn content(one: &Page, other: &Page, (dataspace, page): (u32, u32)) -> Option<Difference> {
    if one == other {
        return None;
    }
    let offset = one.iter().zip(other).position(|(one, other)| one != other)?;
    let place = Place::Page { dataspace, page, offset: offset as u32 };
    Some(Difference::new(place, "content", &one[offset], &other[offset]))
}
