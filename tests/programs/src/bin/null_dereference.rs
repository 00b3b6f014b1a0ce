//! Reads through a null pointer.
#![no_std]
#![no_main]
start::component!(construct);

use core::{hint::black_box, ptr};

fn construct(env: &mut base::Env) {
    log::info!("about to read");
    env.exit(read(black_box(ptr::null())))
}

#[inline(never)]
fn read(pointer: *const i32) -> i32 {
    // SAFETY: none: this is the mistake that the program is for.
    unsafe { pointer.read_volatile() }
}
