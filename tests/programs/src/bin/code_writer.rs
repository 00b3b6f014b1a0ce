//! Writes to its own code.
#![no_std]
#![no_main]
start::component!(construct);

fn construct(env: &mut base::Env) {
    let code = construct as fn(&mut base::Env) as *mut u32;
    // SAFETY: none: this is the mistake that the program is for.
    unsafe { code.write_volatile(0) };
    env.exit(0)
}
