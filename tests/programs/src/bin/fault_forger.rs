//! Sends to its own fault endpoint what the kernel would send.
#![no_std]
#![no_main]
start::component!(construct);

fn construct(env: &mut base::Env) {
    // Call on slot 3, label 5 (a memory fault), four words: an address in the kernel and a pc of its choice.
    let info: u32 = 5 << 12 | 4;
    // SAFETY: none: this is the mistake that the program is for.
    unsafe {
        core::arch::asm!(
            "swi 0",
            in("r7") -1,
            inout("r0") 3 => _,
            inout("r1") info => _,
            inout("r2") 0xdead_beec_u32 => _,
            inout("r3") 0xe000_0000_u32 => _,
            inout("r4") 1 => _,
            inout("r5") 5 => _,
        );
    }
    env.exit(0)
}
