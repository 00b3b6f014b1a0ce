//! ECHO.

use base::session::echo::Echo;

use super::Call;

impl Echo for Call<'_> {
    #[inline]
    fn nothing(&mut self) {}

    #[inline]
    fn words(&mut self, words: [u32; 4]) -> [u32; 4] {
        words
    }

    fn bytes(&mut self, bytes: &[u8]) -> u32 {
        bytes.len() as u32
    }

    fn message(&mut self, message: &str) -> heapless::String<400> {
        message.try_into().unwrap_or_default()
    }

    fn figure(&mut self, name: &str, picoseconds: u64) {
        self.outside.judge.figure(name, picoseconds);
    }
}
