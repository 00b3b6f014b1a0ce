//! LOG: text for people.

use core::fmt;

use crate::{
    interface,
    rpc::{MAX_BYTES, Shared, Transport},
};

/// LOG: text for people.
#[interface(id = 2)]
pub trait Log {
    /// Prints text, at most 476 bytes. It appears line by line; a part without a line's end waits for the rest of the
    /// line. What is not printable is shown as an escape.
    #[operation(1, encoded)]
    fn write(&mut self, text: &[u8]);
}

impl<T: Transport> Client<T> {
    /// Prints any number of bytes, in as many requests as it takes.
    pub fn print(&self, text: &[u8]) {
        for part in text.chunks(MAX_BYTES) {
            // Nobody could be told that nothing can be printed.
            let _ = self.write(part);
        }
    }
}

/// Formatted text is gathered, so that a line costs one request and not one for each of its pieces.
pub struct Writer<'a, T: Transport = Shared> {
    client: &'a Client<T>,
    buffer: heapless::Vec<u8, MAX_BYTES>,
}

impl<'a, T: Transport> Writer<'a, T> {
    /// A writer that prints what it holds when it is full and when it is dropped.
    pub fn new(client: &'a Client<T>) -> Self {
        Self { client, buffer: heapless::Vec::new() }
    }

    fn flush(&mut self) {
        self.client.print(&self.buffer);
        self.buffer.clear();
    }
}

impl<T: Transport> fmt::Write for Writer<'_, T> {
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

impl<T: Transport> Drop for Writer<'_, T> {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::rpc::{Answer, Body, Buffer, Caller, Label, Long, MAX_WORDS, Registers, Request, Selector, Slot};
    use core::fmt::Write;
    use proptest::prelude::*;
    use std::{boxed::Box, sync::Mutex, vec::Vec};

    #[derive(Default)]
    struct Printer {
        printed: Vec<u8>,
        requests: usize,
    }

    impl Log for Printer {
        fn write(&mut self, text: &[u8]) {
            self.printed.extend(text);
            self.requests += 1;
        }
    }

    #[derive(Default)]
    struct Wire(Mutex<Printer>);

    impl Transport for Wire {
        fn call(&self, _: Slot, _: Selector, _: Registers) -> Answer {
            unreachable!("LOG has encoded operations only")
        }

        fn call_long(&self, to: Slot, selector: Selector, request: Long<'_>, _: &mut [u32]) -> Answer {
            assert_eq!(to, Slot(2));
            let mut words = [0; MAX_WORDS];
            let length = request.write(&mut words).unwrap();
            let label = Label::received(Caller::default().label(selector).number());
            let request = Request { label, body: Body::Long(&words[..length]) };
            let mut space = Buffer::new();
            let reply = dispatch(&mut *self.0.lock().unwrap(), &request, &mut space).unwrap();
            Answer::new(reply.status.label(), reply.body.words().len(), [0; 4])
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_arrives(text in prop::collection::vec(any::<u8>(), 0..2000)) {
            let wire: &'static Wire = Box::leak(Box::default());
            Client::new(wire, Slot(2)).print(&text);
            prop_assert_eq!(&wire.0.lock().unwrap().printed, &text);
        }
    }

    #[test]
    fn a_formatted_line_is_one_request() {
        let wire: &'static Wire = Box::leak(Box::default());
        let client = Client::new(wire, Slot(2));
        writeln!(Writer::new(&client), "{} {} {}", 1, 2, 3).unwrap();
        let printer = wire.0.lock().unwrap();
        assert_eq!((&printer.printed[..], printer.requests), (&b"1 2 3\n"[..], 1));
    }
}
