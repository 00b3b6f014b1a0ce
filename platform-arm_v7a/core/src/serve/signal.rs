//! SIGNAL.
