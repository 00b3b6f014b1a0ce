//! Requests and replies as the kernel carries them.

use base::rpc::{Body, Buffer, Label, Registers, Reply, Request};
use sel4::{Message, message::MessageInfo};

/// A request as it arrived; further words are taken to where there is room for them.
#[inline(always)]
pub fn request<'a>(message: &Message, room: &'a mut Buffer) -> Request<'a> {
    let body = match Registers::received(message.len(), message.words) {
        Some(registers) => Body::Short(registers),
        None => {
            let length = message.read(room.words());
            Body::Long(&room.words()[..length])
        }
    };
    Request { label: Label::received(message.label()), body }
}

/// A reply as it is sent, which must be the next that happens.
#[inline(always)]
pub fn to_message(reply: &Reply<'_>) -> Message {
    let label = reply.status.label();
    match &reply.body {
        Body::Short(words) => Message { info: MessageInfo::new(label, words.length()), words: words.all() },
        // A buffer has no more words than a message can have.
        Body::Long(words) => Message::long(label, words).unwrap_or(Message::new(label, [])),
    }
}
