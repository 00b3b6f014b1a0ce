//! Stands in for QEMU in tests.
fn main() {}
