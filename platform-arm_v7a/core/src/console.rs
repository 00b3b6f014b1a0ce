//! The two serial lines: text for people, records for the host.
//!
//! Both are written by one thread at a time: core's own, or, when that one has stopped for good, the one that reports
//! it (see [`crate::guardian`]).

use core::{
    fmt::{self, Write},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use board::uart::Uart;
use wire::record::{self, Record};

static CONSOLE: AtomicUsize = AtomicUsize::new(0);
static CONTROL: AtomicUsize = AtomicUsize::new(0);

/// Core's lines to the outside.
#[derive(Debug)]
pub struct Lines {
    console: Uart,
    control: Uart,
}

impl Lines {
    /// Takes the lines, whose registers are mapped at these addresses, and remembers them for [`Lines::again`].
    ///
    /// # Safety
    /// Each address is where that device is mapped, uncached, for good, and nobody else drives it.
    pub unsafe fn open(console: usize, control: usize) -> Self {
        CONSOLE.store(console, Relaxed);
        CONTROL.store(control, Relaxed);
        // SAFETY: the caller's promise. The loader has switched both on.
        unsafe { Self { console: Uart::at(console), control: Uart::at(control) } }
    }

    /// The lines once more, for a last report; none before they were opened.
    ///
    /// # Safety
    /// Whoever opened them has stopped for good, or is the caller.
    pub unsafe fn again() -> Option<Self> {
        match (CONSOLE.load(Relaxed), CONTROL.load(Relaxed)) {
            (0, _) | (_, 0) => None,
            // SAFETY: `open` was promised that they are mapped; the caller promises that the opener is gone.
            (console, control) => unsafe { Some(Self { console: Uart::at(console), control: Uart::at(control) }) },
        }
    }

    /// Prints one line.
    pub fn line(&mut self, line: fmt::Arguments<'_>) {
        // Writing to the device cannot fail; a Display that does ends the line early.
        let _ = self.console.write_fmt(line);
        let _ = self.console.write_str("\n");
    }

    /// Reports to the host. What was printed before has arrived before.
    pub fn report(&mut self, record: &Record<'_>) {
        self.console.flush();
        let mut buffer = [0; record::MAX];
        let frame = match record.encode(&mut buffer) {
            Ok(frame) => frame,
            // Longer than a frame: names and reasons are bounded, so this is a mistake of ours; the host then ends the
            // run as malformed instead of waiting for it.
            Err(_) => &[1, 0],
        };
        frame.iter().for_each(|&byte| self.control.put(byte));
    }
}
