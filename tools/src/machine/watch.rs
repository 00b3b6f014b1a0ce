//! What can be concluded from text on the console and from where the processor is.

use std::ops::Range;

use wire::executable;

use super::{control::Report, monitor::Registers};
use crate::{explain::symbols::Symbols, image::Parts};

/// How the loader's last line starts.
const LOADER_STOPPED: &str = "loader: stopped: ";
/// How the debug kernel's last line starts.
const KERNEL_HALTS: [&str; 2] = ["halting...", "KERNEL "];
/// Functions in which a kernel stays for ever when interrupts are off.
pub(crate) const HALTED_IN: [&str; 2] = ["halt", "idle_thread"];
/// What is kept of a line.
const LONGEST: usize = 400;

pub(super) struct Watch {
    line: Vec<u8>,
    loader_said: Option<String>,
    kernel_spoke: bool,
    loader: Option<Range<u32>>,
    halted_in: Vec<Range<u32>>,
}

impl Watch {
    pub(super) fn new(parts: &Parts) -> Self {
        let symbols = Symbols::new(&parts.kernel);
        let halted_in = HALTED_IN.iter().filter_map(|name| symbols.range(name)).collect();
        let loader = executable::open(&parts.loader).ok().map(|loader| loader.extent());
        Self { line: Vec::new(), loader_said: None, kernel_spoke: false, loader, halted_in }
    }

    /// The next bytes of the console.
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == b'\n' {
                let line = String::from_utf8_lossy(&self.line);
                let line = line.trim_end();
                self.kernel_spoke |= KERNEL_HALTS.iter().any(|start| line.starts_with(start));
                if let Some(said) = line.strip_prefix(LOADER_STOPPED) {
                    self.loader_said.get_or_insert_with(|| said.into());
                }
                self.line.clear();
            } else if self.line.len() < LONGEST {
                self.line.push(byte);
            }
        }
    }

    /// What the loader said when it stopped; only before core has started, since later that line is somebody else's.
    pub(super) fn loader_stopped(&mut self, reports: &[Report]) -> Option<String> {
        self.loader_said.take().filter(|_| reports.is_empty())
    }

    /// Whether there was a line that looks like the last words of a debug kernel since the last time this was asked.
    pub(super) fn kernel_spoke(&mut self) -> bool {
        std::mem::take(&mut self.kernel_spoke)
    }

    pub(super) fn is_in_loader(&self, registers: Registers) -> bool {
        self.loader.as_ref().is_some_and(|extent| extent.contains(&registers.pc()))
    }

    /// Whether this kernel will never do anything again.
    pub(super) fn is_halted(&self, registers: Registers) -> bool {
        registers.interrupts_are_off() && self.halted_in.iter().any(|range| range.contains(&registers.pc()))
    }
}
