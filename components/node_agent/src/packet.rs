//! What two agents send each other, inside a channel.

use base::session::custody::Description;
use handover::{Epoch, Message};
use serde::{Deserialize, Serialize};

/// Version of all that two agents say. Others are refused.
pub const VERSION: u16 = 1;

/// Longest piece of an image in a packet.
pub const PIECE: usize = 4096;

/// The first thing that each says, in the key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Its version.
    pub version: u16,
    /// Its number.
    pub node: u8,
}

/// A packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Packet<'a> {
    /// For the transitions.
    Message(Message),
    /// What the component needs that an attempt is about; comes before it is asked for.
    Need(Epoch, Description),
    /// The next piece of its image.
    Piece(Epoch, &'a [u8]),
}
