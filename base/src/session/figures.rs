//! A checkpoint or a restore in figures, as a parent tells it and a report file has it.

use serde::{Deserialize, Serialize};

/// Names of the phases, in the order of [`Figures::phases`].
pub const PHASES: [&str; 12] = [
    "information",
    "freeze",
    "registers",
    "signals",
    "pages",
    "thaw",
    "new instance",
    "bootstrap",
    "objects",
    "memory",
    "regions",
    "threads",
];

/// Names of the kinds of objects, in the order of [`Figures::objects`].
pub const KINDS: [&str; 10] = [
    "dataspace",
    "module",
    "region map",
    "thread",
    "signal context",
    "endpoint",
    "notification",
    "remnant",
    "session",
    "shared dataspace",
];

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Work {
    /// A checkpoint was taken.
    #[default]
    Checkpoint,
    /// It was restored, by a bootstrap that was answered from the journal.
    Replay,
    /// It was restored without a bootstrap.
    Direct,
}

/// A checkpoint or a restore in figures. Times are in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// What was done.
    pub work: Work,
    /// The checkpoint's number.
    pub checkpoint: u32,
    /// From its beginning to the instant at which the component went on.
    pub took: u64,
    /// For how long the component stood still; 0 in a restore, before which it was not there.
    pub stopped: u64,
    /// How long each of [`PHASES`] took; 0 for those that there were not. While a component stands still for its checkpoint, the clock is
    /// read where it must be anyway: signals count as registers, and the thaw as pages.
    pub phases: [u32; PHASES.len()],
    /// Requests that were answered from the journal.
    pub answered: u32,
    /// Objects of a new instance that went, since they were not the checkpoint's.
    pub gone: u32,
    /// Objects that were made.
    pub made: u32,
    /// Pages that were copied, those of stacks included.
    pub pages: u32,
    /// Bytes that were copied.
    pub bytes: u64,
    /// Pages that were not, since they lie below their stack's pointer.
    pub skipped: u32,
    /// How many objects of each of [`KINDS`] the checkpoint has.
    pub objects: [u32; KINDS.len()],
}
