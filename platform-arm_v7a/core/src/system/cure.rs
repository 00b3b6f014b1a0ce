//! What becomes of a thread that touched a page.

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
