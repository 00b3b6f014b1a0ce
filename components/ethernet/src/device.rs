//! The client's end as a device for smoltcp.
//!
//! A frame is handed to the stack in a buffer of the client's own, and built in one; what passes through the shared memory is a
//! copy. Nothing is handed out while nothing can be sent, so a full ring holds the stack up and loses nothing.

use base::session::link::MAX_FRAME;
use smoltcp::{
    phy::{self, Device, DeviceCapabilities, Medium},
    time::Instant,
};

use crate::{
    Ethernet,
    client::{Outward, Way},
};

/// A frame that has come.
#[derive(Debug)]
pub struct Incoming<'a>(&'a [u8]);

/// A frame that can be sent.
pub struct Outgoing<'a> {
    way: &'a Way,
    outward: &'a mut Outward,
}

impl phy::RxToken for Incoming<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

impl phy::TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        self.outward.send(self.way, length, f)
    }
}

impl core::fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Outgoing")
    }
}

impl Device for Ethernet {
    type RxToken<'a> = Incoming<'a>;
    type TxToken<'a> = Outgoing<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Incoming<'_>, Outgoing<'_>)> {
        let (way, outward, inward) = self.parts();
        // What comes may have to be answered.
        if !outward.has_room(way) {
            return None;
        }
        let frame = inward.receive(way)?;
        Some((Incoming(frame), Outgoing { way, outward }))
    }

    fn transmit(&mut self, _: Instant) -> Option<Outgoing<'_>> {
        let (way, outward, _) = self.parts();
        outward.has_room(way).then_some(Outgoing { way, outward })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = MAX_FRAME;
        capabilities
    }
}
