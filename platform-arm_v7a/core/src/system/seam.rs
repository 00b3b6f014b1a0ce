//! What threads ask of region maps. Those hold nothing yet, so nothing is found in them.

use base::session::rm::FaultAccess;
use sel4::{Cap, Frame, PageDirectory};

use super::{Id, RegionMap, System, Thread};

/// What becomes of a thread that touched a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cure {
    /// The page is there now: it goes on.
    Cured,
    /// A region map's handler was told: it waits.
    Waits,
    /// Nobody cares: it is an exception.
    Nobody,
}

impl System {
    /// The address space of a region map, and the frame of the page that is mapped at `address`, which cannot be detached
    /// from now on.
    pub fn pin_buffer(&mut self, _: Id<RegionMap>, _: u32) -> Option<(Cap<PageDirectory>, Cap<Frame>)> {
        None
    }

    /// The page can be detached again.
    pub fn unpin_buffer(&mut self, _: Id<RegionMap>, _: u32) {}

    /// A word of the memory that shows at `address`.
    pub fn word(&self, _: Id<RegionMap>, _: u32) -> Option<u32> {
        None
    }

    /// A thread touched what is not mapped.
    pub fn fault(&mut self, _: Id<RegionMap>, _: u32, _: FaultAccess, _: Id<Thread>) -> Cure {
        Cure::Nobody
    }

    /// A thread waits for nothing there any more.
    pub fn forget_fault(&mut self, _: Id<RegionMap>, _: Id<Thread>) {}
}
