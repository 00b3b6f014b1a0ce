//! Ports, and frames on their way between them. Nothing here waits: it is told the time, and tells what happens next.

use alloc::{collections::BTreeMap, vec::Vec};

use base::session::link::Address;

use crate::cable::Cable;

/// A port, by its place.
pub type Port = usize;

/// Frames on their way.
#[derive(Debug)]
pub struct Network {
    addresses: Vec<Address>,
    /// The way from each port to each other, row by row.
    cables: Vec<Option<Cable>>,
    /// By their times of arrival, then in the order in which they were sent.
    on_their_way: BTreeMap<(u64, u64), Arrival>,
    sent: u64,
    counts: Vec<Counts>,
}

#[derive(Debug)]
struct Arrival {
    to: Port,
    frame: Vec<u8>,
}

/// What a port has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames that were sent, on however many cables.
    pub sent: u64,
    /// Frames that were lost on cables from it.
    pub lost: u64,
    /// Frames that have arrived at it.
    pub arrived: u64,
}

impl Network {
    /// Ports with these addresses; `cable` makes the way from one to another.
    pub fn new(addresses: Vec<Address>, mut cable: impl FnMut(Port, Port) -> Cable) -> Self {
        let ports = addresses.len();
        let pairs = (0..ports).flat_map(|from| (0..ports).map(move |to| (from, to)));
        let cables = pairs.map(|(from, to)| (from != to).then(|| cable(from, to))).collect();
        let counts = alloc::vec![Counts::default(); ports];
        Self { addresses, cables, on_their_way: BTreeMap::new(), sent: 0, counts }
    }

    /// The address of a port.
    pub fn address(&self, port: Port) -> Option<Address> {
        self.addresses.get(port).copied()
    }

    /// What a port has seen.
    pub fn counts(&self, port: Port) -> Counts {
        self.counts.get(port).copied().unwrap_or_default()
    }

    fn from(&self, port: Port) -> impl Iterator<Item = &Cable> {
        self.cables.chunks(self.addresses.len().max(1)).nth(port).into_iter().flatten().flatten()
    }

    /// When a port can send the next time. Whichever of its cables the frame takes, there is room for it.
    pub fn ready(&self, port: Port) -> u64 {
        self.from(port).map(Cable::ready).max().unwrap_or(0)
    }

    /// Whether any cable of a port is whole, be it one way.
    pub fn is_up(&self, port: Port, now: u64) -> bool {
        let ports = self.addresses.len();
        let towards = self.cables.iter().skip(port).step_by(ports.max(1)).flatten();
        self.from(port).chain(towards).any(|cable| cable.is_whole(now))
    }

    /// When a cable is cut or mended the next time.
    pub fn next_change(&self, now: u64) -> Option<u64> {
        self.cables.iter().flatten().filter_map(|cable| cable.next_change(now)).min()
    }

    /// Sends a frame.
    pub fn send(&mut self, now: u64, from: Port, frame: &[u8]) {
        let ports = self.addresses.len();
        let known = frame.first_chunk().and_then(|to| self.addresses.iter().position(|address| address.0 == *to));
        // To oneself is nobody on the wire.
        let to = match known {
            Some(to) => to..to + 1,
            None => 0..ports,
        };
        let Some(counts) = self.counts.get_mut(from) else { return };
        counts.sent += 1;
        for to in to {
            let Some(Some(cable)) = self.cables.get_mut(from * ports + to) else { continue };
            let fate = cable.send(now, frame.len());
            let Some(at) = fate.arrival else {
                counts.lost += 1;
                continue;
            };
            let mut copy = Vec::from(frame);
            if let Some(bit) = fate.changed
                && let Some(byte) = copy.get_mut(bit / 8)
            {
                *byte ^= 1 << (bit % 8);
            }
            for _ in 0..=usize::from(fate.twice) {
                self.sent += 1;
                self.on_their_way.insert((at, self.sent), Arrival { to, frame: copy.clone() });
            }
        }
    }

    /// When the next frame arrives.
    pub fn next_arrival(&self) -> Option<u64> {
        self.on_their_way.first_key_value().map(|((at, _), _)| *at)
    }

    /// A frame that has arrived, and where.
    pub fn arrived(&mut self, now: u64) -> Option<(Port, Vec<u8>)> {
        let next = self.on_their_way.first_entry().filter(|next| next.key().0 <= now)?;
        let Arrival { to, frame } = next.remove();
        if let Some(counts) = self.counts.get_mut(to) {
            counts.arrived += 1;
        }
        Some((to, frame))
    }
}
