//! Region maps: what lies where, in an address space or in a managed dataspace.

use alloc::vec::Vec;

use base::{
    layout,
    region::{Refused, Regions},
    session::{
        pd::{FrameSize, PAGE},
        rm::{AttachError, CreateError, DetachError, FaultAccess, PageFault, Placement},
    },
};

use super::{
    Context, Dataspace, Domain, Id, Known, System, Thread,
    domain::Quota,
    mapping::Left,
    space::{Space, TABLE_BYTES, TABLE_ROOM},
};

/// Pages of an address space: what is above belongs to the kernel.
pub const SPACE_PAGES: u32 = layout::HEAP.end / PAGE;
/// Bytes that an address space costs, without page tables.
const SPACE_BYTES: u64 = 16 << 10;
/// Most managed region maps inside each other.
const MAX_NESTING: u32 = 4;
/// Most places at which one managed region map is attached: what happens to a page of it happens at each place.
const MAX_PLACES: usize = 4;
/// Most places at which one dataspace is attached; freeing it looks at each for message buffers.
const MAX_DATASPACE_PLACES: usize = 128;
/// Bytes of core's heap for what is known of a region, in its region map and in what it shows; and of each megabyte, if it
/// is mapped as one.
const REGION_ROOM: u32 = 128;
const MEGABYTE_ROOM: u32 = 32;
/// Most regions of a region map; adding one moves those behind.
const MAX_REGIONS: usize = 1024;

/// A region map.
pub struct RegionMap {
    /// Who pays.
    pub account: Id<Domain>,
    /// Where it is in the list of what that account has paid for.
    pub place: u32,
    /// Size in pages.
    pub pages: u32,
    /// What lies where.
    pub regions: Regions<Shown>,
    /// If it is an address space, that of the kernel.
    pub space: Option<Space>,
    /// If it is managed, where it is attached: the region maps, and the first pages of the regions there.
    pub attached: Vec<(Id<RegionMap>, u32)>,
    /// How many managed region maps are inside each other here, this one included.
    height: u32,
    /// What faults raise.
    handler: Option<Id<Context>>,
    /// Threads that wait for something to be attached here, the oldest first.
    waiting: Vec<Waiting>,
    /// In an address space: pages in which threads have their messages.
    pub buffers: Vec<u32>,
    /// In an address space: in which region map each of its threads waits that does.
    pub noted: Vec<(Id<Thread>, Id<RegionMap>)>,
    /// It takes no further operation but being freed.
    pub ending: bool,
}

/// What a region shows.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// The object.
    pub object: Object,
    /// Its first page that shows.
    pub offset: u32,
    /// It may be written.
    pub writable: bool,
    /// It may be executed.
    pub executable: bool,
    /// It is being detached.
    pub detaching: bool,
    /// Pages up to here have been mapped; while it is being detached, unmapped.
    pub done: u32,
}

/// What can be attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// A dataspace.
    Dataspace(Id<Dataspace>),
    /// A managed region map.
    Map(Id<RegionMap>),
}

/// A thread that waits.
struct Waiting {
    thread: Id<Thread>,
    fault: PageFault,
}

impl System {
    /// A managed region map.
    ///
    /// # Errors
    /// Nothing has been made.
    pub fn create_map(&mut self, account: Id<Domain>, size: u32) -> Result<Id<RegionMap>, CreateError> {
        let pages = size / PAGE;
        if pages == 0 || !size.is_multiple_of(PAGE) || pages > SPACE_PAGES {
            return Err(CreateError::Size);
        }
        self.make_map(account, pages, None)
    }

    /// An address space.
    ///
    /// # Errors
    /// Nothing has been made.
    pub fn create_space(&mut self, account: Id<Domain>) -> Result<Id<RegionMap>, CreateError> {
        let ending = self.domains.get(account).is_none_or(|domain| domain.ending);
        let directory = match ending {
            true => return Err(CreateError::Nothing),
            false => self.resources.take_directory().map_err(|_| CreateError::Exhausted)?,
        };
        let made = self.make_map(account, SPACE_PAGES, Some(Space::new(directory)));
        if made.is_err() {
            self.resources.give_directory(directory);
        }
        made
    }

    fn make_map(
        &mut self,
        account: Id<Domain>,
        pages: u32,
        space: Option<Space>,
    ) -> Result<Id<RegionMap>, CreateError> {
        let (cost, height) = if space.is_some() { (SPACE_BYTES, 0) } else { (0, 1) };
        self.charge(account, cost, 1).map_err(|quota| match quota {
            Quota::Ram => CreateError::Ram,
            Quota::Caps => CreateError::Caps,
        })?;
        let map = RegionMap {
            account,
            place: 0,
            pages,
            regions: Regions::new(),
            space,
            attached: Vec::new(),
            height,
            handler: None,
            waiting: Vec::new(),
            buffers: Vec::new(),
            noted: Vec::new(),
            ending: false,
        };
        let Some(id) = self.maps.insert(map) else {
            self.refund(account, cost, 1);
            return Err(CreateError::Exhausted);
        };
        self.own(account, Known::RegionMap(id));
        Ok(id)
    }

    /// Attaches something, and maps what the bound allows; tells at which address.
    ///
    /// # Errors
    /// Nothing is attached then.
    pub fn attach(&mut self, id: Id<RegionMap>, object: Object, placement: Placement) -> Result<u32, AttachError> {
        let (size, writable, largest) = self.shape(object)?;
        let Placement { address, offset, .. } = placement;
        if placement.writable && placement.executable {
            return Err(AttachError::WritableCode);
        }
        if placement.writable && !writable {
            return Err(AttachError::ReadOnly);
        }
        if !offset.is_multiple_of(PAGE) || !placement.size.is_multiple_of(PAGE) {
            return Err(AttachError::Misaligned);
        }
        let offset = offset / PAGE;
        let rest = size.checked_sub(offset).ok_or(AttachError::Range)?;
        let pages = if placement.size == 0 { rest } else { placement.size / PAGE };
        if pages == 0 || pages > rest {
            return Err(AttachError::Range);
        }
        let alignment = match largest(offset, pages) {
            Some(alignment) => alignment,
            None => return Err(AttachError::Misaligned),
        };
        let map = self.maps.get(id).filter(|map| !map.ending).ok_or(AttachError::Nothing)?;
        let start = match address {
            Some(address) => {
                let start = address / PAGE;
                if !address.is_multiple_of(PAGE) || start % alignment != offset % alignment {
                    return Err(AttachError::Misaligned);
                }
                if start.checked_add(pages).is_none_or(|end| end > map.pages) {
                    return Err(AttachError::Range);
                }
                start
            }
            None => {
                let anywhere = layout::ANYWHERE.start / PAGE..layout::ANYWHERE.end / PAGE;
                let within = if map.space.is_some() { anywhere } else { 0..map.pages };
                map.regions.fit(pages, alignment, offset, within).ok_or(AttachError::Occupied)?
            }
        };
        if map.regions.len() >= MAX_REGIONS {
            return Err(AttachError::Exhausted);
        }
        if let Object::Map(inner) = object {
            self.check_nesting(id, inner)?;
        }
        let place = self.insert(id, start, pages, object, offset, placement)?;
        let mapped = if self.map_new(id, place) { Ok(0) } else { self.map_more(id, start) };
        match mapped {
            Ok(_) => {}
            Err(error) => {
                while let Ok(1..) = self.detach_page(id, start) {}
                return Err(error.into());
            }
        }
        self.wake(id, start, pages);
        Ok(start * PAGE)
    }

    /// Size in pages of what can be attached, whether it may be written, and the alignment in pages of a part of it, if that
    /// can be attached.
    #[allow(clippy::type_complexity)]
    fn shape(&self, object: Object) -> Result<(u32, bool, impl Fn(u32, u32) -> Option<u32> + use<>), AttachError> {
        let (pages, writable, pieces) = match object {
            Object::Dataspace(id) => {
                let dataspace = self.dataspaces.get(id).filter(|it| !it.ending).ok_or(AttachError::Nothing)?;
                (dataspace.pages, dataspace.is_writable(), Some(dataspace.pieces()))
            }
            Object::Map(id) => {
                let map = self.maps.get(id).filter(|map| !map.ending).ok_or(AttachError::Nothing)?;
                if map.space.is_some() {
                    return Err(AttachError::Kind);
                }
                (map.pages, true, None)
            }
        };
        let alignment = move |offset: u32, count: u32| {
            let Some(pieces) = pieces else { return Some(1) };
            // Frames show as wholes. The first is the largest, so what suits it suits all.
            let (first, last) = (pieces.at(offset)?, pieces.at(offset + count - 1)?);
            (first.page == offset && last.end() == offset + count).then_some(first.size.pages())
        };
        Ok((pages, writable, alignment))
    }

    fn check_nesting(&self, outer: Id<RegionMap>, inner: Id<RegionMap>) -> Result<(), AttachError> {
        let height = self.maps.get(inner).map_or(0, |map| map.height);
        let too_deep = self.depth(outer) + height > MAX_NESTING;
        if outer == inner || too_deep || self.is_inside(outer, inner) {
            return Err(AttachError::Nesting);
        }
        match self.maps.get(inner) {
            Some(map) if map.attached.len() < MAX_PLACES => Ok(()),
            _ => Err(AttachError::Exhausted),
        }
    }

    /// How many managed region maps are around and including this one, at most.
    fn depth(&self, id: Id<RegionMap>) -> u32 {
        let Some(map) = self.maps.get(id) else { return 0 };
        let around = map.attached.iter().map(|&(outer, _)| self.depth(outer)).max().unwrap_or(0);
        around + u32::from(map.space.is_none())
    }

    /// Whether a region map shows in another, directly or not.
    fn is_inside(&self, id: Id<RegionMap>, other: Id<RegionMap>) -> bool {
        let Some(map) = self.maps.get(id) else { return false };
        map.attached.iter().any(|&(outer, _)| outer == other || self.is_inside(outer, other))
    }

    fn insert(
        &mut self,
        id: Id<RegionMap>,
        start: u32,
        pages: u32,
        object: Object,
        offset: u32,
        Placement { writable, executable, .. }: Placement,
    ) -> Result<usize, AttachError> {
        let places = self.attached(object).ok_or(AttachError::Nothing)?;
        if places.len() >= MAX_DATASPACE_PLACES || places.try_reserve(1).is_err() {
            return Err(AttachError::Exhausted);
        }
        let account = self.maps.get(id).ok_or(AttachError::Nothing)?.account;
        if !self.take_room(account, region_room(pages)) {
            return Err(AttachError::Ram);
        }
        let shown = Shown { object, offset, writable, executable, detaching: false, done: 0 };
        let inserted = match self.maps.get_mut(id) {
            Some(map) => map.regions.insert_at(start, pages, shown),
            None => Err(Refused::Exhausted),
        };
        let place = match inserted {
            Ok(place) => place,
            Err(refused) => {
                self.give_room(account, region_room(pages));
                return Err(match refused {
                    Refused::Occupied => AttachError::Occupied,
                    Refused::Exhausted => AttachError::Exhausted,
                });
            }
        };
        if let Some(places) = self.attached(object) {
            places.push((id, start));
        }
        if let Object::Map(_) = object {
            self.update_height(id);
        }
        Ok(place)
    }

    /// Where an object is attached.
    fn attached(&mut self, object: Object) -> Option<&mut Vec<(Id<RegionMap>, u32)>> {
        match object {
            Object::Dataspace(id) => self.dataspaces.get_mut(id).map(|dataspace| &mut dataspace.attached),
            Object::Map(id) => self.maps.get_mut(id).map(|map| &mut map.attached),
        }
    }

    /// Looks again how many region maps are inside each other, here and in all around.
    fn update_height(&mut self, id: Id<RegionMap>) {
        let Some(map) = self.maps.get(id).filter(|map| map.space.is_none()) else { return };
        let inner = map.regions.iter().filter_map(|region| match region.what.object {
            Object::Map(inner) => self.maps.get(inner).map(|map| map.height),
            Object::Dataspace(_) => None,
        });
        let height = 1 + inner.max().unwrap_or(0);
        let Some(map) = self.maps.get_mut(id).filter(|map| map.height != height) else { return };
        map.height = height;
        // At most four.
        for place in 0..self.maps.get(id).map_or(0, |map| map.attached.len()) {
            if let Some(&(outer, _)) = self.maps.get(id).and_then(|map| map.attached.get(place)) {
                self.update_height(outer);
            }
        }
    }

    /// Maps further pages of what is attached at an address; tells how many are left.
    ///
    /// # Errors
    /// Nothing begins there, or a page could not be mapped.
    pub fn map_attached(&mut self, id: Id<RegionMap>, address: u32) -> Result<u32, AttachError> {
        let map = self.maps.get(id).filter(|map| !map.ending).ok_or(AttachError::Nothing)?;
        let start = map.regions.at(address / PAGE).filter(|region| !region.what.detaching).map(|region| region.start);
        let start = start.ok_or(AttachError::Nothing)?;
        self.map_more(id, start).map_err(AttachError::from)
    }

    /// Detaches what begins at an address, as much as the bound allows; tells how many pages are left.
    ///
    /// # Errors
    /// Nothing has changed.
    pub fn detach(&mut self, id: Id<RegionMap>, address: u32) -> Result<u32, DetachError> {
        if !address.is_multiple_of(PAGE) {
            return Err(DetachError::Nothing);
        }
        self.detach_page(id, address / PAGE)
    }

    /// As [`detach`](Self::detach), by the first page.
    pub(super) fn detach_page(&mut self, id: Id<RegionMap>, start: u32) -> Result<u32, DetachError> {
        let map = self.maps.get(id).ok_or(DetachError::Nothing)?;
        let region = map.regions.get(start).ok_or(DetachError::Nothing)?;
        if !region.what.detaching {
            let end = region.end();
            if self.has_buffer(id, start, end) {
                return Err(DetachError::Busy);
            }
            if let Some(shown) = self.maps.get_mut(id).and_then(|map| map.regions.get_mut(start)) {
                (shown.detaching, shown.done) = (true, 0);
            }
        }
        let left = self.unmap_more(id, start);
        if left == 0 {
            self.drop_region(id, start);
        }
        Ok(left)
    }

    /// Removes a region of which nothing is mapped.
    fn drop_region(&mut self, id: Id<RegionMap>, start: u32) {
        let Some(map) = self.maps.get_mut(id) else { return };
        let (account, Some(region)) = (map.account, map.regions.remove(start)) else { return };
        self.give_room(account, region_room(region.pages));
        if let Some(places) = self.attached(region.what.object)
            && let Some(index) = places.iter().position(|&place| place == (id, start))
        {
            places.swap_remove(index);
        }
        self.update_height(id);
    }

    /// Frees as much of a region map as the bound allows; tells how much is left. At 0 it is gone.
    ///
    /// # Errors
    /// A thread has its message buffer in it.
    pub fn free_map(&mut self, id: Id<RegionMap>) -> Result<u32, DetachError> {
        let Some(map) = self.maps.get(id) else { return Ok(0) };
        if !map.ending && self.has_buffer(id, 0, map.pages) {
            return Err(DetachError::Busy);
        }
        if let Some(map) = self.maps.get_mut(id) {
            map.ending = true;
        }
        let Some(map) = self.maps.get(id) else { return Ok(0) };
        // Where it shows goes first: then nothing of it is mapped any more, and its own regions go at once.
        let step = map.attached.last().copied().or(map.regions.iter().next_back().map(|region| (id, region.start)));
        if let Some((outer, start)) = step {
            let left = self.detach_page(outer, start)?;
            let rest = self.maps.get(id).map_or(0, |map| map.regions.len() + map.attached.len());
            if left + rest as u32 > 0 {
                return Ok(left + rest as u32);
            }
        }
        self.remove_map(id);
        Ok(0)
    }

    fn remove_map(&mut self, id: Id<RegionMap>) {
        let Some(map) = self.maps.get_mut(id) else { return };
        let (account, waiting) = (map.account, core::mem::take(&mut map.waiting));
        self.disown(account, Known::RegionMap(id));
        let space = self.maps.remove(id).and_then(|map| map.space);
        if let Some(space) = &space {
            self.resources.give_directory(space.directory);
        }
        self.refund(account, if space.is_some() { SPACE_BYTES } else { 0 }, 1);
        // They try again, and find what is there now.
        for Waiting { thread, .. } in waiting {
            self.forget_note(thread);
            self.restart(thread);
        }
    }

    /// Page tables were given back.
    pub(super) fn pay_tables(&mut self, id: Id<RegionMap>, left: u32) {
        if let Some(account) = self.maps.get(id).map(|map| map.account) {
            self.refund(account, u64::from(left) * TABLE_BYTES, 0);
            self.give_room(account, left * TABLE_ROOM);
        }
    }

    /// Faults where nothing is attached raise that signal from now on.
    ///
    /// # Errors
    /// `Nothing`.
    pub fn handle_faults(&mut self, id: Id<RegionMap>, context: Option<Id<Context>>) -> Result<(), DetachError> {
        self.maps.get_mut(id).ok_or(DetachError::Nothing)?.handler = context;
        Ok(())
    }

    /// The oldest fault that waits.
    ///
    /// # Errors
    /// `Nothing`.
    pub fn oldest_fault(&self, id: Id<RegionMap>) -> Result<Option<PageFault>, DetachError> {
        let map = self.maps.get(id).ok_or(DetachError::Nothing)?;
        Ok(map.waiting.first().map(|waiting| waiting.fault))
    }

    /// Lets a thread of the address space `space` wait until something is attached at a page of `id`; tells whether there is
    /// somebody who was told.
    pub(super) fn wait_for_page(
        &mut self,
        space: Id<RegionMap>,
        id: Id<RegionMap>,
        (page, access): (u32, FaultAccess),
        thread: Id<Thread>,
    ) -> bool {
        let Some(map) = self.maps.get_mut(id) else { return false };
        let Some(handler) = map.handler.filter(|&handler| self.contexts.get(handler).is_some()) else { return false };
        map.waiting.push(Waiting { thread, fault: PageFault { address: page * PAGE, access } });
        if let Some(space) = self.maps.get_mut(space) {
            space.noted.push((thread, id));
        }
        self.raise(handler, 1);
        true
    }

    /// Threads that wait for one of these pages try again.
    fn wake(&mut self, id: Id<RegionMap>, start: u32, pages: u32) {
        let within = start..start + pages;
        while let Some(map) = self.maps.get_mut(id)
            && let Some(index) = map.waiting.iter().position(|it| within.contains(&(it.fault.address / PAGE)))
        {
            let thread = map.waiting.remove(index).thread;
            self.forget_note(thread);
            self.restart(thread);
        }
    }

    fn forget_note(&mut self, thread: Id<Thread>) {
        if let Some(space) = self.threads.get(thread).map(Thread::map).and_then(|space| self.maps.get_mut(space)) {
            space.noted.retain(|&(noted, _)| noted != thread);
        }
    }

    /// A thread of an address space waits for nothing any more.
    pub fn forget_fault(&mut self, space: Id<RegionMap>, thread: Id<Thread>) {
        let Some(map) = self.maps.get_mut(space) else { return };
        let Some(index) = map.noted.iter().position(|&(noted, _)| noted == thread) else { return };
        let (_, id) = map.noted.swap_remove(index);
        if let Some(map) = self.maps.get_mut(id) {
            map.waiting.retain(|waiting| waiting.thread != thread);
        }
    }
}

/// Bytes of core's heap for what is known of a region of so many pages.
const fn region_room(pages: u32) -> u32 {
    REGION_ROOM + pages / FrameSize::Section.pages() * MEGABYTE_ROOM
}

impl From<Left> for AttachError {
    fn from(reason: Left) -> Self {
        match reason {
            Left::Ram => Self::Ram,
            Left::Exhausted => Self::Exhausted,
        }
    }
}
