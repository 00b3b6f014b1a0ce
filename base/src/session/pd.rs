//! PD: a component's protection domain, as seen by the component.

use crate::rpc::{Slot, Transport};

/// Ends the component. One word, the exit code; there is no reply.
pub const EXIT: u32 = 1;

/// Exit code of a component that panicked, as on hosted systems.
pub const PANIC: i32 = 101;

/// A component's own protection domain.
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

    /// Ends the component with `code`; 0 means that it did what it should.
    pub fn exit(&self, code: i32) -> ! {
        loop {
            // Never answered: whoever serves the request takes the component down. Called again should a parent answer
            // all the same.
            self.transport.call(self.slot, EXIT, &[code.cast_unsigned()], &mut []);
        }
    }
}

/// A request of this interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// See [`EXIT`].
    Exit(i32),
}

impl Request {
    /// Reads a request; nothing is trusted.
    ///
    /// # Errors
    /// What to answer when it is none.
    pub fn parse(operation: u32, words: &[u32]) -> Result<Self, crate::rpc::Status> {
        match (operation, words) {
            (EXIT, &[code]) => Ok(Self::Exit(code.cast_signed())),
            (EXIT, _) => Err(crate::rpc::Status::Malformed),
            _ => Err(crate::rpc::Status::UnknownOperation),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::Status;

    #[test]
    fn requests_are_read_and_refused() {
        assert_eq!(Request::parse(EXIT, &[u32::MAX]), Ok(Request::Exit(-1)));
        assert_eq!(Request::parse(EXIT, &[]), Err(Status::Malformed));
        assert_eq!(Request::parse(EXIT, &[1, 2]), Err(Status::Malformed));
        assert_eq!(Request::parse(99, &[1]), Err(Status::UnknownOperation));
    }
}
