//! Asks the kernel to halt, which the debug kernel does for anybody.
#![no_std]
#![no_main]
start::component!(construct);

/// DebugHalt, the second of the Debug system calls (seL4's `libsel4/include/api/syscall.xml`).
const DEBUG_HALT: i32 = -10;

fn construct(env: &mut base::Env) {
    // SAFETY: none: this is the mistake that the program is for.
    unsafe { core::arch::asm!("swi 0", in("r7") DEBUG_HALT) };
    env.exit(0)
}
