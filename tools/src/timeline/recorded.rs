//! What came over the control line of a trace, piece by piece.

use std::collections::BTreeMap;

use wire::{
    record::Malformed,
    trace::{Moment, Piece},
};

use crate::terminal::harmless;

/// A trace as it was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    recorded: u64,
    kept: u32,
    names: BTreeMap<u8, String>,
    kinds: BTreeMap<u8, String>,
    moments: Vec<Moment>,
}

impl Recorded {
    /// Takes the next piece.
    ///
    /// # Errors
    /// It is no piece of a trace, or there are more events than were promised.
    pub fn take(&mut self, piece: Piece<'_>) -> Result<(), Malformed> {
        match piece {
            Piece::Begin { recorded, kept } => *self = Self { recorded, kept, ..Self::default() },
            Piece::Name { number, name } => _ = self.names.insert(number, harmless(name)),
            Piece::Kind { number, name } => _ = self.kinds.insert(number, harmless(name)),
            Piece::Events(bytes) => {
                let (events, rest) = bytes.as_chunks();
                if !rest.is_empty() || self.moments.len() + events.len() > self.kept as usize {
                    return Err(Malformed);
                }
                for &event in events {
                    self.moments.push(Moment::from_bytes(event).ok_or(Malformed)?);
                }
            }
        }
        Ok(())
    }

    /// The events, oldest first.
    pub fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// How many events came before those and are lost.
    pub fn overwritten(&self) -> u64 {
        self.recorded.saturating_sub(self.moments.len() as u64)
    }

    /// The name of that number.
    pub fn name(&self, number: u8) -> Option<&str> {
        self.names.get(&number).map(String::as_str)
    }

    /// Numbers and names of the kinds of notes.
    pub fn kinds(&self) -> impl Iterator<Item = (u8, &str)> {
        self.kinds.iter().map(|(&number, name)| (number, name.as_str()))
    }

    /// Whether nothing was told.
    pub fn is_empty(&self) -> bool {
        self.moments.is_empty()
    }
}
