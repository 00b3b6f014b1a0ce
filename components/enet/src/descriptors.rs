//! Two rings of descriptors, by which driver and device hand buffers to each other, and the buffers.
//!
//! A descriptor has two words: flags in the upper half of the first and a length in its lower, and the buffer's physical
//! address. Who has the buffer is in the flags. The memory is uncached and the device writes it at any time, so it is words that
//! may change; what the device says of a frame is checked before it is believed.
//!
//! | page | holds |
//! |---|---|
//! | 0 | the receive descriptors, from the middle on the send descriptors |
//! | 1 to 16 | receive buffers, two each |
//! | 17 to 32 | send buffers, two each |

use core::sync::atomic::{
    AtomicU32,
    Ordering::{Relaxed, SeqCst},
    fence,
};

use base::session::{
    link::{MAX_FRAME, MIN_FRAME},
    pd::PAGE,
};

/// Buffers of each direction.
pub const BUFFERS: usize = 32;
/// Bytes of a buffer, a multiple of 64 that holds the longest frame with its checksum.
pub const BUFFER: usize = 2048;
/// Pages of memory that all of it takes.
pub const PAGES: usize = 1 + 2 * PAGES_OF_BUFFERS;

const PAGES_OF_BUFFERS: usize = BUFFERS * BUFFER / PAGE as usize;
const PAGE_WORDS: usize = PAGE as usize / 4;
const BUFFER_WORDS: usize = BUFFER / 4;
/// Where the send descriptors begin, in bytes of the first page.
pub const SENDS: u32 = 2048;
/// Bytes of the checksum, which the device leaves behind a frame.
const CHECKSUM: usize = 4;

/// Flags of a receive descriptor.
mod receive {
    /// The device has it.
    pub const EMPTY: u32 = 1 << 31;
    pub const WRAP: u32 = 1 << 29;
    /// The frame ends in it.
    pub const LAST: u32 = 1 << 27;
    /// Too long, no whole bytes, wrong checksum, overrun, cut off.
    pub const WRONG: u32 = (1 << 5 | 1 << 4 | 1 << 2 | 1 << 1 | 1) << 16;
}

/// Flags of a send descriptor.
mod send {
    /// The device has it.
    pub const READY: u32 = 1 << 31;
    pub const WRAP: u32 = 1 << 29;
    /// The frame ends in it, and the device adds the checksum.
    pub const LAST: u32 = 1 << 27 | 1 << 26;
}

/// The driver's side of the rings.
#[derive(Debug)]
pub struct Rings {
    /// The next descriptor that the device fills, and the next that the driver fills.
    received: usize,
    sent: usize,
    /// Physical addresses of the pages.
    pages: [u32; PAGES],
    /// Frames that the device has damaged or cut.
    pub wrong: u64,
}

impl Rings {
    /// Rings in memory of [`PAGES`] pages, whose physical addresses are known; the device is off. All receive buffers are the device's
    /// then.
    pub fn new(memory: &[AtomicU32], pages: [u32; PAGES]) -> Self {
        let rings = Self { received: 0, sent: 0, pages, wrong: 0 };
        for number in 0..BUFFERS {
            rings.set(memory, receives(number), rings.buffer(1, number));
            rings.give(memory, number);
            rings.set(memory, sends(number), rings.buffer(1 + PAGES_OF_BUFFERS, number));
            rings.set(memory, sends(number) - 1, 0);
        }
        rings
    }

    /// Likewise in the same memory, after the device was reset.
    pub fn anew(&self, memory: &[AtomicU32]) -> Self {
        Self { wrong: self.wrong, ..Self::new(memory, self.pages) }
    }

    /// Where the device finds them: receive descriptors, send descriptors.
    pub const fn addresses(&self) -> (u32, u32) {
        (self.pages[0], self.pages[0] + SENDS)
    }

    /// Takes the next frame that was received, if there is one, and gives its buffer back. One that is wrong is counted and passed over:
    /// its length is 0.
    pub fn receive(&mut self, memory: &[AtomicU32], buffer: &mut [u8; MAX_FRAME]) -> Option<usize> {
        let number = self.received;
        let word = memory.get(receives(number) - 1)?.load(Relaxed);
        if word & receive::EMPTY != 0 {
            return None;
        }
        // The frame was there before the descriptor said so.
        fence(SeqCst);
        let length = (word as usize & 0xffff).checked_sub(CHECKSUM).filter(|length| *length >= MIN_FRAME);
        let is_good = word & receive::LAST != 0 && word & receive::WRONG == 0;
        let frame = length.filter(|_| is_good).and_then(|length| buffer.get_mut(..length));
        let length = match frame {
            Some(frame) => {
                let words = words(memory, 1, number);
                for (bytes, word) in frame.chunks_mut(4).zip(words) {
                    let word = word.load(Relaxed).to_le_bytes();
                    bytes.copy_from_slice(&word[..bytes.len()]);
                }
                frame.len()
            }
            None => {
                self.wrong += 1;
                0
            }
        };
        self.give(memory, number);
        self.received = (number + 1) % BUFFERS;
        Some(length)
    }

    /// Whether a frame can be sent: the device has sent what was in the next buffer before.
    pub fn has_room(&self, memory: &[AtomicU32]) -> bool {
        memory.get(sends(self.sent) - 1).is_some_and(|word| word.load(Relaxed) & send::READY == 0)
    }

    /// Has a frame sent, if there [is room](Self::has_room) and it is one. The device is to be told.
    pub fn send(&mut self, memory: &[AtomicU32], frame: &[u8]) -> bool {
        let number = self.sent;
        if !self.has_room(memory) || !(MIN_FRAME..=MAX_FRAME).contains(&frame.len()) {
            return false;
        }
        for (word, bytes) in words(memory, 1 + PAGES_OF_BUFFERS, number).iter().zip(frame.chunks(4)) {
            let mut whole = [0; 4];
            whole[..bytes.len()].copy_from_slice(bytes);
            word.store(u32::from_le_bytes(whole), Relaxed);
        }
        // The frame is there before the descriptor says so.
        fence(SeqCst);
        let wrap = if number + 1 == BUFFERS { send::WRAP } else { 0 };
        self.set(memory, sends(number) - 1, send::READY | send::LAST | wrap | frame.len() as u32);
        self.sent = (number + 1) % BUFFERS;
        true
    }

    /// A receive buffer is the device's.
    fn give(&self, memory: &[AtomicU32], number: usize) {
        // It has been read before it is.
        fence(SeqCst);
        let wrap = if number + 1 == BUFFERS { receive::WRAP } else { 0 };
        self.set(memory, receives(number) - 1, receive::EMPTY | wrap);
    }

    fn set(&self, memory: &[AtomicU32], at: usize, value: u32) {
        if let Some(word) = memory.get(at) {
            word.store(value, Relaxed);
        }
    }

    /// Physical address of a buffer of those that begin in that page.
    fn buffer(&self, first: usize, number: usize) -> u32 {
        let at = number * BUFFER;
        let page = self.pages.get(first + at / PAGE as usize).copied().unwrap_or_default();
        page + (at % PAGE as usize) as u32
    }
}

/// The second word of a receive descriptor; the first one is before it.
const fn receives(number: usize) -> usize {
    number * 2 + 1
}

/// Likewise of a send descriptor.
const fn sends(number: usize) -> usize {
    SENDS as usize / 4 + number * 2 + 1
}

/// A buffer of those that begin in that page.
fn words(memory: &[AtomicU32], first: usize, number: usize) -> &[AtomicU32] {
    let start = first * PAGE_WORDS + number * BUFFER_WORDS;
    memory.get(start..start + BUFFER_WORDS).unwrap_or_default()
}
