//! Executables: what tool, loader and parents accept as one.
//!
//! A file is checked as a whole by [`Executable::new`]; afterwards every segment lies inside the file, segments ascend
//! without overlap or wrap-around, and the entry point lies in one that is executable. Whether the addresses suit the
//! purpose is up to whoever places them.
//!
//! Who places pages of the file as they are needs its beginning only: [`Layout::new`] checks as much, and tells where in
//! the file each segment is. [`Piece::pages`] says whether that can be done.

use core::{fmt, ops::Range};

use elf::{ElfBytes, abi, endian::LittleEndian, file::Class, segment::ProgramHeader};

use crate::session::pd::PAGE;

/// As many bytes from the beginning of a file hold all its headers, if the tool wrote it and it has at most 30 segments.
pub const HEADERS: usize = 1024;

/// A checked, statically linked ELF32 executable.
#[derive(Debug)]
pub struct Executable<'a> {
    bytes: &'a [u8],
    layout: Layout<'a>,
}

/// What the headers of an executable say.
#[derive(Debug)]
pub struct Layout<'a> {
    file: ElfBytes<'a, LittleEndian>,
    /// Size of the file in bytes.
    length: u32,
    entry: u32,
    extent: Range<u32>,
}

/// A piece of memory that an executable asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Where it is to appear.
    pub address: u32,
    /// Where it is to lie physically; only those of kernels and loaders differ from `address`.
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

/// The same by its place in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where it is to appear.
    pub address: u32,
    /// Where it is to lie physically.
    pub physical: u32,
    /// Its size in bytes; what is beyond `filled` is zero.
    pub size: u32,
    /// Where its content begins in the file.
    pub offset: u32,
    /// Size of its content in bytes.
    pub filled: u32,
    /// It may be written.
    pub writable: bool,
    /// It may be executed.
    pub executable: bool,
}

/// A piece in whole pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pages {
    /// How many it has in all.
    pub count: u32,
    /// The first page of the file that holds its content.
    pub from: u32,
    /// How many of the file's pages do; the others are zero.
    pub filled: u32,
}

impl Piece {
    /// Its pages; none if it does not begin at a page boundary, in memory as in the file. That what follows its content
    /// on the last page is zero is up to whoever wrote the file.
    pub fn pages(&self) -> Option<Pages> {
        let aligned = self.address.is_multiple_of(PAGE) && (self.filled == 0 || self.offset.is_multiple_of(PAGE));
        aligned.then_some(Pages {
            count: self.size.div_ceil(PAGE),
            from: self.offset / PAGE,
            filled: self.filled.div_ceil(PAGE),
        })
    }
}

/// Why bytes are no executable for this machine.
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
    /// The entry point, which lies in no executable segment or is at no whole instruction.
    Entry(u32),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotElf => write!(f, "no ELF file, or a damaged one"),
            Self::Foreign(machine) => {
                write!(
                    f,
                    "an ELF file for another machine (e_machine {machine}); the system runs on armv7a-none-eabi (ELF32, 40)"
                )
            }
            Self::NotStatic => {
                write!(f, "not a statically linked executable (ET_EXEC without PT_DYNAMIC or PT_INTERP)")
            }
            Self::Empty => write!(f, "an executable without anything to load"),
            Self::Segment(address) => write!(f, "an impossible segment at {address:#010x}"),
            Self::Entry(entry) => write!(f, "an entry point, {entry:#010x}, that is no code of the file"),
        }
    }
}

impl core::error::Error for Error {}

impl<'a> Executable<'a> {
    /// Checks a file for the processor of that number (`e_machine`). Cost: proportional to the number of its segments.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn new(bytes: &'a [u8], machine: u16) -> Result<Self, Error> {
        let length = u32::try_from(bytes.len()).map_err(|_| Error::NotElf)?;
        Ok(Self { bytes, layout: Layout::new(bytes, length, machine)? })
    }

    /// Where it starts.
    pub fn entry(&self) -> u32 {
        self.layout.entry
    }

    /// From the lowest to the highest address that it asks for.
    pub fn extent(&self) -> Range<u32> {
        self.layout.extent.clone()
    }

    /// What is to be loaded, in ascending order.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'a>> + '_ {
        self.layout.pieces().map(|piece| {
            let Piece { address, physical, size, offset, filled, writable, executable } = piece;
            // Checked: it lies in the file.
            let bytes = self.bytes.get(offset as usize..(offset + filled) as usize).unwrap_or_default();
            Segment { address, physical, size, bytes, writable, executable }
        })
    }
}

impl<'a> Layout<'a> {
    /// Checks the headers of a file of `length` bytes, of which `head` is the beginning.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn new(head: &'a [u8], length: u32, machine: u16) -> Result<Self, Error> {
        // The parser is fixed to one byte order, so that a foreign one is told here.
        match (head.get(..4), head.get(abi::EI_DATA)) {
            (Some(b"\x7fELF"), Some(&abi::ELFDATA2LSB)) => {}
            (Some(b"\x7fELF"), Some(_)) => return Err(Error::Foreign(0)),
            _ => return Err(Error::NotElf),
        }
        let file = ElfBytes::<LittleEndian>::minimal_parse(head).map_err(|_| Error::NotElf)?;
        if file.ehdr.class != Class::ELF32 || file.ehdr.e_machine != machine {
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
            let piece = piece(&header, length).ok_or(Error::Segment(address))?;
            let end = address + piece.size;
            match &mut extent {
                Some(extent) if extent.end > address => return Err(Error::Segment(address)),
                Some(extent) => extent.end = end,
                None => extent = Some(address..end),
            }
        }
        let entry = u32::try_from(file.ehdr.e_entry).map_err(|_| Error::NotElf)?;
        let layout = Self { file, length, entry, extent: extent.ok_or(Error::Empty)? };
        let in_code = |p: Piece| p.executable && (p.address..p.address + p.size).contains(&entry);
        if !entry.is_multiple_of(4) || !layout.pieces().any(in_code) {
            return Err(Error::Entry(entry));
        }
        Ok(layout)
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
    pub fn pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        loadable(&self.file).filter_map(|header| piece(&header, self.length))
    }
}

fn loadable<'f>(file: &'f ElfBytes<'_, LittleEndian>) -> impl Iterator<Item = ProgramHeader> + 'f {
    let headers = file.segments();
    headers.into_iter().flat_map(|headers| headers.iter()).filter(|h| h.p_type == abi::PT_LOAD && h.p_memsz > 0)
}

/// The segment of a header; none if it does not fit a file of so many bytes or the address space.
fn piece(header: &ProgramHeader, length: u32) -> Option<Piece> {
    let address = u32::try_from(header.p_vaddr).ok()?;
    let physical = u32::try_from(header.p_paddr).ok()?;
    let size = u32::try_from(header.p_memsz).ok()?;
    let offset = u32::try_from(header.p_offset).ok()?;
    let filled = u32::try_from(header.p_filesz).ok()?;
    let fits = filled <= size
        && offset.checked_add(filled).is_some_and(|end| end <= length)
        && address.checked_add(size).is_some()
        && physical.checked_add(size).is_some();
    fits.then_some(Piece {
        address,
        physical,
        size,
        offset,
        filled,
        writable: header.p_flags & abi::PF_W != 0,
        executable: header.p_flags & abi::PF_X != 0,
    })
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    use crate::elf_file::elf;

    const ARM: u16 = 40;

    fn open(file: &[u8]) -> Result<Executable<'_>, Error> {
        Executable::new(file, ARM)
    }

    const CODE: (u32, u32, u32, &[u8]) = (0x1_0000, 5, 8, &[1; 8]);
    const DATA: (u32, u32, u32, &[u8]) = (0x2_0000, 6, 100, &[2; 4]);

    #[test]
    fn a_good_file_is_taken_apart() {
        let file = elf(0x1_0004, &[CODE, DATA]);
        let executable = open(&file).unwrap();
        assert_eq!(executable.entry(), 0x1_0004);
        assert_eq!(executable.extent(), 0x1_0000..0x2_0064);
        let data = executable.segments().nth(1).unwrap();
        assert_eq!((data.bytes, data.size, data.writable, data.executable), (&[2; 4][..], 100, true, false));
    }

    #[test]
    fn each_fault_is_named() {
        let error = |file: &[u8]| open(file).unwrap_err();
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

    #[test]
    fn the_headers_tell_where_each_segment_is() {
        let mut file = elf(0x1_0000, &[CODE, DATA]);
        let length = file.len() as u32;
        let layout = Layout::new(&file[..52 + 64], length, ARM).unwrap();
        let pieces: Vec<_> = layout.pieces().collect();
        assert_eq!((pieces[0].offset, pieces[0].filled, pieces[0].pages()), (116, 8, None));
        assert_eq!((pieces[1].offset, pieces[1].filled, pieces[1].size), (124, 4, 100));
        assert_eq!((layout.entry(), layout.extent()), (0x1_0000, 0x1_0000..0x2_0064));
        assert!(Layout::new(&file[..52 + 63], length, ARM).is_err());
        assert_eq!(Layout::new(&file[..52 + 64], length - 1, ARM).unwrap_err(), Error::Segment(0x2_0000));
        // The first segment's offset.
        file[56..60].copy_from_slice(&0x2000u32.to_le_bytes());
        let layout = Layout::new(&file, 0x2008, ARM).unwrap();
        let pages = layout.pieces().next().unwrap().pages();
        assert_eq!(pages, Some(Pages { count: 1, from: 2, filled: 1 }));
    }

    proptest! {
        #[test]
        fn any_change_is_taken_or_refused_without_panic(changes in prop::collection::vec((0usize..120, any::<u8>()), 1..6)) {
            let mut file = elf(0x1_0000, &[CODE, DATA]);
            for (at, value) in changes {
                let at = at % file.len();
                file[at] = value;
            }
            if let Ok(executable) = open(&file) {
                for segment in executable.segments() {
                    prop_assert!(segment.address.checked_add(segment.size).is_some());
                    prop_assert!(segment.bytes.len() <= segment.size as usize);
                }
            }
        }
    }
}
