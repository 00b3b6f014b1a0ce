//! Makes the debug kernel halt itself.
#![no_std]
#![no_main]

rtcr_core::root_task!(main);

/// `seL4_DebugHalt` of the debug kernel (libsel4, `syscall.xml`: the second after the eight of the interface).
const DEBUG_HALT: i32 = -10;

fn main(boot_info: sel4::BootInfo) -> ! {
    rtcr_core::begin::begin(&boot_info);
    // SAFETY: none: the kernel stops here.
    unsafe { core::arch::asm!("swi 0", in("r7") DEBUG_HALT) };
    rtcr_core::halt()
}
