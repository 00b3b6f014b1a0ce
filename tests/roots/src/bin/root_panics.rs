//! Panics.
#![no_std]
#![no_main]

use core::hint::black_box;

rtcr_core::root_task!(main);

fn main(boot_info: sel4::BootInfo) -> ! {
    rtcr_core::begin::begin(&boot_info);
    black_box(divide(black_box(1), black_box(0)));
    rtcr_core::halt()
}

#[inline(never)]
fn divide(a: u32, b: u32) -> u32 {
    a / b
}
