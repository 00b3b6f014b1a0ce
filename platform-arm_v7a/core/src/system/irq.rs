//! Interrupts.

/// An interrupt that a session is about.
pub struct Irq {}
