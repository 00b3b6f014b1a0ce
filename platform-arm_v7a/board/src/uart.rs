//! UART: the serial lines (IMX6DQRM chapter 64).
//!
//! Two are used. UART2, the board's own console, carries text for people. UART1 is the control line between core and
//! the host: what arrives there was sent by core, because nobody else is ever given the device.

use core::fmt;

use crate::register::Registers;

/// Physical address of UART1, the control line.
pub const CONTROL: u32 = 0x0202_0000;
/// Physical address of UART2, the console.
pub const CONSOLE: u32 = 0x021e_8000;

/// Transmitter.
const UTXD: usize = 0x40;
/// Control register 1, with UARTEN.
const UCR1: usize = 0x80;
/// Control register 2, with SRST (active low), RXEN, TXEN, WS (8 bits) and IRTS.
const UCR2: usize = 0x84;
/// Status register 2, with TXDC.
const USR2: usize = 0x98;
/// Test register, with TXFULL.
const UTS: usize = 0xb4;

const UARTEN: u32 = 1;
const IRTS: u32 = 1 << 14;
const WS: u32 = 1 << 5;
const TXEN: u32 = 1 << 2;
const RXEN: u32 = 1 << 1;
const SRST: u32 = 1;
const TXDC: u32 = 1 << 3;
const TXFULL: u32 = 1 << 4;

/// A serial line, for writing.
#[derive(Debug)]
pub struct Uart {
    registers: Registers,
}

impl Uart {
    /// The line whose registers are mapped at `base`.
    ///
    /// # Safety
    /// `base` is where the 4 KiB of a UART's registers are mapped, uncached, for as long as the value lives, and nobody
    /// else drives it.
    pub unsafe fn at(base: usize) -> Self {
        // SAFETY: the caller's promise.
        Self { registers: unsafe { Registers::at(base) } }
    }

    /// Switches transmitter and receiver on, 8 bits, flow control ignored; speed stays as the boot ROM or the boot
    /// loader has set it.
    pub fn enable(&mut self) {
        self.registers.write(UCR2, IRTS | WS | TXEN | RXEN | SRST);
        self.registers.write(UCR1, UARTEN);
    }

    /// Sends a byte, waiting while the queue is full.
    pub fn put(&mut self, byte: u8) {
        while self.registers.read(UTS) & TXFULL != 0 {}
        self.registers.write(UTXD, byte.into());
    }

    /// Waits until everything has left.
    pub fn flush(&mut self) {
        while self.registers.read(USR2) & TXDC == 0 {}
    }
}

impl fmt::Write for Uart {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| self.put(byte));
        Ok(())
    }
}
