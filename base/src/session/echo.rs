//! ECHO: requests that do nothing, to be measured.

use crate::interface;

/// ECHO: requests that do nothing, to be measured.
#[interface(id = 12)]
pub trait Echo {
    /// Nothing.
    #[operation(1, idempotent)]
    fn nothing(&mut self);

    /// Four words there and back.
    #[operation(2, idempotent)]
    fn words(&mut self, words: [u32; 4]) -> [u32; 4];

    /// Bytes that are counted.
    #[operation(3, idempotent, encoded)]
    fn bytes(&mut self, bytes: &[u8]) -> u32;

    /// A text there and the same back; nothing if it is longer than 400 bytes.
    #[operation(4, idempotent, encoded)]
    fn message(&mut self, message: &str) -> heapless::String<400>;

    /// Tells the host what was measured: how long it takes once, in picoseconds.
    #[operation(5, encoded)]
    fn figure(&mut self, name: &str, picoseconds: u64);
}
