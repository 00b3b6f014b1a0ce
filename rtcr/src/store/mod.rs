//! Images that are kept where they outlive the system: in memory that survives a restart, or on any medium that is read and
//! written at an offset.
//!
//! The format is described in `docs/src/reference/image-store.md`. An image is there when its record is, and a record is written
//! last: whatever is cut off, and whenever, each image is there as a whole or not at all, and one that is superseded is not
//! touched before its successor is there.
//!
//! * [`Medium`]: what images are kept on.
//! * [`Store`]: the images; [`Store::put`] writes one as it comes, [`Store::read`] gives one in order.

mod catalogue;
mod medium;
mod room;

use alloc::vec::Vec;
use core::fmt;

pub use catalogue::{Kept, MAX_IMAGES, StoreName};
pub use medium::{Medium, MemoryMedium};

use crate::image::{Sink, Source};
use catalogue::{CATALOGUE, Catalogue, DATA, NoStore, SUPERBLOCK, Superblock};
use room::Room;

/// Why there is no store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError<E> {
    /// The medium fails.
    Medium(E),
    /// There is none: the medium has not begun with one, or the making of one was cut off.
    Absent,
    /// There are images, but what the store says of itself is damaged.
    Damaged,
    /// It is of a version that is not known here.
    Version {
        /// Its major version.
        major: u16,
        /// Its minor version.
        minor: u16,
    },
    /// It says that it is larger than the medium, or too small to be one.
    Size {
        /// What it says.
        told: u64,
        /// What there is.
        medium: u64,
    },
}

impl<E: fmt::Debug> fmt::Display for OpenError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Medium(error) => write!(f, "the store cannot be read: {error:?}"),
            Self::Absent => write!(f, "there is no store"),
            Self::Damaged => write!(f, "the store is damaged where it begins"),
            Self::Version { major, minor } => {
                write!(f, "the store has version {major}.{minor}, which is not known here")
            }
            Self::Size { told, medium } => write!(f, "the store has {told} bytes, and the medium {medium}"),
        }
    }
}

/// Why an image was not stored. Those that are there are as they were, but for superseded ones that may have gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutError<E> {
    /// The medium fails.
    Medium(E),
    /// There is no room in one piece beside the newest image of each component.
    Full {
        /// Bytes that the image has.
        needed: u64,
        /// Bytes that can be had.
        available: u64,
    },
    /// All places for records are taken by the newest images of components.
    Places,
    /// The name is longer than names are.
    Name,
    /// There have been as many images as can be numbered.
    Sequence,
    /// More or fewer bytes have come than were announced.
    Length,
}

impl<E: fmt::Debug> fmt::Display for PutError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Medium(error) => write!(f, "the store fails: {error:?}"),
            Self::Full { needed, available } => {
                write!(f, "the store is full: the image has {needed} bytes, and there is room for {available}")
            }
            Self::Places => write!(f, "the store has no place for another component's image"),
            Self::Name => write!(f, "the component's name is too long for the store"),
            Self::Sequence => write!(f, "the store has counted to its end"),
            Self::Length => write!(f, "the image is not as long as it was to be"),
        }
    }
}

impl<E> From<E> for PutError<E> {
    fn from(error: E) -> Self {
        Self::Medium(error)
    }
}

/// An image that is to be stored.
#[derive(Clone, Copy, Debug)]
pub struct Announced<'a> {
    /// Whose.
    pub name: &'a str,
    /// Number of the checkpoint.
    pub number: u32,
    /// Its length in bytes.
    pub length: u64,
    /// How many images of that component there are to be when it is there, itself included; at least one.
    pub keep: usize,
}

/// The images on a medium. What it knows of them is what lies there, but for records of which nobody knows whether they do.
#[derive(Debug)]
pub struct Store<M> {
    medium: M,
    size: u64,
    catalogue: Catalogue,
}

impl<M: Medium> Store<M> {
    /// The store that there is.
    ///
    /// # Errors
    /// There is none that can be used. Nothing was written.
    pub fn open(mut medium: M) -> Result<Self, OpenError<M::Error>> {
        let mut bytes = [0; SUPERBLOCK];
        if medium.size() < DATA {
            return Err(OpenError::Absent);
        }
        medium.read(0, &mut bytes).map_err(OpenError::Medium)?;
        let size = match Superblock::parse(&bytes) {
            // A store that is being made has no image before its superblock is whole.
            Err(NoStore::Absent) => {
                let catalogue = Catalogue::read(&mut medium, u64::MAX).map_err(OpenError::Medium)?;
                return Err(if catalogue.images().is_empty() { OpenError::Absent } else { OpenError::Damaged });
            }
            size => size.map_err(|wrong| wrong.with(medium.size()))?,
        };
        if size > medium.size() {
            return Err(OpenError::Size { told: size, medium: medium.size() });
        }
        let catalogue = Catalogue::read(&mut medium, size).map_err(OpenError::Medium)?;
        Ok(Self { medium, size, catalogue })
    }

    /// An empty store on all of the medium, whatever is there. Cut off, there is none.
    ///
    /// # Errors
    /// The medium fails, or is too small.
    pub fn format(mut medium: M) -> Result<Self, OpenError<M::Error>> {
        let size = medium.size();
        if size < DATA {
            return Err(OpenError::Size { told: size, medium: size });
        }
        let mut format = || {
            medium.write(0, &[0; SUPERBLOCK])?;
            medium.flush()?;
            for place in 0..MAX_IMAGES {
                medium.write(CATALOGUE + (place * catalogue::RECORD) as u64, &[0; catalogue::RECORD])?;
            }
            medium.flush()?;
            medium.write(0, &Superblock::bytes(size))?;
            medium.flush()
        };
        format().map_err(OpenError::Medium)?;
        Ok(Self { medium, size, catalogue: Catalogue::default() })
    }

    /// The store that there is, or an empty one if there is none.
    ///
    /// # Errors
    /// The medium fails, or there is a store that cannot be used; that is left as it is.
    pub fn open_or_format(mut medium: M) -> Result<Self, OpenError<M::Error>> {
        match Store::open(&mut medium) {
            Ok(Store { size, catalogue, .. }) => Ok(Self { medium, size, catalogue }),
            Err(OpenError::Absent) => Self::format(medium),
            Err(error) => Err(error),
        }
    }

    /// Bytes of the store.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// All images, the newest first.
    pub fn images(&self) -> Vec<Kept> {
        self.catalogue.images()
    }

    /// The newest image of a component.
    pub fn newest(&self, name: &str) -> Option<Kept> {
        self.images().into_iter().find(|image| image.name == name)
    }

    /// The bytes of an image, in order, and then no more. Another image may have its place by now if it was superseded: what is
    /// read is trusted no more than any other image.
    pub fn read(&mut self, image: &Kept) -> Reading<'_, M> {
        Reading { medium: &mut self.medium, at: image.offset, left: image.length }
    }

    /// Stores an image, which `write` writes in order. It is there when this returns without an error, and is the newest then.
    ///
    /// Images of the component that are more than it is to have go afterwards; superseded ones of all components before, the
    /// oldest first, if there is no room otherwise. The newest of a component never goes before its successor is there.
    ///
    /// # Errors
    /// It is not there. What `write` fails with, or why it cannot be stored.
    pub fn put<E: From<PutError<M::Error>>>(
        &mut self,
        announced: Announced<'_>,
        write: impl FnOnce(&mut Writing<'_, M>) -> Result<(), E>,
    ) -> Result<Kept, E> {
        let Announced { name, number, length, keep } = announced;
        let name = StoreName::try_from(name).map_err(|_| PutError::Name)?;
        let sequence = self.catalogue.next_sequence().ok_or(PutError::Sequence)?;
        let (place, offset) = self.make_room(length)?;
        let mut writing = Writing { medium: &mut self.medium, at: offset, left: length };
        write(&mut writing)?;
        if writing.left != 0 {
            return Err(PutError::Length.into());
        }
        let image = Kept { name, number, sequence, offset, length };
        let flushed = self.medium.flush();
        flushed.map_err(PutError::Medium)?;
        // Whether it is there is not known if that fails: its place is taken then, until it was erased.
        self.catalogue.set(place, &image);
        self.catalogue.doubt(place, true);
        let written = self.medium.write(catalogue::place(place), &image.bytes()).and_then(|()| self.medium.flush());
        written.map_err(PutError::Medium)?;
        self.catalogue.doubt(place, false);
        // The image is there, whatever becomes of those that are not wanted any more.
        let _ = self.forget_surplus(&image, keep);
        Ok(image)
    }

    /// Erases the older images of a component.
    fn forget_surplus(&mut self, newest: &Kept, keep: usize) -> Result<(), M::Error> {
        let older = self.images().into_iter().filter(|image| image.name == newest.name).skip(keep.max(1));
        older.into_iter().try_for_each(|image| self.remove(&image))
    }

    /// Erases an image; if that fails it may be there or not.
    ///
    /// # Errors
    /// The medium fails.
    pub fn remove(&mut self, image: &Kept) -> Result<(), M::Error> {
        match self.catalogue.find(image) {
            Some(place) => self.erase(place),
            None => Ok(()),
        }
    }

    fn erase(&mut self, place: usize) -> Result<(), M::Error> {
        self.medium.write(catalogue::place(place), &[0; catalogue::RECORD])?;
        self.medium.flush()?;
        self.catalogue.clear(place);
        Ok(())
    }

    /// A place for a record, and where so many bytes are free.
    fn make_room(&mut self, length: u64) -> Result<(usize, u64), PutError<M::Error>> {
        // A record of which nobody knows whether it is there would name what is written next.
        while let Some(doubtful) = self.catalogue.doubtful() {
            self.erase(doubtful)?;
        }
        let superseded = self.catalogue.superseded();
        // Nothing goes in vain.
        let at_last = Room::new(self.size, self.catalogue.extents(|place| !superseded.contains(&place)));
        if at_last.find(length).is_none() {
            return Err(PutError::Full { needed: length, available: at_last.largest() });
        }
        let mut superseded = superseded.into_iter();
        loop {
            let room = Room::new(self.size, self.catalogue.extents(|_| true));
            match (self.catalogue.free(), room.find(length)) {
                (Some(place), Some(offset)) => return Ok((place, offset)),
                (None, _) if superseded.len() == 0 => return Err(PutError::Places),
                _ => {}
            }
            match superseded.next() {
                Some(place) => self.erase(place)?,
                None => return Err(PutError::Full { needed: length, available: room.largest() }),
            }
        }
    }

    /// The medium, for what it has of its own. Whoever writes to it makes another store of this.
    pub const fn medium(&mut self) -> &mut M {
        &mut self.medium
    }

    /// The medium.
    pub fn into_medium(self) -> M {
        self.medium
    }
}

/// An image that is being written.
#[derive(Debug)]
pub struct Writing<'a, M> {
    medium: &'a mut M,
    at: u64,
    left: u64,
}

impl<M: Medium> Sink for Writing<'_, M> {
    type Error = PutError<M::Error>;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        let length = bytes.len() as u64;
        let left = self.left.checked_sub(length).ok_or(PutError::Length)?;
        self.medium.write(self.at, bytes)?;
        (self.at, self.left) = (self.at + length, left);
        Ok(())
    }
}

/// An image that is being read.
#[derive(Debug)]
pub struct Reading<'a, M> {
    medium: &'a mut M,
    at: u64,
    left: u64,
}

impl<M: Medium> Source for Reading<'_, M> {
    type Error = M::Error;

    fn read(&mut self, to: &mut [u8]) -> Result<usize, M::Error> {
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(to.len());
        self.medium.read(self.at, &mut to[..count])?;
        (self.at, self.left) = (self.at + count as u64, self.left - count as u64);
        Ok(count)
    }
}
