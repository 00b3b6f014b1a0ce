//! Writes ThumbEE's base register, which the kernel keeps for no thread: whoever could write it could leave something there for
//! others.
#![no_std]
#![no_main]
start::component!(construct);

use core::arch::asm;

use base::Env;

fn construct(env: &mut Env) {
    // SAFETY: nothing uses the register (ARM ARM B4.1.148); this is what the loader forbids.
    unsafe { asm!("mcr p14, 6, {0}, c1, c0, 0", in(reg) 0x1234_5600) };
    env.exit(0)
}
