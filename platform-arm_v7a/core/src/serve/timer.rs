//! TIMER.
