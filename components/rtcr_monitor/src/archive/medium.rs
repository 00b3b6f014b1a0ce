//! Persistent memory as what images are stored on.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use base::{
    Env,
    memory::{Attachment, MemoryError},
    rpc::{CallError, Shared},
    session::{
        device::persistent,
        parent::OpenError,
        pd::{ANY, CopyError, PAGE},
        rm::Placement,
        rom,
    },
};
use rtcr::store::Medium;

/// The memory, attached, and what was written to it and is perhaps in the processor's caches only.
pub struct PersistentMemory {
    session: persistent::Client,
    attached: Attachment,
    /// Pages that were written, from one to before another.
    unflushed: (u32, u32),
    /// The how-manieth write from now on fails, to see what happens then; 0 for none.
    refused: u32,
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoMemory {
    /// The scenario gives none.
    None,
    /// No session.
    Open(CallError<OpenError>),
    /// No dataspace.
    Dataspace(CallError<rom::OpenError>),
    /// It cannot be attached.
    Attach(MemoryError),
}

impl core::fmt::Display for NoMemory {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::None => write!(f, "its parent has no persistent memory: it has `persistent` in no `devices`"),
            other => write!(f, "there is no persistent memory: {other:?}"),
        }
    }
}

impl PersistentMemory {
    /// All that this component has, of that size.
    ///
    /// # Errors
    /// There is none.
    pub fn new(env: Env, size: u32) -> Result<Self, NoMemory> {
        let label = alloc::format!("{size:x}");
        let slot = env.until_answered(|| env.parent().open("persistent", label.as_bytes())).map_err(NoMemory::Open)?;
        let session = persistent::Client::new(env.platform() as Shared, slot);
        let dataspace = session.open(ANY).map_err(NoMemory::Dataspace)?;
        let attached = env.attach(&dataspace, Placement::ANYWHERE).map_err(NoMemory::Attach)?;
        Ok(Self { session, attached, unflushed: (u32::MAX, 0), refused: 0 })
    }

    /// The write with that number from now on fails, counted from 1; with 0 none does.
    pub const fn refuse(&mut self, number: u32) {
        self.refused = number;
    }

    fn word(&self, at: usize) -> Option<&AtomicU32> {
        self.attached.words().get(at / 4)
    }

    /// One byte, where a word is not written as a whole.
    fn set(&self, at: usize, byte: u8) {
        if let Some(word) = self.word(at) {
            let mut bytes = word.load(Relaxed).to_ne_bytes();
            bytes[at % 4] = byte;
            word.store(u32::from_ne_bytes(bytes), Relaxed);
        }
    }
}

impl Medium for PersistentMemory {
    type Error = CallError<CopyError>;

    fn size(&self) -> u64 {
        self.attached.size() as u64
    }

    fn read(&mut self, at: u64, to: &mut [u8]) -> Result<(), Self::Error> {
        let range = CallError::Error(CopyError::Range);
        let at = usize::try_from(at).map_err(|_| range)?;
        let first = at / 4;
        let words = self.attached.words().get(first..(at + to.len()).div_ceil(4)).ok_or(range)?;
        let before = at % 4;
        let (head, body) = to.split_at_mut(((4 - before) % 4).min(to.len()));
        let mut words = words.iter().map(|word| word.load(Relaxed).to_ne_bytes());
        if !head.is_empty() {
            let word = words.next().unwrap_or_default();
            head.copy_from_slice(&word[before..before + head.len()]);
        }
        body.chunks_mut(4).zip(words).for_each(|(chunk, word)| chunk.copy_from_slice(&word[..chunk.len()]));
        Ok(())
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> Result<(), Self::Error> {
        let range = CallError::Error(CopyError::Range);
        let at = usize::try_from(at).map_err(|_| range)?;
        let end = at.checked_add(bytes.len()).filter(|end| *end <= self.attached.size()).ok_or(range)?;
        if bytes.is_empty() {
            return Ok(());
        }
        let refused = self.refused;
        self.refused = refused.saturating_sub(1);
        if refused == 1 {
            return Err(CallError::Refused);
        }
        let (head, rest) = bytes.split_at(((4 - at % 4) % 4).min(bytes.len()));
        let body = rest.chunks_exact(4);
        let tail = body.remainder();
        (at..).zip(head).for_each(|(at, byte)| self.set(at, *byte));
        let words = self.attached.words().get((at + head.len()) / 4..).unwrap_or_default();
        for (word, chunk) in words.iter().zip(body) {
            word.store(u32::from_ne_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]), Relaxed);
        }
        (end - tail.len()..).zip(tail).for_each(|(at, byte)| self.set(at, *byte));
        let (first, last) = (at as u32 / PAGE, (end as u32 - 1) / PAGE);
        self.unflushed = (self.unflushed.0.min(first), self.unflushed.1.max(last + 1));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        let (mut next, end) = self.unflushed;
        while next < end {
            next += self.session.flush(next, end - next)?.max(1);
            self.unflushed.0 = next;
        }
        self.unflushed = (u32::MAX, 0);
        Ok(())
    }
}
