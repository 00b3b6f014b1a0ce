//! PONG: ping-pong, with a score that both sides see.

use base::{ErrorCode, interface};

/// PONG: ping-pong. A hit comes back one higher; the score lies on the table, a dataspace that both sides see.
#[interface(id = 1000)]
pub trait Pong {
    /// The handle of the table: its first word is the number of hits, of both sides together.
    #[operation(1)]
    fn table(&mut self) -> Result<u32, TableError>;

    /// Hits the ball, which carries a number, back; it comes with the next number.
    #[operation(2)]
    fn hit(&mut self, ball: u32) -> u32;
}

/// Why there is no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum TableError {
    /// It cannot be handed over.
    Handle = 1,
}
