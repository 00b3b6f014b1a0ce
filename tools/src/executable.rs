//! ELF files: stripped to what is loaded, and written.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use object::{
    Endianness, Object, ObjectSymbol, elf,
    write::elf::{FileHeader, ProgramHeader, Writer},
};
use wire::{
    executable::{self, Executable, Segment},
    layout::PAGE,
};

/// EABI version 5, software floating point (ELF for the ARM Architecture, 4.2).
const FLAGS: u32 = elf::EF_ARM_EABI_VER5 | elf::EF_ARM_ABI_FLOAT_SOFT;

/// Why a file is not taken as an executable.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is something else.
    #[error("{name} is {reason}")]
    Refused {
        /// What it was to be: `kernel`, `core`, or a program's name.
        name: String,
        /// What it is instead.
        reason: executable::Error,
    },
    /// It could not be written as ELF.
    #[error("{name} cannot be written as ELF: {reason}")]
    Unwritable {
        /// What it was to be.
        name: String,
        /// What the writer says.
        reason: String,
    },
}

/// Reads a file whole.
///
/// # Errors
/// As of the operating system.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::Unreadable { path: path.into(), source })
}

/// Checks that `file` is an executable for the board; `name` is for messages.
///
/// # Errors
/// It is not, and why.
pub fn check<'a>(name: &str, file: &'a [u8]) -> Result<Executable<'a>, Error> {
    executable::open(file).map_err(|reason| Error::Refused { name: name.into(), reason })
}

/// A new ELF file with only what is loaded, equal for equal content wherever it was built.
///
/// # Errors
/// `file` is no executable for the board.
pub fn strip(name: &str, file: &[u8]) -> Result<Vec<u8>, Error> {
    let executable = check(name, file)?;
    write(name, executable.entry(), executable.segments())
}

/// Writes an ELF file of segments. Each starts in the file at an offset that is congruent to its address modulo the
/// page size, on pages of its own, and what follows it on its last page is zero, so that pages of the file can be mapped
/// and copied as they are.
///
/// # Errors
/// It would not be one.
pub fn write<'a>(name: &str, entry: u32, segments: impl IntoIterator<Item = Segment<'a>>) -> Result<Vec<u8>, Error> {
    let segments: Vec<_> = segments.into_iter().collect();
    let mut bytes = Vec::new();
    let mut writer = Writer::new(Endianness::Little, false, &mut bytes);
    let unwritable = |reason: String| Error::Unwritable { name: name.into(), reason };
    let count = u32::try_from(segments.len()).map_err(|error| unwritable(error.to_string()))?;
    writer.reserve_file_header();
    writer.reserve_program_headers(count);
    let offsets: Vec<_> = segments
        .iter()
        .map(|segment| {
            if !segment.bytes.is_empty() {
                let page_start = writer.reserve(0, PAGE as usize);
                writer.reserve_until(page_start + (segment.address % PAGE) as usize);
            }
            writer.reserve(segment.bytes.len(), 1)
        })
        .collect();
    let end = writer.reserve(0, PAGE as usize);
    let header = FileHeader {
        os_abi: elf::ELFOSABI_NONE,
        abi_version: 0,
        e_type: elf::ET_EXEC,
        e_machine: elf::EM_ARM,
        e_entry: entry.into(),
        e_flags: FLAGS,
    };
    writer.write_file_header(&header).map_err(|error| unwritable(error.to_string()))?;
    writer.write_align_program_headers();
    for (segment, &offset) in segments.iter().zip(&offsets) {
        let flag = |set, flag| if set { flag } else { 0 };
        writer.write_program_header(&ProgramHeader {
            p_type: elf::PT_LOAD,
            p_flags: elf::PF_R | flag(segment.writable, elf::PF_W) | flag(segment.executable, elf::PF_X),
            p_offset: offset as u64,
            p_vaddr: segment.address.into(),
            p_paddr: segment.physical.into(),
            p_filesz: segment.bytes.len() as u64,
            p_memsz: segment.size.into(),
            p_align: if segment.bytes.is_empty() { 1 } else { PAGE.into() },
        });
    }
    for (segment, &offset) in segments.iter().zip(&offsets) {
        if !segment.bytes.is_empty() {
            writer.pad_until(offset);
            writer.write(segment.bytes);
        }
    }
    writer.pad_until(end);
    Ok(bytes)
}

/// The address of a symbol, if the file has it.
pub fn symbol(file: &[u8], name: &str) -> Option<u32> {
    let file = object::File::parse(file).ok()?;
    let symbol = file.symbols().find(|symbol| symbol.name() == Ok(name))?;
    u32::try_from(symbol.address()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn segment(address: u32, bytes: &[u8], size: u32, executable: bool) -> Segment<'_> {
        Segment { address, physical: address ^ 0x8000_0000, size, bytes, writable: !executable, executable }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let data = vec![7; 5000];
        let segments = [
            segment(0x1_0010, &[1; 8], 8, true),
            segment(0x2_0ff8, &data, 9000, false),
            segment(0x4_0000, &[], 100, false),
        ];
        let file = write("test", 0x1_0014, segments).unwrap();
        let executable = check("test", &file).unwrap();
        assert_eq!(executable.entry(), 0x1_0014);
        assert_eq!(executable.segments().collect::<Vec<_>>(), segments);
        assert_eq!(strip("test", &file).unwrap(), file, "stripping is idempotent");
        assert!(file.len().is_multiple_of(PAGE as usize) && file[file.len() - 100..].iter().all(|&byte| byte == 0));
        for header in object::read::elf::ElfFile32::<Endianness>::parse(file.as_slice()).unwrap().elf_program_headers()
        {
            let (offset, address) = (header.p_offset.get(Endianness::Little), header.p_vaddr.get(Endianness::Little));
            assert!(header.p_filesz.get(Endianness::Little) == 0 || offset % PAGE == address % PAGE);
        }
    }

    #[test]
    fn what_is_not_loaded_does_not_count() {
        let file = write("test", 0x1_0000, [segment(0x1_0000, &[1; 8], 8, true)]).unwrap();
        let mut longer = file.clone();
        longer.extend(b"debug information");
        assert_eq!(strip("test", &longer).unwrap(), file);
    }

    #[test]
    fn foreign_files_are_refused_by_name() {
        let host = fs::read(std::env::current_exe().unwrap()).unwrap();
        let error = strip("hello", &host).unwrap_err().to_string();
        assert!(error.starts_with("hello is an ELF file for another machine"), "{error}");
        let error = strip("hello", b"").unwrap_err().to_string();
        assert_eq!(error, "hello is no ELF file, or a damaged one");
        let error = read(Path::new("no/such/file")).unwrap_err().to_string();
        assert!(error.starts_with("cannot read no/such/file"), "{error}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_or_refused_without_panic(
            changes in prop::collection::vec((0usize..200, any::<u8>()), 0..8), length in 0usize..300
        ) {
            let mut file = write("test", 0x1_0000, [segment(0x1_0000, &[1; 8], 8, true)]).unwrap();
            for (at, value) in changes {
                let at = at % file.len();
                file[at] = value;
            }
            file.truncate(length.max(1) * file.len() / 300);
            let _ = strip("x", &file);
            let _ = symbol(&file, "x");
        }
    }
}
