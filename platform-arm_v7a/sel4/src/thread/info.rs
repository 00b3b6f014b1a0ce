//! What a thread does, as told by a kernel with this project's patch of ReadRegisters.

use sel4_raw as raw;

use crate::UserContext;

/// What a thread does, in a kernel with this project's patch of ReadRegisters. Numbers are those of the kernel's
/// `_thread_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ThreadState {
    /// Suspended, or never started.
    Inactive = 0,
    /// In user code, or about to be.
    Running = 1,
    /// Resumed; will repeat what it was about to do.
    Restart = 2,
    /// Waits to receive.
    BlockedOnReceive = 3,
    /// Waits for somebody to receive what it sends.
    BlockedOnSend = 4,
    /// Waits for the answer to a call that was received.
    BlockedOnReply = 5,
    /// Waits for a signal.
    BlockedOnNotification = 6,
    /// The kernel's own thread for when there is nothing to do.
    Idle = 7,
}

const _: () = {
    assert!(ThreadState::Inactive as u32 == raw::ThreadState_Inactive);
    assert!(ThreadState::Running as u32 == raw::ThreadState_Running);
    assert!(ThreadState::Restart as u32 == raw::ThreadState_Restart);
    assert!(ThreadState::BlockedOnReceive as u32 == raw::ThreadState_BlockedOnReceive);
    assert!(ThreadState::BlockedOnSend as u32 == raw::ThreadState_BlockedOnSend);
    assert!(ThreadState::BlockedOnReply as u32 == raw::ThreadState_BlockedOnReply);
    assert!(ThreadState::BlockedOnNotification as u32 == raw::ThreadState_BlockedOnNotification);
    assert!(ThreadState::Idle as u32 == raw::ThreadState_IdleThreadState);
};

impl ThreadState {
    /// The state of a number; none if the kernel has no such state.
    pub const fn new(number: u32) -> Option<Self> {
        Some(match number {
            raw::ThreadState_Inactive => Self::Inactive,
            raw::ThreadState_Running => Self::Running,
            raw::ThreadState_Restart => Self::Restart,
            raw::ThreadState_BlockedOnReceive => Self::BlockedOnReceive,
            raw::ThreadState_BlockedOnSend => Self::BlockedOnSend,
            raw::ThreadState_BlockedOnReply => Self::BlockedOnReply,
            raw::ThreadState_BlockedOnNotification => Self::BlockedOnNotification,
            raw::ThreadState_IdleThreadState => Self::Idle,
            _ => return None,
        })
    }
}

/// What a kernel with this project's patch tells beyond registers. Addresses are the kernel's own; they serve to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadInfo {
    /// The thread itself.
    pub thread: u32,
    /// What it does.
    pub state: ThreadState,
    /// What it is blocked on, as the kernel's field has it; means something in the states `BlockedOn…` except
    /// `BlockedOnReply`.
    pub blocking_object: u32,
    /// The badge with which it sends, in the state `BlockedOnSend`.
    pub badge: u32,
    /// The thread that waits for its answer.
    pub caller: Option<u32>,
}

impl ThreadInfo {
    /// How many words it has behind the registers.
    pub const WORDS: usize = 5;
    /// How long the kernel's answer is with them.
    pub(super) const LENGTH: usize = UserContext::WORDS + Self::WORDS;
}
