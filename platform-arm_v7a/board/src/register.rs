//! Volatile access to device registers.

use core::ptr;

/// A device's registers, from its first.
#[derive(Debug)]
pub(crate) struct Registers {
    base: usize,
}

impl Registers {
    /// # Safety
    /// `base` is where the device's 4 KiB of registers are mapped, uncached, for as long as the value lives, and nobody
    /// else drives the device.
    pub(crate) unsafe fn at(base: usize) -> Self {
        Self { base }
    }

    pub(crate) fn read(&self, offset: usize) -> u32 {
        debug_assert!(offset < 4096);
        // SAFETY: inside the 4 KiB that `at` was promised; every register is a word.
        unsafe { ptr::read_volatile((self.base + offset) as *const u32) }
    }

    pub(crate) fn write(&mut self, offset: usize, value: u32) {
        debug_assert!(offset < 4096);
        // SAFETY: as in `read`; `&mut self` makes this the only access.
        unsafe { ptr::write_volatile((self.base + offset) as *mut u32, value) }
    }
}
