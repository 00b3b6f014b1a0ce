//! Calls on a slot that holds nothing.
#![no_std]
#![no_main]
start::component!(construct);

fn construct(env: &mut base::Env) {
    // SAFETY: none: this is the mistake that the program is for. Call on slot 99, no words.
    unsafe { core::arch::asm!("swi 0", in("r7") -1, inout("r0") 99 => _, inout("r1") 0 => _) };
    env.exit(0)
}
