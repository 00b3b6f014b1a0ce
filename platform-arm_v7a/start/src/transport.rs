//! Requests as calls on endpoints.
//!
//! Who calls, and for the how-manieth time, is kept per thread: in the one word of its message buffer that the kernel
//! never touches. A fresh buffer is zero, which is the first thread before its first request; whoever makes another thread
//! puts that thread's [`Caller`] there. So it is saved and restored with the buffer, and no thread waits for another.

use base::rpc::{
    Answer, Body, Caller, FAST_WORDS, Long, Registers, Reply, Selector, Slot, Status, ThreadNumber, Transport,
};
use sel4::{
    Cap, Endpoint, Message,
    message::{MessageInfo, buffer},
};

/// Where the label is in a message's info word; the length is at its other end (manual, section 4.1).
const LABEL_SHIFT: u32 = 12;

const _: () = assert!(MessageInfo::new(1, 1).word() == 1 << LABEL_SHIFT | 1);

/// The kernel as a transport: a slot is a capability to an endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Kernel;

impl Transport for Kernel {
    #[inline(always)]
    fn call(&self, to: Slot, selector: Selector, request: Registers) -> Answer {
        let answer = call(to, selector, request.length(), request.all());
        Answer::new(answer.label(), answer.len(), answer.words)
    }

    fn call_long(&self, to: Slot, selector: Selector, request: Long<'_>, reply: &mut [u32]) -> Answer {
        let Some(length) = request.length() else { return Answer::unsent(Status::TooLong) };
        let answer = call(to, selector, length, place(request, length));
        if answer.len() > FAST_WORDS {
            answer.read(reply);
        }
        Answer::new(answer.label(), answer.len(), answer.words)
    }
}

#[inline(always)]
fn call(to: Slot, selector: Selector, length: usize, words: [u32; FAST_WORDS]) -> Message {
    // SAFETY: the thread has its message buffer, and this word of it is used here only.
    let mut caller = Caller::from_word(unsafe { sel4_raw::seL4_GetUserData() });
    let label = caller.label(selector);
    // SAFETY: as above.
    unsafe { sel4_raw::seL4_SetUserData(caller.word()) };
    Cap::<Endpoint>::new(to.0).call(Message { info: info(label.number(), length), words })
}

/// What `MessageInfo::new` does, but without its checks: at most 120 words come here. Of a label, 20 bits count.
#[inline(always)]
fn info(label: u32, length: usize) -> MessageInfo {
    MessageInfo::from_word(label << LABEL_SHIFT | length as u32)
}

/// Who the calling thread is, by the mark in its message buffer.
pub(crate) fn thread() -> ThreadNumber {
    // SAFETY: the thread has its message buffer, and this word of it is used here only.
    Caller::from_word(unsafe { sel4_raw::seL4_GetUserData() }).thread()
}

/// Puts a request of `length` words into the message buffer, and hands back those that travel in registers.
fn place(request: Long<'_>, length: usize) -> [u32; FAST_WORDS] {
    let mut registers = [0; FAST_WORDS];
    match request {
        Long::Words(words) => {
            for (register, word) in registers.iter_mut().zip(words) {
                *register = *word;
            }
            if let Some(rest) = words.get(FAST_WORDS..) {
                // SAFETY: `length` words fit a message, and this thread's message buffer with it; nothing refers to it.
                unsafe { buffer().add(FAST_WORDS).copy_from_nonoverlapping(rest.as_ptr(), rest.len()) };
            }
        }
        Long::Bytes(bytes) if !bytes.is_empty() => {
            // SAFETY: one word and the bytes are `length` words, which fit a message, and this thread's message buffer
            // with it; nothing refers to it. Its last word is cleared first, since bytes may fill it in part.
            unsafe {
                buffer().add(length - 1).write(0);
                buffer().add(1).cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
                let [first, rest @ ..] = &mut registers;
                *first = bytes.len() as u32;
                // Words beyond the length may be anything.
                rest.as_mut_ptr().copy_from_nonoverlapping(buffer().add(1), rest.len());
            }
        }
        Long::Bytes(_) => {}
    }
    registers
}

/// A reply as a message, its words placed where they are sent from. One that does not fit is not sent as it is.
#[inline(always)]
pub(crate) fn message(reply: &Reply<'_>) -> Message {
    let (status, request) = match &reply.body {
        Body::Short(registers) => {
            let info = info(reply.status.label(), registers.length());
            return Message { info, words: registers.all() };
        }
        Body::Long(words) => (reply.status, Long::Words(words)),
    };
    match request.length() {
        Some(length) => Message { info: info(status.label(), length), words: place(request, length) },
        None => Message { info: info(Status::TooLong.label(), 0), words: [0; FAST_WORDS] },
    }
}
