//! What root tasks that stop working begin with: serial lines and a guardian, as core has them.
#![no_std]

use board::uart;
use rtcr_core::{console::Lines, guardian, halt, objects::Objects, window::Window};
use sel4::BootInfo;
use wire::record::Record;

/// Sets up what core sets up and reports that the root task runs; then the caller may break.
pub fn begin(boot_info: BootInfo) {
    let (mut objects, mut window) = (Objects::new(&boot_info), Window::new());
    let mut device = |address| {
        let frame = objects.make_device_frame(address)?;
        window.map_device(&mut objects, frame)
    };
    let (Ok(console), Ok(control)) = (device(uart::CONSOLE), device(uart::CONTROL)) else { halt() };
    // SAFETY: mapped a moment ago, and nobody else has the devices.
    let mut lines = unsafe { Lines::open(console, control) };
    if guardian::start(&boot_info, &mut objects, &mut window).is_err() {
        halt()
    }
    lines.report(&Record::Started);
}
