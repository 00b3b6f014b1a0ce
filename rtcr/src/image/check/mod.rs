//! What information must be like before it leaves, and before anything is done with it that came in.
//!
//! It is what the library's own checkpoints are like. Whether the parent has what is named here, and may give it, is
//! asked where it is given: an image grants nothing.

mod objects;
mod regions;

use alloc::vec::Vec;

use base::{
    child::{Known, MAX_SERVICES},
    rpc::{Label, MAX_WORDS, Sequence, Status, ThreadNumber},
    session::pd::PAGE,
};

use super::{Fault, Identity, ObjectFault};
use crate::{
    information::{Information, Stage},
    journal::MAX_JOURNAL,
    object::Info,
    start::is_given,
    table::PRIVATE,
};

/// Whether a component can be like that.
///
/// # Errors
/// What is wrong, and where.
pub fn check(information: &Information, identity: &Identity) -> Result<(), Fault> {
    if !is_name(&identity.name) || !is_text(&identity.module) {
        return Err(Fault::Program);
    }
    journal(information)?;
    let end = information.slots.checked_add(PRIVATE).ok_or(Fault::Slots(information.slots))?;
    if information.stage == Stage::Booting {
        let is_empty = information.objects.is_empty()
            && information.regions.is_empty()
            && information.served == Known::default()
            && (information.clock, information.asking) == (0, 0);
        return if is_empty { Ok(()) } else { Err(Fault::Booting) };
    }
    numbers(information, end)?;
    program(information, identity)?;
    extents(information)?;
    served(information)?;
    objects::check(information)?;
    regions::check(information)
}

/// The journal's words are entries, in the one form that they have.
fn journal(information: &Information) -> Result<(), Fault> {
    let journal = &information.journal;
    let (mut place, mut count) = (0, 0);
    while let Some((entry, next)) = journal.entry(place) {
        if entry.request.len().max(entry.reply.len()) > MAX_WORDS {
            return Err(Fault::Journal(count));
        }
        (place, count) = (next, count + 1);
    }
    let is_whole = place == journal.words() && count == journal.len() && place <= MAX_JOURNAL;
    if is_whole && !journal.has_overflown() { Ok(()) } else { Err(Fault::Journal(count)) }
}

/// Whether label and status of an entry are what would have been written down.
pub(super) fn is_entry(label: u32, status: u32) -> bool {
    let selector = Label::received(label).selector();
    let same = Label::new(selector, ThreadNumber::FIRST, Sequence::FIRST).number();
    same == label && Status::from_label(status).label() == status
}

/// Numbers ascend, and are the component's to have.
fn numbers(information: &Information, end: u32) -> Result<(), Fault> {
    let mut last = None;
    for object in &information.objects {
        let number = object.number;
        if last.is_some_and(|last| last >= number) {
            return Err(Fault::Object(number, ObjectFault::Order));
        }
        if number == 0 || number >= end || is_given(number) {
            return Err(Fault::Object(number, ObjectFault::Number));
        }
        last = Some(number);
    }
    Ok(())
}

/// The first private object is the module that is the program.
fn program(information: &Information, identity: &Identity) -> Result<(), Fault> {
    match information.object(information.slots) {
        Some(Info::RomDataspace(info)) if info.name == identity.module && info.fingerprint == identity.fingerprint => {
            Ok(())
        }
        _ => Err(Fault::Program),
    }
}

/// Pages and regions of each object follow those of the object before, and all of it is paid.
fn extents(information: &Information) -> Result<(), Fault> {
    let (mut pages, mut regions) = (0u32, 0u32);
    for object in &information.objects {
        let place = Fault::Object(object.number, ObjectFault::Place);
        let (next, count, first) = match &object.info {
            Info::RamDataspace(info) => (&mut pages, info.pages, info.stored),
            Info::RegionMap(info) => (&mut regions, info.count, info.first),
            _ => continue,
        };
        if *next != first {
            return Err(place);
        }
        *next = next.checked_add(count).ok_or(place)?;
    }
    if regions as usize != information.regions.len() {
        let last = information.objects.last().map_or(0, |object| object.number);
        return Err(Fault::Object(last, ObjectFault::Place));
    }
    if pages > information.account.ram / PAGE { Err(Fault::Quota) } else { Ok(()) }
}

/// Services have names, each its own; sessions of them have numbers, which ascend.
fn served(information: &Information) -> Result<(), Fault> {
    let Known { services, sessions } = &information.served;
    let names = services.iter().enumerate();
    let names = names.take_while(|(place, name)| is_text(name) && !services[..*place].contains(name));
    let ascend = sessions.first() != Some(&0) && sessions.windows(2).all(|pair| pair[0] < pair[1]);
    let are_good = names.count() == services.len() && services.len() <= MAX_SERVICES;
    if are_good && ascend { Ok(()) } else { Err(Fault::Served) }
}

/// Whether there can be a thread or a component of that name.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether there can be a module or a service of that name.
fn is_text(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

/// Whether nothing is there twice.
fn all_differ(mut list: Vec<u32>) -> bool {
    list.sort_unstable();
    list.windows(2).all(|pair| pair[0] != pair[1])
}
