//! EPIT: the enhanced periodic interrupt timers (IMX6DQRM chapter 24).
//!
//! There are two. Each counts down at 66 MHz, one step each 15 ns, from a chosen value to 0, starts anew, and interrupts
//! each time that it is at 0.

use crate::register::Registers;

/// Physical addresses of EPIT1 and EPIT2.
pub const ADDRESSES: [u32; 2] = [0x020d_0000, 0x020d_4000];
/// Their interrupts at the GIC (IMX6DQRM table 3-1: 56 and 57, counted from the first shared interrupt, 32).
pub const INTERRUPTS: [u16; 2] = [88, 89];
/// Steps a microsecond.
pub const STEPS_PER_MICROSECOND: u32 = 66;

/// Control register.
const CR: usize = 0x00;
/// Status register; one clears.
const SR: usize = 0x04;
/// Load register.
const LR: usize = 0x08;
/// Compare register.
const CMPR: usize = 0x0c;
/// Counter register.
const CNR: usize = 0x10;

/// Clock source: the peripheral clock.
const CLKSRC_IPG: u32 = 1 << 24;
/// Counts while the processor waits for an interrupt.
const WAITEN: u32 = 1 << 19;
/// A new load value takes effect at once.
const IOVW: u32 = 1 << 17;
const SWR: u32 = 1 << 16;
/// Starts anew from the load register, not from its largest value.
const RLD: u32 = 1 << 3;
/// Interrupts on compare.
const OCIEN: u32 = 1 << 2;
/// Enabling loads the counter.
const ENMOD: u32 = 1 << 1;
const EN: u32 = 1;
const OCIF: u32 = 1;

/// A periodic timer.
#[derive(Debug)]
pub struct Epit {
    registers: Registers,
}

impl Epit {
    /// The timer whose registers are mapped at `base`, stopped.
    ///
    /// # Safety
    /// `base` is where the timer's 4 KiB of registers are mapped, uncached, for as long as the value lives, and nobody
    /// else drives it.
    pub unsafe fn at(base: usize) -> Self {
        // SAFETY: the caller's promise.
        let mut registers = unsafe { Registers::at(base) };
        registers.write(CR, SWR);
        while registers.read(CR) & SWR != 0 {}
        Self { registers }
    }

    /// Interrupts each `steps` steps from now on.
    pub fn start(&mut self, steps: u32) {
        const STOPPED: u32 = CLKSRC_IPG | WAITEN | IOVW | RLD | ENMOD;
        self.registers.write(CR, STOPPED);
        self.registers.write(LR, steps);
        self.registers.write(CMPR, 0);
        self.registers.write(SR, OCIF);
        self.registers.write(CR, STOPPED | OCIEN | EN);
    }

    /// No interrupts any more.
    pub fn stop(&mut self) {
        self.registers.write(CR, 0);
        self.registers.write(SR, OCIF);
    }

    /// How many steps are left until the next interrupt.
    pub fn count(&self) -> u32 {
        self.registers.read(CNR)
    }

    /// Takes the interrupt back, at the device; the kernel's acknowledgement comes after. The next one comes in its time.
    pub fn clear_interrupt(&mut self) {
        self.registers.write(SR, OCIF);
    }
}
