//! Address spaces: page directory, page tables, and which capability maps which page.
//!
//! What is mapped is kept beside the kernel's tables, a word for each page, so that a page is unmapped by the capability that
//! mapped it, and nothing is asked of the kernel to know.

use alloc::{boxed::Box, vec::Vec};

use base::session::pd::FrameSize;
use sel4::{Cap, Frame, PageDirectory, PageTable, Rights, VmAttributes, boot};

use super::dataspace::Part;
use crate::{
    insist::insist,
    resources::{FrameId, Resources},
};

/// Pages of a megabyte, which one page table covers.
const TABLE: u32 = 256;
/// Bytes that a page table costs.
pub const TABLE_BYTES: u64 = 1 << 10;
/// Bytes of core's heap for what is known of a page table, or of a megabyte without one.
pub const TABLE_ROOM: u32 = 1 << 11;
/// Pages that are cleared before something is mapped, at once.
const CLEARED: u32 = 32;
/// Nothing is mapped.
const NOTHING: u32 = 0;
/// The page belongs to a larger frame that begins before.
const COVERED: u32 = 1;
/// The capability was copied for this mapping; its slot. Otherwise it is the frame's own; the frame's number, plus
/// [`OWN`].
const COPY: u32 = 1 << 31;
const OWN: u32 = COVERED + 1;

/// An address space.
pub struct Space {
    /// The kernel's object.
    pub directory: Cap<PageDirectory>,
    /// Megabytes in which something is mapped, in ascending order.
    megabytes: Vec<(u32, Megabyte)>,
}

enum Megabyte {
    /// Pages, how many of them are mapped, and by what.
    Table { table: Cap<PageTable>, used: u32, pages: Box<[u32; TABLE as usize]> },
    /// A frame of a megabyte or more, or what is covered by one.
    Section(u32),
}

/// How something is mapped.
#[derive(Clone, Copy)]
pub struct Way {
    /// It may be written.
    pub writable: bool,
    /// It may be executed.
    pub executable: bool,
    /// It is not cached.
    pub uncached: bool,
}

/// Why a page is not mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmapped {
    /// A page table is missing; the caller pays for one and tries again with [`Space::add_table`].
    Table,
    /// More of the frame is to be cleared first: ask again.
    Unclean,
    /// No slot, no memory, or the kernel refused.
    Exhausted,
}

impl Space {
    /// An empty one.
    pub const fn new(directory: Cap<PageDirectory>) -> Self {
        Self { directory, megabytes: Vec::new() }
    }

    fn find(&self, page: u32) -> Result<usize, usize> {
        self.megabytes.binary_search_by_key(&(page / TABLE), |(megabyte, _)| *megabyte)
    }

    /// What maps a page.
    fn entry(&self, page: u32) -> u32 {
        match self.find(page).ok().and_then(|index| self.megabytes.get(index)) {
            Some((_, Megabyte::Table { pages, .. })) => pages[(page % TABLE) as usize],
            Some((_, Megabyte::Section(entry))) => *entry,
            None => NOTHING,
        }
    }

    /// Whether something is mapped there.
    #[inline]
    pub fn is_mapped(&self, page: u32) -> bool {
        self.entry(page) != NOTHING
    }

    /// The capability that maps the frame which begins there.
    pub fn cap(&self, resources: &Resources, page: u32) -> Option<Cap<Frame>> {
        match self.entry(page) {
            NOTHING | COVERED => None,
            entry if entry & COPY != 0 => Some(Cap::new(entry & !COPY)),
            entry => Some(resources.frame_cap(FrameId::from_number(entry - OWN))),
        }
    }

    /// Covers the megabyte of a page with a page table.
    ///
    /// # Errors
    /// There is none, or a section lies there.
    pub fn add_table(&mut self, resources: &mut Resources, page: u32) -> Result<(), Unmapped> {
        let Err(index) = self.find(page) else { return Err(Unmapped::Exhausted) };
        self.megabytes.try_reserve(1).map_err(|_| Unmapped::Exhausted)?;
        let table = resources.take_table().map_err(|_| Unmapped::Exhausted)?;
        if table.map(self.directory, page << 12).is_err() {
            resources.give_table(table);
            return Err(Unmapped::Exhausted);
        }
        let pages = Box::new([NOTHING; TABLE as usize]);
        self.megabytes.insert(index, (page / TABLE, Megabyte::Table { table, used: 0, pages }));
        Ok(())
    }

    /// Maps a frame at a page, a multiple of its size, where nothing is mapped.
    ///
    /// # Errors
    /// Nothing has changed.
    pub fn map(
        &mut self,
        resources: &mut Resources,
        page: u32,
        (part, size): (Part, FrameSize),
        way: Way,
    ) -> Result<(), Unmapped> {
        if size >= FrameSize::Section {
            return self.map_section(resources, page, (part, size), way);
        }
        let index = self.find(page).map_err(|_| Unmapped::Table)?;
        let Some((_, Megabyte::Table { used, pages, .. })) = self.megabytes.get_mut(index) else {
            return Err(Unmapped::Exhausted);
        };
        let entry = place(resources, self.directory, page, part, size, way)?;
        let (at, count) = ((page % TABLE) as usize, size.pages() as usize);
        pages[at..at + count].fill(COVERED);
        pages[at] = entry;
        *used += size.pages();
        Ok(())
    }

    /// Maps small frames side by side from a page on, except where something is mapped; tells of how many pages that is true
    /// now. They may be fewer than were given, or none: where the page table ends or is missing, or one cannot be mapped.
    pub fn map_small(&mut self, resources: &mut Resources, page: u32, frames: &[FrameId], way: Way) -> u32 {
        let (directory, found) = (self.directory, self.find(page).ok());
        let Some((_, Megabyte::Table { used, pages, .. })) = found.and_then(|index| self.megabytes.get_mut(index))
        else {
            return 0;
        };
        let mut done = 0;
        for (entry, &frame) in pages[(page % TABLE) as usize..].iter_mut().zip(frames) {
            if *entry == NOTHING {
                match place(resources, directory, page + done, Part::Frame(frame), FrameSize::Small, way) {
                    Ok(placed) => *entry = placed,
                    Err(_) => break,
                }
                *used += 1;
            }
            done += 1;
        }
        done
    }

    fn map_section(
        &mut self,
        resources: &mut Resources,
        page: u32,
        (part, size): (Part, FrameSize),
        way: Way,
    ) -> Result<(), Unmapped> {
        let Err(index) = self.find(page) else { return Err(Unmapped::Exhausted) };
        let count = size.pages() / TABLE;
        self.megabytes.try_reserve(count as usize).map_err(|_| Unmapped::Exhausted)?;
        let entry = place(resources, self.directory, page, part, size, way)?;
        let megabytes = (0..count)
            .map(|number| (page / TABLE + number, Megabyte::Section(if number == 0 { entry } else { COVERED })));
        self.megabytes.splice(index..index, megabytes);
        Ok(())
    }

    /// Takes away what begins in these pages, at most so many frames.
    pub fn unmap(&mut self, resources: &mut Resources, start: u32, end: u32, most: u32) -> Taken {
        let (mut frames, mut tables, mut page) = (0, 0, start);
        while page < end && frames < most {
            let mut stop = end.min((page / TABLE + 1) * TABLE);
            if let Ok(index) = self.find(page) {
                let (_, megabyte) = &mut self.megabytes[index];
                let empty = match megabyte {
                    Megabyte::Section(entry) => {
                        frames += u32::from(displace(resources, *entry));
                        true
                    }
                    Megabyte::Table { used, pages, .. } => {
                        let entries = &mut pages[(page % TABLE) as usize..][..(stop - page) as usize];
                        for (entry, at) in entries.iter_mut().zip(page..) {
                            if *entry == NOTHING {
                                continue;
                            }
                            // What is covered goes with the frame that covers it.
                            if frames == most && *entry != COVERED {
                                stop = at;
                                break;
                            }
                            frames += u32::from(displace(resources, *entry));
                            *used -= 1;
                            *entry = NOTHING;
                        }
                        *used == 0
                    }
                };
                if empty && let (_, Megabyte::Table { table, .. }) = self.megabytes.remove(index) {
                    // SAFETY: nothing is mapped by it any more, and core has no references there.
                    let _ = insist(|| unsafe { table.unmap() });
                    resources.give_table(table);
                    tables += 1;
                }
            }
            page = stop;
        }
        Taken { frames, tables, end: page }
    }
}

/// What was taken away.
pub struct Taken {
    /// How many frames.
    pub frames: u32,
    /// How many page tables have become empty and were given back.
    pub tables: u32,
    /// Up to which page nothing is left.
    pub end: u32,
}

/// Maps a frame; tells by what. The frame's own capability is taken if it is not in use, otherwise a copy.
fn place(
    resources: &mut Resources,
    space: Cap<PageDirectory>,
    page: u32,
    part: Part,
    size: FrameSize,
    way: Way,
) -> Result<u32, Unmapped> {
    let rights = if way.writable { Rights::READ_WRITE } else { Rights::READ };
    let attributes = match (way.uncached, way.executable) {
        (true, _) => VmAttributes::UNCACHED,
        (false, true) => VmAttributes::EXECUTABLE,
        (false, false) => VmAttributes::DATA,
    };
    // SAFETY: a component's address space, in which core has no references.
    let map = |cap: Cap<Frame>| unsafe { cap.map(space, page << 12, rights, attributes) };
    // What was written as data is to be fetched as instructions; 4 us a page, so not if nothing was written since.
    let unify = |resources: &mut Resources, cap: Cap<Frame>| match part {
        Part::Frame(frame) if resources.is_fetchable(frame) => {}
        _ if !way.executable => {}
        // It is mapped, so this cannot fail.
        _ => {
            let _ = insist(|| cap.unify_instruction(0..size.bytes()));
            if let Part::Frame(frame) = part {
                resources.set_fetchable(frame);
            }
        }
    };
    let original = match part {
        Part::Frame(frame) => {
            if resources.clean_some(frame, CLEARED) > 0 {
                return Err(Unmapped::Unclean);
            }
            if let Some(own) = resources.claim_frame_cap(frame) {
                if map(own).is_err() {
                    resources.release_frame_cap(frame);
                    return Err(Unmapped::Exhausted);
                }
                unify(resources, own);
                return Ok(frame.number() + OWN);
            }
            resources.frame_cap(frame)
        }
        Part::Device(cap) => cap,
    };
    let copy = Cap::<Frame>::new(resources.take_slot().map_err(|_| Unmapped::Exhausted)?);
    if original.slot(boot::CNODE).copy_to(copy.slot(boot::CNODE), Rights::ALL).and_then(|()| map(copy)).is_err() {
        // SAFETY: it is mapped nowhere.
        let _ = insist(|| unsafe { copy.slot(boot::CNODE).delete() });
        resources.give_slot(copy.number());
        return Err(Unmapped::Exhausted);
    }
    unify(resources, copy);
    Ok(copy.number() | COPY)
}

/// Undoes [`place`]; tells whether there was something to undo.
fn displace(resources: &mut Resources, entry: u32) -> bool {
    if entry <= COVERED {
        return false;
    }
    if entry & COPY == 0 {
        let own = resources.release_frame_cap(FrameId::from_number(entry - OWN));
        // SAFETY: a component's address space, in which core has no references.
        let _ = insist(|| unsafe { own.unmap() });
    } else {
        let copy = Cap::<Frame>::new(entry & !COPY);
        // SAFETY: as above; with the capability its mapping goes.
        let _ = insist(|| unsafe { copy.slot(boot::CNODE).delete() });
        resources.give_slot(copy.number());
    }
    true
}
