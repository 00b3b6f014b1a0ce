//! From an image to a checkpoint.

use core::{convert::Infallible, fmt};

use base::child::{Known, MAX_SERVICES};

use super::{
    Identity, PageSink, Source, check,
    fault::{Fault, ObjectFault, PageFault},
    header::{Entry, Header},
    input::Input,
    inventory::{Filling, Inventory, dataspaces},
    record::{Asked, Component, Object, Region, Registers, RegistersOf, Run, Served},
    section::Section,
    write::is_zero,
};
use crate::{
    information::{Information, Need},
    object::{Info, ObjectInfo},
};

/// Why an image was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError<S, P = Infallible> {
    /// The source fails.
    Source(S),
    /// A page cannot be written.
    Pages(P),
    /// The image is refused.
    Fault(Fault),
}

impl<S, P> From<Fault> for ReadError<S, P> {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl<S: fmt::Debug, P: fmt::Debug> fmt::Display for ReadError<S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => write!(f, "the image cannot be read: {error:?}"),
            Self::Pages(error) => write!(f, "a page cannot be written: {error:?}"),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

/// An image whose header and first section have been read: it is known whose it is and what it needs.
#[derive(Debug)]
pub struct Reader<S> {
    input: Input<S>,
    header: Header,
    component: Component,
    /// The next section, among the header's.
    next: usize,
}

impl<S: Source> Reader<S> {
    /// Reads the beginning.
    ///
    /// # Errors
    /// It is no image, or not one for this version and architecture, or damaged.
    pub fn open(source: S) -> Result<Self, ReadError<S::Error>> {
        let mut input = Input::new(source);
        let header = input.header()?;
        let mut next = 0;
        let entry = seek(&mut input, &header, &mut next, Section::Component)?;
        let component = input.section(&entry, |input| {
            let record = input.record(Section::Component)?;
            record.ok_or_else(|| Fault::Encoding { section: Section::Component, record: 0 }.into())
        })?;
        Ok(Self { input, header, component, next })
    }

    /// What it says of itself.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Whose it is.
    pub fn identity(&self) -> Identity {
        self.component.identity()
    }

    /// What there is to be room for.
    pub const fn need(&self) -> Need {
        self.component.need()
    }

    /// Reads the rest into information and pages; gives back the source, which is behind the image's end. Nothing is
    /// taken from the heap but what `information` has been made with, and a bit for each page.
    ///
    /// # Errors
    /// The information is empty, and what the pages hold means nothing.
    pub fn read<P: PageSink>(
        mut self,
        information: &mut Information,
        pages: &mut P,
    ) -> Result<S, ReadError<S::Error, P::Error>> {
        information.clear();
        let read = self.try_read(information, pages);
        if let Err(error) = read {
            information.clear();
            return Err(error);
        }
        Ok(self.input.into_source())
    }

    fn try_read<P: PageSink>(
        &mut self,
        information: &mut Information,
        pages: &mut P,
    ) -> Result<(), ReadError<S::Error, P::Error>> {
        let needed = self.need();
        let available = Need { pages: pages.room(), ..information.room() };
        if !available.covers(&needed) {
            return Err(Fault::Room { needed, available }.into());
        }
        self.component.apply(information);
        self.journal(information)?;
        self.objects(information)?;
        self.regions(information)?;
        self.registers(information)?;
        self.served(information)?;
        check(information, &self.identity())?;
        let inventory = self.inventory(information)?;
        self.contents(information, &inventory, pages)?;
        // What nobody here knows can stand behind everything else.
        while let Some(entry) = self.header.sections.get(self.next) {
            self.input.section(entry, |_| Ok(()))?;
            self.next += 1;
        }
        Ok(())
    }

    fn entry<P>(&mut self, section: Section) -> Result<Entry, ReadError<S::Error, P>> {
        seek(&mut self.input, &self.header, &mut self.next, section)
    }

    fn journal<P>(&mut self, information: &mut Information) -> Result<(), ReadError<S::Error, P>> {
        let entry = self.entry(Section::Journal)?;
        let told = self.component.words;
        let too_many = Fault::Count { section: Section::Journal, told };
        self.input.section(&entry, |input| {
            while let Some(asked) = input.record::<Asked, P>(Section::Journal)? {
                let Asked { interface, label, status, request, reply } = &asked;
                let index = information.journal.len();
                if !check::is_entry(*label, *status) {
                    return Err(Fault::Journal(index).into());
                }
                let head = [u32::from(*interface), *label, *status];
                let taken = information.journal.append(head, (request, reply), told as usize);
                taken.then_some(()).ok_or(too_many)?;
            }
            if information.journal.words() != told as usize { Err(too_many.into()) } else { Ok(()) }
        })
    }

    fn objects<P>(&mut self, information: &mut Information) -> Result<(), ReadError<S::Error, P>> {
        let entry = self.entry(Section::Objects)?;
        let Component { objects: told, regions: regions_told, pages: pages_told, .. } = self.component;
        let (mut regions, mut pages) = (0, 0);
        let count = |section, told| Fault::Count { section, told };
        self.input.section(&entry, |input| {
            while let Some(Object { number, kind }) = input.record(Section::Objects)? {
                if information.objects.len() == told as usize {
                    return Err(count(Section::Objects, told).into());
                }
                let info = kind.info(&mut regions, &mut pages);
                let info = info.ok_or(Fault::Object(number, ObjectFault::Size))?;
                information.objects.push(ObjectInfo { number, info });
            }
            if information.objects.len() != told as usize {
                return Err(count(Section::Objects, told).into());
            }
            if regions != regions_told {
                return Err(count(Section::Regions, regions_told).into());
            }
            if pages != pages_told { Err(count(Section::Contents, pages_told).into()) } else { Ok(()) }
        })
    }

    fn regions<P>(&mut self, information: &mut Information) -> Result<(), ReadError<S::Error, P>> {
        let entry = self.entry(Section::Regions)?;
        let told = self.component.regions;
        let wrong = Fault::Count { section: Section::Regions, told };
        self.input.section(&entry, |input| {
            while let Some(region) = input.record::<Region, P>(Section::Regions)? {
                if information.regions.len() == told as usize {
                    return Err(wrong.into());
                }
                information.regions.push(region.info());
            }
            if information.regions.len() != told as usize { Err(wrong.into()) } else { Ok(()) }
        })
    }

    fn registers<P>(&mut self, information: &mut Information) -> Result<(), ReadError<S::Error, P>> {
        let entry = self.entry(Section::Registers)?;
        self.input.section(&entry, |input| {
            for ObjectInfo { number, info } in &mut information.objects {
                let Info::Thread(info) = info else { continue };
                match input.record(Section::Registers)? {
                    Some(RegistersOf { thread, registers: Registers::Arm(registers) }) if thread == *number => {
                        info.registers = registers;
                    }
                    _ => return Err(Fault::Object(*number, ObjectFault::Registers).into()),
                }
            }
            Ok(())
        })
    }

    fn served<P>(&mut self, information: &mut Information) -> Result<(), ReadError<S::Error, P>> {
        let entry = self.entry(Section::Served)?;
        let told = self.component.served;
        let wrong = Fault::Count { section: Section::Served, told };
        let Known { services, sessions } = &mut information.served;
        self.input.section(&entry, |input| {
            while let Some(served) = input.record::<Served, P>(Section::Served)? {
                match served {
                    // All services come first, as they are written.
                    Served::Service(name) if sessions.is_empty() && services.len() < MAX_SERVICES => {
                        services.push(name)
                    }
                    Served::Session(number) if sessions.len() < told as usize => sessions.push(number),
                    Served::Service(_) | Served::Session(_) => return Err(wrong.into()),
                }
            }
            if sessions.len() != told as usize { Err(wrong.into()) } else { Ok(()) }
        })
    }

    fn inventory<P>(&mut self, information: &Information) -> Result<Inventory, ReadError<S::Error, P>> {
        let entry = self.entry(Section::Inventory)?;
        let mut inventory = Inventory::new(self.component.pages);
        let mut filling = Filling::new(&mut inventory, information);
        self.input.section(&entry, |input| {
            while let Some(run) = input.record::<Run, P>(Section::Inventory)? {
                filling.take(run)?;
            }
            Ok(filling.finish()?)
        })?;
        Ok(inventory)
    }

    fn contents<P: PageSink>(
        &mut self,
        information: &Information,
        inventory: &Inventory,
        pages: &mut P,
    ) -> Result<(), ReadError<S::Error, P::Error>> {
        let entry = self.entry(Section::Contents)?;
        self.input.section(&entry, |input| {
            for (dataspace, info) in dataspaces(information) {
                for number in info.skipped..info.pages {
                    let index = info.stored + number;
                    if !inventory.is_saved(index) {
                        pages.zero(index).map_err(ReadError::Pages)?;
                        continue;
                    }
                    let page = pages.page(index).map_err(ReadError::Pages)?;
                    input.bytes(Section::Contents, page)?;
                    if is_zero(page) {
                        return Err(Fault::Page { dataspace, page: number, fault: PageFault::Zero }.into());
                    }
                }
            }
            Ok(())
        })
    }
}

/// Goes to a section that there is. What lies before it is known to nobody here.
fn seek<S: Source, P>(
    input: &mut Input<S>,
    header: &Header,
    next: &mut usize,
    section: Section,
) -> Result<Entry, ReadError<S::Error, P>> {
    while let Some(entry) = header.sections.get(*next) {
        *next += 1;
        if entry.kind == section.kind() {
            return Ok(*entry);
        }
        input.section(entry, |_| Ok(()))?;
    }
    Err(Fault::Missing(section).into())
}
