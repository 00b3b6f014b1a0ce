//! Where things lie in the board's physical memory, and the names of the files of a boot image.

use core::ops::Range;

/// RAM of the sabrelite board: 1 GiB.
pub const RAM: Range<u32> = 0x1000_0000..0x5000_0000;

/// The part of it that the kernel manages (the end is the kernel's window, see the reference on memory).
pub const KERNEL_RAM: Range<u32> = 0x1000_0000..0x2ff0_0000;

/// Where the kernel's image starts in physical memory.
pub const KERNEL_PHYSICAL: u32 = 0x1000_0000;

/// Where the kernel is linked.
pub const KERNEL_VIRTUAL: u32 = 0xe000_0000;

/// Where the loader runs. What it places must end below; its own archive follows it and must end inside
/// [`KERNEL_RAM`], so that the upper half of the RAM survives a reboot untouched.
pub const LOADER: u32 = 0x2000_0000;

/// Where core is linked; its modules follow at the next page after its image.
pub const CORE_VIRTUAL: u32 = 0x0001_0000;

/// Where components are linked. Page 0 and its neighbours stay empty, so that a null pointer with an offset faults;
/// the stack and the message buffer of a component's first thread lie between.
pub const COMPONENT_VIRTUAL: u32 = 0x0100_0000;

/// Size of a page.
pub const PAGE: u32 = 4096;

/// Name of the kernel's ELF file in a boot image.
pub const KERNEL: &str = "kernel";
/// Name of core's ELF file in a boot image.
pub const CORE: &str = "core";
/// Name of the archive of boot modules in a boot image: the scenario, and a stripped ELF file per program.
pub const MODULES: &str = "modules";

/// The next page boundary at or above `address`, if there is one.
pub const fn page_up(address: u32) -> Option<u32> {
    address.checked_next_multiple_of(PAGE)
}
