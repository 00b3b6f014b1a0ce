//! What two checkpoints differ in, for people.

use alloc::{format, string::String};
use core::fmt::{self, Debug};

/// A thing in which two checkpoints differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Of what.
    pub place: Place,
    /// What of it.
    pub field: &'static str,
    /// What it is in the first one.
    pub one: String,
    /// What it is in the second one.
    pub other: String,
}

/// Where two checkpoints differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In something of the component as a whole.
    Component,
    /// In a request of the journal, counted from 0.
    Request(u32),
    /// In the object of that number.
    Object(u32),
    /// In a region.
    Region {
        /// Number of its region map.
        map: u32,
        /// Where it begins.
        address: u32,
    },
    /// In a byte of memory.
    Page {
        /// Number of the dataspace.
        dataspace: u32,
        /// Which of its pages, counted from 0.
        page: u32,
        /// Which byte of that.
        offset: u32,
    },
}

impl Difference {
    pub(super) fn new<T: Debug>(place: Place, field: &'static str, one: &T, other: &T) -> Self {
        Self { place, field, one: format!("{one:x?}"), other: format!("{other:x?}") }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, field, one, other } = self;
        write!(f, "{place}, {field}: {one} and {other}")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component => write!(f, "the component"),
            Self::Request(index) => write!(f, "request {index}"),
            Self::Object(number) => write!(f, "object {number}"),
            Self::Region { map, address } => write!(f, "region {address:#010x} of object {map}"),
            Self::Page { dataspace, page, offset } => {
                write!(f, "byte {offset:#x} of page {page} of object {dataspace}")
            }
        }
    }
}

/// A comparison, of which the first difference is kept.
#[derive(Default)]
pub(super) struct Comparison {
    first: Option<Difference>,
    place: Option<Place>,
}

impl Comparison {
    /// Compares something; not if it is known already that they differ.
    pub fn at(&mut self, place: Place, compare: impl FnOnce(&mut Self)) {
        if self.first.is_none() {
            self.place = Some(place);
            compare(self);
        }
    }

    /// Compares a field of it.
    pub fn field<T: PartialEq + Debug>(&mut self, field: &'static str, one: &T, other: &T) {
        if one != other {
            self.differs(field, one, other);
        }
    }

    /// These differ.
    pub fn differs<T: Debug>(&mut self, field: &'static str, one: &T, other: &T) {
        if let (None, Some(place)) = (&self.first, self.place) {
            self.first = Some(Difference::new(place, field, one, other));
        }
    }

    pub fn into_first(self) -> Option<Difference> {
        self.first
    }
}
