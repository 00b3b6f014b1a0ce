//! Makes a system call that the kernel does not know.
#![no_std]
#![no_main]
start::component!(construct);

fn construct(env: &mut base::Env) {
    // SAFETY: none: this is the mistake that the program is for.
    unsafe { core::arch::asm!("swi 0", in("r7") -1000) };
    env.exit(0)
}
