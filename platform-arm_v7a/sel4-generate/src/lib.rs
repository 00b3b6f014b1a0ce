//! Reads the kernel's interface from the kernel's own files and writes it down in Rust. Runs on the host.
//!
//! The kernel describes what user code may ask of it in files meant for its own generators of C headers: methods as XML
//! (`libsel4/include/interfaces/sel4.xml` and two more), system calls as XML (`libsel4/include/api/syscall.xml`), words
//! that are divided into bit fields as `.bf` files, and the remaining numbers as C enumerations. [`Bindings::read`] reads
//! all of them under a given configuration, since conditions on `CONFIG_…` change the numbers, and
//! [`Bindings::to_rust`] writes the source that the crate `sel4-raw` includes. So no number of the interface is written
//! twice, and another kernel version or configuration needs no other hand-written file than what it adds.
//!
//! | module | reads |
//! |---|---|
//! | [`options`] | the configuration |
//! | [`expression`] | integer expressions: conditions and the values of enumerators |
//! | [`preprocess`] | `#if` and its like, comments |
//! | [`interface`] | methods and system calls (XML), and how they are numbered |
//! | [`bitfield`] | blocks and tagged unions |
//! | [`constant`] | C enumerations and plain `#define`s |
//! | [`emit`] | nothing; writes the Rust |
//!
//! Whatever in those files is not understood is an error with file and line. Nothing is skipped silently except what the
//! kernel's own generators skip, and C that is no number (prototypes, structures, macros with arguments).
//!
//! The tests compare every number with what the kernel's own generators and a C compiler make of the same files.
#![forbid(unsafe_code)]

pub mod bitfield;
pub mod constant;
pub mod emit;
pub mod expression;
pub mod interface;
pub mod options;
pub mod preprocess;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

pub use options::Options;

use bitfield::Bitfields;
use constant::Constant;
use interface::{Interfaces, SystemCall};

/// Methods that every architecture has.
const GENERIC: &str = "libsel4/include/interfaces/sel4.xml";
/// Methods of 32-bit ARM.
const SEL4_ARCH: &str = "libsel4/sel4_arch_include/aarch32/interfaces/sel4arch.xml";
/// Methods of ARM.
const ARCH: &str = "libsel4/arch_include/arm/interfaces/sel4arch.xml";
const SYSTEM_CALLS: &str = "libsel4/include/api/syscall.xml";
/// Files of bit fields, with the folder in which what they include is looked for.
const BITFIELDS: [&str; 3] = [
    "libsel4/include/sel4/types_32.bf",
    "libsel4/include/sel4/shared_types_32.bf",
    "libsel4/sel4_arch_include/aarch32/sel4/sel4_arch/types.bf",
];
/// What the last of them includes, by the name under which it does.
const INCLUDED: (&str, &str) = ("sel4/arch/shared_types.bf", "libsel4/arch_include/arm/sel4/arch/shared_types.bf");
/// Headers with numbers, each after those that it refers to. Where a name is given, only that enumeration is read.
const HEADERS: [(&str, Option<&str>); 11] = [
    ("libsel4/include/sel4/errors.h", None),
    ("libsel4/include/sel4/objecttype.h", None),
    ("libsel4/sel4_arch_include/aarch32/sel4/sel4_arch/objecttype.h", None),
    ("libsel4/arch_include/arm/sel4/arch/objecttype.h", None),
    ("libsel4/sel4_arch_include/aarch32/sel4/sel4_arch/constants.h", None),
    ("libsel4/include/sel4/constants.h", None),
    ("libsel4/include/sel4/shared_types.h", None),
    ("libsel4/include/sel4/types.h", None),
    ("libsel4/include/sel4/bootinfo_types.h", None),
    ("libsel4/arch_include/arm/sel4/arch/types.h", None),
    // A file of the kernel proper: user code sees thread states only through this project's patch of ReadRegisters.
    ("include/object/structures.h", Some("_thread_state")),
];

/// The kernel's interface under one configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bindings {
    /// The system calls, by name without prefix (`Call`), with their numbers.
    pub system_calls: Vec<SystemCall>,
    /// Methods, and the structures that they pass.
    pub interfaces: Interfaces,
    /// Label of each method in force, by the name that the kernel gives it (`TCBConfigure`), with the counts that follow
    /// each of the three groups.
    pub labels: Vec<(String, u32)>,
    /// Words divided into fields.
    pub bitfields: Bitfields,
    /// All other numbers, in the order of the headers.
    pub constants: Vec<Constant>,
}

/// Why the interface could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the kernel's source is missing or unreadable.
    #[error("{path} cannot be read: {error}; the bindings need the complete source of seL4 5.0.0")]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// A file has a form that this generator does not know.
    #[error("{path}:{line}: {detail}")]
    Form {
        /// The file, below the kernel's top folder.
        path: String,
        /// The line, counted from 1.
        line: u32,
        /// What was not understood.
        detail: String,
    },
}

/// What is wrong in a file, before its path is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The line, counted from 1.
    pub line: u32,
    /// What was not understood.
    pub detail: String,
}

impl Malformed {
    /// At `line`, `detail` was not understood.
    pub fn new(line: u32, detail: impl Into<String>) -> Self {
        Self { line, detail: detail.into() }
    }

    fn of(self, path: &str) -> Error {
        Error::Form { path: path.to_owned(), line: self.line, detail: self.detail }
    }
}

/// Every file that [`Bindings::read`] reads, below the kernel's top folder.
pub fn files() -> impl Iterator<Item = &'static str> {
    let headers = HEADERS.into_iter().map(|(path, _)| path);
    [GENERIC, SEL4_ARCH, ARCH, SYSTEM_CALLS, INCLUDED.1].into_iter().chain(BITFIELDS).chain(headers)
}

impl Bindings {
    /// Reads the interface of the kernel whose top folder is `root`, configured by `options`.
    ///
    /// # Errors
    /// A file that is missing, or that this generator does not understand.
    pub fn read(root: &Path, options: &Options) -> Result<Self, Error> {
        let text = |path: &str| {
            let path = root.join(path);
            fs::read_to_string(&path).map_err(|error| Error::Read { path, error })
        };

        let system_calls = interface::system_calls(&text(SYSTEM_CALLS)?, options).map_err(|e| e.of(SYSTEM_CALLS))?;

        let mut interfaces = Interfaces::default();
        let mut labels = vec![("InvalidInvocation".to_owned(), 0)];
        let groups =
            [(GENERIC, "nInvocationLabels"), (SEL4_ARCH, "nSeL4ArchInvocationLabels"), (ARCH, "nArchInvocationLabels")];
        let mut next = 1;
        for (path, count) in groups {
            let group = Interfaces::parse(&text(path)?, options).map_err(|e| e.of(path))?;
            for method in group.methods.iter().filter(|method| method.enabled) {
                labels.push((method.id.clone(), next));
                next += 1;
            }
            labels.push((count.to_owned(), next));
            interfaces.methods.extend(group.methods);
            interfaces.structures.extend(group.structures);
        }

        let mut bitfields = Bitfields::default();
        let included = text(INCLUDED.1)?;
        for path in BITFIELDS {
            let include = |name: &str| match name {
                "autoconf.h" => Some(""),
                name if name == INCLUDED.0 => Some(included.as_str()),
                _ => None,
            };
            bitfields.parse(&text(path)?, options, &include).map_err(|e| e.of(path))?;
        }

        let mut constants = Vec::new();
        for (path, only) in HEADERS {
            constant::parse(&mut constants, path, &text(path)?, options, only).map_err(|e| e.of(path))?;
        }
        Ok(Self { system_calls, interfaces, labels, bitfields, constants })
    }

    /// The value of a constant, by its C name.
    pub fn constant(&self, name: &str) -> Option<i64> {
        self.constants.iter().find(|constant| constant.name == name).map(|constant| constant.value)
    }
}
