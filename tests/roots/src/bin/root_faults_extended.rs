//! Reads through a null pointer after its capability space has got a second level.
#![no_std]
#![no_main]

use core::{hint::black_box, ptr};

use rtcr_core::{begin::begin, halt, resources::Resources};

rtcr_core::root_task!(main);

fn main(boot_info: sel4::BootInfo) -> ! {
    let (objects, window, _lines) = begin(&boot_info);
    if Resources::new(&boot_info, objects, window, 1 << 20).is_ok() {
        read(black_box(ptr::null()));
    }
    halt()
}

#[inline(never)]
fn read(pointer: *const u32) -> u32 {
    // SAFETY: none: this is the mistake that the program is for.
    unsafe { pointer.read_volatile() }
}
