//! Executables for the board: what tool, loader and core accept as one.
//!
//! A file is checked as a whole by [`Executable::new`]; afterwards every segment lies inside the file, segments ascend
//! without overlap or wrap-around, and the entry point lies in one that is executable. Whether the addresses suit the
//! purpose is up to whoever places them.

use core::{fmt, ops::Range};

use elf::{ElfBytes, abi, endian::LittleEndian, file::Class, segment::ProgramHeader};

/// A checked, statically linked ELF32 executable for ARM in ARM state.
#[derive(Debug)]
pub struct Executable<'a> {
    file: ElfBytes<'a, LittleEndian>,
    entry: u32,
    extent: Range<u32>,
}

/// A piece of memory that an executable asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Where it is to appear.
    pub address: u32,
    /// Where it is to lie physically; only the kernel's and the loader's differ from `address`.
    pub physical: u32,
    /// Its size in bytes; what is beyond `bytes` is zero.
    pub size: u32,
    /// Its content.
    pub bytes: &'a [u8],
    /// It may be written.
    pub writable: bool,
    /// It may be executed.
    pub executable: bool,
}

/// Why bytes are no executable for this board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// No ELF file, or a damaged one.
    NotElf,
    /// 64-bit, big-endian, or for another processor (its `e_machine`).
    Foreign(u16),
    /// A library, an object file, or something that needs a dynamic linker.
    NotStatic,
    /// Nothing to load.
    Empty,
    /// A segment that lies outside the file, wraps around, overlaps or precedes the one before it.
    Segment(u32),
    /// The entry point, which lies in no executable segment or is Thumb code.
    Entry(u32),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotElf => write!(f, "no ELF file, or a damaged one"),
            Self::Foreign(machine) => write!(
                f,
                "an ELF file for another machine (e_machine {machine}); build for armv7a-none-eabi (ELF32, ARM, 40)"
            ),
            Self::NotStatic => {
                write!(f, "not a statically linked executable (ET_EXEC without PT_DYNAMIC or PT_INTERP)")
            }
            Self::Empty => write!(f, "an executable without anything to load"),
            Self::Segment(address) => write!(f, "an impossible segment at {address:#010x}"),
            Self::Entry(entry) => write!(f, "an entry point, {entry:#010x}, that is no ARM code of the file"),
        }
    }
}

impl core::error::Error for Error {}

impl<'a> Executable<'a> {
    /// Checks a file. Cost: proportional to the number of its segments.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        // The parser is fixed to one byte order, so that a foreign one is told here.
        match (bytes.get(..4), bytes.get(abi::EI_DATA)) {
            (Some(b"\x7fELF"), Some(&abi::ELFDATA2LSB)) => {}
            (Some(b"\x7fELF"), Some(_)) => return Err(Error::Foreign(0)),
            _ => return Err(Error::NotElf),
        }
        let file = ElfBytes::<LittleEndian>::minimal_parse(bytes).map_err(|_| Error::NotElf)?;
        if file.ehdr.class != Class::ELF32 || file.ehdr.e_machine != abi::EM_ARM {
            return Err(Error::Foreign(file.ehdr.e_machine));
        }
        let headers = file.segments().ok_or(Error::Empty)?;
        let dynamic = |header: ProgramHeader| matches!(header.p_type, abi::PT_DYNAMIC | abi::PT_INTERP);
        if file.ehdr.e_type != abi::ET_EXEC || headers.iter().any(dynamic) {
            return Err(Error::NotStatic);
        }
        let mut extent = None::<Range<u32>>;
        for header in loadable(&file) {
            let address = header.p_vaddr as u32;
            let segment = segment(&file, &header).ok_or(Error::Segment(address))?;
            let end = address + segment.size;
            match &mut extent {
                Some(extent) if extent.end > address => return Err(Error::Segment(address)),
                Some(extent) => extent.end = end,
                None => extent = Some(address..end),
            }
        }
        let entry = u32::try_from(file.ehdr.e_entry).map_err(|_| Error::NotElf)?;
        let executable = Self { file, entry, extent: extent.ok_or(Error::Empty)? };
        let in_code = |s: Segment<'_>| s.executable && (s.address..s.address + s.size).contains(&entry);
        if !entry.is_multiple_of(4) || !executable.segments().any(in_code) {
            return Err(Error::Entry(entry));
        }
        Ok(executable)
    }

    /// Where it starts.
    pub fn entry(&self) -> u32 {
        self.entry
    }

    /// From the lowest to the highest address that it asks for.
    pub fn extent(&self) -> Range<u32> {
        self.extent.clone()
    }

    /// What is to be loaded, in ascending order.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'a>> + '_ {
        loadable(&self.file).filter_map(|header| segment(&self.file, &header))
    }
}

fn loadable<'f>(file: &'f ElfBytes<'_, LittleEndian>) -> impl Iterator<Item = ProgramHeader> + 'f {
    let headers = file.segments();
    headers.into_iter().flat_map(|headers| headers.iter()).filter(|h| h.p_type == abi::PT_LOAD && h.p_memsz > 0)
}

/// The segment of a header; none if it does not fit the file or the address space.
fn segment<'a>(file: &ElfBytes<'a, LittleEndian>, header: &ProgramHeader) -> Option<Segment<'a>> {
    let address = u32::try_from(header.p_vaddr).ok()?;
    let physical = u32::try_from(header.p_paddr).ok()?;
    let size = u32::try_from(header.p_memsz).ok()?;
    let bytes = file.segment_data(header).ok()?;
    let fits = bytes.len() as u64 <= header.p_memsz
        && address.checked_add(size).is_some()
        && physical.checked_add(size).is_some();
    fits.then_some(Segment {
        address,
        physical,
        size,
        bytes,
        writable: header.p_flags & abi::PF_W != 0,
        executable: header.p_flags & abi::PF_X != 0,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An ELF32 file by hand: segments of (address, flags, memory size, content).
    pub(crate) fn elf(entry: u32, segments: &[(u32, u32, u32, &[u8])]) -> Vec<u8> {
        let segments: Vec<_> = segments.iter().map(|&(at, flags, size, bytes)| (at, at, flags, size, bytes)).collect();
        elf_at(entry, &segments)
    }

    /// The same with physical addresses: segments of (address, physical, flags, memory size, content).
    pub(crate) fn elf_at(entry: u32, segments: &[(u32, u32, u32, u32, &[u8])]) -> Vec<u8> {
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

    const CODE: (u32, u32, u32, &[u8]) = (0x1_0000, 5, 8, &[1; 8]);
    const DATA: (u32, u32, u32, &[u8]) = (0x2_0000, 6, 100, &[2; 4]);

    #[test]
    fn a_good_file_is_taken_apart() {
        let file = elf(0x1_0004, &[CODE, DATA]);
        let executable = Executable::new(&file).unwrap();
        assert_eq!(executable.entry(), 0x1_0004);
        assert_eq!(executable.extent(), 0x1_0000..0x2_0064);
        let data = executable.segments().nth(1).unwrap();
        assert_eq!((data.bytes, data.size, data.writable, data.executable), (&[2; 4][..], 100, true, false));
    }

    #[test]
    fn each_fault_is_named() {
        let error = |file: &[u8]| Executable::new(file).unwrap_err();
        assert_eq!(error(b""), Error::NotElf);
        assert_eq!(error(b"#!/bin/sh"), Error::NotElf);
        let good = elf(0x1_0000, &[CODE]);
        let with = |at: usize, value: u8| {
            let mut file = good.clone();
            file[at] = value;
            file
        };
        assert_eq!(error(&with(18, 62)), Error::Foreign(62));
        assert_eq!(error(&with(5, 2)), Error::Foreign(0));
        assert_eq!(error(&with(16, 3)), Error::NotStatic);
        assert_eq!(error(&with(52, 2)), Error::NotStatic);
        assert_eq!(error(&with(52, 4)), Error::Empty);
        assert_eq!(error(&elf(0x1_0002, &[CODE])), Error::Entry(0x1_0002));
        assert_eq!(error(&elf(0x2_0000, &[CODE, DATA])), Error::Entry(0x2_0000));
        assert_eq!(error(&elf(0x1_0000, &[DATA, CODE])), Error::Segment(0x1_0000));
        assert_eq!(error(&elf(0x1_0000, &[CODE, (0x1_0004, 6, 4, &[])])), Error::Segment(0x1_0004));
        assert_eq!(error(&elf(0x1_0000, &[CODE, (0xffff_fff0, 6, 0x20, &[])])), Error::Segment(0xffff_fff0));
        assert_eq!(error(&elf(0x1_0000, &[CODE, (0x2_0000, 6, 2, &[0; 4])])), Error::Segment(0x2_0000));
        assert_eq!(error(&good[..good.len() - 1]), Error::Segment(0x1_0000));
    }

    proptest! {
        #[test]
        fn any_change_is_taken_or_refused_without_panic(changes in prop::collection::vec((0usize..120, any::<u8>()), 1..6)) {
            let mut file = elf(0x1_0000, &[CODE, DATA]);
            for (at, value) in changes {
                let at = at % file.len();
                file[at] = value;
            }
            if let Ok(executable) = Executable::new(&file) {
                for segment in executable.segments() {
                    prop_assert!(segment.address.checked_add(segment.size).is_some());
                    prop_assert!(segment.bytes.len() <= segment.size as usize);
                }
            }
        }
    }
}
