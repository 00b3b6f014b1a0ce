//! A kernel that records and plays back, for tests on the host.
//!
//! It stands where the instruction `swi` stands on the target: everything above is the code that runs there. Each thread
//! has its own, and its own message buffer.

use std::{cell::RefCell, collections::VecDeque};

use crate::{seL4_IPCBuffer, seL4_MessageInfo_t, seL4_MsgMaxLength, seL4_Word};

/// What the kernel found when it was entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Number of the system call, as `seL4_SysCall`.
    pub number: i32,
    /// The capability register; 0 where the call has none.
    pub capability: seL4_Word,
    /// The message info register.
    pub info: seL4_MessageInfo_t,
    /// The words of the message, as many as the info says; those in registers and those in the buffer.
    pub words: Vec<seL4_Word>,
    /// The capabilities of the message, as many as the info says.
    pub capabilities: Vec<seL4_Word>,
}

/// What the kernel is to leave behind.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The badge register.
    pub badge: seL4_Word,
    /// The message info register; none leaves it as it was, as the kernel does for a signal.
    pub info: Option<seL4_MessageInfo_t>,
    /// The words of the message; those beyond the fourth go into the buffer.
    pub words: Vec<seL4_Word>,
}

impl Answer {
    /// A message with a label.
    pub fn message(label: seL4_Word, words: &[seL4_Word]) -> Self {
        let info = seL4_MessageInfo_t::new(label, 0, 0, words.len() as seL4_Word);
        Self { badge: 0, info: Some(info), words: words.to_vec() }
    }
}

struct State {
    answers: VecDeque<Answer>,
    entries: Vec<Entry>,
}

thread_local! {
    static STATE: RefCell<State> = const { RefCell::new(State { answers: VecDeque::new(), entries: Vec::new() }) };
    static BUFFER: *mut seL4_IPCBuffer = Box::into_raw(Box::new(seL4_IPCBuffer {
        tag: seL4_MessageInfo_t { words: [0] },
        msg: [0; seL4_MsgMaxLength as usize],
        userData: 0,
        caps_or_badges: [0; 3],
        receiveCNode: 0,
        receiveIndex: 0,
        receiveDepth: 0,
    }));
}

/// The calling thread's message buffer, which lasts as long as the program.
pub fn seL4_GetIPCBuffer() -> *mut seL4_IPCBuffer {
    BUFFER.with(|buffer| *buffer)
}

/// Runs `program` on a kernel that gives these answers, one per system call that returns something, and returns how it was
/// entered.
///
/// # Panics
/// There are more such calls than answers, or fewer.
pub fn run<R>(answers: impl IntoIterator<Item = Answer>, program: impl FnOnce() -> R) -> (R, Vec<Entry>) {
    STATE.with_borrow_mut(|state| {
        *state = State { answers: answers.into_iter().collect(), entries: Vec::new() };
    });
    let result = program();
    STATE.with_borrow_mut(|state| {
        assert!(state.answers.is_empty(), "{} answers were not asked for", state.answers.len());
        (result, std::mem::take(&mut state.entries))
    })
}

/// Enters the kernel. Returns what it leaves in the registers.
fn enter(
    number: i32,
    capability: seL4_Word,
    info: seL4_MessageInfo_t,
    registers: [seL4_Word; 4],
    answers: bool,
) -> (seL4_MessageInfo_t, [seL4_Word; 4], seL4_Word) {
    let buffer = seL4_GetIPCBuffer();
    // SAFETY: the buffer is this thread's own and no reference to it exists.
    let (msg, caps) = unsafe { ((*buffer).msg, (*buffer).caps_or_badges) };
    let words = registers.into_iter().chain(msg.into_iter().skip(4)).take(info.get_length() as usize).collect();
    let capabilities = caps.into_iter().take(info.get_extraCaps() as usize).collect();
    STATE.with_borrow_mut(|state| {
        state.entries.push(Entry { number, capability, info, words, capabilities });
        if !answers {
            return (info, registers, capability);
        }
        let answer = state.answers.pop_front().expect("the kernel has no answer left");
        let mut words = registers;
        for (index, word) in answer.words.iter().enumerate() {
            match words.get_mut(index) {
                Some(register) => *register = *word,
                // SAFETY: as above; an index beyond the array panics.
                None => unsafe { (*buffer).msg[index] = *word },
            }
        }
        (answer.info.unwrap_or(info), words, answer.badge)
    })
}

/// The system calls, as on the target.
#[allow(clippy::missing_safety_doc)]
pub mod system_call {
    use super::enter;
    use crate::*;

    const NONE: seL4_MessageInfo_t = seL4_MessageInfo_t { words: [0] };

    /// As on the target.
    pub unsafe fn seL4_CallWithMRs(
        dest: seL4_CPtr,
        info: seL4_MessageInfo_t,
        words: [seL4_Word; 4],
    ) -> (seL4_MessageInfo_t, [seL4_Word; 4]) {
        let (info, words, _) = enter(seL4_SysCall, dest, info, words, true);
        (info, words)
    }

    /// As on the target.
    pub unsafe fn seL4_ReplyRecvWithMRs(
        src: seL4_CPtr,
        info: seL4_MessageInfo_t,
        words: [seL4_Word; 4],
    ) -> (seL4_MessageInfo_t, [seL4_Word; 4], seL4_Word) {
        enter(seL4_SysReplyRecv, src, info, words, true)
    }

    /// As on the target.
    pub unsafe fn seL4_RecvWithMRs(
        src: seL4_CPtr,
        before: seL4_MessageInfo_t,
    ) -> (seL4_MessageInfo_t, [seL4_Word; 4], seL4_Word) {
        enter(seL4_SysRecv, src, before, [0; 4], true)
    }

    /// As on the target.
    pub unsafe fn seL4_NBRecvWithMRs(
        src: seL4_CPtr,
        before: seL4_MessageInfo_t,
    ) -> (seL4_MessageInfo_t, [seL4_Word; 4], seL4_Word) {
        enter(seL4_SysNBRecv, src, before, [0; 4], true)
    }

    /// As on the target.
    pub unsafe fn seL4_SendWithMRs(dest: seL4_CPtr, info: seL4_MessageInfo_t, words: [seL4_Word; 4]) {
        enter(seL4_SysSend, dest, info, words, false);
    }

    /// As on the target.
    pub unsafe fn seL4_NBSendWithMRs(dest: seL4_CPtr, info: seL4_MessageInfo_t, words: [seL4_Word; 4]) {
        enter(seL4_SysNBSend, dest, info, words, false);
    }

    /// As on the target.
    pub unsafe fn seL4_ReplyWithMRs(info: seL4_MessageInfo_t, words: [seL4_Word; 4]) {
        enter(seL4_SysReply, 0, info, words, false);
    }

    /// As on the target.
    pub unsafe fn seL4_Signal(dest: seL4_CPtr) {
        enter(seL4_SysSend, dest, NONE, [0; 4], false);
    }

    /// As on the target.
    pub unsafe fn seL4_Yield() {
        enter(seL4_SysYield, 0, NONE, [0; 4], false);
    }
}
