//! Turns the MMU on and enters the kernel.
//!
//! The first-level table maps 1 MiB sections (ARM ARM B3.5.1, short descriptors): memory and devices one to one, so that
//! the loader goes on running, and the kernel's window to the start of RAM. The kernel never writes the domain access
//! control register: it must be entered with all domains *client* (0b01), else no permission is ever checked.

use core::arch::asm;

use crate::place::Placed;
use wire::layout::{KERNEL_PHYSICAL, KERNEL_VIRTUAL};

const SECTION_SHIFT: u32 = 20;
/// Section, domain 0, readable and writable at PL1 (AP 0b11; ARM ARM B3.7.1), strongly ordered.
const SECTION: u32 = 0b10 | 0b11 << 10;
/// Every domain a client.
const DACR_CLIENT: u32 = 0x5555_5555;

#[repr(C, align(16384))]
struct Table(core::cell::UnsafeCell<[u32; 4096]>);

// SAFETY: written by the one running processor before the MMU reads it.
unsafe impl Sync for Table {}

static TABLE: Table = Table(core::cell::UnsafeCell::new([0; 4096]));

/// Enters the kernel as seL4 5.0.0's `_start` expects it: r0 and r1 the physical range of the user image, r2 its
/// physical minus its virtual addresses, r3 its entry point.
pub fn enter(placed: &Placed) -> ! {
    let table = TABLE.0.get();
    // SAFETY: nobody else has a reference; the MMU is still off.
    let entries = unsafe { &mut *table };
    for section in 0..0x800 {
        entries[section as usize] = section << SECTION_SHIFT | SECTION;
    }
    let (window, memory) = (KERNEL_VIRTUAL >> SECTION_SHIFT, KERNEL_PHYSICAL >> SECTION_SHIFT);
    for section in 0..0x1ff {
        entries[(window + section) as usize] = (memory + section) << SECTION_SHIFT | SECTION;
    }
    // SAFETY: the table maps the code that runs here one to one, so the instruction after the switch is the next one;
    // caches were off all the time and hold nothing; everything the kernel needs is placed. There is no way back.
    unsafe {
        asm!(
            "dsb",
            "mcr p15, 0, {table}, c2, c0, 0",  // TTBR0
            "mcr p15, 0, {zero}, c2, c0, 2",   // TTBCR: TTBR0 only
            "mcr p15, 0, {domains}, c3, c0, 0", // DACR
            "mcr p15, 0, {zero}, c8, c7, 0",   // TLBIALL
            "mcr p15, 0, {zero}, c7, c5, 0",   // ICIALLU
            "dsb",
            "isb",
            "mrc p15, 0, {scratch}, c1, c0, 0", // SCTLR
            "orr {scratch}, {scratch}, #1",     // M: MMU on
            "bic {scratch}, {scratch}, #2",     // A: no alignment check
            "mcr p15, 0, {scratch}, c1, c0, 0",
            "isb",
            "bx {kernel}",
            table = in(reg) table,
            zero = in(reg) 0,
            domains = in(reg) DACR_CLIENT,
            scratch = in(reg) 0,
            kernel = in(reg) placed.kernel_entry,
            in("r0") placed.image.start,
            in("r1") placed.image.end,
            in("r2") placed.offset,
            in("r3") placed.core_entry,
            options(noreturn),
        )
    }
}
