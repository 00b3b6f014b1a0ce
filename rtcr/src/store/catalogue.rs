//! Superblock and records: which images there are, and where.

use alloc::{vec, vec::Vec};

use base::session::pd::PAGE;

use super::{Medium, OpenError};
use crate::image::crc32;

/// Most images in a store.
pub const MAX_IMAGES: usize = 64;
/// Bytes of the superblock.
pub(super) const SUPERBLOCK: usize = 32;
/// Bytes of a record.
pub(super) const RECORD: usize = 128;
/// Where the records begin.
pub(super) const CATALOGUE: u64 = PAGE as u64;
/// Where images begin.
pub(super) const DATA: u64 = CATALOGUE + (MAX_IMAGES * RECORD) as u64;

const MAGIC: [u8; 8] = *b"\x89RTCS\r\n\x1a";
const MAJOR: u16 = 1;
const MINOR: u16 = 0;
const NAME: usize = 32;

const _: () = assert!(DATA.is_multiple_of(PAGE as u64));

/// Name of a component.
pub type StoreName = heapless::String<NAME>;

/// The first bytes of a store.
pub(super) struct Superblock;

/// Why these bytes are no superblock.
pub(super) enum NoStore {
    Absent,
    Version { major: u16, minor: u16 },
    Size(u64),
}

impl Superblock {
    /// Of a store of that many bytes.
    pub fn bytes(size: u64) -> [u8; SUPERBLOCK] {
        let mut bytes = [0; SUPERBLOCK];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&MAJOR.to_le_bytes());
        bytes[10..12].copy_from_slice(&MINOR.to_le_bytes());
        bytes[12..16].copy_from_slice(&(MAX_IMAGES as u32).to_le_bytes());
        bytes[16..24].copy_from_slice(&size.to_le_bytes());
        let checksum = crc32(&bytes[..24]);
        bytes[24..28].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The size of the store that begins with these bytes.
    pub fn parse(bytes: &[u8; SUPERBLOCK]) -> Result<u64, NoStore> {
        if bytes[..8] != MAGIC || u32_at(bytes, 24) != crc32(&bytes[..24]) {
            return Err(NoStore::Absent);
        }
        let (major, minor) = (u16_at(bytes, 8), u16_at(bytes, 10));
        // Whoever reads a store also writes to it, and would break rules that it does not know.
        if (major, minor) != (MAJOR, MINOR) || u32_at(bytes, 12) != MAX_IMAGES as u32 {
            return Err(NoStore::Version { major, minor });
        }
        let size = u64_at(bytes, 16);
        if size < DATA { Err(NoStore::Size(size)) } else { Ok(size) }
    }
}

impl NoStore {
    /// On a medium of that many bytes.
    pub fn with<E>(self, medium: u64) -> OpenError<E> {
        match self {
            Self::Absent => OpenError::Absent,
            Self::Version { major, minor } => OpenError::Version { major, minor },
            Self::Size(told) => OpenError::Size { told, medium },
        }
    }
}

/// An image that is there as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Whose.
    pub name: StoreName,
    /// Number of the checkpoint.
    pub number: u32,
    /// The higher, the newer; of all that there ever were in the store.
    pub sequence: u64,
    /// Where it is.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
}

impl Kept {
    /// Its record.
    pub(super) fn bytes(&self) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        bytes[4..8].copy_from_slice(&self.number.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.offset.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.length.to_le_bytes());
        bytes[32..34].copy_from_slice(&(self.name.len() as u16).to_le_bytes());
        bytes[34..34 + self.name.len()].copy_from_slice(self.name.as_bytes());
        let checksum = crc32(&bytes[4..]);
        bytes[..4].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// What a record says; none if it is no record, or names what cannot be in a store of that size.
    pub(super) fn parse(bytes: &[u8; RECORD], size: u64) -> Option<Self> {
        if u32_at(bytes, 0) != crc32(&bytes[4..]) {
            return None;
        }
        let length = usize::from(u16_at(bytes, 32)).min(NAME + 1);
        let (name, rest) = bytes[34..].split_at_checked(length)?;
        let name = core::str::from_utf8(name).ok()?;
        let image = Self {
            name: StoreName::try_from(name).ok()?,
            number: u32_at(bytes, 4),
            sequence: u64_at(bytes, 8),
            offset: u64_at(bytes, 16),
            length: u64_at(bytes, 24),
        };
        let lies_inside = image.offset >= DATA
            && image.offset.is_multiple_of(PAGE.into())
            && image.offset.checked_add(image.length).is_some_and(|end| end <= size);
        (lies_inside && rest.iter().all(|byte| *byte == 0)).then_some(image)
    }
}

/// Where the record of that place is.
pub(super) const fn place(place: usize) -> u64 {
    CATALOGUE + (place * RECORD) as u64
}

/// The records, by their places.
#[derive(Debug)]
pub(super) struct Catalogue {
    /// [`MAX_IMAGES`] of them; not in place, since stacks are small.
    records: Vec<Option<Kept>>,
    /// Those of which nobody knows whether they are there, a bit for each place.
    doubtful: u64,
}

const _: () = assert!(MAX_IMAGES == u64::BITS as usize);

impl Default for Catalogue {
    fn default() -> Self {
        Self { records: vec![None; MAX_IMAGES], doubtful: 0 }
    }
}

impl Catalogue {
    /// What is on a medium. What is no record is a free place.
    pub fn read<M: Medium>(medium: &mut M, size: u64) -> Result<Self, M::Error> {
        let mut catalogue = Self::default();
        let mut bytes = [0; RECORD];
        for (number, record) in catalogue.records.iter_mut().enumerate() {
            medium.read(place(number), &mut bytes)?;
            *record = Kept::parse(&bytes, size);
        }
        Ok(catalogue)
    }

    /// Those that are there for certain, the newest first.
    pub fn images(&self) -> Vec<Kept> {
        let certain = self.records.iter().enumerate().filter(|(place, _)| self.doubtful >> place & 1 == 0);
        let mut images: Vec<_> = certain.filter_map(|(_, record)| record.clone()).collect();
        images.sort_by_key(|image| core::cmp::Reverse(image.sequence));
        images
    }

    /// Places of images that are not the newest of their component, the oldest first.
    pub fn superseded(&self) -> Vec<usize> {
        let (mut names, mut superseded) = (Vec::new(), Vec::new());
        for image in self.images() {
            match names.contains(&image.name) {
                true => superseded.extend(self.find(&image)),
                false => names.push(image.name),
            }
        }
        superseded.reverse();
        superseded
    }

    /// The place of an image.
    pub fn find(&self, image: &Kept) -> Option<usize> {
        self.records.iter().position(|record| record.as_ref() == Some(image))
    }

    /// A place without a record.
    pub fn free(&self) -> Option<usize> {
        self.records.iter().position(Option::is_none)
    }

    /// A place with a record of which nobody knows whether it is there.
    pub fn doubtful(&self) -> Option<usize> {
        (self.doubtful != 0).then(|| self.doubtful.trailing_zeros() as usize)
    }

    /// Nobody knows whether the record of that place is there, or somebody does.
    pub fn doubt(&mut self, place: usize, doubtful: bool) {
        let bit = 1 << place;
        self.doubtful = if doubtful { self.doubtful | bit } else { self.doubtful & !bit };
    }

    /// A record was written, or will be.
    pub fn set(&mut self, place: usize, image: &Kept) {
        self.records[place] = Some(image.clone());
    }

    /// A record was erased.
    pub fn clear(&mut self, place: usize) {
        self.records[place] = None;
        self.doubt(place, false);
    }

    /// What is taken by images of these places.
    pub fn extents(&self, counts: impl Fn(usize) -> bool) -> impl Iterator<Item = (u64, u64)> {
        let records = self.records.iter().enumerate().filter(move |(place, _)| counts(*place));
        records.filter_map(|(_, record)| record.as_ref().map(|image| (image.offset, image.length)))
    }

    /// The next image's sequence; none if there can be none.
    pub fn next_sequence(&self) -> Option<u64> {
        let newest = self.records.iter().flatten().map(|image| image.sequence).max();
        newest.unwrap_or(0).checked_add(1)
    }
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
