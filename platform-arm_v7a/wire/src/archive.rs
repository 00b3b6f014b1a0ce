//! Named files in one block of bytes.
//!
//! ```text
//! 0   magic "RTCRBOOT"
//! 8   version       u32, little endian like all numbers here
//! 12  files         u32
//! 16  length        u32, of the whole archive, a multiple of the page size
//! 20  checksum      u32, CRC-32/ISO-HDLC of everything from byte 24 on
//! 24  reserved, zero
//! 32  one entry of 64 bytes per file: name[48], zero-padded; offset u32; length u32; reserved, zero
//! ..  the files, each starting at a page boundary, zeros between
//! ```
//!
//! Files start at page boundaries so that a module's frames could be mapped into a component as they are; core copies
//! them today. Equal files in equal order give equal bytes.

use core::fmt;

use crc::{CRC_32_ISO_HDLC, Crc};

/// Version of the format; readers refuse others.
pub const VERSION: u32 = 1;
/// Longest name of a file in bytes.
pub const MAX_NAME: usize = 48;

const MAGIC: [u8; 8] = *b"RTCRBOOT";
/// Size of the header in bytes.
pub const HEADER: usize = 32;
const CHECKED_FROM: usize = 24;
const ENTRY: usize = 64;
const PAGE: usize = crate::layout::PAGE as usize;
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// A checked archive: every accessor stays inside its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Archive<'a> {
    bytes: &'a [u8],
    files: usize,
}

/// One file of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where it starts in the archive; a multiple of the page size.
    pub offset: usize,
    /// Its content.
    pub bytes: &'a [u8],
}

/// Why bytes are no archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Shorter than its header or than it says it is.
    Truncated,
    /// Something else altogether.
    Magic,
    /// Written by another version of the tool.
    Version(u32),
    /// Content and checksum differ.
    Checksum {
        /// What the header says.
        stored: u32,
        /// What the content gives.
        computed: u32,
    },
    /// An entry whose name, offset or length is impossible.
    Entry(usize),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => write!(f, "the boot archive is truncated"),
            Self::Magic => write!(f, "no boot archive found (wrong magic)"),
            Self::Version(found) => write!(f, "boot archive of version {found}; this reads version {VERSION}"),
            Self::Checksum { stored, computed } => {
                write!(f, "the boot archive is damaged (checksum {computed:08x}, expected {stored:08x})")
            }
            Self::Entry(index) => write!(f, "entry {index} of the boot archive is impossible"),
        }
    }
}

impl core::error::Error for Error {}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

impl<'a> Archive<'a> {
    /// Length in bytes that the archive starting at `header` says it has, so that a reader knows how much to look at.
    ///
    /// # Errors
    /// `header` is shorter than [`HEADER`], no archive, or of another version.
    pub fn stated_length(header: &[u8]) -> Result<usize, Error> {
        if header.len() < HEADER {
            return Err(Error::Truncated);
        }
        if header[..8] != MAGIC {
            return Err(Error::Magic);
        }
        match word(header, 8) {
            Some(VERSION) => word(header, 16).map(|length| length as usize).ok_or(Error::Truncated),
            version => Err(Error::Version(version.unwrap_or(0))),
        }
    }

    /// Checks header, checksum and every entry. Bytes after the stated length are ignored.
    ///
    /// # Errors
    /// Names the first thing that is wrong.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        let length = Self::stated_length(bytes)?;
        let bytes = bytes.get(..length).ok_or(Error::Truncated)?;
        let computed = CRC.checksum(bytes.get(CHECKED_FROM..).ok_or(Error::Truncated)?);
        let stored = word(bytes, 20).ok_or(Error::Truncated)?;
        if stored != computed {
            return Err(Error::Checksum { stored, computed });
        }
        let files = word(bytes, 12).ok_or(Error::Truncated)? as usize;
        let archive = Self { bytes, files };
        match (0..files).find(|&index| archive.file(index).is_none()) {
            Some(index) => Err(Error::Entry(index)),
            None => Ok(archive),
        }
    }

    /// The whole archive.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The file of that name.
    pub fn find(&self, name: &str) -> Option<File<'a>> {
        self.files().find(|file| file.name == name)
    }

    /// All files in order.
    pub fn files(&self) -> impl Iterator<Item = File<'a>> + use<'a> {
        let archive = *self;
        (0..self.files).filter_map(move |index| archive.file(index))
    }

    fn file(&self, index: usize) -> Option<File<'a>> {
        let at = index.checked_mul(ENTRY)?.checked_add(HEADER)?;
        let entry = self.bytes.get(at..at.checked_add(ENTRY)?)?;
        let name = &entry[..MAX_NAME];
        let end = name.iter().position(|&b| b == 0).unwrap_or(MAX_NAME);
        let name = core::str::from_utf8(&name[..end]).ok().filter(|name| !name.is_empty())?;
        let offset = word(entry, 48)? as usize;
        let length = word(entry, 52)? as usize;
        let bytes = self.bytes.get(offset..offset.checked_add(length)?)?;
        offset.is_multiple_of(PAGE).then_some(File { name, offset, bytes })
    }
}

/// Why files cannot become an archive.
#[cfg(feature = "write")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// A name that is empty, longer than [`MAX_NAME`], or used twice.
    Name(String),
    /// More than 4 GiB.
    TooLarge,
}

#[cfg(feature = "write")]
impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => {
                write!(f, "`{name}` cannot name a file in a boot archive (1 to {MAX_NAME} bytes, once)")
            }
            Self::TooLarge => write!(f, "the boot archive would exceed 4 GiB"),
        }
    }
}

#[cfg(feature = "write")]
impl core::error::Error for WriteError {}

/// Packs files in the given order.
///
/// # Errors
/// A name that cannot be stored or more than 4 GiB in all.
#[cfg(feature = "write")]
pub fn write(files: &[(&str, &[u8])]) -> Result<Vec<u8>, WriteError> {
    let mut bytes = vec![0; (HEADER + files.len() * ENTRY).next_multiple_of(PAGE)];
    for (index, (name, content)) in files.iter().enumerate() {
        let twice = files[..index].iter().any(|(other, _)| other == name);
        if name.is_empty() || name.len() > MAX_NAME || name.contains('\0') || twice {
            return Err(WriteError::Name((*name).to_owned()));
        }
        let offset = u32::try_from(bytes.len()).map_err(|_| WriteError::TooLarge)?;
        let length = u32::try_from(content.len()).map_err(|_| WriteError::TooLarge)?;
        let entry = &mut bytes[HEADER + index * ENTRY..][..ENTRY];
        entry[..name.len()].copy_from_slice(name.as_bytes());
        entry[48..52].copy_from_slice(&offset.to_le_bytes());
        entry[52..56].copy_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(PAGE), 0);
    }
    let length = u32::try_from(bytes.len()).map_err(|_| WriteError::TooLarge)?;
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[12..16].copy_from_slice(&(files.len() as u32).to_le_bytes());
    bytes[16..20].copy_from_slice(&length.to_le_bytes());
    let checksum = CRC.checksum(&bytes[CHECKED_FROM..]);
    bytes[20..24].copy_from_slice(&checksum.to_le_bytes());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rechecked(mut bytes: Vec<u8>) -> Vec<u8> {
        let checksum = CRC.checksum(&bytes[CHECKED_FROM..]);
        bytes[20..24].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    #[test]
    fn files_come_back() {
        let large = vec![7; 5000];
        let bytes = write(&[("kernel", b"abc"), ("empty", b""), ("large", &large)]).unwrap();
        assert_eq!(bytes.len() % PAGE, 0);
        let archive = Archive::new(&bytes).unwrap();
        assert_eq!(archive.files().map(|file| file.name).collect::<Vec<_>>(), ["kernel", "empty", "large"]);
        assert_eq!(archive.find("kernel").unwrap().bytes, b"abc");
        assert_eq!(archive.find("large").unwrap().bytes, large);
        assert_eq!(archive.find("empty").unwrap().bytes, b"");
        assert_eq!(archive.find("other"), None);
    }

    #[test]
    fn bad_names_are_refused() {
        let long = "x".repeat(MAX_NAME + 1);
        for files in [vec![("", "".as_bytes())], vec![(long.as_str(), b"")], vec![("a", b""), ("a", b"")]] {
            assert!(matches!(write(&files), Err(WriteError::Name(_))));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Archive::new(&bytes);
        }

        #[test]
        fn a_changed_header_or_entry_never_reaches_outside(at in 0usize..160, value: u8) {
            let mut bytes = write(&[("one", b"first"), ("two", b"second")]).unwrap();
            bytes[at] = value;
            for bytes in [bytes.clone(), rechecked(bytes)] {
                if let Ok(archive) = Archive::new(&bytes) {
                    for file in archive.files() {
                        prop_assert!(file.offset + file.bytes.len() <= bytes.len());
                    }
                }
            }
        }

        #[test]
        fn damage_is_noticed(at in 0usize..12000, bit in 0u8..8) {
            let mut bytes = write(&[("one", b"first"), ("two", &[3; 3000])]).unwrap();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            prop_assert!(Archive::new(&bytes).is_err());
        }
    }
}
