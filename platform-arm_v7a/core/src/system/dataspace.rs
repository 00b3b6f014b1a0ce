//! Dataspaces: memory that can be attached. Frames of a component's own, pages of boot modules, registers of a device.

use alloc::vec::Vec;

use base::{
    region::Pieces,
    session::device::{dma::AddressError, persistent::MAX_FLUSH},
    session::pd::{AT_ONCE, AllocateError, Cache, CopyError, CopyPages, FrameSize, MAX_COPY, MAX_PAGES, Memory, PAGE},
};
use sel4::{Cap, Frame};

use super::{Domain, Id, Known, Module, RegionMap, System, domain::Quota};
use crate::{objects::Exhausted, resources::FrameId};

/// Where the memory lies that outlives the system: RAM that the kernel keeps to itself unless it is patched.
pub const PERSISTENT: u32 = 0x3000_0000;

/// Memory that can be attached.
pub struct Dataspace {
    /// Who pays; none for what was there from the beginning.
    pub account: Option<Id<Domain>>,
    /// Where it is in the list of what that account has paid for.
    pub place: u32,
    /// Size in pages.
    pub pages: u32,
    /// What it was asked for with.
    pub memory: Memory,
    /// Where it is attached: the region maps, and the first pages of the regions there.
    pub attached: Vec<(Id<RegionMap>, u32)>,
    /// It takes no further operation but being freed.
    pub ending: bool,
    content: Content,
}

enum Content {
    /// A component's own, in the order of [`Pieces`]; those that are not made yet are missing at the end.
    Own(Vec<FrameId>),
    /// Pages of core's image.
    Image(Vec<FrameId>),
    /// Registers of a device, one page; or persistent memory, in frames of 1 MiB.
    Device(Vec<Cap<Frame>>),
}

/// What one piece of a dataspace is.
#[derive(Clone, Copy)]
pub enum Part {
    /// A frame.
    Frame(FrameId),
    /// A device's registers or persistent memory, by a capability that is only copied.
    Device(Cap<Frame>),
}

impl Dataspace {
    /// How it is cut.
    pub fn pieces(&self) -> Pieces {
        Pieces::new(self.pages, self.memory.largest)
    }

    /// Whether it may be written at all.
    pub fn is_writable(&self) -> bool {
        !matches!(self.content, Content::Image(_))
    }

    /// Pages that are there; others are missing at the end.
    pub fn present(&self) -> u32 {
        match &self.content {
            Content::Own(frames) => self.pieces().of(frames.len() as u32).map_or(self.pages, |piece| piece.page),
            Content::Image(_) | Content::Device(_) => self.pages,
        }
    }

    /// The piece of that number, if it is there.
    pub fn part(&self, index: u32) -> Option<Part> {
        match &self.content {
            Content::Own(frames) | Content::Image(frames) => frames.get(index as usize).copied().map(Part::Frame),
            Content::Device(caps) => caps.get(index as usize).copied().map(Part::Device),
        }
    }

    /// Frames from a page on, as far as they are there, if all of the dataspace's are pages.
    pub fn small_frames(&self, page: u32) -> &[FrameId] {
        match &self.content {
            Content::Own(frames) | Content::Image(frames) if self.memory.largest == FrameSize::Small => {
                frames.get(page as usize..).unwrap_or_default()
            }
            _ => &[],
        }
    }

    /// The frame that holds a page, and which of its pages that is.
    fn page(&self, page: u32) -> Option<(FrameId, u32)> {
        let piece = self.pieces().at(page)?;
        match self.part(piece.index)? {
            Part::Frame(frame) => Some((frame, page - piece.page)),
            Part::Device(_) => None,
        }
    }

    /// The frames that hold its pages from one on, and which of their pages these are; a frame of many is looked up once.
    fn walk(&self, page: u32) -> impl Iterator<Item = (FrameId, u32)> {
        let small = self.small_frames(page).iter().map(|&frame| (frame, 0));
        let (mut page, mut current) = (page, None::<(FrameId, u32, u32)>);
        let large = core::iter::from_fn(move || {
            if let Some((frame, within, left @ 1..)) = current {
                (current, page) = (Some((frame, within + 1, left - 1)), page + 1);
                return Some((frame, within));
            }
            let piece = self.pieces().at(page)?;
            let Part::Frame(frame) = self.part(piece.index)? else { return None };
            let within = page - piece.page;
            (current, page) = (Some((frame, within + 1, piece.end() - page - 1)), page + 1);
            Some((frame, within))
        });
        let is_small = self.memory.largest == FrameSize::Small;
        small.chain(large.take(if is_small { 0 } else { usize::MAX }))
    }
}

impl System {
    /// A dataspace with its first [`AT_ONCE`] frames, for which an account pays.
    ///
    /// # Errors
    /// Nothing has been made.
    pub fn allocate(&mut self, account: Id<Domain>, size: u32, memory: Memory) -> Result<Id<Dataspace>, AllocateError> {
        let pages = size.div_ceil(PAGE);
        if pages == 0 || pages > MAX_PAGES {
            return Err(AllocateError::Size);
        }
        let mut frames = Vec::new();
        let count = Pieces::new(pages, memory.largest).count();
        if !self.take_room(account, list_bytes(count)) {
            return Err(AllocateError::Ram);
        }
        if frames.try_reserve_exact(count as usize).is_err() {
            self.give_room(account, list_bytes(count));
            return Err(AllocateError::Exhausted);
        }
        let charged = self.charge(account, bytes(pages), 1);
        if let Err(quota) = charged {
            self.give_room(account, list_bytes(count));
            return Err(match quota {
                Quota::Ram => AllocateError::Ram,
                Quota::Caps => AllocateError::Caps,
            });
        }
        let dataspace = Dataspace {
            account: Some(account),
            place: 0,
            pages,
            memory,
            attached: Vec::new(),
            ending: false,
            content: Content::Own(frames),
        };
        let Some(id) = self.dataspaces.insert(dataspace) else {
            self.refund(account, bytes(pages), 1);
            self.give_room(account, list_bytes(count));
            return Err(AllocateError::Exhausted);
        };
        self.own(account, Known::Dataspace(id));
        // Whoever asked relies on the first frames being there.
        let behind = Pieces::new(pages, memory.largest).of(AT_ONCE).map_or(0, |piece| pages - piece.page);
        match self.populate(id) {
            Ok(left) if left == behind => Ok(id),
            result => {
                while self.release(id) > 0 {}
                Err(result.err().unwrap_or(AllocateError::Exhausted))
            }
        }
    }

    /// Gives a dataspace its next frames; tells how many pages are still missing.
    ///
    /// # Errors
    /// No frame could be made.
    pub fn populate(&mut self, id: Id<Dataspace>) -> Result<u32, AllocateError> {
        let Self { dataspaces, resources, .. } = self;
        let dataspace = dataspaces.get_mut(id).filter(|it| !it.ending).ok_or(AllocateError::Nothing)?;
        let pieces = dataspace.pieces();
        let Content::Own(frames) = &mut dataspace.content else { return Ok(0) };
        for made in 0..AT_ONCE {
            let Some(piece) = pieces.of(frames.len() as u32) else { break };
            match resources.take_frame(piece.size) {
                // Room for all of them was reserved.
                Ok(frame) => frames.push(frame),
                Err(_) if made > 0 => break,
                Err(_) => return Err(AllocateError::Exhausted),
            }
        }
        Ok(dataspace.pages - dataspace.present())
    }

    /// Gives back frames of a dataspace that is attached nowhere; tells how many pages are left. At 0 it is gone.
    pub fn release(&mut self, id: Id<Dataspace>) -> u32 {
        let Self { dataspaces, resources, .. } = self;
        let Some(dataspace) = dataspaces.get_mut(id) else { return 0 };
        if let Content::Own(frames) = &mut dataspace.content {
            for _ in 0..AT_ONCE {
                let Some(frame) = frames.pop() else { break };
                resources.give_frame(frame);
            }
            if !frames.is_empty() {
                return dataspace.present();
            }
        }
        let (account, pages, count) = (dataspace.account, dataspace.pages, dataspace.pieces().count());
        if let Some(account) = account {
            self.give_room(account, list_bytes(count));
            self.disown(account, Known::Dataspace(id));
            self.refund(account, bytes(pages), 1);
        }
        self.dataspaces.remove(id);
        0
    }

    /// Copies pages; tells how many, at most [`MAX_COPY`].
    ///
    /// # Errors
    /// Nothing was copied.
    pub fn copy(&mut self, dst: Id<Dataspace>, src: Id<Dataspace>, what: CopyPages) -> Result<u32, CopyError> {
        let (to, from) = (self.memory_of(dst)?, self.memory_of(src)?);
        let count = what.count.min(MAX_COPY);
        let fits = |first: u16, present: u32| u32::from(first) + count <= present;
        if !fits(what.dst, to.present()) || !fits(what.src, from.present()) {
            return Err(CopyError::Range);
        }
        if !to.is_writable() {
            return Err(CopyError::ReadOnly);
        }
        let Self { dataspaces, resources, .. } = self;
        if let (Some(to), Some(from)) = (dataspaces.get(dst), dataspaces.get(src)) {
            let (mut dst, mut src) = (to.walk(what.dst.into()), from.walk(what.src.into()));
            for _ in 0..count {
                if let (Some(dst), Some(src)) = (dst.next(), src.next()) {
                    resources.copy_page(dst, src);
                }
            }
        }
        Ok(count)
    }

    fn memory_of(&self, id: Id<Dataspace>) -> Result<&Dataspace, CopyError> {
        let dataspace = self.dataspaces.get(id).filter(|it| !it.ending).ok_or(CopyError::Nothing)?;
        match dataspace.content {
            Content::Device(_) => Err(CopyError::Kind),
            Content::Own(_) | Content::Image(_) => Ok(dataspace),
        }
    }

    /// A dataspace of pages of core's image, from a page boundary on, which nobody may write and nobody pays for.
    ///
    /// # Errors
    /// The kernel refused, or there is no room.
    fn image_dataspace(&mut self, address: u32, size: u32) -> Result<Id<Dataspace>, Exhausted> {
        let pages = (0..size.div_ceil(PAGE)).map(|page| address + page * PAGE);
        let frames: Vec<_> = pages.map(|address| self.resources.image_frame(address)).collect::<Result<_, _>>()?;
        let memory = Memory { cache: Cache::Cached, largest: FrameSize::Small };
        self.unpaid(frames.len() as u32, memory, Content::Image(frames))
    }

    /// The dataspace of a device's registers, which nobody pays for.
    ///
    /// # Errors
    /// There is no such device, or it is core's own.
    fn device_dataspace(&mut self, address: u32) -> Result<Id<Dataspace>, Exhausted> {
        let frame = self.resources.make_device_frame(address)?;
        let memory = Memory { cache: Cache::Uncached, largest: FrameSize::Small };
        self.unpaid(1, memory, Content::Device([frame].into()))
    }

    /// The same, made when it is first asked for.
    ///
    /// # Errors
    /// There is no such device, it is core's own, or there is no more room.
    pub fn device(&mut self, address: u32) -> Result<Id<Dataspace>, Exhausted> {
        if let Some(&(_, dataspace)) = self.devices.iter().find(|(known, _)| *known == address) {
            return Ok(dataspace);
        }
        let dataspace = self.device_dataspace(address)?;
        self.devices.push((address, dataspace));
        Ok(dataspace)
    }

    /// Memory that outlives the system, the first so many bytes of it, made when it is first asked for. Nobody clears it, and
    /// nobody pays for it. 2 us for each MiB.
    ///
    /// # Errors
    /// There is none, or not so much, or less has been given out, or there is no more room.
    pub fn persistent(&mut self, size: u32) -> Result<Id<Dataspace>, Exhausted> {
        let pages = size / PAGE;
        if let Some(&(_, dataspace)) = self.devices.iter().find(|(known, _)| *known == PERSISTENT) {
            let same = self.dataspaces.get(dataspace).is_some_and(|it| it.pages == pages);
            return if same { Ok(dataspace) } else { Err(Exhausted::Device(PERSISTENT)) };
        }
        let frames = self.resources.make_persistent_frames(PERSISTENT, size)?;
        let memory = Memory { cache: Cache::Cached, largest: FrameSize::Section };
        let dataspace = self.unpaid(pages, memory, Content::Device(frames))?;
        self.devices.push((PERSISTENT, dataspace));
        Ok(dataspace)
    }

    /// Writes what is in the processor's caches of these pages of persistent memory to memory; at most [`MAX_FLUSH`] of them
    /// and none beyond a frame; tells how many.
    ///
    /// # Errors
    /// There are no such pages.
    pub fn flush_persistent(&self, id: Id<Dataspace>, first: u32, count: u32) -> Result<u32, CopyError> {
        let dataspace = self.dataspaces.get(id).ok_or(CopyError::Nothing)?;
        let piece = dataspace.pieces().at(first).ok_or(CopyError::Range)?;
        let Some(Part::Device(frame)) = dataspace.part(piece.index) else { return Err(CopyError::Kind) };
        let count = count.min(MAX_FLUSH).min(piece.end() - first);
        let start = (first - piece.page) * PAGE;
        if count > 0 {
            // Core has it mapped, so this cannot fail.
            let _ = frame.clean(start..start + count * PAGE);
        }
        Ok(count)
    }

    /// Where a page lies that an account has paid for, uncached; what is in the processor's caches of it is in memory then.
    ///
    /// # Errors
    /// It is another's, or cached, or there is no such page.
    pub fn physical_address(&mut self, account: Id<Domain>, id: Id<Dataspace>, page: u32) -> Result<u32, AddressError> {
        let dataspace = self.dataspaces.get(id).filter(|it| !it.ending).ok_or(AddressError::Nothing)?;
        if dataspace.account != Some(account) || dataspace.memory.cache != Cache::Uncached {
            return Err(AddressError::Kind);
        }
        let (frame, page) = dataspace.page(page).ok_or(AddressError::Range)?;
        // Core's window is cached: what it clears goes through there, so it does so now and not later.
        self.resources.clean_page(frame, page);
        let cap = self.resources.own_frame_cap(frame);
        let start = page * PAGE;
        cap.clean_invalidate(start..start + PAGE).map_err(|_| AddressError::Kind)?;
        cap.address().map(|address| address + start).map_err(|_| AddressError::Kind)
    }

    /// A boot module, which lies in core's image from a page boundary on.
    ///
    /// # Errors
    /// There is no more room.
    pub fn add_module(&mut self, name: &str, bytes: &'static [u8]) -> Result<(), Exhausted> {
        let (address, size) = (bytes.as_ptr().addr() as u32, bytes.len() as u32);
        let dataspace = self.image_dataspace(address, size)?;
        self.modules.push(Module { name: name.into(), size, dataspace });
        Ok(())
    }

    fn unpaid(&mut self, pages: u32, memory: Memory, content: Content) -> Result<Id<Dataspace>, Exhausted> {
        let attached = Vec::new();
        let dataspace = Dataspace { account: None, place: 0, pages, memory, attached, ending: false, content };
        self.dataspaces.insert(dataspace).ok_or(Exhausted::Memory(0))
    }
}

/// Bytes of core's heap for a list of so many frames.
fn list_bytes(count: u32) -> u32 {
    (count * size_of::<FrameId>() as u32).next_power_of_two()
}

/// Bytes of so many pages.
fn bytes(pages: u32) -> u64 {
    u64::from(pages) * u64::from(PAGE)
}
