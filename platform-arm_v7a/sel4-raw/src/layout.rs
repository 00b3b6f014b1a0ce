//! Structures that C declares as such: `libsel4/include/sel4/shared_types.h` and `bootinfo_types.h`.
//!
//! The kernel writes them, so each size and offset is checked here against figures taken from the compiled C (a test of
//! `sel4-generate` lets a C compiler check the same figures).

use core::mem::{offset_of, size_of};

use crate::{
    CONFIG_MAX_NUM_BOOTINFO_UNTYPED_CAPS, seL4_CPtr, seL4_MessageInfo_t, seL4_MsgExtraCapBits, seL4_MsgMaxLength,
    seL4_UserContext, seL4_Word,
};

/// Most capabilities that a message takes along: 3.
pub const seL4_MsgMaxExtraCaps: usize = (1 << seL4_MsgExtraCapBits) - 1;

/// A thread's message buffer: 512 bytes, aligned to its size. The manual calls it the IPC buffer (section 4.1).
#[repr(C, align(512))]
pub struct seL4_IPCBuffer {
    /// Not used by the kernel: the message info travels in a register.
    pub tag: seL4_MessageInfo_t,
    /// The words of the message; the first four travel in registers.
    pub msg: [seL4_Word; seL4_MsgMaxLength as usize],
    /// Never touched by the kernel.
    pub userData: seL4_Word,
    /// Capabilities that go out; badges of those that came in.
    pub caps_or_badges: [seL4_Word; seL4_MsgMaxExtraCaps],
    /// The root of the path to the slot for a capability that comes in.
    pub receiveCNode: seL4_CPtr,
    /// The slot's index.
    pub receiveIndex: seL4_CPtr,
    /// How many bits of the index count.
    pub receiveDepth: seL4_Word,
}

const _: () = {
    assert!(size_of::<seL4_IPCBuffer>() == 512);
    assert!(offset_of!(seL4_IPCBuffer, msg) == 4);
    assert!(offset_of!(seL4_IPCBuffer, userData) == 484);
    assert!(offset_of!(seL4_IPCBuffer, caps_or_badges) == 488);
    assert!(offset_of!(seL4_IPCBuffer, receiveDepth) == 508);
    assert!(size_of::<seL4_UserContext>() == 17 * 4);
    assert!(offset_of!(seL4_UserContext, r14) == 16 * 4);
};

/// A range of slots of the root task's capability space.
#[repr(C, packed)]
#[derive(Clone, Copy)]
pub struct seL4_SlotRegion {
    /// The first slot.
    pub start: seL4_Word,
    /// The slot after the last.
    pub end: seL4_Word,
}

/// What is said about one untyped object.
#[repr(C, packed)]
#[derive(Clone, Copy)]
pub struct seL4_UntypedDesc {
    /// Its physical address.
    pub paddr: seL4_Word,
    /// Unused.
    pub padding1: u8,
    /// Unused.
    pub padding2: u8,
    /// Its size is 2 to this power, in bytes.
    pub sizeBits: u8,
    /// Whether it is device memory.
    pub isDevice: u8,
}

/// What the kernel tells the root task (manual, section 9.2).
#[repr(C, packed)]
pub struct seL4_BootInfo {
    /// Bytes of further information on the next page; 0 on this platform.
    pub extraLen: seL4_Word,
    /// Which kernel of several.
    pub nodeID: seL4_Word,
    /// Of how many.
    pub numNodes: seL4_Word,
    /// 0 where there is no IOMMU.
    pub numIOPTLevels: seL4_Word,
    /// Address of the root task's message buffer.
    pub ipcBuffer: seL4_Word,
    /// Slots that are empty.
    pub empty: seL4_SlotRegion,
    /// Frames shared between kernels.
    pub sharedFrames: seL4_SlotRegion,
    /// Frames of the user image, in ascending order of address.
    pub userImageFrames: seL4_SlotRegion,
    /// Page tables of the user image.
    pub userImagePaging: seL4_SlotRegion,
    /// Address spaces of the IOMMU.
    pub ioSpaceCaps: seL4_SlotRegion,
    /// Frames of the further information.
    pub extraBIPages: seL4_SlotRegion,
    /// The root CNode has 2 to this power slots.
    pub initThreadCNodeSizeBits: u8,
    /// The root task's domain.
    pub initThreadDomain: seL4_Word,
    /// Unused on ARM.
    pub archInfo: seL4_Word,
    /// Untyped objects.
    pub untyped: seL4_SlotRegion,
    /// One entry for each of them.
    pub untypedList: [seL4_UntypedDesc; CONFIG_MAX_NUM_BOOTINFO_UNTYPED_CAPS as usize],
}

const _: () = {
    assert!(size_of::<seL4_UntypedDesc>() == 8);
    assert!(offset_of!(seL4_UntypedDesc, sizeBits) == 6);
    assert!(offset_of!(seL4_BootInfo, ipcBuffer) == 16);
    assert!(offset_of!(seL4_BootInfo, empty) == 20);
    assert!(offset_of!(seL4_BootInfo, userImageFrames) == 36);
    assert!(offset_of!(seL4_BootInfo, initThreadCNodeSizeBits) == 68);
    assert!(offset_of!(seL4_BootInfo, initThreadDomain) == 69);
    assert!(offset_of!(seL4_BootInfo, untyped) == 77);
    assert!(offset_of!(seL4_BootInfo, untypedList) == 85);
    assert!(size_of::<seL4_BootInfo>() == 85 + 8 * CONFIG_MAX_NUM_BOOTINFO_UNTYPED_CAPS as usize);
};
