//! A channel to another node over a stream of bytes: who it is, that nobody reads or changes what is said, its order, and that it is
//! said now.
//!
//! A Noise session of pattern `KK`: both know each other's public key beforehand. It begins with a message each way, which carry a
//! [`Hello`]. Everything is in records: two bytes of length, the higher first, then as many bytes of a Noise message. A record can be
//! as long as [`MAX_RECORD`] and no longer; so whatever comes, no more than that is kept.

use alloc::{boxed::Box, collections::VecDeque, vec, vec::Vec};
use core::fmt;

use snow::{Builder, HandshakeState, TransportState};

use crate::{
    entropy::Seeded,
    packet::{Hello, PIECE, Packet, VERSION},
};

/// A key, private or public.
pub type Key = [u8; 32];

/// Longest record, without its length.
pub const MAX_RECORD: usize = PIECE + 64;
/// How much may wait to be sent.
pub const MAX_WAITING: usize = 64 << 10;

const PATTERN: &str = "Noise_KK_25519_ChaChaPoly_BLAKE2s";
const PROLOGUE: &[u8] = b"rtcr nodes";

/// Why a channel is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A record is said to be longer than records are.
    TooLong(usize),
    /// It is not who it should be, or does not know who this is.
    Unknown,
    /// It speaks another version.
    Version(u16),
    /// It is another node than the one that is expected.
    Node(u8),
    /// Something was changed, repeated or left out on its way.
    Damaged,
    /// What it says makes no sense.
    Nonsense,
    /// It does not take what it is sent.
    Deaf,
    /// No session can be made: a key makes no sense.
    Session,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(length) => write!(f, "it announces {length} bytes at once"),
            Self::Unknown => write!(f, "it has not proved who it is"),
            Self::Version(version) => write!(f, "it speaks version {version}, and this is {VERSION}"),
            Self::Node(node) => write!(f, "it says that it is node {node}"),
            Self::Damaged => write!(f, "what it sends is damaged"),
            Self::Nonsense => write!(f, "what it says makes no sense"),
            Self::Deaf => write!(f, "it does not take what it is sent"),
            Self::Session => write!(f, "a key makes no sense"),
        }
    }
}

enum Stage {
    Handshake(Box<HandshakeState>),
    Open(Box<TransportState>),
    Over,
}

/// Who is at the ends of a channel.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// This node, and the other.
    pub nodes: (u8, u8),
    /// This node's private key, and the other's public one.
    pub keys: (Key, Key),
    /// This node speaks first.
    pub begins: bool,
}

/// A channel; it begins with a connection, and ends with it or with a fault.
pub struct Channel {
    stage: Stage,
    ends: Ends,
    inbox: Vec<u8>,
    outbox: VecDeque<u8>,
    /// The version that is told.
    version: u16,
}

impl Channel {
    /// Over a new connection. From the seed and the connection's number come its random numbers.
    ///
    /// # Errors
    /// A key makes no sense.
    pub fn new(ends: Ends, seed: u64, number: u64) -> Result<Self, Fault> {
        Self::of_version(ends, seed, number, VERSION)
    }

    /// The same for one that says it speaks another version; for tests.
    ///
    /// # Errors
    /// A key makes no sense.
    pub fn of_version(ends: Ends, seed: u64, number: u64, version: u16) -> Result<Self, Fault> {
        let params = PATTERN.parse().map_err(|_| Fault::Session)?;
        let resolver = Box::new(Seeded::new(ends.keys.0, seed, number));
        let session = |_| Fault::Session;
        let builder = Builder::with_resolver(params, resolver)
            .prologue(PROLOGUE)
            .and_then(|builder| builder.local_private_key(&ends.keys.0))
            .and_then(|builder| builder.remote_public_key(&ends.keys.1))
            .map_err(session)?;
        let handshake = match ends.begins {
            true => builder.build_initiator(),
            false => builder.build_responder(),
        };
        let stage = Stage::Handshake(Box::new(handshake.map_err(session)?));
        let mut channel = Self { stage, ends, inbox: Vec::new(), outbox: VecDeque::new(), version };
        if ends.begins {
            channel.greet()?;
        }
        Ok(channel)
    }

    /// Whether the other has proved who it is.
    pub const fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open(_))
    }

    /// Bytes that wait to be sent.
    pub fn waiting(&self) -> usize {
        self.outbox.len()
    }

    /// The first of them, those that lie together.
    pub fn to_send(&self) -> &[u8] {
        self.outbox.as_slices().0
    }

    /// So many of them are sent.
    pub fn sent(&mut self, count: usize) {
        self.outbox.drain(..count.min(self.outbox.len()));
    }

    fn put(&mut self, record: &[u8]) -> Result<(), Fault> {
        if self.outbox.len() + record.len() > MAX_WAITING {
            return self.fail(Fault::Deaf);
        }
        // A record is no longer than that.
        let length = u16::try_from(record.len()).map_err(|_| Fault::Session)?;
        self.outbox.extend(length.to_be_bytes());
        self.outbox.extend(record);
        Ok(())
    }

    fn fail<T>(&mut self, fault: Fault) -> Result<T, Fault> {
        self.stage = Stage::Over;
        self.inbox = Vec::new();
        self.outbox.clear();
        Err(fault)
    }

    fn greet(&mut self) -> Result<(), Fault> {
        let hello = Hello { version: self.version, node: self.ends.nodes.0 };
        let (mut text, mut record) = ([0; 16], [0; 256]);
        let Stage::Handshake(handshake) = &mut self.stage else { return Err(Fault::Session) };
        let text = postcard::to_slice(&hello, &mut text).map_err(|_| Fault::Session)?;
        let Ok(length) = handshake.write_message(text, &mut record) else { return self.fail(Fault::Session) };
        self.put(&record[..length])
    }

    /// Says something, if the channel is open.
    ///
    /// # Errors
    /// The other does not take what it is sent: the channel is over.
    pub fn say(&mut self, packet: &Packet<'_>) -> Result<(), Fault> {
        let Stage::Open(transport) = &mut self.stage else { return Ok(()) };
        let mut record = vec![0; MAX_RECORD];
        let said = postcard::to_allocvec(packet).ok().and_then(|text| transport.write_message(&text, &mut record).ok());
        match said {
            Some(length) => self.put(&record[..length]),
            None => self.fail(Fault::Session),
        }
    }

    /// How many bytes can be taken now: what the record that comes still misses.
    pub fn wants(&self) -> usize {
        match self.inbox.first_chunk() {
            None => 2 - self.inbox.len(),
            Some(length) => (2 + usize::from(u16::from_be_bytes(*length))).saturating_sub(self.inbox.len()),
        }
    }

    /// Bytes have come, no more than are wanted. What they say, if that is something, is given to `hear`.
    ///
    /// # Errors
    /// The channel is over.
    pub fn take(&mut self, bytes: &[u8], hear: &mut dyn FnMut(Packet<'_>)) -> Result<(), Fault> {
        if let Stage::Over = self.stage {
            return Ok(());
        }
        self.inbox.extend_from_slice(bytes);
        if let Some(length) = self.inbox.first_chunk() {
            let length = usize::from(u16::from_be_bytes(*length));
            if length > MAX_RECORD {
                return self.fail(Fault::TooLong(length));
            }
        }
        if self.inbox.len() < 2 || self.wants() > 0 {
            return Ok(());
        }
        let record = core::mem::take(&mut self.inbox);
        self.record(&record[2..], hear)
    }

    fn record(&mut self, record: &[u8], hear: &mut dyn FnMut(Packet<'_>)) -> Result<(), Fault> {
        let mut text = vec![0; MAX_RECORD];
        match &mut self.stage {
            Stage::Over => Ok(()),
            Stage::Open(transport) => {
                let Ok(length) = transport.read_message(record, &mut text) else { return self.fail(Fault::Damaged) };
                match postcard::from_bytes(&text[..length]) {
                    Ok(packet) => {
                        hear(packet);
                        Ok(())
                    }
                    Err(_) => self.fail(Fault::Nonsense),
                }
            }
            Stage::Handshake(handshake) => {
                let Ok(length) = handshake.read_message(record, &mut text) else { return self.fail(Fault::Unknown) };
                let Ok(Hello { version, node }) = postcard::from_bytes(&text[..length]) else {
                    return self.fail(Fault::Nonsense);
                };
                // It is told in any case: so the other can say what is wrong.
                if !self.ends.begins {
                    self.greet()?;
                }
                if version != self.version {
                    return self.end(Fault::Version(version));
                }
                if node != self.ends.nodes.1 {
                    return self.end(Fault::Node(node));
                }
                let Stage::Handshake(handshake) = core::mem::replace(&mut self.stage, Stage::Over) else {
                    return Err(Fault::Session);
                };
                match handshake.into_transport_mode() {
                    Ok(transport) => {
                        self.stage = Stage::Open(Box::new(transport));
                        Ok(())
                    }
                    Err(_) => self.fail(Fault::Session),
                }
            }
        }
    }

    /// The channel is over, but for what waits to be sent.
    fn end(&mut self, fault: Fault) -> Result<(), Fault> {
        self.stage = Stage::Over;
        Err(fault)
    }
}
