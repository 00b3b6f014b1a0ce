//! What every root task does first.

use board::uart;
use sel4::BootInfo;
use wire::record::{Record, Verdict};

use crate::{
    console::Lines,
    guardian, halt,
    objects::{Exhausted, Objects},
    window::Window,
};

/// Opens the serial lines, starts the guardian, and reports that the root task runs. Does not return if that cannot be
/// done: without lines there is nothing to say it with, and the host sees that nothing ever started.
pub fn begin(boot_info: &BootInfo) -> (Objects, Window, Lines) {
    let (mut objects, mut window) = (Objects::new(boot_info), Window::new());
    let Ok(mut lines) = open_lines(&mut objects, &mut window) else { halt() };
    lines.report(&Record::Started);
    if let Err(exhausted) = guardian::start(boot_info, &mut objects, &mut window) {
        let reason = alloc::format!("the root task cannot start: {exhausted}");
        lines.report(&Record::Verdict(Verdict::Failed { reason: &reason }));
        halt()
    }
    (objects, window, lines)
}

fn open_lines(objects: &mut Objects, window: &mut Window) -> Result<Lines, Exhausted> {
    let mut device = |address| {
        let frame = objects.make_device_frame(address)?;
        window.map_device(objects, frame)
    };
    let (console, control) = (device(uart::CONSOLE)?, device(uart::CONTROL)?);
    // SAFETY: mapped a moment ago, and the kernel gives the devices to nobody else.
    Ok(unsafe { Lines::open(console, control) })
}
