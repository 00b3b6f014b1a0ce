//! Header and directory: what is checked before anything else is looked at.

use core::fmt;

use base::session::pd::PAGE;
use crc::{CRC_32_ISO_HDLC, Crc, Table};

use super::{fault::Fault, section::Section, section::TABLE};

/// First bytes of an image. A transfer as text changes them.
pub const MAGIC: [u8; 8] = *b"\x89RTCR\r\n\x1a";
/// ELF machine number of 32-bit ARM.
pub const ARM: u16 = 40;
/// What this version writes.
pub const VERSION: Version = Version { major: 1, minor: 0 };
/// Most sections that an image can have.
pub const MAX_SECTIONS: usize = 32;

/// Bytes of the fixed part.
pub(super) const FIXED: usize = 32;
/// Bytes of an entry of the directory.
pub(super) const ENTRY: usize = 16;
/// Where the fixed part's checksum is.
const CHECKSUM: core::ops::Range<usize> = 20..24;
const REQUIRED: u16 = 1;

/// Checksum of all parts. Sixteen bytes at a time: a page costs a third of what it does byte by byte, for 16 KiB of tables.
pub(super) static CRC: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);

/// A checksum on its way.
pub(super) type Digest = crc::Digest<'static, u32, Table<16>>;

/// The checksum of these bytes.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    CRC.checksum(bytes)
}

/// Header and directory, as bytes.
pub(super) type HeaderBytes = heapless::Vec<u8, { FIXED + MAX_SECTIONS * ENTRY }>;

/// Version of the format. What a reader of the same major version does not know, it can skip, or is told that it cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Of the rules.
    pub major: u16,
    /// What was added.
    pub minor: u16,
}

impl Version {
    /// Whether there may be what is not known here.
    fn is_newer(self) -> bool {
        self > VERSION
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// What an image says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Of the format.
    pub version: Version,
    /// ELF machine number.
    pub machine: u16,
    /// Of the image, header included, in bytes.
    pub length: u64,
    /// The directory.
    pub sections: heapless::Vec<Entry, MAX_SECTIONS>,
}

/// A section, as the directory tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which.
    pub kind: u16,
    /// Who does not know it cannot read the image.
    pub required: bool,
    /// Of its body.
    pub checksum: u32,
    /// Of its body, in bytes.
    pub length: u64,
}

impl Header {
    /// Of an image of these sections.
    pub(super) fn new(machine: u16, sections: [Entry; TABLE.len()]) -> Self {
        let sections: heapless::Vec<_, MAX_SECTIONS> = sections.into_iter().collect();
        let bodies: u64 = sections.iter().map(|entry| entry.length).sum();
        let length = (FIXED + sections.len() * ENTRY) as u64 + bodies;
        Self { version: VERSION, machine, length, sections }
    }

    /// The entry of a section, if there is one.
    pub fn entry(&self, section: Section) -> Option<&Entry> {
        self.sections.iter().find(|entry| entry.kind == section.kind())
    }

    /// Where the body of a section begins.
    pub fn offset(&self, section: Section) -> u64 {
        let before = self.sections.iter().take_while(|entry| entry.kind != section.kind());
        (FIXED + self.sections.len() * ENTRY) as u64 + before.map(|entry| entry.length).sum::<u64>()
    }

    pub(super) fn bytes(&self) -> HeaderBytes {
        let mut bytes = HeaderBytes::new();
        // There is room for all sections that there can be.
        let mut put = |part: &[u8]| _ = bytes.extend_from_slice(part);
        put(&MAGIC);
        put(&self.version.major.to_le_bytes());
        put(&self.version.minor.to_le_bytes());
        put(&self.machine.to_le_bytes());
        put(&(self.sections.len() as u16).to_le_bytes());
        put(&PAGE.to_le_bytes());
        put(&[0; 4]);
        put(&self.length.to_le_bytes());
        for entry in &self.sections {
            put(&entry.kind.to_le_bytes());
            put(&if entry.required { REQUIRED } else { 0 }.to_le_bytes());
            put(&entry.checksum.to_le_bytes());
            put(&entry.length.to_le_bytes());
        }
        let checksum = checksum(&bytes);
        if let Some(place) = bytes.get_mut(CHECKSUM) {
            place.copy_from_slice(&checksum.to_le_bytes());
        }
        bytes
    }

    /// How many bytes of directory follow the fixed part: all that can be told before the checksum is.
    pub(super) fn directory_size(fixed: &[u8; FIXED]) -> Result<usize, Fault> {
        if fixed[..8] != MAGIC {
            return Err(Fault::Magic);
        }
        let (major, minor) = (u16_at(fixed, 8), u16_at(fixed, 10));
        if major != VERSION.major {
            return Err(Fault::Version { major, minor });
        }
        let sections = u16_at(fixed, 14);
        match usize::from(sections) {
            0 => Err(Fault::Sections(0)),
            count if count > MAX_SECTIONS => Err(Fault::Sections(sections)),
            count => Ok(count * ENTRY),
        }
    }

    /// What these bytes say. They are as many as [`directory_size`](Self::directory_size) has asked for.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        if checksum(bytes).to_le_bytes() != bytes[CHECKSUM] {
            return Err(Fault::HeaderChecksum);
        }
        let version = Version { major: u16_at(bytes, 8), minor: u16_at(bytes, 10) };
        let machine = u16_at(bytes, 12);
        if machine != ARM {
            return Err(Fault::Architecture(machine));
        }
        let page = u32_at(bytes, 16);
        if page != PAGE {
            return Err(Fault::PageSize(page));
        }
        let (mut sections, mut length) = (heapless::Vec::new(), Some(bytes.len() as u64));
        for entry in bytes[FIXED..].chunks_exact(ENTRY) {
            let (kind, flags) = (u16_at(entry, 0), u16_at(entry, 2));
            let entry =
                Entry { kind, required: flags & REQUIRED != 0, checksum: u32_at(entry, 4), length: u64_at(entry, 8) };
            if sections.last().is_some_and(|last: &Entry| last.kind >= kind) {
                return Err(Fault::SectionOrder(kind));
            }
            // What a section of this version or an earlier one is called is known here.
            match Section::described(kind) {
                None if entry.required || !version.is_newer() => return Err(Fault::Unknown(kind)),
                Some(known) if known.required != entry.required => return Err(Fault::SectionFlags(kind)),
                _ if flags & !REQUIRED != 0 => return Err(Fault::SectionFlags(kind)),
                _ => {}
            }
            length = length.and_then(|length| length.checked_add(entry.length));
            _ = sections.push(entry);
        }
        let header = Self { version, machine, length: u64_at(bytes, 24), sections };
        if let Some(missing) = TABLE.iter().find(|known| known.required && header.entry(known.section).is_none()) {
            return Err(Fault::Missing(missing.section));
        }
        if length != Some(header.length) {
            return Err(Fault::Length { told: header.length, made: length });
        }
        Ok(header)
    }
}

/// Of header and directory but for the checksum itself.
fn checksum(bytes: &[u8]) -> u32 {
    let mut digest = CRC.digest();
    digest.update(&bytes[..CHECKSUM.start]);
    digest.update(&bytes[CHECKSUM.end..]);
    digest.finalize()
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    core::array::from_fn(|place| bytes[at + place])
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array(bytes, at))
}
