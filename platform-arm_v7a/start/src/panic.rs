//! A panic: its message goes to LOG, then the component ends.

use core::{fmt::Write, panic::PanicInfo};

use base::session::log::Writer;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let env = crate::environment();
    let client = env.log();
    let mut writer = Writer::new(&client);
    // The message's own Display may fail; the place has been printed by then.
    let _ = match info.location() {
        Some(location) => writeln!(writer, "panicked at {location}: {}", info.message()),
        None => writeln!(writer, "panicked: {}", info.message()),
    };
    drop(writer);
    env.panicked()
}
