//! Requests and replies as the kernel carries them.

use base::rpc::{Body, Buffer, Label, Registers, Reply, Request};
use sel4::{Message, message::MessageInfo};

/// Where the label is in a message's info word; the length is at its other end (manual, section 4.1).
const LABEL_SHIFT: u32 = 12;

const _: () = assert!(MessageInfo::new(1, 1).word() == 1 << LABEL_SHIFT | 1);

/// A request as it arrived, if registers carried all of it.
#[inline(always)]
pub fn short_request(message: &Message) -> Option<Request<'static>> {
    let registers = Registers::received(message.len(), message.words)?;
    Some(Request { label: Label::received(message.label()), body: Body::Short(registers) })
}

/// A request as it arrived, of whatever length; its words are taken to where there is room for them.
pub fn long_request<'a>(message: &Message, room: &'a mut Buffer) -> Request<'a> {
    let length = message.read(room.words());
    Request { label: Label::received(message.label()), body: Body::Long(&room.words()[..length]) }
}

/// A reply as it is sent, which must be the next that happens.
#[inline(always)]
pub(super) fn to_message(reply: &Reply<'_>) -> Message {
    let label = reply.status.label();
    match &reply.body {
        Body::Short(words) => Message { info: info(label, words.length()), words: words.all() },
        Body::Long(words) => long(label, words),
    }
}

/// What `MessageInfo::new` does, but without its checks: at most four words come here. Of a label, 20 bits count.
#[inline(always)]
fn info(label: u32, length: usize) -> MessageInfo {
    MessageInfo::from_word(label << LABEL_SHIFT | length as u32)
}

/// The same of a long one. A buffer has no more words than a message can have.
#[inline(never)]
fn long(label: u32, words: &[u32]) -> Message {
    Message::long(label, words).unwrap_or(Message::new(label, []))
}
