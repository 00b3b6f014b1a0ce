//! Threads.

/// A thread.
pub struct Thread {}

/// What a protection domain keeps of its threads.
#[derive(Default)]
pub struct Threads {}
