//! GPT: the general-purpose timer (IMX6DQRM chapter 30), the system's clock.
//!
//! It counts at 66 MHz, one step each 15 ns, and is told to run freely over 32 bits: once around in 65 s. Compare
//! channel 1 interrupts at a chosen count.

use crate::register::Registers;

/// Physical address.
pub const ADDRESS: u32 = 0x0209_8000;
/// Its interrupt at the GIC (IMX6DQRM table 3-1: 55, counted from the first shared interrupt, 32).
pub const INTERRUPT: u16 = 87;
/// Steps a microsecond.
pub const STEPS_PER_MICROSECOND: u32 = 66;

/// Control register.
const CR: usize = 0x00;
/// Prescaler register.
const PR: usize = 0x04;
/// Status register; ones clear.
const SR: usize = 0x08;
/// Interrupt register.
const IR: usize = 0x0c;
/// Output compare register 1.
const OCR1: usize = 0x10;
/// Counter.
const CNT: usize = 0x24;

const SWR: u32 = 1 << 15;
const FRR: u32 = 1 << 9;
const CLKSRC_IPG: u32 = 1 << 6;
const ENMOD: u32 = 1 << 1;
const EN: u32 = 1;
const OF1: u32 = 1;
const ALL_FLAGS: u32 = 0x3f;

/// The timer.
#[derive(Debug)]
pub struct Gpt {
    registers: Registers,
}

impl Gpt {
    /// The timer whose registers are mapped at `base`, started from zero with its interrupts off.
    ///
    /// # Safety
    /// `base` is where the timer's 4 KiB of registers are mapped, uncached, for as long as the value lives, and nobody
    /// else drives it.
    pub unsafe fn start(base: usize) -> Self {
        // SAFETY: the caller's promise.
        let mut registers = unsafe { Registers::at(base) };
        registers.write(CR, SWR);
        while registers.read(CR) & SWR != 0 {}
        registers.write(IR, 0);
        registers.write(PR, 0);
        registers.write(SR, ALL_FLAGS);
        registers.write(CR, FRR | CLKSRC_IPG | ENMOD);
        registers.write(CR, FRR | CLKSRC_IPG | ENMOD | EN);
        Self { registers }
    }

    /// The count, in steps; wraps.
    pub fn count(&self) -> u32 {
        self.registers.read(CNT)
    }

    /// Interrupts when the count reaches `count`; an earlier request is forgotten.
    pub fn interrupt_at(&mut self, count: u32) {
        self.registers.write(OCR1, count);
        self.registers.write(SR, ALL_FLAGS);
        self.registers.write(IR, OF1);
    }

    /// Takes the interrupt back, at the device; the kernel's acknowledgement comes after.
    pub fn clear_interrupt(&mut self) {
        self.registers.write(IR, 0);
        self.registers.write(SR, ALL_FLAGS);
    }
}
