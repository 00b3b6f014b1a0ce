//! From a checkpoint to an image.
//!
//! Lengths and checksums stand in front, so that a reader knows all of them before it reads anything else. Pages are looked at
//! twice for that, and information is encoded twice; neither is ever in memory as a whole.

use core::{convert::Infallible, fmt};

use base::child::Known;
use serde::Serialize;

use super::{
    Identity, Page, PageSource, Sink, check,
    fault::{Fault, PageFault},
    header::{ARM, CRC, Digest, Entry, Header},
    inventory::{Inventory, dataspaces},
    record::{Asked, Component, Kind, MAX_RECORD, Object, Region, Registers, RegistersOf, Served},
    section::{Section, TABLE},
};
use crate::{information::Information, object::Info};

/// Why there is no image, or only its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteError<S, P> {
    /// The sink does not take it.
    Sink(S),
    /// A page cannot be seen.
    Pages(P),
    /// The checkpoint is not what one is like; or changes.
    Fault(Fault),
}

impl<S, P> From<Fault> for WriteError<S, P> {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl<S: fmt::Debug, P: fmt::Debug> fmt::Display for WriteError<S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sink(error) => write!(f, "the image cannot be written: {error:?}"),
            Self::Pages(error) => write!(f, "a page of the checkpoint cannot be seen: {error:?}"),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

/// Writes the image of a checkpoint; tells what it is like. Nothing is written that [`Reader`](super::Reader) would
/// refuse, given room for it.
///
/// # Errors
/// What the sink has got is no image.
pub fn write<S: Sink, P: PageSource>(
    information: &Information,
    identity: &Identity,
    pages: &mut P,
    sink: &mut S,
) -> Result<Header, WriteError<S::Error, P::Error>> {
    let measured = measure(information, identity, pages).map_err(|error| match error {
        WriteError::Sink(never) => match never {},
        WriteError::Pages(error) => WriteError::Pages(error),
        WriteError::Fault(fault) => WriteError::Fault(fault),
    })?;
    measured.write(pages, sink)?;
    Ok(measured.header)
}

/// What the image of a checkpoint is like, before any of it is written. Each page is looked at once.
///
/// # Errors
/// There is none.
pub fn measure<'a, P: PageSource>(
    information: &'a Information,
    identity: &Identity,
    pages: &mut P,
) -> Result<Measured<'a>, WriteError<Infallible, P::Error>> {
    check(information, identity)?;
    let component = Component::new(identity, information);
    let mut inventory = Inventory::new(component.pages);
    let mut contents = CRC.digest();
    for index in stored(information) {
        let page = pages.page(index).map_err(WriteError::Pages)?;
        if !is_zero(page) {
            inventory.save(index);
            contents.update(page);
        }
    }
    let contents = (contents.finalize(), inventory.count() * size_of::<Page>() as u64);
    let body = Body { component, information, inventory };
    let entries = TABLE.map(|known| {
        let (checksum, length) = if known.section == Section::Contents {
            contents
        } else {
            let mut measure = Measure { digest: CRC.digest(), length: 0 };
            let Ok(()) = body.write(known.section, &mut measure);
            (measure.digest.finalize(), measure.length)
        };
        Entry { kind: known.section.kind(), required: known.required, checksum, length }
    });
    Ok(Measured { header: Header::new(ARM, entries), body, contents: contents.0 })
}

/// An image of which all is known but the content of its pages.
pub struct Measured<'a> {
    header: Header,
    body: Body<'a>,
    /// Checksum of the pages that are written.
    contents: u32,
}

impl Measured<'_> {
    /// What it says of itself.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Writes it. Each page is looked at once more.
    ///
    /// # Errors
    /// What the sink has got is no image.
    pub fn write<S: Sink, P: PageSource>(
        &self,
        pages: &mut P,
        sink: &mut S,
    ) -> Result<(), WriteError<S::Error, P::Error>> {
        sink.write(&self.header.bytes()).map_err(WriteError::Sink)?;
        for known in TABLE {
            self.body.write(known.section, sink).map_err(WriteError::Sink)?;
        }
        let (inventory, mut digest) = (&self.body.inventory, CRC.digest());
        for (dataspace, info) in dataspaces(self.body.information) {
            for number in info.skipped..info.pages {
                let page = pages.page(info.stored + number).map_err(WriteError::Pages)?;
                if inventory.is_saved(info.stored + number) == is_zero(page) {
                    return Err(Fault::Page { dataspace, page: number, fault: PageFault::Changed }.into());
                }
                if inventory.is_saved(info.stored + number) {
                    digest.update(page);
                    sink.write(page).map_err(WriteError::Sink)?;
                }
            }
        }
        if digest.finalize() != self.contents {
            return Err(Fault::Checksum(Section::Contents).into());
        }
        Ok(())
    }
}

/// Pages with content, counted from the checkpoint's first.
fn stored(information: &Information) -> impl Iterator<Item = u32> + '_ {
    dataspaces(information).flat_map(|(_, info)| (info.skipped..info.pages).map(move |page| info.stored + page))
}

/// Whether a page is left out.
pub(super) fn is_zero(page: &Page) -> bool {
    // Word by word would need an aligned page; the compiler makes the best of this.
    page.chunks_exact(64).all(|chunk| chunk.iter().fold(0, |all, byte| all | byte) == 0)
}

/// Counts, and makes a checksum.
struct Measure {
    digest: Digest,
    length: u64,
}

impl Sink for Measure {
    type Error = Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.digest.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }
}

/// All sections but contents.
struct Body<'a> {
    component: Component,
    information: &'a Information,
    inventory: Inventory,
}

impl Body<'_> {
    /// Writes a section.
    fn write<S: Sink>(&self, section: Section, sink: &mut S) -> Result<(), S::Error> {
        let Information { journal, objects, regions, served, .. } = self.information;
        match section {
            Section::Component => put(sink, &self.component),
            Section::Journal => {
                let mut place = 0;
                while let Some((entry, next)) = journal.entry(place) {
                    // They were counted when they were written down.
                    let words = |words: &[u32]| heapless::Vec::from_slice(words).unwrap_or_default();
                    let (request, reply) = (words(entry.request), words(entry.reply));
                    let (label, status) = (entry.label(), entry.status.label());
                    put(sink, &Asked { interface: entry.interface, label, status, request, reply })?;
                    place = next;
                }
                Ok(())
            }
            Section::Objects => objects
                .iter()
                .try_for_each(|object| put(sink, &Object { number: object.number, kind: Kind::new(&object.info) })),
            Section::Regions => regions.iter().try_for_each(|region| put(sink, &Region::new(region))),
            Section::Registers => objects.iter().try_for_each(|object| match &object.info {
                Info::Thread(info) => {
                    put(sink, &RegistersOf { thread: object.number, registers: Registers::Arm(info.registers) })
                }
                _ => Ok(()),
            }),
            Section::Served => {
                let Known { services, sessions } = served;
                services.iter().try_for_each(|name| put(sink, &Served::Service(name.clone())))?;
                sessions.iter().try_for_each(|&number| put(sink, &Served::Session(number)))
            }
            Section::Inventory => {
                for (number, info) in dataspaces(self.information) {
                    self.inventory.runs(number, &info).try_for_each(|run| put(sink, &run))?;
                }
                Ok(())
            }
            // Pages are not information.
            Section::Contents => Ok(()),
        }
    }
}

fn put<S: Sink>(sink: &mut S, record: &impl Serialize) -> Result<(), S::Error> {
    let mut room = [0; MAX_RECORD];
    // No record is longer, since every list in one has a most.
    let bytes = postcard::to_slice(record, &mut room).map_or(&[][..], |bytes| &*bytes);
    sink.write(bytes)
}
