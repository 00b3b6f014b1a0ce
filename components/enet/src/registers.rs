//! The device's registers (i.MX 6Dual/6Quad reference manual, chapter 23).
//!
//! Whoever has the page of registers has it alone; they are words that change by themselves, which is what atomic words are for.

use core::sync::atomic::{
    AtomicU32,
    Ordering::{Relaxed, SeqCst},
    fence,
};

use base::session::link::Address;

/// Where each register is, in bytes.
mod at {
    pub const EIR: usize = 0x004;
    pub const EIMR: usize = 0x008;
    pub const RDAR: usize = 0x010;
    pub const TDAR: usize = 0x014;
    pub const ECR: usize = 0x024;
    pub const MMFR: usize = 0x040;
    pub const MSCR: usize = 0x044;
    pub const RCR: usize = 0x084;
    pub const TCR: usize = 0x0c4;
    pub const PALR: usize = 0x0e4;
    pub const PAUR: usize = 0x0e8;
    pub const IAUR: usize = 0x118;
    pub const IALR: usize = 0x11c;
    pub const GAUR: usize = 0x120;
    pub const GALR: usize = 0x124;
    pub const TFWR: usize = 0x144;
    pub const RDSR: usize = 0x180;
    pub const TDSR: usize = 0x184;
    pub const MRBR: usize = 0x188;
}

/// Something was sent, something was received, or the bus refused: what the driver wants to be told.
pub mod event {
    /// A frame was sent.
    pub const SENT: u32 = 1 << 27;
    /// A frame was received.
    pub const RECEIVED: u32 = 1 << 25;
    /// The PHY has answered.
    pub const PHY: u32 = 1 << 23;
    /// The bus has refused; the device has stopped.
    pub const BUS: u32 = 1 << 22;
    /// All of which the driver is told by an interrupt.
    pub const WANTED: u32 = SENT | RECEIVED | BUS;
}

const RESET: u32 = 1;
const ENABLE: u32 = 2;
/// The device's longest frame, checksum included, is 1522 with a tag.
const LONGEST: u32 = 1522;
/// By MII, not the serial interface.
const MII: u32 = 1 << 2;
/// Frames that hold up the sender are obeyed by the device.
const FLOW_CONTROL: u32 = 1 << 5;
const FULL_DUPLEX: u32 = 1 << 2;
/// A frame is sent when all of it is in the device.
const STORE_AND_FORWARD: u32 = 1 << 8;
/// The PHY's clock, 2.4 MHz of 66.
const PHY_CLOCK: u32 = 13 << 1;
/// The board's PHY.
const PHY: u32 = 6;
/// Its status register, and the bit there that says that a cable is plugged in.
const PHY_STATUS: u32 = 1;
const PHY_LINK: u32 = 1 << 2;
/// How often it is looked whether the PHY has answered; it takes 26 us.
const PATIENCE: u32 = 10_000;

/// The registers.
pub struct Registers<'a>(pub &'a [AtomicU32]);

impl Registers<'_> {
    fn get(&self, at: usize) -> u32 {
        self.0.get(at / 4).map_or(0, |register| register.load(Relaxed))
    }

    fn set(&self, at: usize, value: u32) {
        // What was written to memory before is there before the device is told.
        fence(SeqCst);
        if let Some(register) = self.0.get(at / 4) {
            register.store(value, Relaxed);
        }
        fence(SeqCst);
    }

    /// The device does nothing, and knows nothing any more but its address.
    pub fn reset(&self) {
        self.set(at::ECR, RESET);
        self.set(at::EIMR, 0);
        self.set(at::EIR, !0);
    }

    /// The device works, with these rings of descriptors and receive buffers of that size.
    pub fn start(&self, (receive, send): (u32, u32), buffer: u32) {
        // No group's frames but those for all: what arrives for others is their matter.
        for register in [at::IAUR, at::IALR, at::GAUR, at::GALR] {
            self.set(register, 0);
        }
        self.set(at::RCR, LONGEST << 16 | FLOW_CONTROL | MII);
        self.set(at::TCR, FULL_DUPLEX);
        self.set(at::TFWR, STORE_AND_FORWARD);
        self.set(at::MSCR, PHY_CLOCK);
        self.set(at::RDSR, receive);
        self.set(at::TDSR, send);
        self.set(at::MRBR, buffer);
        self.set(at::EIMR, event::WANTED);
        self.set(at::ECR, ENABLE);
        self.received_some();
    }

    /// Receive descriptors have been given to the device.
    pub fn received_some(&self) {
        self.set(at::RDAR, 1 << 24);
    }

    /// Send descriptors have been given to the device.
    pub fn send_some(&self) {
        self.set(at::TDAR, 1 << 24);
    }

    /// What has happened, which it has not any more.
    pub fn take_events(&self) -> u32 {
        let events = self.get(at::EIR);
        self.set(at::EIR, events & !event::PHY);
        events
    }

    /// The address.
    pub fn address(&self) -> Address {
        let ([a, b, c, d], [e, f, ..]) = (self.get(at::PALR).to_be_bytes(), self.get(at::PAUR).to_be_bytes());
        Address([a, b, c, d, e, f])
    }

    /// Gives it another one.
    pub fn set_address(&self, Address([a, b, c, d, e, f]): Address) {
        self.set(at::PALR, u32::from_be_bytes([a, b, c, d]));
        // The type of the frames that hold up the sender is in the lower half, and cannot be changed.
        self.set(at::PAUR, u32::from_be_bytes([e, f, 0x88, 0x08]));
    }

    /// Whether the PHY has a cable. Takes 52 us on a board.
    pub fn has_cable(&self) -> bool {
        // Whether it was lost since the last time; then, whether it is there.
        self.phy(PHY_STATUS);
        self.phy(PHY_STATUS).is_some_and(|status| status & PHY_LINK != 0)
    }

    fn phy(&self, register: u32) -> Option<u32> {
        self.set(at::EIR, event::PHY);
        let (start, read, turn) = (1 << 30, 2 << 28, 2 << 16);
        self.set(at::MMFR, start | read | PHY << 23 | register << 18 | turn);
        let answered = (0..PATIENCE).any(|_| self.get(at::EIR) & event::PHY != 0);
        answered.then(|| self.get(at::MMFR) & 0xffff)
    }
}
