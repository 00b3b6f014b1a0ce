//! TALLY: a sum that each client has with its server. Adding is not idempotent, so a call that is done twice, or not at all, shows.

use base::interface;

/// TALLY: adds numbers up.
#[interface(id = 1001)]
pub trait Tally {
    /// Adds to the sum, and tells it.
    #[operation(1)]
    fn add(&mut self, number: u32) -> u32;

    /// The sum.
    #[operation(2, idempotent)]
    fn sum(&mut self) -> u32;
}
