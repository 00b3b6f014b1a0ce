//! Signals: contexts, and which of them are pending.

/// A signal context.
pub struct Context {}
