//! What is wrong with an image, and where.

use core::fmt;

use super::section::Section;
use crate::information::Need;

/// Why an image is refused; or why a checkpoint is not written as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It ends too early.
    Truncated,
    /// It is no image.
    Magic,
    /// It is of a version with other rules.
    Version {
        /// Which.
        major: u16,
        /// Which of those.
        minor: u16,
    },
    /// It has more sections than an image can have, or none.
    Sections(u16),
    /// Header and directory are damaged.
    HeaderChecksum,
    /// It is of another architecture: the ELF machine number.
    Architecture(u16),
    /// Its pages have another size.
    PageSize(u32),
    /// It says that it has another length than its sections make.
    Length {
        /// What it says.
        told: u64,
        /// What they make, if that fits.
        made: Option<u64>,
    },
    /// There is something behind its end.
    Surplus,
    /// It needs a section that this version does not know.
    Unknown(u16),
    /// A section is out of order, or there twice.
    SectionOrder(u16),
    /// What the directory says of a section is not what is to be said of it.
    SectionFlags(u16),
    /// A section is missing.
    Missing(Section),
    /// A section that is not known is damaged.
    UnknownChecksum(u16),
    /// A section is damaged.
    Checksum(Section),
    /// No record, or not in the one form that it has.
    Encoding {
        /// In this section.
        section: Section,
        /// The how-manieth, from 0.
        record: u32,
    },
    /// The component's section tells another number than there are.
    Count {
        /// Of what is in this section.
        section: Section,
        /// What is told.
        told: u32,
    },
    /// There is not enough room for it.
    Room {
        /// What is needed.
        needed: Need,
        /// What there is.
        available: Need,
    },
    /// Its program is not the one that its objects tell, or its name is no name.
    Program,
    /// It has more numbers than there can be.
    Slots(u32),
    /// It was taken before the barrier, and has what comes afterwards.
    Booting,
    /// Something with its journal: the how-manieth entry.
    Journal(u32),
    /// Its memory is more than its quota.
    Quota,
    /// It offers what has no name, or the same twice, or too much; or its clients are out of order.
    Served,
    /// Something with the object of that number.
    Object(u32, ObjectFault),
    /// Something with a region.
    Region {
        /// Number of the region map.
        map: u32,
        /// Where it begins.
        address: u32,
        /// What.
        fault: RegionFault,
    },
    /// Something with the page of a dataspace.
    Page {
        /// Number of the dataspace.
        dataspace: u32,
        /// Counted from its beginning.
        page: u32,
        /// What.
        fault: PageFault,
    },
}

/// What is wrong with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectFault {
    /// Its number is not above the one before.
    Order,
    /// Its number is one that a component cannot have, or that its sessions have.
    Number,
    /// Its size is not one of whole pages, or none, or too large; or it has more pages than that.
    Size,
    /// Its name is empty, or not printable.
    Name,
    /// It refers to what is not there, or of another kind.
    Reference(u32),
    /// Its priority is none.
    Priority,
    /// An address that is none.
    Address,
    /// It has never run, and yet does something.
    Activity,
    /// Its timeout would come all the time.
    Timeout,
    /// It is there twice: two sessions with one number, two threads that wait for one thing.
    Twice,
    /// It waits for itself, or lies in itself, through others; or too deep.
    Circle,
    /// Registers are missing, or another's are in their place.
    Registers,
    /// There are more of its kind than there can be.
    TooMany,
    /// What the checkpoint says of where its content or its regions are is not so.
    Place,
}

/// What is wrong with a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionFault {
    /// It is not of whole pages.
    Alignment,
    /// It reaches beyond its region map.
    Range,
    /// It begins before the one before has ended.
    Overlap,
    /// What it shows is not there, or cannot be attached.
    Reference,
    /// It shows more than there is.
    Size,
    /// It may be written and executed.
    WritableCode,
}

/// What is wrong with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageFault {
    /// The inventory does not cover each page once, in order, in as few runs as it can.
    Run,
    /// It is zero, and written all the same.
    Zero,
    /// It was another one when it was looked at first.
    Changed,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => write!(f, "the image ends too early"),
            Self::Magic => write!(f, "this is no checkpoint image"),
            Self::Version { major, minor } => {
                write!(f, "the image is of version {major}.{minor}, and this program reads {}", super::VERSION)
            }
            Self::Sections(count) => write!(f, "the image has {count} sections"),
            Self::HeaderChecksum => write!(f, "the image's header is damaged"),
            Self::Architecture(machine) => {
                write!(f, "the image is of another architecture: ELF machine {machine}, not {}", super::ARM)
            }
            Self::PageSize(size) => write!(f, "the image has pages of {size} bytes"),
            Self::Length { told, made: Some(made) } => write!(f, "the image tells {told} bytes and describes {made}"),
            Self::Length { told, made: None } => write!(f, "the image tells {told} bytes and describes too many"),
            Self::Surplus => write!(f, "there is something behind the image's end"),
            Self::Unknown(kind) => write!(f, "the image needs a section that is not known here, number {kind}"),
            Self::SectionOrder(kind) => write!(f, "section {kind} is out of order"),
            Self::SectionFlags(kind) => write!(f, "the directory's entry for section {kind} is not right"),
            Self::Missing(section) => write!(f, "the section {section} is missing"),
            Self::UnknownChecksum(kind) => write!(f, "section {kind} is damaged"),
            Self::Checksum(section) => write!(f, "the section {section} is damaged"),
            Self::Encoding { section, record } => write!(f, "record {record} of the section {section} is not right"),
            Self::Count { section, told } => {
                write!(f, "the section {section} does not hold {told}, as the component's section says")
            }
            Self::Room { needed, available } => {
                write!(f, "there is not enough room: needed {needed:?}, available {available:?}")
            }
            Self::Program => write!(f, "the image's program is not the one of its objects"),
            Self::Slots(slots) => write!(f, "the component has {slots} numbers"),
            Self::Booting => write!(f, "the component has not reached its barrier, and has what comes afterwards"),
            Self::Journal(entry) => write!(f, "entry {entry} of the journal is not right"),
            Self::Quota => write!(f, "the component has more memory than quota"),
            Self::Served => write!(f, "the services of the component, or their sessions, are not right"),
            Self::Object(number, fault) => write!(f, "object {number}: {fault}"),
            Self::Region { map, address, fault } => write!(f, "region {address:#010x} of region map {map}: {fault}"),
            Self::Page { dataspace, page, fault } => write!(f, "page {page} of dataspace {dataspace}: {fault}"),
        }
    }
}

impl core::error::Error for Fault {}

impl fmt::Display for ObjectFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Order => "its number is not above the one before",
            Self::Number => "it cannot have this number",
            Self::Size => "its size is none that there is",
            Self::Name => "its name is none",
            Self::Reference(number) => return write!(f, "it refers to {number}, which is not what it should be"),
            Self::Priority => "its priority is none",
            Self::Address => "an address of it is none",
            Self::Activity => "it has never run and yet does something",
            Self::Timeout => "its timeout would come all the time",
            Self::Twice => "it is there twice",
            Self::Circle => "it waits for itself, or lies in itself",
            Self::Registers => "its registers are not there",
            Self::TooMany => "there are too many of its kind",
            Self::Place => "its content or its regions are not where they should be",
        })
    }
}

impl fmt::Display for RegionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alignment => "it is not of whole pages",
            Self::Range => "it reaches beyond the map",
            Self::Overlap => "it begins before the one before has ended",
            Self::Reference => "what it shows is not there",
            Self::Size => "it shows more than there is",
            Self::WritableCode => "it may be written and executed",
        })
    }
}

impl fmt::Display for PageFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Run => "the inventory is not right",
            Self::Zero => "it is zero and written all the same",
            Self::Changed => "it changes while it is written",
        })
    }
}
