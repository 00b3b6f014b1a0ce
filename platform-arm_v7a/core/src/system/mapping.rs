//! From regions to pages: where a region map shows, what lies at a page, and mapping and unmapping of it in bounded steps:
//! [`AT_ONCE`] frames, counted at each place.

use alloc::vec::Vec;

use base::{
    region::Region,
    session::{
        pd::{AT_ONCE, Cache, PAGE},
        rm::FaultAccess,
    },
};
use sel4::{Cap, Frame, PageDirectory};
use wire::trace::Event;

use super::{
    Cure, Dataspace, Domain, Id, RegionMap, System, Thread,
    dataspace::Part,
    region_map::Object,
    space::{TABLE_BYTES, TABLE_ROOM, Taken, Unmapped, Way},
};

/// Pages that are looked at at once, whether they are mapped or not; 2 ns each.
const LOOKED_AT: u32 = 4096;

/// Why a page is not mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The address space's account would exceed its memory, by a page table.
    Ram,
    /// There is no more room.
    Exhausted,
}

/// A part of a region map that shows in an address space.
struct Place {
    space: Id<RegionMap>,
    /// What is added to a page of the region map to have that of the address space.
    delta: i64,
    /// Which pages of the region map show.
    from: i64,
    to: i64,
}

/// What lies at a page.
enum Found {
    /// A page of a dataspace.
    Page(Leaf),
    /// Nothing; the innermost region map, the page there, and how many pages behind it are empty too.
    Nothing { map: Id<RegionMap>, page: u32, pages: u32 },
    /// Something that goes.
    Going,
}

/// A page of a dataspace, and how much of that shows around it.
struct Leaf {
    dataspace: Id<Dataspace>,
    page: u32,
    before: u32,
    behind: u32,
    writable: bool,
    executable: bool,
}

/// What became of a page that is to be mapped.
enum Step {
    /// It is mapped, or cannot be; whatever it is, the next is that many pages on.
    On(u32),
    /// The dataspace has no memory there yet.
    Absent,
    /// It is a large frame of which more is to be cleared first.
    Again,
}

impl System {
    /// All places at which a region map shows. A managed one is attached at most four times, at most four deep.
    fn places(&self, id: Id<RegionMap>) -> Vec<Place> {
        let mut places = Vec::new();
        if let Some(map) = self.maps.get(id) {
            self.collect(id, Place { space: id, delta: 0, from: 0, to: map.pages.into() }, &mut places);
        }
        places
    }

    fn collect(&self, id: Id<RegionMap>, place: Place, places: &mut Vec<Place>) {
        let Some(map) = self.maps.get(id) else { return };
        if map.space.is_some() {
            places.push(Place { space: id, ..place });
            return;
        }
        for &(outer, start) in &map.attached {
            let Some(region) = self.maps.get(outer).and_then(|outer| outer.regions.get(start)) else { continue };
            let shown = i64::from(region.what.offset) - place.delta;
            let (from, to) = (place.from.max(shown), place.to.min(shown + i64::from(region.pages)));
            if from < to {
                let delta = place.delta + i64::from(start) - i64::from(region.what.offset);
                self.collect(outer, Place { space: outer, delta, from, to }, places);
            }
        }
    }

    /// What lies at a page of a region map.
    fn at(&self, id: Id<RegionMap>, page: u32) -> Found {
        let (mut map, mut page) = (id, page);
        let (mut before, mut behind, mut writable, mut executable) = (u32::MAX, u32::MAX, true, true);
        loop {
            let Some(object) = self.maps.get(map) else { return Found::Going };
            let Some(region) = object.regions.at(page) else {
                let end = object.regions.next(page).unwrap_or(object.pages).max(page + 1);
                return Found::Nothing { map, page, pages: behind.min(end - page) };
            };
            let shown = region.what;
            if shown.detaching {
                return Found::Going;
            }
            (before, behind) = (before.min(page - region.start), behind.min(region.end() - page));
            (writable, executable) = (writable && shown.writable, executable && shown.executable);
            page = page - region.start + shown.offset;
            match shown.object {
                Object::Map(inner) => map = inner,
                Object::Dataspace(dataspace) => {
                    return Found::Page(Leaf { dataspace, page, before, behind, writable, executable });
                }
            }
        }
    }

    /// Maps the frame that lies at a page of an address space, if one does.
    fn map_page(&mut self, id: Id<RegionMap>, page: u32) -> Result<Step, Left> {
        let leaf = match self.at(id, page) {
            Found::Page(leaf) => leaf,
            Found::Nothing { pages, .. } => return Ok(Step::On(pages)),
            Found::Going => return Ok(Step::On(1)),
        };
        let Some(dataspace) = self.dataspaces.get(leaf.dataspace) else { return Ok(Step::On(1)) };
        let Some(piece) = dataspace.pieces().at(leaf.page) else { return Ok(Step::On(1)) };
        let (before, on) = (leaf.page - piece.page, piece.end() - leaf.page);
        let Some(part) = dataspace.part(piece.index) else { return Ok(Step::Absent) };
        let whole = before <= leaf.before && on <= leaf.behind && before <= page;
        // A large frame that shows in part, or not at a multiple of its size, through windows of region maps around it.
        if !whole || !(page - before).is_multiple_of(piece.size.pages()) {
            return Ok(Step::On(1));
        }
        let uncached = dataspace.memory.cache == Cache::Uncached;
        let way = Way { writable: leaf.writable, executable: leaf.executable, uncached };
        Ok(if self.put(id, page - before, (part, piece.size), way)? { Step::On(on) } else { Step::Again })
    }

    /// The same, however much is to be cleared for it: a thread waits.
    fn map_page_now(&mut self, id: Id<RegionMap>, page: u32) -> bool {
        loop {
            match self.map_page(id, page) {
                Ok(Step::Again) => {}
                result => return result.is_ok(),
            }
        }
    }

    /// Maps a frame, with the page table that it needs, unless something is mapped there already; tells whether that is done,
    /// or more is to be cleared first.
    fn put(
        &mut self,
        id: Id<RegionMap>,
        page: u32,
        part: (Part, base::session::pd::FrameSize),
        way: Way,
    ) -> Result<bool, Left> {
        let Self { maps, resources, domains, room_used, .. } = self;
        let Some(map) = maps.get_mut(id) else { return Ok(true) };
        let Some(space) = map.space.as_mut().filter(|space| !space.is_mapped(page)) else { return Ok(true) };
        match space.map(resources, page, part, way) {
            Ok(()) => Ok(true),
            Err(Unmapped::Unclean) => Ok(false),
            Err(Unmapped::Exhausted) => Err(Left::Exhausted),
            Err(Unmapped::Table) => {
                let account = &mut domains.get_mut(map.account).ok_or(Left::Exhausted)?.account;
                if !account.take_room(TABLE_ROOM) {
                    return Err(Left::Ram);
                }
                if account.charge(TABLE_BYTES, 0).is_err() {
                    account.give_room(TABLE_ROOM);
                    return Err(Left::Ram);
                }
                let made = space.add_table(resources, page);
                let mapped = made.and_then(|()| space.map(resources, page, part, way));
                if mapped.is_err() {
                    // An empty table does not stay.
                    let tables = if made.is_ok() { space.unmap(resources, page, page + 1, 1).tables } else { 1 };
                    account.refund(u64::from(tables) * TABLE_BYTES, 0);
                    account.give_room(TABLE_ROOM);
                } else {
                    *room_used += u64::from(TABLE_ROOM);
                }
                match mapped {
                    Ok(()) => Ok(true),
                    Err(Unmapped::Unclean) => Ok(false),
                    Err(_) => Err(Left::Exhausted),
                }
            }
        }
    }

    /// Maps a region that is new in an address space, if it is a few pages for which there is a page table: most are. Tells whether
    /// all of it is mapped; if not, [`map_more`](Self::map_more) goes on, and knows why.
    pub(super) fn map_new(&mut self, id: Id<RegionMap>, place: usize) -> bool {
        let Self { maps, dataspaces, resources, .. } = self;
        let Some(RegionMap { regions, space: Some(space), account, .. }) = maps.get_mut(id) else { return false };
        let Some(Region { start, pages, what }) = regions.in_place(place) else { return false };
        let Object::Dataspace(dataspace) = what.object else { return false };
        let Some(dataspace) = dataspaces.get(dataspace) else { return false };
        let frames = dataspace.small_frames(what.offset);
        let Some(frames) = frames.get(..*pages as usize).filter(|frames| frames.len() <= AT_ONCE as usize) else {
            return false;
        };
        let uncached = dataspace.memory.cache == Cache::Uncached;
        let way = Way { writable: what.writable, executable: what.executable, uncached };
        what.done = space.map_small(resources, *start, frames, way);
        let (account, mapped, is_all) = (*account, (*start, what.done), what.done == *pages);
        self.trace_mapped(account, mapped, false);
        is_all
    }

    /// Maps the next pages of a region, wherever it shows; tells how many are left.
    pub(super) fn map_more(&mut self, id: Id<RegionMap>, start: u32) -> Result<u32, Left> {
        let Some(map) = self.maps.get(id) else { return Ok(0) };
        let Some(region) = map.regions.get(start) else { return Ok(0) };
        let (pages, mut done, is_space, account) = (region.pages, region.what.done, map.space.is_some(), map.account);
        let first = done;
        let places = if is_space { Vec::new() } else { self.places(id) };
        let (mut budget, mut result) = (AT_ONCE, Ok(()));
        while budget > 0 && done < pages && result.is_ok() {
            let page = start + done;
            let mapped = if is_space { self.map_small(id, start, done, budget.min(pages - done)) } else { 0 };
            if mapped > 0 {
                (done, budget) = (done + mapped, budget - mapped);
                continue;
            }
            let step = if is_space { self.map_page(id, page) } else { self.map_everywhere(id, &places, page) };
            budget = budget.saturating_sub(places.len().max(1) as u32);
            match step {
                Ok(Step::On(on)) => done = (done + on).min(pages),
                // It is mapped when it is there and touched.
                Ok(Step::Absent) => {
                    self.map_done(id, start, done);
                    self.trace_mapped(account, (start + first, done - first), !is_space);
                    return Ok(0);
                }
                Ok(Step::Again) => budget = 0,
                Err(error) => result = Err(error),
            }
        }
        self.map_done(id, start, done);
        self.trace_mapped(account, (start + first, done - first), !is_space);
        result.map(|()| pages - done)
    }

    /// Notes up to where a region is mapped, or unmapped.
    fn map_done(&mut self, id: Id<RegionMap>, start: u32, done: u32) {
        if let Some(shown) = self.maps.get_mut(id).and_then(|map| map.regions.get_mut(start)) {
            shown.done = done;
        }
    }

    /// Maps neighbouring pages of a region of an address space, in one go: that dataspace, region map and page table are looked
    /// up once for all is most of what that saves. Tells how many; where it is none, [`map_page`](Self::map_page) knows why.
    fn map_small(&mut self, id: Id<RegionMap>, start: u32, done: u32, most: u32) -> u32 {
        let Self { maps, dataspaces, resources, .. } = self;
        let Some(RegionMap { regions, space: Some(space), .. }) = maps.get_mut(id) else { return 0 };
        let Some(shown) = regions.get(start).map(|region| &region.what).filter(|shown| !shown.detaching) else {
            return 0;
        };
        let Object::Dataspace(dataspace) = shown.object else { return 0 };
        let Some(dataspace) = dataspaces.get(dataspace) else { return 0 };
        let frames = dataspace.small_frames(shown.offset + done);
        let uncached = dataspace.memory.cache == Cache::Uncached;
        let way = Way { writable: shown.writable, executable: shown.executable, uncached };
        space.map_small(resources, start + done, frames.get(..most as usize).unwrap_or(frames), way)
    }

    #[inline(always)]
    fn trace_mapped(&mut self, account: Id<Domain>, (page, pages): (u32, u32), managed: bool) {
        if pages > 0 {
            self.trace(account, Event::Mapped { page, pages, managed });
        }
    }

    /// Maps what lies at a page of a managed region map, wherever that shows; tells how far it is to the next.
    fn map_everywhere(&mut self, id: Id<RegionMap>, places: &[Place], page: u32) -> Result<Step, Left> {
        let on = match self.at(id, page) {
            Found::Going => return Ok(Step::On(1)),
            Found::Nothing { pages, .. } => return Ok(Step::On(pages)),
            Found::Page(leaf) => {
                let Some(dataspace) = self.dataspaces.get(leaf.dataspace) else { return Ok(Step::On(1)) };
                let Some(piece) = dataspace.pieces().at(leaf.page) else { return Ok(Step::On(1)) };
                if dataspace.part(piece.index).is_none() {
                    return Ok(Step::Absent);
                }
                piece.end() - leaf.page
            }
        };
        for place in places.iter().filter(|place| (place.from..place.to).contains(&page.into())) {
            if let Step::Again = self.map_page(place.space, (i64::from(page) + place.delta) as u32)? {
                return Ok(Step::Again);
            }
        }
        Ok(Step::On(on))
    }

    /// Unmaps the next pages of a region that is being detached, wherever it shows; tells how many are left.
    pub(super) fn unmap_more(&mut self, id: Id<RegionMap>, start: u32) -> u32 {
        let Some(map) = self.maps.get(id) else { return 0 };
        let Some(region) = map.regions.get(start) else { return 0 };
        let (pages, mut done, account, managed) = (region.pages, region.what.done, map.account, map.space.is_none());
        let first = done;
        if !managed {
            let end = pages.min(done + LOOKED_AT);
            done = self.unmap_pages(id, start + done, start + end, AT_ONCE).end - start;
            self.map_done(id, start, done);
            self.trace_unmapped(account, (start + first, done - first), managed);
            return pages - done;
        }
        let places = self.places(id);
        let (mut unmapped, mut looked_at) = (0, 0);
        // With that many places, a few pages each.
        let stride = (AT_ONCE / places.len().max(1) as u32).max(1);
        while done < pages && unmapped < AT_ONCE && looked_at < LOOKED_AT {
            let count = stride.min(pages - done);
            let range = i64::from(start + done)..i64::from(start + done + count);
            for place in &places {
                let (from, to) = (range.start.max(place.from), range.end.min(place.to));
                if from < to {
                    let (from, to) = ((from + place.delta) as u32, (to + place.delta) as u32);
                    unmapped += self.unmap_pages(place.space, from, to, u32::MAX).frames;
                }
            }
            looked_at += count * places.len() as u32;
            done = if places.is_empty() { pages } else { done + count };
        }
        self.map_done(id, start, done);
        self.trace_unmapped(account, (start + first, done - first), managed);
        pages - done
    }

    #[inline(always)]
    fn trace_unmapped(&mut self, account: Id<Domain>, (page, pages): (u32, u32), managed: bool) {
        if pages > 0 {
            self.trace(account, Event::Unmapped { page, pages, managed });
        }
    }

    fn unmap_pages(&mut self, id: Id<RegionMap>, start: u32, end: u32, most: u32) -> Taken {
        let Self { maps, resources, .. } = self;
        let Some(space) = maps.get_mut(id).and_then(|map| map.space.as_mut()) else {
            return Taken { frames: 0, tables: 0, end };
        };
        let taken = space.unmap(resources, start, end, most);
        if taken.tables > 0 {
            self.pay_tables(id, taken.tables);
        }
        taken
    }

    /// Whether a thread has its messages in these pages of a region map, wherever it shows.
    pub(super) fn has_buffer(&self, id: Id<RegionMap>, start: u32, end: u32) -> bool {
        if let Some(RegionMap { space: Some(_), buffers, .. }) = self.maps.get(id) {
            return buffers.iter().any(|page| (start..end).contains(page));
        }
        self.places(id).iter().any(|place| {
            let from = i64::from(start).max(place.from) + place.delta;
            let to = i64::from(end).min(place.to) + place.delta;
            let buffers = self.maps.get(place.space).map(|map| &map.buffers);
            buffers.is_some_and(|buffers| buffers.iter().any(|&page| (from..to).contains(&page.into())))
        })
    }

    /// Threads with their messages in these pages of a region map. For protection domains that end: looks at all threads.
    pub(super) fn thread_in(&self, id: Id<RegionMap>, start: u32, end: u32) -> Option<Id<Thread>> {
        let places = self.places(id);
        let found = self.threads.iter().find(|(_, thread)| {
            places.iter().filter(|place| place.space == thread.map()).any(|place| {
                let page = i64::from(thread.buffer() / PAGE) - place.delta;
                (i64::from(start).max(place.from)..i64::from(end).min(place.to)).contains(&page)
            })
        });
        found.map(|(id, _)| id)
    }

    /// The address space of a region map, and the frame of the page that is mapped at `address`, which cannot be detached
    /// from now on. None if there is no such page that may be written, or a thread has it.
    pub fn pin_buffer(&mut self, id: Id<RegionMap>, address: u32) -> Option<(Cap<PageDirectory>, Cap<Frame>)> {
        let page = address / PAGE;
        let map = self.maps.get(id).filter(|map| !map.ending && map.space.is_some() && page < map.pages)?;
        if !address.is_multiple_of(PAGE) || map.buffers.contains(&page) {
            return None;
        }
        let Found::Page(leaf) = self.at(id, page) else { return None };
        self.dataspaces.get(leaf.dataspace).filter(|it| leaf.writable && !it.ending)?;
        if !self.map_page_now(id, page) {
            return None;
        }
        let frame = self.mapped_frame(id, address)?;
        let map = self.maps.get_mut(id)?;
        let directory = map.space.as_ref()?.directory;
        map.buffers.push(page);
        Some((directory, frame))
    }

    /// The capability that maps the page at an address of an address space.
    pub fn mapped_frame(&self, id: Id<RegionMap>, address: u32) -> Option<Cap<Frame>> {
        let page = address / PAGE;
        let Found::Page(leaf) = self.at(id, page) else { return None };
        let before = leaf.page - self.dataspaces.get(leaf.dataspace)?.pieces().at(leaf.page)?.page;
        self.maps.get(id)?.space.as_ref()?.cap(&self.resources, page.checked_sub(before)?)
    }

    /// The instruction at an address, mapped from now on if it was not yet; none if it cannot be executed there. It is what
    /// is fetched there as long as nobody writes to it.
    pub fn instruction(&mut self, id: Id<RegionMap>, address: u32) -> Option<u32> {
        let page = address / PAGE;
        self.maps.get(id).filter(|map| page < map.pages)?;
        let instruction = match self.at(id, page) {
            Found::Page(leaf) if leaf.executable && self.map_page_now(id, page) => self.word(id, address)?,
            _ => return None,
        };
        // The instruction cache may have another one, of before it was written.
        let space = self.maps.get(id)?.space.as_ref()?;
        space.directory.unify_instruction(address..address.checked_add(4)?).ok()?;
        Some(instruction)
    }

    /// The page can be detached again.
    pub fn unpin_buffer(&mut self, id: Id<RegionMap>, address: u32) {
        if let Some(map) = self.maps.get_mut(id) {
            map.buffers.retain(|&page| page != address / PAGE);
        }
    }

    /// A word of the memory that shows at `address`, if it is mapped there: what is not may still be another's.
    pub fn word(&self, id: Id<RegionMap>, address: u32) -> Option<u32> {
        let page = address / PAGE;
        let map = self.maps.get(id).filter(|map| page < map.pages && address.is_multiple_of(4))?;
        map.space.as_ref().filter(|space| space.is_mapped(page))?;
        let Found::Page(leaf) = self.at(id, page) else { return None };
        let dataspace = self.dataspaces.get(leaf.dataspace)?;
        let piece = dataspace.pieces().at(leaf.page)?;
        let Some(Part::Frame(frame)) = dataspace.part(piece.index) else { return None };
        let content = self.resources.content(frame, leaf.page - piece.page);
        // SAFETY: a page of the frame, which stays mapped in core's window; aligned, inside the page. A component may be
        // writing to it, hence volatile.
        Some(unsafe { content.add((address % PAGE) as usize).cast::<u32>().read_volatile() })
    }

    /// A thread touched what is not mapped.
    pub fn fault(&mut self, id: Id<RegionMap>, address: u32, access: FaultAccess, thread: Id<Thread>) -> Cure {
        let page = address / PAGE;
        if self.maps.get(id).is_none_or(|map| page >= map.pages) {
            return Cure::Nobody;
        }
        match self.at(id, page) {
            Found::Page(leaf) => {
                let allowed = match access {
                    FaultAccess::Read => true,
                    FaultAccess::Write => leaf.writable,
                    FaultAccess::Execute => leaf.executable,
                };
                let cured = allowed && self.map_page_now(id, page) && self.is_mapped(id, page);
                if cured { Cure::Cured } else { Cure::Nobody }
            }
            Found::Nothing { map, page, .. } if self.wait_for_page(id, map, (page, access), thread) => Cure::Waits,
            Found::Nothing { .. } | Found::Going => Cure::Nobody,
        }
    }

    fn is_mapped(&self, id: Id<RegionMap>, page: u32) -> bool {
        self.maps.get(id).and_then(|map| map.space.as_ref()).is_some_and(|space| space.is_mapped(page))
    }
}
