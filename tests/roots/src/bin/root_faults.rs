//! Reads through a null pointer.
#![no_std]
#![no_main]

use core::{hint::black_box, ptr};

rtcr_core::root_task!(main);

fn main(boot_info: sel4::BootInfo) -> ! {
    rtcr_core::begin::begin(&boot_info);
    read(black_box(ptr::null()));
    rtcr_core::halt()
}

#[inline(never)]
fn read(pointer: *const u32) -> u32 {
    // SAFETY: none: this is the mistake that the program is for.
    unsafe { pointer.read_volatile() }
}
