//! Timeouts: which signal is raised when.
