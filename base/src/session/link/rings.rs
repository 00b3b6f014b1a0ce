//! The two rings of a session of LINK: memory that both sides see, and what each side does with its end.
//!
//! | words | hold |
//! |---|---|
//! | 0 | 1 while a cable is plugged in; the server writes it |
//! | 16 to 19 | the ring to the server: how many frames were put in, whether the taker waits, how many were taken out, whether the putter waits |
//! | 32 to 35 | the same of the ring to the client |
//! | 1024 on | 32 places of 384 words each for frames to the server, then as many for frames to the client |
//!
//! A place's first word is the frame's length in bytes, then come the bytes, four a word, the first lowest. Counts go on
//! beyond 2^32 from 0. Each word has one writer, but for the two that say that somebody waits: who waits sets it and looks once more,
//! the other takes it away when it raises the signal.
//!
//! Nothing that the other side writes is believed: a count that is too far ahead or a length that no frame has breaks this end
//! of the ring for good, and nothing else. Frames are copied out before anybody looks at them.

use core::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};

use super::{MAX_FRAME, MIN_FRAME};

/// Frames that a ring holds.
pub const PLACES: u32 = 32;
/// Bytes of the memory of a session: both rings.
pub const MEMORY: usize = (FIRST_PLACE + 2 * PLACES as usize * PLACE_WORDS) * size_of::<u32>();

/// Words of a place.
const PLACE_WORDS: usize = 384;
const FIRST_PLACE: usize = 1024;
const UP: usize = 0;

// The longest frame fits into a place behind its length.
const _: () = assert!(size_of::<u32>() + MAX_FRAME <= PLACE_WORDS * size_of::<u32>());

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    /// Frames that the client sends.
    ToServer,
    /// Frames that the client receives.
    ToClient,
}

impl Ring {
    const fn control(self) -> usize {
        match self {
            Self::ToServer => 16,
            Self::ToClient => 32,
        }
    }

    fn put(self, memory: &[AtomicU32]) -> Option<&AtomicU32> {
        memory.get(self.control())
    }

    fn taker_waits(self, memory: &[AtomicU32]) -> Option<&AtomicU32> {
        memory.get(self.control() + 1)
    }

    fn taken(self, memory: &[AtomicU32]) -> Option<&AtomicU32> {
        memory.get(self.control() + 2)
    }

    fn putter_waits(self, memory: &[AtomicU32]) -> Option<&AtomicU32> {
        memory.get(self.control() + 3)
    }

    fn place(self, memory: &[AtomicU32], number: u32) -> Option<&[AtomicU32]> {
        let of = match self {
            Self::ToServer => 0,
            Self::ToClient => PLACES as usize,
        };
        memory.get(FIRST_PLACE + (of + (number % PLACES) as usize) * PLACE_WORDS..)?.get(..PLACE_WORDS)
    }
}

/// Why nothing goes through a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RingError {
    /// The other side has written what cannot be, or there is less memory than the rings have. It stays so.
    Broken,
    /// No frame has that length.
    Length,
    /// There is no place. The other side raises the signal when there is one again.
    Full,
}

/// Whether a cable is plugged in.
pub fn is_up(memory: &[AtomicU32]) -> bool {
    memory.get(UP).is_some_and(|up| up.load(Acquire) == 1)
}

/// Says whether a cable is plugged in; the server's to do. It raises the client's signal then.
pub fn set_up(memory: &[AtomicU32], up: bool) {
    if let Some(word) = memory.get(UP) {
        word.store(up.into(), Release);
    }
}

/// The end of a ring at which frames are put in.
#[derive(Debug)]
pub struct Putter {
    ring: Ring,
    put: u32,
    broken: bool,
}

impl Putter {
    /// Of a ring whose memory is new.
    pub const fn new(ring: Ring) -> Self {
        Self { ring, put: 0, broken: false }
    }

    /// How many frames can be put in. If none, the other side raises the signal when there is a place again.
    ///
    /// # Errors
    /// `Broken`.
    pub fn room(&mut self, memory: &[AtomicU32]) -> Result<u32, RingError> {
        match self.free(memory)? {
            0 => {
                self.ring.putter_waits(memory).ok_or(RingError::Broken)?.store(1, SeqCst);
                // What was taken before the other side saw that would not be told.
                self.free(memory)
            }
            free => Ok(free),
        }
    }

    /// Puts a frame in; tells whether the other side waits for one, so that its signal is to be raised.
    ///
    /// # Errors
    /// It is not in.
    pub fn put(&mut self, memory: &[AtomicU32], frame: &[u8]) -> Result<bool, RingError> {
        if !(MIN_FRAME..=MAX_FRAME).contains(&frame.len()) {
            return Err(RingError::Length);
        }
        if self.room(memory)? == 0 {
            return Err(RingError::Full);
        }
        let place = self.ring.place(memory, self.put).ok_or(RingError::Broken)?;
        let (length, words) = place.split_first().ok_or(RingError::Broken)?;
        let (whole, rest) = frame.as_chunks::<4>();
        for (word, bytes) in words.iter().zip(whole) {
            word.store(u32::from_le_bytes(*bytes), Relaxed);
        }
        if let (false, Some(word)) = (rest.is_empty(), words.get(whole.len())) {
            let mut bytes = [0; 4];
            bytes[..rest.len()].copy_from_slice(rest);
            word.store(u32::from_le_bytes(bytes), Relaxed);
        }
        length.store(frame.len() as u32, Relaxed);
        self.put = self.put.wrapping_add(1);
        self.ring.put(memory).ok_or(RingError::Broken)?.store(self.put, SeqCst);
        Ok(wake(self.ring.taker_waits(memory)))
    }

    fn free(&mut self, memory: &[AtomicU32]) -> Result<u32, RingError> {
        let taken = self.ring.taken(memory).map(|word| word.load(SeqCst));
        let inside = taken.map(|taken| self.put.wrapping_sub(taken)).filter(|inside| *inside <= PLACES && !self.broken);
        self.broken |= inside.is_none();
        inside.map(|inside| PLACES - inside).ok_or(RingError::Broken)
    }
}

/// The end of a ring at which frames are taken out.
#[derive(Debug)]
pub struct Taker {
    ring: Ring,
    taken: u32,
    broken: bool,
}

impl Taker {
    /// Of a ring whose memory is new.
    pub const fn new(ring: Ring) -> Self {
        Self { ring, taken: 0, broken: false }
    }

    /// Whether there is a frame. If not, the other side raises the signal when there is one.
    ///
    /// # Errors
    /// `Broken`.
    pub fn is_empty(&mut self, memory: &[AtomicU32]) -> Result<bool, RingError> {
        if self.inside(memory)? > 0 {
            return Ok(false);
        }
        self.ring.taker_waits(memory).ok_or(RingError::Broken)?.store(1, SeqCst);
        // What was put in before the other side saw that would not be told.
        Ok(self.inside(memory)? == 0)
    }

    /// Takes a frame out, if there is one: its length, and whether the other side waits for a place, so that its signal is to
    /// be raised. If there is none, the other side raises the signal when there is one.
    ///
    /// # Errors
    /// `Broken`.
    pub fn take(
        &mut self,
        memory: &[AtomicU32],
        buffer: &mut [u8; MAX_FRAME],
    ) -> Result<Option<(usize, bool)>, RingError> {
        if self.is_empty(memory)? {
            return Ok(None);
        }
        let place = self.ring.place(memory, self.taken).ok_or(RingError::Broken)?;
        let (length, words) = place.split_first().ok_or(RingError::Broken)?;
        let length = length.load(Relaxed) as usize;
        let Some(frame) = buffer.get_mut(..length).filter(|_| length >= MIN_FRAME) else {
            self.broken = true;
            return Err(RingError::Broken);
        };
        for (bytes, word) in frame.chunks_mut(4).zip(words) {
            let word = word.load(Relaxed).to_le_bytes();
            bytes.copy_from_slice(&word[..bytes.len()]);
        }
        self.taken = self.taken.wrapping_add(1);
        self.ring.taken(memory).ok_or(RingError::Broken)?.store(self.taken, SeqCst);
        Ok(Some((length, wake(self.ring.putter_waits(memory)))))
    }

    fn inside(&mut self, memory: &[AtomicU32]) -> Result<u32, RingError> {
        let put = self.ring.put(memory).map(|word| word.load(SeqCst));
        let inside = put.map(|put| put.wrapping_sub(self.taken)).filter(|inside| *inside <= PLACES && !self.broken);
        self.broken |= inside.is_none();
        inside.ok_or(RingError::Broken)
    }
}

/// Whether somebody has said that it waits; it is not said any more then.
fn wake(waits: Option<&AtomicU32>) -> bool {
    // Read first: as a rule nobody waits, and a swap locks the bus.
    waits.is_some_and(|waits| waits.load(SeqCst) != 0 && waits.swap(0, SeqCst) != 0)
}

#[cfg(test)]
mod tests;
