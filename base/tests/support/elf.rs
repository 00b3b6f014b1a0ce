//! ELF files by hand.

extern crate std;

use std::vec::Vec;

/// An ELF32 file by hand: segments of (address, flags, memory size, content).
pub fn elf(entry: u32, segments: &[(u32, u32, u32, &[u8])]) -> Vec<u8> {
    let segments: Vec<_> = segments.iter().map(|&(at, flags, size, bytes)| (at, at, flags, size, bytes)).collect();
    elf_at(entry, &segments)
}

/// The same with physical addresses: segments of (address, physical, flags, memory size, content).
pub fn elf_at(entry: u32, segments: &[(u32, u32, u32, u32, &[u8])]) -> Vec<u8> {
    let mut file = b"\x7fELF\x01\x01\x01".to_vec();
    file.resize(16, 0);
    file.extend([2u16, 40].map(u16::to_le_bytes).concat());
    file.extend([1u32, entry, 52, 0, 0].map(u32::to_le_bytes).concat());
    file.extend([52u16, 32, segments.len() as u16, 40, 0, 0].map(u16::to_le_bytes).concat());
    let mut at = 52 + 32 * segments.len() as u32;
    for &(address, physical, flags, size, bytes) in segments {
        let header = [1, at, address, physical, bytes.len() as u32, size, flags, 4];
        file.extend(header.map(u32::to_le_bytes).concat());
        at += bytes.len() as u32;
    }
    segments.iter().for_each(|segment| file.extend(segment.4));
    file
}
