//! Which pages of a checkpoint are not zero: a bit for each.

use alloc::{vec, vec::Vec};

use super::{
    fault::{Fault, PageFault},
    record::{Content, Run},
};
use crate::{
    information::Information,
    object::{Info, RamDataspaceInfo},
};

/// Bits for pages, counted from the checkpoint's first.
#[derive(Debug)]
pub(super) struct Inventory {
    saved: Vec<u32>,
}

impl Inventory {
    pub fn new(pages: u32) -> Self {
        Self { saved: vec![0; pages.div_ceil(32) as usize] }
    }

    /// A page is in the section of contents.
    pub fn save(&mut self, page: u32) {
        if let Some(word) = self.saved.get_mut((page / 32) as usize) {
            *word |= 1 << (page % 32);
        }
    }

    pub fn is_saved(&self, page: u32) -> bool {
        self.saved.get((page / 32) as usize).is_some_and(|word| word >> (page % 32) & 1 != 0)
    }

    /// How many are in the section of contents.
    pub fn count(&self) -> u64 {
        self.saved.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// The runs of a dataspace: as few as can be.
    pub fn runs(&self, dataspace: u32, info: &RamDataspaceInfo) -> impl Iterator<Item = Run> {
        let content = move |page: u32| match page {
            page if page < info.skipped => Content::Skipped,
            page if self.is_saved(info.stored + page) => Content::Saved,
            _ => Content::Zero,
        };
        let mut page = 0;
        core::iter::from_fn(move || {
            let first = page;
            let kind = (first < info.pages).then(|| content(first))?;
            while page < info.pages && content(page) == kind {
                page += 1;
            }
            Some(Run { dataspace, content: kind, count: page - first })
        })
    }
}

/// Takes in the runs of all dataspaces in order.
pub(super) struct Filling<'a> {
    inventory: &'a mut Inventory,
    dataspaces: alloc::boxed::Box<dyn Iterator<Item = (u32, RamDataspaceInfo)> + 'a>,
    /// The dataspace whose pages come, and the first that has not.
    current: Option<(u32, RamDataspaceInfo, u32)>,
    last: Option<Content>,
}

impl<'a> Filling<'a> {
    pub fn new(inventory: &'a mut Inventory, information: &'a Information) -> Self {
        let dataspaces = dataspaces(information).filter(|(_, info)| info.pages > 0);
        let mut filling = Self { inventory, dataspaces: alloc::boxed::Box::new(dataspaces), current: None, last: None };
        filling.next();
        filling
    }

    fn next(&mut self) {
        self.current = self.dataspaces.next().map(|(number, info)| (number, info, 0));
        self.last = None;
    }

    /// The next run.
    pub fn take(&mut self, run: Run) -> Result<(), Fault> {
        let Some((dataspace, info, page)) = self.current else { return Err(wrong(run.dataspace, 0)) };
        let wrong = wrong(dataspace, page);
        let end = page.checked_add(run.count).filter(|&end| end <= info.pages).ok_or(wrong)?;
        let skipped = info.skipped.min(info.pages);
        let is_right = match run.content {
            Content::Skipped => page == 0 && end == skipped,
            _ => page >= skipped,
        };
        if run.dataspace != dataspace || run.count == 0 || self.last == Some(run.content) || !is_right {
            return Err(wrong);
        }
        if run.content == Content::Saved {
            (page..end).for_each(|page| self.inventory.save(info.stored + page));
        }
        (self.current, self.last) = (Some((dataspace, info, end)), Some(run.content));
        if end == info.pages {
            self.next();
        }
        Ok(())
    }

    /// No more runs come.
    pub fn finish(self) -> Result<(), Fault> {
        self.current.map_or(Ok(()), |(dataspace, _, page)| Err(wrong(dataspace, page)))
    }
}

const fn wrong(dataspace: u32, page: u32) -> Fault {
    Fault::Page { dataspace, page, fault: PageFault::Run }
}

/// The component's memory, by number.
pub(super) fn dataspaces(information: &Information) -> impl Iterator<Item = (u32, RamDataspaceInfo)> + '_ {
    information.objects.iter().filter_map(|object| match &object.info {
        Info::RamDataspace(info) => Some((object.number, *info)),
        _ => None,
    })
}
