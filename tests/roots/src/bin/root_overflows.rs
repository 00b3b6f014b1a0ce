//! Recurses until its stack ends.
#![no_std]
#![no_main]

use core::hint::black_box;

rtcr_core::root_task!(main);

fn main(boot_info: sel4::BootInfo) -> ! {
    rtcr_core::begin::begin(&boot_info);
    black_box(deeper(1));
    rtcr_core::halt()
}

#[inline(never)]
fn deeper(level: u32) -> u32 {
    let frame = black_box([level; 64]);
    match black_box(level) {
        u32::MAX => level,
        _ => deeper(level + 1) + frame[(level % 64) as usize],
    }
}
