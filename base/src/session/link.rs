//! LINK: frames of an Ethernet, to and from one port of it.
//!
//! The seam between whoever has a network and whoever uses it. What passes is whole frames, so a driver of a device and a
//! link that exists in memory only look the same from outside, and the network stack is a library in whoever uses it.
//!
//! A client asks for the [memory](Link::memory) of the session's two [rings], lends a signal and says so by
//! [`listen`](Link::listen), and asks for the server's [bell](Link::bell), which is a signal too. From then on no request is
//! needed: who puts a frame into a ring raises the other's signal if the other waits for one.
//!
//! Frames are lost, as on any Ethernet, when whoever should take them does not.

pub mod rings;

use crate::{ErrorCode, Words, interface, rpc};

/// LINK: frames of an Ethernet, to and from one port of it.
#[interface(id = 20)]
pub trait Link {
    /// The handle of the memory with the session's rings, which the client may write to.
    #[operation(1, idempotent)]
    fn memory(&mut self) -> Result<u32, LinkError>;

    /// The handle of the server's signal. The client raises it when a ring says that the server waits.
    #[operation(2, idempotent)]
    fn bell(&mut self) -> Result<u32, LinkError>;

    /// The server is to raise that signal of the client's, by the handle that lending it has told, when a ring says that the
    /// client waits, and when the link goes up or down.
    #[operation(3, idempotent)]
    fn listen(&mut self, handle: u32) -> Result<(), LinkError>;

    /// What there is to know of the port.
    #[operation(4, idempotent)]
    fn state(&mut self) -> State;
}

/// Longest payload of a frame in bytes.
pub const MTU: u16 = 1500;
/// Longest frame in bytes: two addresses, a type, and the payload. The checksum is the link's affair.
pub const MAX_FRAME: usize = 14 + MTU as usize;
/// Shortest frame in bytes that is passed on: the addresses and the type. The link fills up what a wire wants longer.
pub const MIN_FRAME: usize = 14;

/// What there is to know of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Words)]
pub struct State {
    /// Its address, of six bytes: the first four in the first word, the first lowest.
    pub address: Address,
    /// Longest payload in bytes.
    pub mtu: u16,
    /// Whether a cable is plugged in. It also stands in the rings' memory, where it can be read without asking.
    pub up: bool,
}

/// Address of a port, of six bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub [u8; 6]);

impl Address {
    /// Whether it can be one port's own: not a group's, and not nobody's.
    pub fn is_single(&self) -> bool {
        self.0[0] & 1 == 0 && self.0 != [0; 6]
    }
}

/// Two words; the upper half of the second is zero.
impl rpc::Words for Address {
    const WORDS: usize = 2;

    #[inline]
    fn put(self, to: &mut rpc::Registers) {
        let [a, b, c, d, e, f] = self.0;
        to.push(u32::from_le_bytes([a, b, c, d]));
        to.push(u32::from_le_bytes([e, f, 0, 0]));
    }

    #[inline]
    fn take(from: &mut rpc::Reader) -> Option<Self> {
        let ([a, b, c, d], [e, f, 0, 0]) = (from.word()?.to_le_bytes(), from.word()?.to_le_bytes()) else {
            return None;
        };
        Some(Self([a, b, c, d, e, f]))
    }
}

/// As it is written, `02:00:00:00:00:01`.
impl core::fmt::Display for Address {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let [first, rest @ ..] = self.0;
        write!(f, "{first:02x}")?;
        rest.iter().try_for_each(|byte| write!(f, ":{byte:02x}"))
    }
}

impl core::str::FromStr for Address {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            let part = parts.next().filter(|part| part.len() == 2 && !part.starts_with('+')).ok_or(NoAddress)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| NoAddress)?;
        }
        if parts.next().is_some() { Err(NoAddress) } else { Ok(Self(bytes)) }
    }
}

/// A text that is no address: not six times two hexadecimal digits with `:` between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAddress;

/// Why a session of LINK does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum LinkError {
    /// It cannot be handed over.
    Handle = 1,
    /// Nothing was lent by that handle.
    Nothing = 2,
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::rpc::Registers;
    use std::string::ToString;

    #[test]
    fn an_address_is_written_as_it_is_read() {
        let address = Address([2, 0, 0xab, 0, 0, 0xff]);
        assert_eq!(address.to_string(), "02:00:ab:00:00:ff");
        assert_eq!("02:00:ab:00:00:ff".parse(), Ok(address));
        for text in [
            "",
            "02",
            "02:00:ab:00:00",
            "02:00:ab:00:00:ff:01",
            "02:00:ab:00:00:f",
            "02:00:ab:00:00:+f",
            "2:00:ab:00:00:ff",
        ] {
            assert_eq!(text.parse::<Address>(), Err(NoAddress), "{text}");
        }
        assert!(address.is_single());
        assert!(!Address([3, 0, 0, 0, 0, 0]).is_single() && !Address([0; 6]).is_single());
    }

    #[test]
    fn a_state_travels_in_four_words() {
        let state = State { address: Address([1, 2, 3, 4, 5, 6]), mtu: MTU, up: true };
        let registers = Registers::of(state);
        assert_eq!(registers.words(), [0x0403_0201, 0x0605, 1500, 1]);
        assert_eq!(registers.value(), Some(state));
        assert_eq!(Registers::from_slice(&[1, 0x1_0000]).unwrap().value::<Address>(), None);
    }
}
