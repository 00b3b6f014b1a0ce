//! The loader: puts kernel and core in place and starts the kernel.
//!
//! QEMU (`-kernel`) or a board's boot loader (U-Boot's `bootelf`) has copied it to
//! [`LOADER`](wire::layout::LOADER), the boot archive behind it, and jumps to `_start` with the MMU off. In order:
//!
//! 1. [`start`]: only the first processor goes on; a stack.
//! 2. [`place`]: the archive and the executables in it are checked, then copied: the kernel to where it is linked, core
//!    to the kernel's end, core's modules to the page after core.
//! 3. [`mmu`]: the kernel expects to be entered at its virtual address, with domains that check permissions.
//!
//! Whatever is wrong is told on the console, in one line `loader: stopped: …`, and nothing is started.
#![no_std]
#![no_main]

mod mmu;
mod place;
mod start;

use core::{fmt::Write, panic::PanicInfo};

use board::uart::{self, Uart};

fn console() -> Uart {
    // SAFETY: the MMU is off or maps devices one to one, and nothing else runs yet.
    let mut uart = unsafe { Uart::at(uart::CONSOLE as usize) };
    uart.enable();
    uart
}

/// Called once by [`start`].
fn main() -> ! {
    // The control line is core's, but it is switched on here: with the MMU off that needs no mapping.
    // SAFETY: as in `console`.
    unsafe { Uart::at(uart::CONTROL as usize) }.enable();
    let mut console = console();
    match place::place() {
        Ok(placed) => mmu::enter(&placed),
        Err(error) => {
            let _ = writeln!(console, "loader: stopped: {error}");
            console.flush();
            halt()
        }
    }
}

fn halt() -> ! {
    loop {
        core::hint::spin_loop();
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let _ = writeln!(console(), "loader: stopped: {info}");
    halt()
}
