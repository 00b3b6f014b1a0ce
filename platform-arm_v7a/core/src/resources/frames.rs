//! Frames, in chunks of one size, and the pages of core's own image.
//!
//! A chunk covers 1 MiB (16 MiB for the largest frames), lies in core's window, and never changes what it is made of.

use alloc::vec::Vec;

use base::session::pd::FrameSize;
use sel4::{BootInfo, Cap, Frame, ObjectKind, Rights, Untyped, VmAttributes, boot};
use wire::layout::{CORE_VIRTUAL, PAGE};

use super::{
    Count,
    blocks::{Blocks, SMALL},
    made::Kernel,
    page,
    slots::{Slots, place},
};
use crate::{insist::insist, objects::Exhausted, window::Window};

/// Pages of a chunk.
const PAGES: u32 = 256;
const NONE: u32 = u32::MAX;

/// A frame: its chunk, and its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameId(u32);

impl FrameId {
    const fn chunk(self) -> usize {
        (self.0 >> 8) as usize
    }

    const fn index(self) -> u32 {
        self.0 & 0xff
    }

    /// As a number, which is below 2^24: there are fewer than 2^16 chunks.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The frame of that number.
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }
}

/// 1 MiB of memory. Frames of 16 MiB take sixteen, of which the first has the frame and all know about their pages.
struct Chunk {
    size: FrameSize,
    memory: Cap<Untyped>,
    /// Where it lies in core's address space.
    address: u32,
    /// Slot of the first frame; others follow.
    own: u32,
    /// Slot of its second capability, for components; others follow.
    other: u32,
    /// Frames that it has, so far.
    made: u32,
    /// Another chunk with frames that nobody uses.
    next: u32,
    /// How many frames nobody uses. Of the image, not kept.
    unused: u32,
    /// Frames that nobody uses; of the image, pages whose second capability has not been made.
    free: [u32; 8],
    /// Pages whose content must not be seen any more.
    dirty: [u32; 8],
    /// Frames whose second capability maps them somewhere.
    mapped: [u32; 8],
    /// Of the image, pages from which instructions can be fetched as they are.
    fetchable: [u32; 8],
}

/// All of them.
pub(super) struct Frames {
    chunks: Vec<Chunk>,
    /// How many of them, the first, are the image.
    image: u32,
    image_pages: u32,
    /// By size: a chunk with a frame that nobody uses.
    heads: [u32; 4],
    /// By size: the chunk that is not complete.
    filling: [u32; 4],
    pub(super) counts: [Count; 4],
    /// What is dirty is not cleared, so that a test sees that it is noticed.
    #[cfg(feature = "losses")]
    pub(super) uncleared: bool,
}

/// What frames are made of.
pub(super) struct Means<'a> {
    pub(super) slots: &'a mut Slots,
    pub(super) blocks: &'a mut Blocks,
    pub(super) kernel: &'a mut Kernel,
    pub(super) window: &'a mut Window,
}

impl Frames {
    /// The image, and no other.
    pub(super) fn new(boot_info: &BootInfo, means: &mut Means<'_>) -> Result<Self, Exhausted> {
        let pages = boot_info.image_frames();
        let image_pages = pages.len() as u32;
        let image = image_pages.div_ceil(PAGES);
        // Room for all there can be, so that nothing is moved later.
        let mut chunks = Vec::with_capacity(image as usize + (means.blocks.bytes() / SMALL) as usize);
        let first = pages.clone().next().map_or(0, Cap::number);
        for number in 0..image {
            chunks.push(Chunk {
                size: FrameSize::Small,
                memory: Cap::NULL,
                address: CORE_VIRTUAL + number * PAGES * PAGE,
                own: first + number * PAGES,
                other: means.slots.range(PAGES, means.blocks)?.start,
                made: PAGES,
                next: NONE,
                unused: 0,
                free: [!0; 8],
                dirty: [0; 8],
                mapped: [0; 8],
                fetchable: [0; 8],
            });
        }
        let none = [NONE; 4];
        Ok(Self {
            chunks,
            image,
            image_pages,
            heads: none,
            filling: none,
            counts: Default::default(),
            #[cfg(feature = "losses")]
            uncleared: false,
        })
    }

    /// The page of the image at an address.
    pub(super) fn image(&mut self, address: u32) -> Result<FrameId, Exhausted> {
        let page = address.checked_sub(CORE_VIRTUAL).map(|offset| offset / PAGE);
        let page = page.filter(|&page| page < self.image_pages).ok_or(Exhausted::Memory(PAGE.into()))?;
        let id = FrameId(page);
        let chunk = &mut self.chunks[id.chunk()];
        if bit(&chunk.free, id.index()) {
            let (own, other) = (Cap::<Frame>::new(chunk.own + id.index()), Cap::<Frame>::new(chunk.other + id.index()));
            own.slot(boot::CNODE).copy_to(other.slot(boot::CNODE), Rights::READ)?;
            clear_bit(&mut chunk.free, id.index());
        }
        Ok(id)
    }

    /// Whether it is a page of the image.
    pub(super) fn is_image(&self, id: FrameId) -> bool {
        (id.chunk() as u32) < self.image
    }

    /// Whether instructions that were fetched from a frame until now, or never, are those that it holds. Pages of the image never
    /// change, so it is true of them once [`set_fetchable`](Self::set_fetchable) was called.
    pub(super) fn is_fetchable(&self, id: FrameId) -> bool {
        self.is_image(id) && self.chunks.get(id.chunk()).is_some_and(|chunk| bit(&chunk.fetchable, id.index()))
    }

    /// The processor's caches agree about the content of a frame.
    pub(super) fn set_fetchable(&mut self, id: FrameId) {
        if self.is_image(id)
            && let Some(chunk) = self.chunks.get_mut(id.chunk())
        {
            set_bit(&mut chunk.fetchable, id.index());
        }
    }

    pub(super) fn take(&mut self, size: FrameSize, means: &mut Means<'_>) -> Result<FrameId, Exhausted> {
        let kind = size as usize;
        if self.heads[kind] == NONE {
            self.refill(size, means)?;
        }
        let head = self.heads[kind];
        let chunk = &mut self.chunks[head as usize];
        let index = chunk.free.iter().position(|&word| word != 0).ok_or(Exhausted::Memory(size.bytes().into()))?;
        let index = index as u32 * 32 + chunk.free[index].trailing_zeros();
        clear_bit(&mut chunk.free, index);
        chunk.unused -= 1;
        if chunk.unused == 0 {
            self.heads[kind] = chunk.next;
        }
        self.counts[kind].used += 1;
        Ok(FrameId(head << 8 | index))
    }

    pub(super) fn give(&mut self, id: FrameId) {
        let chunk = &self.chunks[id.chunk()];
        if self.is_image(id) || bit(&chunk.free, id.index()) {
            return;
        }
        let (size, was_full) = (chunk.size, chunk.unused == 0);
        if size == FrameSize::Small {
            set_bit(&mut self.chunks[id.chunk()].dirty, id.index());
        } else {
            for (chunk, word, mask) in self.words(id) {
                self.chunks[chunk].dirty[word] |= mask;
            }
        }
        let kind = size as usize;
        let chunk = &mut self.chunks[id.chunk()];
        set_bit(&mut chunk.free, id.index());
        chunk.unused += 1;
        if was_full {
            chunk.next = self.heads[kind];
            self.heads[kind] = id.chunk() as u32;
        }
        self.counts[kind].used -= 1;
    }

    /// A few more frames that nobody uses: at most what costs about 13 us, and 2 us for the first of a chunk.
    pub(super) fn refill(&mut self, size: FrameSize, means: &mut Means<'_>) -> Result<(), Exhausted> {
        let kind = size as usize;
        if self.filling[kind] == NONE {
            self.filling[kind] = self.add(size, means)?;
        }
        let number = self.filling[kind];
        let chunk = &mut self.chunks[number as usize];
        let all = PAGES / size.pages().min(PAGES);
        let count = (all - chunk.made).min(8);
        let (made, frames) = (chunk.made, chunk.made..chunk.made + count);
        let (node, first) = place(chunk.own + made);
        // What has been made of it in part would stay in slots that are taken for empty, so none of this is given up.
        insist(|| chunk.memory.retype(ObjectKind::Frame(kernel_size(size)), node, first, count))?;
        for index in frames {
            let (own, other) = (Cap::<Frame>::new(chunk.own + index), Cap::<Frame>::new(chunk.other + index));
            insist(|| own.slot(boot::CNODE).copy_to(other.slot(boot::CNODE), Rights::ALL))?;
            let address = chunk.address + index * size.bytes();
            // SAFETY: this part of the window was reserved for the chunk, and nothing was mapped there.
            insist(|| unsafe { own.map(boot::ADDRESS_SPACE, address, Rights::READ_WRITE, VmAttributes::DATA) })?;
            set_bit(&mut chunk.free, index);
            chunk.unused += 1;
        }
        if chunk.made == 0 || self.heads[kind] != number {
            chunk.next = self.heads[kind];
            self.heads[kind] = number;
        }
        chunk.made += count;
        if chunk.made == all {
            self.filling[kind] = NONE;
        }
        self.counts[kind].made += count;
        Ok(())
    }

    fn add(&mut self, size: FrameSize, means: &mut Means<'_>) -> Result<u32, Exhausted> {
        let Means { slots, blocks, kernel, window } = means;
        let frames = PAGES / size.pages().min(PAGES);
        let slots_of = slots.range(2 * frames, blocks)?;
        let memory = if size == FrameSize::SuperSection { blocks.large()? } else { blocks.small(slots)? };
        let address = window.reserve(size.bytes().max(SMALL as u32))?;
        if size <= FrameSize::Large {
            let table = kernel.take_table(slots, blocks)?;
            insist(|| table.map(boot::ADDRESS_SPACE, address))?;
        }
        let number = self.chunks.len() as u32;
        for part in 0..size.bytes().div_ceil(SMALL as u32) {
            self.chunks.push(Chunk {
                size,
                memory,
                address: address + part * SMALL as u32,
                own: slots_of.start,
                other: slots_of.start + frames,
                made: 0,
                next: NONE,
                unused: 0,
                free: [0; 8],
                dirty: [0; 8],
                mapped: [0; 8],
                fetchable: [0; 8],
            });
        }
        Ok(number)
    }

    /// The capability to map it into a component.
    pub(super) fn cap(&self, id: FrameId) -> Cap<Frame> {
        Cap::new(self.chunks[id.chunk()].other + id.index())
    }

    /// The same if it maps nothing, which it does from now on.
    #[inline]
    pub(super) fn claim_cap(&mut self, id: FrameId) -> Option<Cap<Frame>> {
        let chunk = &mut self.chunks[id.chunk()];
        if bit(&chunk.mapped, id.index()) {
            return None;
        }
        set_bit(&mut chunk.mapped, id.index());
        Some(Cap::new(chunk.other + id.index()))
    }

    /// That capability, which maps nothing any more.
    #[inline]
    pub(super) fn release_cap(&mut self, id: FrameId) -> Cap<Frame> {
        let chunk = &mut self.chunks[id.chunk()];
        clear_bit(&mut chunk.mapped, id.index());
        Cap::new(chunk.other + id.index())
    }

    /// The capability by which core has mapped it.
    pub(super) fn own_cap(&self, id: FrameId) -> Cap<Frame> {
        Cap::new(self.chunks[id.chunk()].own + id.index())
    }

    pub(super) fn size(&self, id: FrameId) -> FrameSize {
        self.chunks[id.chunk()].size
    }

    /// Where a page of it lies.
    pub(super) fn page(&self, id: FrameId, page: u32) -> *mut u8 {
        let chunk = &self.chunks[id.chunk()];
        debug_assert!(page < chunk.size.pages());
        (chunk.address + ((id.index() << chunk.size.page_bits()) + page) * PAGE) as *mut u8
    }

    /// Chunk and bit of a page of it.
    fn page_bit(&self, id: FrameId, page: u32) -> (usize, u32) {
        let bit = (id.index() << self.size(id).page_bits()) + page;
        (id.chunk() + (bit / PAGES) as usize, bit % PAGES)
    }

    /// Where the bits of its pages are: chunks, words, and which bits of these. Larger frames have whole words.
    fn words(&self, id: FrameId) -> impl Iterator<Item = (usize, usize, u32)> + use<> {
        let pages = self.size(id).pages();
        let (first, mask) = (id.index() * pages, if pages < 32 { (1 << pages) - 1 } else { !0 });
        let (start, words) = ((first / 32) as usize, pages.div_ceil(32) as usize);
        (start..start + words).map(move |word| (id.chunk() + word / 8, word % 8, mask << (first % 32)))
    }

    /// Clears at most so many pages of it that are dirty; tells how many are left.
    #[inline]
    pub(super) fn clean(&mut self, id: FrameId, most: u32) -> u32 {
        #[cfg(feature = "losses")]
        if self.uncleared {
            return 0;
        }
        if self.size(id) == FrameSize::Small && most > 0 {
            self.clean_page(id, 0);
            return 0;
        }
        self.clean_large(id, most)
    }

    fn clean_large(&mut self, id: FrameId, most: u32) -> u32 {
        let mut cleared = 0;
        for (chunk, word, mask) in self.words(id) {
            let Chunk { address, dirty, .. } = &mut self.chunks[chunk];
            while dirty[word] & mask != 0 {
                if cleared == most {
                    return self.dirty(id);
                }
                let number = (dirty[word] & mask).trailing_zeros();
                let page = *address + (word as u32 * 32 + number) * PAGE;
                // SAFETY: a page of the window, mapped since the frame was made; core keeps no references into frames.
                unsafe { page::clear(page as *mut u8) };
                dirty[word] &= !(1 << number);
                cleared += 1;
            }
        }
        0
    }

    fn dirty(&self, id: FrameId) -> u32 {
        self.words(id).map(|(chunk, word, mask)| (self.chunks[chunk].dirty[word] & mask).count_ones()).sum()
    }

    /// Clears a page of it if that is dirty.
    pub(super) fn clean_page(&mut self, id: FrameId, page: u32) {
        #[cfg(feature = "losses")]
        if self.uncleared {
            return;
        }
        let (chunk, number) = self.page_bit(id, page);
        if bit(&self.chunks[chunk].dirty, number) {
            // SAFETY: a page of the window, mapped since the frame was made; core keeps no references into frames.
            unsafe { page::clear(self.page(id, page)) };
            clear_bit(&mut self.chunks[chunk].dirty, number);
        }
    }

    pub(super) fn overwritten(&mut self, id: FrameId, page: u32) {
        let (chunk, number) = self.page_bit(id, page);
        clear_bit(&mut self.chunks[chunk].dirty, number);
    }

    pub(super) fn copy(&mut self, dst: (FrameId, u32), src: (FrameId, u32)) -> bool {
        if self.is_image(dst.0) {
            return false;
        }
        self.clean_page(src.0, src.1);
        let (to, from) = (self.page(dst.0, dst.1), self.page(src.0, src.1));
        // SAFETY: pages that are mapped as long as core runs; core keeps no references into frames.
        unsafe { page::copy(to, from) };
        self.overwritten(dst.0, dst.1);
        true
    }
}

/// The kernel's name for a size.
pub(super) const fn kernel_size(size: FrameSize) -> sel4::FrameSize {
    sel4::FrameSize::ALL[size as usize]
}

const fn bit(words: &[u32; 8], index: u32) -> bool {
    words[(index / 32) as usize] & 1 << (index % 32) != 0
}

const fn set_bit(words: &mut [u32; 8], index: u32) {
    words[(index / 32) as usize] |= 1 << (index % 32);
}

const fn clear_bit(words: &mut [u32; 8], index: u32) {
    words[(index / 32) as usize] &= !(1 << (index % 32));
}
