//! One section after the other, as it comes from a source: records, or plain bytes.

use alloc::{vec, vec::Vec};
use core::fmt;

use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Serialize};

use super::{
    Source,
    fault::Fault,
    header::{CRC, Digest, Entry, FIXED, Header},
    read::ReadError,
    record::MAX_RECORD,
    section::Section,
};

/// Bytes that are fetched at a time: a few records.
const WINDOW: usize = 4096;

const _: () = assert!(WINDOW >= 2 * MAX_RECORD);

/// What is still to be read of an image.
pub(super) struct Input<S> {
    source: S,
    /// Fetched and not looked at are `window[start..end]`.
    window: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes of the section that were not fetched yet.
    left: u64,
    digest: Digest,
    /// How many records of the section there were.
    records: u32,
}

impl<S: Source> Input<S> {
    pub fn new(source: S) -> Self {
        Self { source, window: vec![0; WINDOW], start: 0, end: 0, left: 0, digest: CRC.digest(), records: 0 }
    }

    /// Header and directory, which come first.
    pub fn header<P>(&mut self) -> Result<Header, ReadError<S::Error, P>> {
        let mut bytes = super::header::HeaderBytes::new();
        let mut fixed = [0; FIXED];
        fill(&mut self.source, &mut fixed)?;
        let directory = Header::directory_size(&fixed)?;
        // There is room for the largest directory.
        _ = bytes.extend_from_slice(&fixed);
        _ = bytes.resize(FIXED + directory, 0);
        fill(&mut self.source, &mut bytes[FIXED..])?;
        Ok(Header::parse(&bytes)?)
    }

    /// Reads a section. What is found wrong in it counts only if it is not damaged: that is said first.
    pub fn section<R, P>(
        &mut self,
        entry: &Entry,
        body: impl FnOnce(&mut Self) -> Result<R, ReadError<S::Error, P>>,
    ) -> Result<R, ReadError<S::Error, P>> {
        (self.start, self.end, self.left, self.records) = (0, 0, entry.length, 0);
        self.digest = CRC.digest();
        let result = body(self);
        if let Err(ReadError::Source(_) | ReadError::Pages(_) | ReadError::Fault(Fault::Truncated)) = result {
            return result;
        }
        let is_read = self.left == 0 && self.start == self.end;
        while self.left > 0 {
            (self.start, self.end) = (0, 0);
            self.fetch()?;
        }
        let digest = core::mem::replace(&mut self.digest, CRC.digest());
        let known = Section::described(entry.kind).map(|known| known.section);
        if digest.finalize() != entry.checksum {
            return Err(known.map_or(Fault::UnknownChecksum(entry.kind), Fault::Checksum).into());
        }
        match known {
            Some(section) if !is_read && result.is_ok() => {
                Err(Fault::Encoding { section, record: self.records }.into())
            }
            _ => result,
        }
    }

    /// The section's next record; none at its end.
    pub fn record<R, P>(&mut self, section: Section) -> Result<Option<R>, ReadError<S::Error, P>>
    where
        R: Serialize + for<'a> Deserialize<'a>,
    {
        if self.end - self.start < MAX_RECORD && self.left > 0 {
            self.window.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            self.fetch()?;
        }
        let bytes = &self.window[self.start..self.end];
        if bytes.is_empty() {
            return Ok(None);
        }
        let wrong = Fault::Encoding { section, record: self.records };
        let (record, rest) = postcard::take_from_bytes::<R>(bytes).map_err(|_| wrong)?;
        let length = bytes.len() - rest.len();
        // The same record has other encodings, which nobody writes.
        let same = postcard::serialize_with_flavor(&record, Same { expected: &bytes[..length] });
        if same != Ok(true) {
            return Err(wrong.into());
        }
        self.start += length;
        self.records = self.records.saturating_add(1);
        Ok(Some(record))
    }

    /// The section's next bytes, as they are. Not together with records.
    pub fn bytes<P>(&mut self, section: Section, to: &mut [u8]) -> Result<(), ReadError<S::Error, P>> {
        let wrong = Fault::Encoding { section, record: self.records };
        self.left = self.left.checked_sub(to.len() as u64).ok_or(wrong)?;
        fill(&mut self.source, to)?;
        self.digest.update(to);
        self.records = self.records.saturating_add(1);
        Ok(())
    }

    /// Fetches what there is room for.
    fn fetch<P>(&mut self) -> Result<(), ReadError<S::Error, P>> {
        let room = &mut self.window[self.end..];
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(room.len());
        fill(&mut self.source, &mut room[..count])?;
        self.digest.update(&room[..count]);
        self.left -= count as u64;
        self.end += count;
        Ok(())
    }

    /// The source, behind the last section.
    pub fn into_source(self) -> S {
        self.source
    }
}

impl<S> fmt::Debug for Input<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("left", &self.left).field("records", &self.records).finish_non_exhaustive()
    }
}

/// Reads so many bytes.
fn fill<S: Source, P>(source: &mut S, mut to: &mut [u8]) -> Result<(), ReadError<S::Error, P>> {
    while !to.is_empty() {
        let count = source.read(to).map_err(ReadError::Source)?;
        // None, or more than was asked for.
        if count == 0 || count > to.len() {
            return Err(Fault::Truncated.into());
        }
        to = &mut to[count..];
    }
    Ok(())
}

/// Compares what is encoded with what it was decoded from.
struct Same<'a> {
    expected: &'a [u8],
}

impl Flavor for Same<'_> {
    type Output = bool;

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        match self.expected {
            [next, rest @ ..] if *next == byte => {
                self.expected = rest;
                Ok(())
            }
            _ => Err(postcard::Error::SerializeBufferFull),
        }
    }

    fn finalize(self) -> postcard::Result<bool> {
        Ok(self.expected.is_empty())
    }
}
