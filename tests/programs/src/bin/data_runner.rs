//! Runs its own data as code.
#![no_std]
#![no_main]
start::component!(construct);

use core::{hint::black_box, mem};

/// `bx lr`, where nothing may be executed.
static mut DATA: u32 = 0xe12f_ff1e;

fn construct(env: &mut base::Env) {
    let data = black_box(&raw mut DATA);
    // SAFETY: none: this is the mistake that the program is for.
    let run: extern "C" fn() = unsafe { mem::transmute(data) };
    run();
    env.exit(0)
}
