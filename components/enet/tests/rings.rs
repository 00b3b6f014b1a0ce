//! The driver's side of the rings, with a device that does what it should, and one that does not.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use base::session::link::MAX_FRAME;
use enet::descriptors::{BUFFER, BUFFERS, PAGES, Rings, SENDS};
use proptest::prelude::*;

const PAGE: usize = 4096;
/// Pages lie anywhere.
fn pages() -> [u32; PAGES] {
    std::array::from_fn(|page| 0x2000_0000 + (page as u32 * 7 % 64) * 0x10000)
}

fn memory() -> Vec<AtomicU32> {
    (0..PAGES * PAGE / 4).map(|_| AtomicU32::new(0)).collect()
}

/// A device: it finds buffers by their physical addresses.
struct Device<'a> {
    memory: &'a [AtomicU32],
    received: usize,
    sent: usize,
}

impl Device<'_> {
    fn words(&self, physical: u32) -> &[AtomicU32] {
        let page = pages().iter().position(|page| (*page..*page + PAGE as u32).contains(&physical)).unwrap();
        let start = (page * PAGE + (physical - pages()[page]) as usize) / 4;
        &self.memory[start..start + BUFFER / 4]
    }

    /// Receives a frame, if there is a buffer; `flags` and `length` are what it says of it.
    fn receive(&mut self, frame: &[u8], flags: u32, length: usize) -> bool {
        let at = self.received * 2;
        let word = self.memory[at].load(SeqCst);
        if word >> 31 == 0 {
            return false;
        }
        let words = self.words(self.memory[at + 1].load(SeqCst));
        for (word, bytes) in words.iter().zip(frame.chunks(4)) {
            let mut whole = [0; 4];
            whole[..bytes.len()].copy_from_slice(bytes);
            word.store(u32::from_le_bytes(whole), SeqCst);
        }
        self.memory[at].store(word & 0x2000_0000 | flags << 16 | length as u32, SeqCst);
        self.received = if word & 0x2000_0000 != 0 { 0 } else { self.received + 1 };
        true
    }

    /// Sends the next frame, if there is one.
    fn send(&mut self) -> Option<Vec<u8>> {
        let at = SENDS as usize / 4 + self.sent * 2;
        let word = self.memory[at].load(SeqCst);
        (word >> 31 == 1).then(|| {
            assert_eq!(word & 0x0c00_0000, 0x0c00_0000, "the frame ends here, with a checksum");
            let words = self.words(self.memory[at + 1].load(SeqCst));
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.load(SeqCst).to_le_bytes()).collect();
            self.memory[at].store(word & 0x2000_0000, SeqCst);
            self.sent = if word & 0x2000_0000 != 0 { 0 } else { self.sent + 1 };
            bytes[..(word & 0xffff) as usize].to_vec()
        })
    }
}

const LAST: u32 = 1 << 11;

fn frame(length: usize, seed: u8) -> Vec<u8> {
    (0..length).map(|at| (at as u8).wrapping_mul(13).wrapping_add(seed)).collect()
}

proptest! {
    #[test]
    fn frames_pass_both_ways(steps in prop::collection::vec((0..4u8, 14..=MAX_FRAME, any::<u8>()), 0..300)) {
        let memory = memory();
        let mut rings = Rings::new(&memory, pages());
        let mut device = Device { memory: &memory, received: 0, sent: 0 };
        let (mut inward, mut outward) = (std::collections::VecDeque::new(), std::collections::VecDeque::new());
        let mut buffer = [0; MAX_FRAME];
        for (what, length, seed) in steps {
            let new = frame(length, seed);
            match what {
                0 => if device.receive(&[&new[..], &[0; 4]].concat(), LAST, length + 4) {
                    inward.push_back(new);
                } else {
                    prop_assert_eq!(inward.len(), BUFFERS);
                },
                1 => match rings.receive(&memory, &mut buffer) {
                    Some(length) => prop_assert_eq!(&buffer[..length], &inward.pop_front().unwrap()[..]),
                    None => prop_assert!(inward.is_empty()),
                },
                2 => if rings.send(&memory, &new) {
                    outward.push_back(new);
                } else {
                    prop_assert!(outward.len() == BUFFERS && !rings.has_room(&memory));
                },
                _ => prop_assert_eq!(device.send(), outward.pop_front()),
            }
        }
        prop_assert_eq!(rings.wrong, 0);
    }

    #[test]
    fn nonsense_is_passed_over(flags in 0..0x8000u32, length in 0..0x10000usize, garbage: u32) {
        let memory = memory();
        let mut rings = Rings::new(&memory, pages());
        let mut device = Device { memory: &memory, received: 0, sent: 0 };
        let mut buffer = [0; MAX_FRAME];
        device.receive(&frame(100, 1), flags & !0x2000, length);
        let is_good = flags & LAST != 0 && flags & 0x37 == 0 && (18..=MAX_FRAME + 4).contains(&length);
        let seen = rings.receive(&memory, &mut buffer);
        prop_assert_eq!(seen, Some(if is_good { length - 4 } else { 0 }));
        prop_assert_eq!(rings.wrong, u64::from(!is_good));
        // And then goes on.
        device.receive(&frame(104, 2), LAST, 104);
        prop_assert_eq!(rings.receive(&memory, &mut buffer), Some(100));
        // Whatever lies in all of it.
        memory.iter().for_each(|word| word.store(garbage, SeqCst));
        for _ in 0..2 * BUFFERS {
            let _ = rings.receive(&memory, &mut buffer);
            let _ = rings.send(&memory, &frame(100, 3));
        }
    }
}

#[test]
fn what_is_no_frame_is_not_sent() {
    let memory = memory();
    let mut rings = Rings::new(&memory, pages());
    for length in [0, 13, MAX_FRAME + 1] {
        assert!(!rings.send(&memory, &vec![0; length]));
    }
    assert!(rings.send(&memory, &frame(14, 0)) && rings.receive(&[], &mut [0; MAX_FRAME]).is_none());
}
