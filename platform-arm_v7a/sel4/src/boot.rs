//! What the root task starts with (manual, chapter 9).

use core::ops::Range;

use sel4_raw as raw;

use crate::{
    AsidControl, AsidPool, CNode, Cap, DomainControl, Frame, IrqControl, PageDirectory, PageTable, Tcb, Untyped,
};

/// The root task's own thread.
pub const TCB: Cap<Tcb> = Cap::new(raw::seL4_CapInitThreadTCB);
/// The root of its capability space. A guard in front makes every slot's number resolve all 32 bits.
pub const CNODE: Cap<CNode> = Cap::new(raw::seL4_CapInitThreadCNode);
/// Its address space.
pub const ADDRESS_SPACE: Cap<PageDirectory> = Cap::new(raw::seL4_CapInitThreadVSpace);
/// The authority over interrupts.
pub const IRQ_CONTROL: Cap<IrqControl> = Cap::new(raw::seL4_CapIRQControl);
/// The authority to number address spaces.
pub const ASID_CONTROL: Cap<AsidControl> = Cap::new(raw::seL4_CapASIDControl);
/// A first pool of numbers, of which the root task's address space has one.
pub const ASID_POOL: Cap<AsidPool> = Cap::new(raw::seL4_CapInitThreadASIDPool);
/// The frame of the boot information.
pub const BOOT_INFO_FRAME: Cap<Frame> = Cap::new(raw::seL4_CapBootInfoFrame);
/// The frame of the root task's message buffer.
pub const MESSAGE_BUFFER: Cap<Frame> = Cap::new(raw::seL4_CapInitThreadIPCBuffer);
/// The authority over the domains of threads.
pub const DOMAIN: Cap<DomainControl> = Cap::new(raw::seL4_CapDomain);

/// What the kernel tells the root task (`seL4_BootInfo`; manual, section 9.2).
#[derive(Clone, Copy)]
pub struct BootInfo {
    raw: &'static raw::seL4_BootInfo,
}

/// An untyped object that the root task starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UntypedInfo {
    /// The capability to it.
    pub cap: Cap<Untyped>,
    /// Its physical address.
    pub address: u32,
    /// Its size is 2 to this power in bytes.
    pub bits: u8,
    /// Device memory: of which only frames can be made, which are not cleared.
    pub device: bool,
}

impl BootInfo {
    /// The boot information at `address`, which the root task finds in r0 at its entry. None for address 0.
    ///
    /// # Safety
    /// `address` is what the kernel passed, and the page is neither unmapped nor written to.
    pub const unsafe fn new(address: *const u8) -> Option<Self> {
        // SAFETY: the kernel put a `seL4_BootInfo` there, which is packed and so needs no alignment.
        match unsafe { address.cast::<raw::seL4_BootInfo>().as_ref() } {
            Some(raw) => Some(Self { raw }),
            None => None,
        }
    }

    /// The address of the root task's message buffer.
    pub fn message_buffer(&self) -> u32 {
        self.raw.ipcBuffer
    }

    /// The slots that are empty.
    pub fn empty(&self) -> Range<u32> {
        range(self.raw.empty)
    }

    /// The slots of the frames of the root task's image: 4 KiB each, in ascending order of address, from the page of its
    /// first byte to that of its last.
    pub fn image_frames(&self) -> impl ExactSizeIterator<Item = Cap<Frame>> + Clone {
        caps(self.raw.userImageFrames)
    }

    /// The slots of the page tables of the root task's image.
    pub fn image_tables(&self) -> impl ExactSizeIterator<Item = Cap<PageTable>> + Clone {
        caps(self.raw.userImagePaging)
    }

    /// The root CNode has 2 to this power slots.
    pub fn cnode_bits(&self) -> u8 {
        self.raw.initThreadCNodeSizeBits
    }

    /// The root task's domain.
    pub fn domain(&self) -> u32 {
        self.raw.initThreadDomain
    }

    /// The slots of all untyped objects. If the kernel had more than its list can hold, the last are in none of both.
    pub fn untyped_slots(&self) -> Range<u32> {
        range(self.raw.untyped)
    }

    /// All untyped objects, those of devices too, in ascending order of slots.
    pub fn untypeds(&self) -> impl Iterator<Item = UntypedInfo> + Clone + use<> {
        let raw = self.raw;
        let list = &raw.untypedList;
        caps(raw.untyped).zip(list).map(|(cap, description)| UntypedInfo {
            cap,
            address: description.paddr,
            bits: description.sizeBits,
            device: description.isDevice != 0,
        })
    }
}

/// A region whose end lies before its start is empty.
fn range(region: raw::seL4_SlotRegion) -> Range<u32> {
    let (start, end) = (region.start, region.end);
    start..end.max(start)
}

fn caps<T>(region: raw::seL4_SlotRegion) -> impl ExactSizeIterator<Item = Cap<T>> + Clone {
    let Range { start, end } = range(region);
    (0..(end - start) as usize).map(move |index| Cap::new(start + index as u32))
}
