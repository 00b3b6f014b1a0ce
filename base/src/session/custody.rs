//! CUSTODY: a component as a whole, for whoever decides where it runs.
//!
//! Served by a parent that checkpoints its children, one session for each child that it leaves to others. Such a child does
//! not begin by itself. Its image passes through the session's memory a piece at a time, so it is never there as a whole.
//!
//! ```text
//! nothing ── begin ──▶ runs ◀─ resume ── stands ── end ──▶ nothing
//!                       └───── hold ─────▶ ▲
//!                       └── stop, read.. ──┘
//! nothing ── accept ──▶ kept for ── write.. ── restore ──▶ stands
//! ```

use serde::{Deserialize, Serialize};

use super::{parent::Name, rom};
use crate::{ErrorCode, interface};

/// CUSTODY: a component as a whole, for whoever decides where it runs.
#[interface(id = 22)]
pub trait Custody {
    /// The handle of the memory through which images pass: [`WINDOW`] bytes.
    #[operation(1, idempotent)]
    fn memory(&mut self) -> Result<u32, CustodyError>;

    /// What the component is and needs. If there is no instance, `pages` is 0.
    #[operation(2, idempotent, encoded)]
    fn describe(&mut self) -> Result<Description, CustodyError>;

    /// The component begins from its beginning.
    #[operation(3)]
    fn begin(&mut self) -> Result<(), CustodyError>;

    /// The component is checkpointed and stands still from there on. Its image can be read.
    #[operation(4)]
    fn stop(&mut self) -> Result<(), CustodyError>;

    /// The component is checkpointed and goes on. Its image can be read.
    #[operation(5)]
    fn copy(&mut self) -> Result<(), CustodyError>;

    /// The component stands still.
    #[operation(6, idempotent)]
    fn hold(&mut self) -> Result<(), CustodyError>;

    /// The component goes on.
    #[operation(7, idempotent)]
    fn resume(&mut self) -> Result<(), CustodyError>;

    /// The instance ends. The component does not: another instance may follow.
    #[operation(8, idempotent)]
    fn end(&mut self) -> Result<(), CustodyError>;

    /// Whether a component like that could live here as this one: then what it needs is kept for it.
    #[operation(9, encoded)]
    fn accept(&mut self, description: Description) -> Result<(), CustodyError>;

    /// An image that is being read or written is not wanted any more, nor what was kept for it.
    #[operation(10, idempotent)]
    fn cancel(&mut self) -> Result<(), CustodyError>;

    /// The next piece of the image is put into the memory; its length, 0 at the end.
    #[operation(11)]
    fn read(&mut self) -> Result<u32, CustodyError>;

    /// The next piece of an image is in the memory, so many bytes of it.
    #[operation(12)]
    fn write(&mut self, length: u32) -> Result<(), CustodyError>;

    /// The image is whole: a new instance is made of it, and stands still.
    #[operation(13)]
    fn restore(&mut self) -> Result<(), CustodyError>;
}

/// Name of the service. The argument is the component's name.
pub const SERVICE: &str = "custody";

/// Bytes of the session's memory.
pub const WINDOW: usize = 16 << 10;

/// What a component is and needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// What it is called.
    pub name: Name,
    /// The module that is its program.
    pub module: heapless::String<{ rom::MAX_NAME }>,
    /// What the program's content is known by.
    pub fingerprint: u64,
    /// How many numbers it has.
    pub slots: u32,
    /// Bytes that it may use.
    pub ram: u32,
    /// Capabilities that it may have.
    pub caps: u32,
    /// Room that a checkpoint of it takes: pages,
    pub pages: u32,
    /// objects,
    pub objects: u32,
    /// regions,
    pub regions: u32,
    /// words of its journal,
    pub words: u32,
    /// and sessions of its services.
    pub served: u32,
}

/// Why that is not done. The component is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum CustodyError {
    /// There is no instance, or there is one, or no image is being read or written.
    State = 1,
    /// It serves a call, or is in one that changes hands: later.
    Busy = 2,
    /// It cannot be checkpointed, started or restored; its parent tells why.
    Failed = 3,
    /// It is another program.
    Program = 4,
    /// There is not enough memory, or not as many numbers or capabilities.
    Room = 5,
    /// The image is damaged, ends too early, or is refused.
    Image = 6,
    /// The component has ended for good.
    Gone = 7,
    /// The memory cannot be handed over.
    Handle = 8,
}
