//! An image that is in memory as a whole: for tests and tools.

use alloc::{boxed::Box, vec::Vec};
use core::convert::Infallible;

use super::{Fault, Header, Identity, Page, PageSink, PageSource, ReadError, Reader, Sink, WriteError, write};
use crate::information::{Information, Need};

/// All that an image says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// What it says of itself.
    pub header: Header,
    /// Whose it is.
    pub identity: Identity,
    /// What the component is.
    pub information: Information,
    /// The content of its memory.
    pub pages: MemoryPages,
}

impl Image {
    /// Of a checkpoint.
    ///
    /// # Errors
    /// The checkpoint is not what one is like.
    pub fn new(identity: Identity, information: Information, pages: MemoryPages) -> Result<Self, Fault> {
        let header = write(&information, &identity, &mut &pages, &mut Nowhere).map_err(fault_of_writing)?;
        Ok(Self { header, identity, information, pages })
    }

    /// What these bytes say, if that takes no more room than there is. They are nothing but the image.
    ///
    /// # Errors
    /// It is refused.
    pub fn decode(bytes: &[u8], available: &Need) -> Result<Self, Fault> {
        let reader = Reader::open(bytes).map_err(fault)?;
        let (header, identity, needed) = (reader.header().clone(), reader.identity(), reader.need());
        // Before anything is made that is as large as the image says.
        if !available.covers(&needed) {
            return Err(Fault::Room { needed, available: *available });
        }
        let (mut information, mut pages) = (Information::with_room(&needed), MemoryPages::new(needed.pages));
        let rest = reader.read(&mut information, &mut pages).map_err(fault)?;
        if rest.is_empty() { Ok(Self { header, identity, information, pages }) } else { Err(Fault::Surplus) }
    }

    /// Its bytes.
    ///
    /// # Errors
    /// It is not what one is like.
    pub fn encode(&self) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        let mut pages = &self.pages;
        write(&self.information, &self.identity, &mut pages, &mut bytes).map_err(fault_of_writing)?;
        Ok(bytes)
    }
}

fn fault(error: ReadError<Infallible>) -> Fault {
    match error {
        ReadError::Fault(fault) => fault,
        ReadError::Source(never) | ReadError::Pages(never) => match never {},
    }
}

fn fault_of_writing(error: WriteError<Infallible, Infallible>) -> Fault {
    match error {
        WriteError::Fault(fault) => fault,
        WriteError::Sink(never) | WriteError::Pages(never) => match never {},
    }
}

/// Content of pages. Those that are zero take no memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryPages {
    pages: Vec<Option<Box<Page>>>,
}

static ZERO: Page = [0; size_of::<Page>()];

impl MemoryPages {
    /// So many, all zero.
    pub fn new(pages: u32) -> Self {
        let mut made = Vec::new();
        made.resize(pages as usize, None);
        Self { pages: made }
    }

    /// A page; zero also beyond the last one.
    pub fn get(&self, index: u32) -> &Page {
        self.pages.get(index as usize).and_then(Option::as_deref).unwrap_or(&ZERO)
    }

    /// Sets a page, of those that there are.
    pub fn set(&mut self, index: u32, page: &Page) {
        if let Some(place) = self.pages.get_mut(index as usize) {
            *place = (*page != ZERO).then(|| Box::new(*page));
        }
    }
}

impl PageSink for MemoryPages {
    type Error = Infallible;

    fn room(&self) -> u32 {
        u32::try_from(self.pages.len()).unwrap_or(u32::MAX)
    }

    fn page(&mut self, index: u32) -> Result<&mut Page, Infallible> {
        let index = index as usize;
        if index >= self.pages.len() {
            self.pages.resize(index + 1, None);
        }
        Ok(self.pages[index].get_or_insert_with(|| Box::new(ZERO)))
    }

    fn zero(&mut self, index: u32) -> Result<(), Infallible> {
        self.set(index, &ZERO);
        Ok(())
    }
}

impl PageSource for &MemoryPages {
    type Error = Infallible;

    fn page(&mut self, index: u32) -> Result<&Page, Infallible> {
        Ok(self.get(index))
    }
}

/// Where an image goes that is only measured.
struct Nowhere;

impl Sink for Nowhere {
    type Error = Infallible;

    fn write(&mut self, _: &[u8]) -> Result<(), Infallible> {
        Ok(())
    }
}
