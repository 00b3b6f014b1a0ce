//! LOG: text for people.

use core::fmt;

use crate::rpc::{MAX_WORDS, Slot, Status, Transport};

/// Prints text. First word: its length in bytes; then the bytes, four a word, the first lowest. Empty reply.
///
/// Text appears line by line; a part without a line's end waits for the rest of the line.
pub const WRITE: u32 = 1;

/// Most bytes of one [`WRITE`].
pub const MAX_BYTES: usize = (MAX_WORDS - 1) * 4;

/// A session for printing.
#[derive(Clone, Copy)]
pub struct Client {
    transport: &'static dyn Transport,
    slot: Slot,
}

impl Client {
    /// The session served at `slot`.
    pub fn new(transport: &'static dyn Transport, slot: Slot) -> Self {
        Self { transport, slot }
    }

    /// Prints bytes, in as many requests as it takes. What is not printable is shown as an escape.
    pub fn write(&self, text: &[u8]) {
        for part in text.chunks(MAX_BYTES) {
            let mut words = [0; MAX_WORDS];
            words[0] = part.len() as u32;
            for (word, bytes) in words[1..].iter_mut().zip(part.chunks(4)) {
                let mut four = [0; 4];
                four[..bytes.len()].copy_from_slice(bytes);
                *word = u32::from_le_bytes(four);
            }
            self.transport.call(self.slot, WRITE, &words[..1 + part.len().div_ceil(4)], &mut []);
        }
    }
}

/// Formatted text is gathered, so that a line costs one request and not one for each of its pieces.
pub struct Writer<'a> {
    client: &'a Client,
    buffer: heapless::Vec<u8, MAX_BYTES>,
}

impl<'a> Writer<'a> {
    /// A writer that prints what it holds when it is full and when it is dropped.
    pub fn new(client: &'a Client) -> Self {
        Self { client, buffer: heapless::Vec::new() }
    }

    fn flush(&mut self) {
        self.client.write(&self.buffer);
        self.buffer.clear();
    }
}

impl fmt::Write for Writer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for &byte in text.as_bytes() {
            if self.buffer.is_full() {
                self.flush();
            }
            let _ = self.buffer.push(byte);
        }
        Ok(())
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        self.flush();
    }
}

/// A request of this interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// See [`WRITE`].
    Write(heapless::Vec<u8, MAX_BYTES>),
}

impl Request {
    /// Reads a request; nothing is trusted.
    ///
    /// # Errors
    /// What to answer when it is none.
    pub fn parse(operation: u32, words: &[u32]) -> Result<Self, Status> {
        if operation != WRITE {
            return Err(Status::UnknownOperation);
        }
        let (&length, packed) = words.split_first().ok_or(Status::Malformed)?;
        let length = length as usize;
        if length > MAX_BYTES || packed.len() != length.div_ceil(4) {
            return Err(Status::Malformed);
        }
        Ok(Self::Write(packed.iter().flat_map(|word| word.to_le_bytes()).take(length).collect()))
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use core::fmt::Write;
    use proptest::prelude::*;
    use std::{boxed::Box, sync::Mutex, vec::Vec};

    #[derive(Default)]
    struct Server {
        printed: Mutex<Vec<u8>>,
        requests: Mutex<usize>,
    }

    impl Transport for Server {
        fn call(&self, to: Slot, operation: u32, request: &[u32], _: &mut [u32]) -> (Status, usize) {
            assert_eq!(to, Slot(2));
            let Request::Write(bytes) = Request::parse(operation, request).unwrap();
            self.printed.lock().unwrap().extend(bytes);
            *self.requests.lock().unwrap() += 1;
            (Status::Done, 0)
        }
    }

    proptest! {
        #[test]
        fn what_is_written_arrives(text in prop::collection::vec(any::<u8>(), 0..2000)) {
            let server: &'static Server = Box::leak(Box::default());
            Client::new(server, Slot(2)).write(&text);
            prop_assert_eq!(&*server.printed.lock().unwrap(), &text);
        }

        #[test]
        fn any_request_is_read_or_refused(operation in 0u32..3, words in prop::collection::vec(any::<u32>(), 0..130)) {
            let _ = Request::parse(operation, &words);
        }
    }

    #[test]
    fn a_formatted_line_is_one_request() {
        let server: &'static Server = Box::leak(Box::default());
        let client = Client::new(server, Slot(2));
        writeln!(Writer::new(&client), "{} {} {}", 1, 2, 3).unwrap();
        assert_eq!(*server.printed.lock().unwrap(), b"1 2 3\n");
        assert_eq!(*server.requests.lock().unwrap(), 1);
    }

    #[test]
    fn a_length_that_lies_is_refused() {
        for words in [&[][..], &[1], &[0, 0], &[5, 0], &[u32::MAX, 0], &[MAX_BYTES as u32 + 1, 0]] {
            assert_eq!(Request::parse(WRITE, words), Err(Status::Malformed));
        }
        assert_eq!(Request::parse(WRITE + 1, &[0]), Err(Status::UnknownOperation));
    }
}
