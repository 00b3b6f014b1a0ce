//! Runs an instruction that is undefined for ever.
#![no_std]
#![no_main]
start::component!(construct);

fn construct(env: &mut base::Env) {
    // SAFETY: none: this is the mistake that the program is for.
    unsafe { core::arch::asm!("udf #7") };
    env.exit(0)
}
