//! Calls on a number that no capability space of a component reaches: one that leads to no slot at all.
#![no_std]
#![no_main]
start::component!(construct);

fn construct(env: &mut base::Env) {
    // SAFETY: none: this is the mistake that the program is for. Call on slot 2^16, no words.
    unsafe { core::arch::asm!("swi 0", in("r7") -1, inout("r0") 0x1_0000 => _, inout("r1") 0 => _) };
    env.exit(0)
}
