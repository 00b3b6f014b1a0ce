//! What messages consist of (manual, section 4.1).
//!
//! A message is a label, up to 120 words, and up to three capabilities. Label and counts travel in a register, the
//! [`MessageInfo`]; the first four words too; the other words and the capabilities travel in the thread's message buffer.
//! The kernel's short path takes only messages of up to four words without capabilities.
//!
//! The message buffer belongs to the thread and is used by *every* call into the kernel that passes more than four words
//! or capabilities along, methods included. So what lies in it, arriving or departing, lasts until the next call of the
//! same thread: place words right before sending, take them right after receiving.

use core::fmt;

use sel4_raw as raw;

use crate::{Badge, Cap, Slot};

/// Most words of a message.
pub const MAX_WORDS: usize = raw::seL4_MsgMaxLength as usize;
/// How many of them travel in registers.
pub const REGISTER_WORDS: usize = 4;
/// Most capabilities of a message.
pub const MAX_CAPABILITIES: usize = raw::seL4_MsgMaxExtraCaps;
/// The largest label: 20 bits.
pub const MAX_LABEL: u32 = (1 << 20) - 1;

/// Label and counts of a message. Stands for `seL4_MessageInfo_t` (manual, section 4.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MessageInfo(raw::seL4_MessageInfo_t);

impl MessageInfo {
    /// A message of `length` words without capabilities.
    ///
    /// # Panics
    /// `label` is above [`MAX_LABEL`] or `length` above [`MAX_WORDS`]; neither can come from a message received.
    #[inline(always)]
    pub const fn new(label: u32, length: usize) -> Self {
        assert!(length <= MAX_WORDS, "a message has at most 120 words");
        Self(raw::seL4_MessageInfo_t::new(label, 0, 0, length as u32))
    }

    /// What the register holds.
    pub const fn from_word(word: u32) -> Self {
        Self(raw::seL4_MessageInfo_t { words: [word] })
    }

    /// What the register is to hold.
    pub const fn word(self) -> u32 {
        self.0.words[0]
    }

    /// What the message is about; its meaning is up to sender and receiver. The kernel's own messages are [faults](crate::fault).
    #[inline(always)]
    pub const fn label(self) -> u32 {
        self.0.get_label()
    }

    /// How many words it has, at most [`MAX_WORDS`].
    #[inline(always)]
    pub const fn length(self) -> usize {
        let length = self.0.get_length() as usize;
        if length < MAX_WORDS { length } else { MAX_WORDS }
    }

    /// How many capabilities it has.
    pub const fn capabilities(self) -> usize {
        self.0.get_extraCaps() as usize
    }

    /// Whether capability `index` of a message received was one of the very endpoint, so that only its badge came:
    /// [`badge_of_capability`].
    pub const fn is_unwrapped(self, index: usize) -> bool {
        index < MAX_CAPABILITIES && self.0.get_capsUnwrapped() >> index & 1 != 0
    }

    /// The same with capabilities, which are named by [`set_capability`].
    ///
    /// # Panics
    /// More than [`MAX_CAPABILITIES`].
    pub const fn with_capabilities(self, count: usize) -> Self {
        assert!(count <= MAX_CAPABILITIES, "a message has at most 3 capabilities");
        Self(self.0.set_extraCaps(count as u32))
    }

    /// The same, marked in a way that no message arrives: "all three capabilities were unwrapped" although there are
    /// none. The kernel ignores the mark on sending and sets the whole register on delivering a message, but leaves it
    /// alone when it delivers a signal; so the mark tells the two apart.
    #[inline(always)]
    pub(crate) const fn marked(self) -> raw::seL4_MessageInfo_t {
        raw::seL4_MessageInfo_t { words: [self.word() & !Self::MARK_BITS | Self::MARK] }
    }

    #[inline(always)]
    const fn is_marked(self) -> bool {
        self.word() & Self::MARK_BITS == Self::MARK
    }

    const MARK: u32 = raw::seL4_MessageInfo_t::new(0, 7, 0, 0).words[0];
    const MARK_BITS: u32 = raw::seL4_MessageInfo_t::new(0, 7, 3, 0).words[0];

    pub(crate) const fn raw(self) -> raw::seL4_MessageInfo_t {
        self.0
    }
}

impl fmt::Debug for MessageInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageInfo").field("label", &self.label()).field("length", &self.length()).finish()
    }
}

/// A message: its info and the words that travel in registers. Further words are in the message buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Label and counts.
    pub info: MessageInfo,
    /// The first four words; those beyond the length mean nothing.
    pub words: [u32; REGISTER_WORDS],
}

impl Message {
    /// A message of up to four words.
    ///
    /// # Panics
    /// `label` is above [`MAX_LABEL`].
    #[inline(always)]
    pub const fn new<const N: usize>(label: u32, words: [u32; N]) -> Self {
        const { assert!(N <= REGISTER_WORDS, "use Message::long for more than four words") };
        let mut registers = [0; REGISTER_WORDS];
        let mut index = 0;
        while index < N {
            registers[index] = words[index];
            index += 1;
        }
        Self { info: MessageInfo::new(label, N), words: registers }
    }

    /// A message of any length: the words beyond the fourth are put into the message buffer now, so nothing but sending
    /// it may follow. None if there are more than [`MAX_WORDS`].
    ///
    /// # Panics
    /// `label` is above [`MAX_LABEL`].
    pub fn long(label: u32, words: &[u32]) -> Option<Self> {
        if words.len() > MAX_WORDS {
            return None;
        }
        let (first, rest) = words.split_at(words.len().min(REGISTER_WORDS));
        let mut registers = [0; REGISTER_WORDS];
        registers[..first.len()].copy_from_slice(first);
        // SAFETY: the thread has its message buffer, `REGISTER_WORDS + rest.len()` words of it at most are written, and
        // `rest` is no part of it, for there are no references into it.
        unsafe { buffer().add(REGISTER_WORDS).copy_from_nonoverlapping(rest.as_ptr(), rest.len()) };
        Some(Self { info: MessageInfo::new(label, words.len()), words: registers })
    }

    /// What it is about.
    #[inline(always)]
    pub const fn label(&self) -> u32 {
        self.info.label()
    }

    /// How many words it has.
    #[inline(always)]
    #[allow(clippy::len_without_is_empty)]
    pub const fn len(&self) -> usize {
        self.info.length()
    }

    /// A word of the message just received; none beyond its length.
    pub fn word(&self, index: usize) -> Option<u32> {
        if index >= self.len() {
            return None;
        }
        match self.words.get(index) {
            Some(word) => Some(*word),
            // SAFETY: the thread has its message buffer; the index is below the length, which is at most `MAX_WORDS`.
            None => Some(unsafe { buffer().add(index).read() }),
        }
    }

    /// Copies the words of the message just received; as many as there are and fit, which is how many it returns.
    pub fn read(&self, dst: &mut [u32]) -> usize {
        let count = self.len().min(dst.len());
        let first = count.min(REGISTER_WORDS);
        dst[..first].copy_from_slice(&self.words[..first]);
        let rest = &mut dst[first..count];
        // SAFETY: the thread has its message buffer, of which at most `MAX_WORDS` words are read; `rest` is no part of it.
        unsafe { rest.as_mut_ptr().copy_from_nonoverlapping(buffer().add(first), rest.len()) };
        count
    }
}

/// What a thread that receives gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// A message, from a sender whose capability has this badge. If it was a call, the caller waits for the answer.
    Message(Badge, Message),
    /// Signals of the bound notification; the badge is that of all of them, ORed.
    Signal(Badge),
}

impl Received {
    #[inline(always)]
    pub(crate) const fn from_registers(info: raw::seL4_MessageInfo_t, words: [u32; 4], badge: u32) -> Self {
        let info = MessageInfo(info);
        let badge = Badge::received(badge);
        if info.is_marked() { Self::Signal(badge) } else { Self::Message(badge, Message { info, words }) }
    }
}

/// The words of the calling thread's message buffer: [`MAX_WORDS`] of them, readable and writable, changed by every call
/// into the kernel. The first four are not those of a message received: those are in [`Message::words`].
///
/// For those who encode and decode in place. Using the pointer is `unsafe`; references made of it must not outlive the
/// next call into the kernel.
#[inline(always)]
pub fn buffer() -> *mut u32 {
    // SAFETY: computes an address only; the thread has its message buffer.
    unsafe { (&raw mut (*raw::seL4_GetIPCBuffer()).msg).cast() }
}

/// Names capability `index` of the next message, whose info says [`with_capabilities`](MessageInfo::with_capabilities).
///
/// Stands for `seL4_SetCap`. None, and nothing done, for an index of 3 or more.
pub fn set_capability<T>(index: usize, capability: Cap<T>) -> Option<()> {
    // SAFETY: the thread has its message buffer; the index is checked.
    (index < MAX_CAPABILITIES).then(|| unsafe { raw::seL4_SetCap(index, capability.number()) })
}

/// The badge of capability `index` of the message just received, if its info says that it
/// [was unwrapped](MessageInfo::is_unwrapped). Stands for `seL4_GetBadge` (manual, section 4.2.2).
pub fn badge_of_capability(message: &Message, index: usize) -> Option<Badge> {
    // SAFETY: the thread has its message buffer; `is_unwrapped` is false for an index of 3 or more.
    message.info.is_unwrapped(index).then(|| Badge::received(unsafe { raw::seL4_GetBadge(index) }))
}

/// Says where a capability that comes with a message is to be put, from now on. Stands for `seL4_SetCapReceivePath`
/// (manual, section 4.2.2).
pub fn set_receive_slot(slot: Slot) {
    // SAFETY: the thread has its message buffer.
    unsafe { raw::seL4_SetCapReceivePath(slot.root.number(), slot.index, slot.depth.into()) }
}
