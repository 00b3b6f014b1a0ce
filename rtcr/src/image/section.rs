//! The sections of an image: one table, from which writer, reader and inspection work.

use core::fmt;

/// What a section holds. Its number is in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Whose image it is, how much of everything there is, quota and clock.
    Component = 1,
    /// What was asked for until the barrier, and what was answered.
    Journal = 2,
    /// What has a number, but for registers and content.
    Objects = 3,
    /// What lies where.
    Regions = 4,
    /// Registers of threads.
    Registers = 5,
    /// What it offers, and who has that.
    Served = 6,
    /// Which pages there are.
    Inventory = 7,
    /// Content of pages.
    Contents = 0x100,
}

/// What is known of a section.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// Which.
    pub section: Section,
    /// What it is called.
    pub name: &'static str,
    /// An image without it cannot be understood.
    pub required: bool,
}

const fn required(section: Section, name: &'static str) -> Description {
    Description { section, name, required: true }
}

/// All that this version knows, in the order in which they are in the file.
pub const TABLE: [Description; 8] = [
    required(Section::Component, "component"),
    required(Section::Journal, "journal"),
    required(Section::Objects, "objects"),
    required(Section::Regions, "regions"),
    required(Section::Registers, "registers"),
    required(Section::Served, "served"),
    required(Section::Inventory, "inventory"),
    required(Section::Contents, "contents"),
];

impl Section {
    /// Its number in the file.
    pub const fn kind(self) -> u16 {
        self as u16
    }

    /// What is known of the section with a number.
    pub fn described(kind: u16) -> Option<&'static Description> {
        TABLE.iter().find(|description| description.section.kind() == kind)
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::described(self.kind()).map_or("?", |description| description.name))
    }
}
