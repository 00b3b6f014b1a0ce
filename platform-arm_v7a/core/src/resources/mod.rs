//! What core gives to components: slots, frames, kernel objects; taken and given back at a cost that does not depend on
//! how many there are.
//!
//! It stands on top of [`Objects`], which only hands out. Whatever is given back is kept by kind and used again.

mod blocks;
mod frames;
mod losses;
mod made;
mod page;
mod slots;

use alloc::vec::Vec;

use base::session::pd::FrameSize;
use sel4::{BootInfo, CNode, Cap, Frame, ObjectKind, PageDirectory, PageTable, Rights, VmAttributes, boot};

use self::{
    blocks::{Blocks, SMALL},
    frames::{Frames, Means},
    made::Kernel,
    slots::{Slots, place},
};
pub use self::{
    frames::FrameId,
    made::{Kind, Pooled},
};
use crate::{
    objects::{Exhausted, Objects},
    start,
    window::Window,
};

/// What each MiB of small frames costs besides: slots for two capabilities and one more mapping each, a page table.
const OVERHEAD: u64 = 16 * 1024;
/// What the same takes at once, since memory comes in blocks: the next CNode, and blocks of which objects are cut.
const KEPT: u64 = 4 << 20;

/// Core's resources.
pub struct Resources {
    objects: Objects,
    window: Window,
    slots: Slots,
    blocks: Blocks,
    kernel: Kernel,
    frames: Frames,
    /// Kinds of which the next one that is given back is lost: bits, by their places in `KINDS`.
    #[cfg(feature = "losses")]
    losses: u32,
}

/// How many there are of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Made so far, in use or not.
    pub made: u32,
    /// In use.
    pub used: u32,
}

/// How much of everything there is, to notice what was not given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Slots that are in use, besides those of what is counted below.
    pub slots: u32,
    /// Frames, by size.
    pub frames: [Count; 4],
    /// Threads.
    pub threads: Count,
    /// Endpoints.
    pub endpoints: Count,
    /// Notifications.
    pub notifications: Count,
    /// Page directories.
    pub directories: Count,
    /// Page tables, core's own included.
    pub tables: Count,
    /// CNodes, by the power of two of their slots.
    pub cnodes: [Count; 17],
    /// Bytes of which nothing has been made yet.
    pub bytes: u64,
}

impl Counts {
    /// What is in use, without what was made: equal before and after something that leaves nothing behind. Page tables
    /// of core's own count as in use, one for each MiB of frames up to 64 KiB.
    pub fn used(&self) -> [u32; 28] {
        let kinds = [self.threads, self.endpoints, self.notifications, self.directories, self.tables];
        let used = self.frames.iter().chain(&kinds).chain(&self.cnodes).map(|count| count.used);
        let mut all = [self.slots; 28];
        all.iter_mut().skip(1).zip(used).for_each(|(place, used)| *place = used);
        all
    }
}

impl Resources {
    /// Takes over `objects` and `window`, and with them at least `enough` bytes of memory, or all there is. Extends core's
    /// capability space to two levels: numbers of before stay valid, and every number, old or new, is its own place as
    /// ever: `cap.slot(boot::CNODE)`.
    ///
    /// Memory is cleared by the kernel here, about 1 ms for each MiB.
    ///
    /// # Errors
    /// The kernel refused; there is no way on.
    pub fn new(boot_info: &BootInfo, mut objects: Objects, mut window: Window, enough: u64) -> Result<Self, Exhausted> {
        let mut slots = Slots::new(&mut objects)?;
        let mut blocks = Blocks::new(objects.hand_over_memory(), &mut slots, enough)?;
        let mut kernel = Kernel::new();
        let mut means = Means { slots: &mut slots, blocks: &mut blocks, kernel: &mut kernel, window: &mut window };
        let frames = Frames::new(boot_info, &mut means)?;
        Ok(Self {
            objects,
            window,
            slots,
            blocks,
            kernel,
            frames,
            #[cfg(feature = "losses")]
            losses: 0,
        })
    }

    /// Adds that many MiB to the heap, for good.
    ///
    /// # Errors
    /// So much memory is not left; what could be added was.
    pub fn extend_heap(&mut self, mebibytes: u32) -> Result<(), Exhausted> {
        let size = u64::from(mebibytes) * SMALL;
        let start = self.window.reserve(u32::try_from(size).map_err(|_| Exhausted::Memory(size))?)?;
        let mut addresses = (start..).step_by(SMALL as usize).take(mebibytes as usize);
        let result = addresses.clone().try_for_each(|address| {
            self.map_section(address)?;
            addresses.next();
            Ok(())
        });
        // One piece, so that what is asked for can be larger than a section.
        let mapped = addresses.next().map_or(size as usize, |end| (end - start) as usize);
        // SAFETY: fresh memory that stays mapped, and that nobody else knows.
        unsafe { start::extend_heap(start as usize, mapped) };
        result
    }

    /// Maps fresh memory where the window was reserved.
    fn map_section(&mut self, address: u32) -> Result<(), Exhausted> {
        let slot = self.slots.range(1, &mut self.blocks)?.start;
        let (node, index) = place(slot);
        let block = self.blocks.small(&mut self.slots)?;
        block.retype(ObjectKind::Frame(sel4::FrameSize::Section), node, index, 1)?;
        let frame = Cap::<Frame>::new(slot);
        // SAFETY: nothing was mapped in what was reserved.
        Ok(unsafe { frame.map(boot::ADDRESS_SPACE, address, Rights::READ_WRITE, VmAttributes::DATA) }?)
    }

    /// An empty slot.
    ///
    /// # Errors
    /// There is none, and no memory for more.
    pub fn take_slot(&mut self) -> Result<u32, Exhausted> {
        self.slots.take(&mut self.blocks)
    }

    /// Takes back a slot, which is empty again.
    pub fn give_slot(&mut self, slot: u32) {
        if !self.loses(0) {
            self.slots.give(slot);
        }
    }

    /// A frame, mapped in core's window. Its content may be somebody's: [`clean`](Self::clean) it, or overwrite all of
    /// it, before anybody can see it. From frames that were given back it costs no system call; otherwise up to eight are
    /// made.
    ///
    /// # Errors
    /// There is no memory left in pieces of this size.
    pub fn take_frame(&mut self, size: FrameSize) -> Result<FrameId, Exhausted> {
        let Self { frames, slots, blocks, kernel, window, .. } = self;
        frames.take(size, &mut Means { slots, blocks, kernel, window })
    }

    /// Makes frames ahead, until at least `count` are there that nobody uses.
    ///
    /// # Errors
    /// There is no memory left in pieces of this size.
    pub fn stock(&mut self, size: FrameSize, count: u32) -> Result<(), Exhausted> {
        let Self { frames, slots, blocks, kernel, window, .. } = self;
        let kind = size as usize;
        while frames.counts[kind].made - frames.counts[kind].used < count {
            frames.refill(size, &mut Means { slots, blocks, kernel, window })?;
        }
        Ok(())
    }

    /// Takes back a frame: [`frame_cap`](Self::frame_cap) is mapped nowhere, and there are no copies of it. Pages of the
    /// image stay what they are.
    pub fn give_frame(&mut self, frame: FrameId) {
        if !self.loses(1 + self.frames.size(frame) as usize) {
            self.frames.give(frame);
        }
    }

    /// The page of core's image at an address, for reading. There is one for each page.
    ///
    /// # Errors
    /// The address is not the image's, or the kernel refused.
    pub fn image_frame(&mut self, address: u32) -> Result<FrameId, Exhausted> {
        self.frames.image(address)
    }

    /// Whether it is a page of core's image, which nobody may write.
    pub fn is_image(&self, frame: FrameId) -> bool {
        self.frames.is_image(frame)
    }

    /// How large it is.
    pub fn frame_size(&self, frame: FrameId) -> FrameSize {
        self.frames.size(frame)
    }

    /// The capability to map it into a component with. Further mappings need copies of it.
    pub fn frame_cap(&self, frame: FrameId) -> Cap<Frame> {
        self.frames.cap(frame)
    }

    /// The same, to map the frame with it now; none if that has been done and not been undone by
    /// [`release_frame_cap`](Self::release_frame_cap).
    #[inline]
    pub fn claim_frame_cap(&mut self, frame: FrameId) -> Option<Cap<Frame>> {
        self.frames.claim_cap(frame)
    }

    /// The same; it maps nothing any more, or will be unmapped next.
    #[inline]
    pub fn release_frame_cap(&mut self, frame: FrameId) -> Cap<Frame> {
        self.frames.release_cap(frame)
    }

    /// Whether instructions can be fetched from a frame as it is: it is of the image, which never changes, and
    /// [`set_fetchable`](Self::set_fetchable) was called before.
    pub fn is_fetchable(&self, frame: FrameId) -> bool {
        self.frames.is_fetchable(frame)
    }

    /// The processor's caches agree about the content of a frame.
    pub fn set_fetchable(&mut self, frame: FrameId) {
        self.frames.set_fetchable(frame);
    }

    /// The capability by which it is mapped in core's window, for what concerns caches.
    pub fn own_frame_cap(&self, frame: FrameId) -> Cap<Frame> {
        self.frames.own_cap(frame)
    }

    /// Where a page of it, counted in 4 KiB, lies in core's window; the others follow.
    pub fn content(&self, frame: FrameId, page: u32) -> *mut u8 {
        self.frames.page(frame, page)
    }

    /// Clears what is left in it of another time; 175 ns for each page, nothing if there is nothing.
    pub fn clean(&mut self, frame: FrameId) {
        self.frames.clean(frame, u32::MAX);
    }

    /// As [`clean`](Self::clean), at most `most` pages; tells how many are left.
    pub fn clean_some(&mut self, frame: FrameId, most: u32) -> u32 {
        self.frames.clean(frame, most)
    }

    /// As [`clean`](Self::clean), one page.
    pub fn clean_page(&mut self, frame: FrameId, page: u32) {
        self.frames.clean_page(frame, page);
    }

    /// A page of it was overwritten from its first to its last byte, so it need not be cleared.
    pub fn overwritten(&mut self, frame: FrameId, page: u32) {
        self.frames.overwritten(frame, page);
    }

    /// Copies a page of a frame over one of another; 303 ns. Tells whether it could: the image is not written.
    pub fn copy_page(&mut self, dst: (FrameId, u32), src: (FrameId, u32)) -> bool {
        self.frames.copy(dst, src)
    }

    /// Bytes that can be promised to accounts: what nothing was made of, less what managing it costs, and frames that
    /// nobody uses.
    pub fn available(&self) -> u64 {
        let free = |size: &FrameSize| {
            let count = self.frames.counts[*size as usize];
            u64::from(count.made - count.used) * u64::from(size.bytes())
        };
        let unmade = self.blocks.bytes().saturating_sub(KEPT);
        unmade - unmade / SMALL * OVERHEAD + FrameSize::ALL.iter().map(free).sum::<u64>()
    }

    /// A thread, an endpoint or a notification.
    ///
    /// # Errors
    /// No memory or slot is left.
    pub fn make<T: Pooled>(&mut self) -> Result<Cap<T>, Exhausted> {
        self.kernel.make(&mut self.slots, &mut self.blocks)
    }

    /// Ends an object that [`make`](Self::make) made, with all capabilities to it, wherever they are: 0.7 us for each.
    ///
    /// # Safety
    /// If it is a thread that runs Rust code: nothing relies on its going on.
    pub unsafe fn unmake<T: Pooled>(&mut self, object: Cap<T>) {
        if !self.loses(5 + T::POOL as usize) {
            // SAFETY: the caller vouches.
            unsafe { self.kernel.unmake(object) };
        }
    }

    /// A page directory in which nothing is mapped, with a number.
    ///
    /// # Errors
    /// No memory, slot or number is left.
    pub fn take_directory(&mut self) -> Result<Cap<PageDirectory>, Exhausted> {
        self.kernel.take_directory(&mut self.slots, &mut self.blocks)
    }

    /// Takes back a page directory in which nothing is mapped any more, neither pages nor tables, and of whose
    /// capability there are no copies.
    pub fn give_directory(&mut self, directory: Cap<PageDirectory>) {
        if !self.loses(8) {
            self.kernel.give_directory(directory);
        }
    }

    /// A page table that is mapped nowhere.
    ///
    /// # Errors
    /// No memory or slot is left.
    pub fn take_table(&mut self) -> Result<Cap<PageTable>, Exhausted> {
        self.kernel.take_table(&mut self.slots, &mut self.blocks)
    }

    /// Takes back a page table that is mapped nowhere, and of whose capability there are no copies.
    pub fn give_table(&mut self, table: Cap<PageTable>) {
        if !self.loses(9) {
            self.kernel.give_table(table);
        }
    }

    /// A CNode of 2^`bits` empty slots, at most 2^16.
    ///
    /// # Errors
    /// No memory or slot is left.
    pub fn take_cnode(&mut self, bits: u8) -> Result<Cap<CNode>, Exhausted> {
        self.kernel.take_cnode(bits, &mut self.slots, &mut self.blocks)
    }

    /// Takes back a CNode whose slots are all empty, and of whose capability there are no copies (as in threads).
    pub fn give_cnode(&mut self, cnode: Cap<CNode>, bits: u8) {
        if !self.loses((10 + usize::from(bits)).saturating_sub(6)) {
            self.kernel.give_cnode(cnode, bits);
        }
    }

    /// The frame of a device's registers.
    ///
    /// # Errors
    /// As [`Objects::make_device_frame`].
    pub fn make_device_frame(&mut self, address: u32) -> Result<Cap<Frame>, Exhausted> {
        self.objects.make_device_frame(address)
    }

    /// Persistent memory from an address on, in frames of 1 MiB, mapped in core's window so that it can be flushed.
    ///
    /// # Errors
    /// There is not so much of it there that nothing was made of, or there is no room.
    pub fn make_persistent_frames(&mut self, address: u32, size: u32) -> Result<Vec<Cap<Frame>>, Exhausted> {
        let count = size / SMALL as u32;
        let first = self.objects.make_device_sections(address, count)?;
        let start = self.window.reserve(size)?;
        (0..count)
            .map(|number| {
                let frame = Cap::<Frame>::new(first + number);
                let at = start + number * SMALL as u32;
                // SAFETY: nothing was mapped in what was reserved, and core has no references into it.
                unsafe { frame.map(boot::ADDRESS_SPACE, at, Rights::READ_WRITE, VmAttributes::DATA) }?;
                Ok(frame)
            })
            .collect()
    }

    /// How much of everything there is.
    pub fn counts(&self) -> Counts {
        let pooled = |kind: Kind| self.kernel.pooled[kind as usize].count();
        Counts {
            slots: self.slots.taken,
            frames: self.frames.counts,
            threads: pooled(Kind::Tcb),
            endpoints: pooled(Kind::Endpoint),
            notifications: pooled(Kind::Notification),
            directories: self.kernel.directories.count(),
            tables: self.kernel.tables.count(),
            cnodes: self.kernel.cnodes.each_ref().map(|pool| pool.count()),
            bytes: self.blocks.bytes(),
        }
    }
}
