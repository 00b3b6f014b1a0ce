//! What the machine does for a component, besides carrying requests.

use core::mem::offset_of;

use base::{
    platform::{Platform, Received},
    rpc::{Body, Buffer, Caller, FAST_WORDS, Label, Registers, Reply, Request, Slot, ThreadNumber},
};
use sel4::{Cap, Endpoint, Message, Notification};

use crate::transport::{self, Kernel};

/// `EM_ARM` of the ELF specification.
const EM_ARM: u16 = 40;

unsafe extern "C" {
    fn _start_thread() -> !;
}

impl Platform for Kernel {
    fn wait(&self, doorbell: Slot) {
        Cap::<Notification>::new(doorbell.0).wait();
    }

    fn ring(&self, doorbell: Slot) {
        Cap::<Notification>::new(doorbell.0).signal();
    }

    fn receive<'a>(&self, endpoint: Slot, space: &'a mut Buffer) -> Received<'a> {
        received(Cap::<Endpoint>::new(endpoint.0).recv(), space)
    }

    fn answer_and_receive<'a>(&self, endpoint: Slot, reply: &Reply<'_>, space: &'a mut Buffer) -> Received<'a> {
        let message = transport::message(reply);
        received(Cap::<Endpoint>::new(endpoint.0).reply_recv(message), space)
    }

    fn thread(&self) -> ThreadNumber {
        transport::thread()
    }

    fn thread_entry(&self) -> u32 {
        _start_thread as *const () as u32
    }

    fn thread_mark(&self, number: ThreadNumber) -> (u32, u32) {
        (offset_of!(sel4_raw::seL4_IPCBuffer, userData) as u32, Caller::new(number).word())
    }

    fn memory(&self, address: u32) -> *mut u8 {
        address as *mut u8
    }

    fn elf_machine(&self) -> u16 {
        EM_ARM
    }
}

/// Takes what arrived out of the message buffer, before anything else is put there.
#[inline(always)]
fn received<'a>(received: sel4::Received, space: &'a mut Buffer) -> Received<'a> {
    let (badge, message) = match received {
        sel4::Received::Message(badge, message) => (badge, message),
        sel4::Received::Signal(_) => return Received::Ring,
    };
    let body = match Registers::received(message.len(), message.words) {
        Some(registers) => Body::Short(registers),
        None => Body::Long(long(&message, space)),
    };
    Received::Request { badge: badge.number(), request: Request { label: Label::received(message.label()), body } }
}

fn long<'a>(message: &Message, space: &'a mut Buffer) -> &'a [u32] {
    let words = space.words();
    let count = message.read(words);
    words.get(..count).unwrap_or_default()
}

const _: () = assert!(FAST_WORDS == sel4::message::REGISTER_WORDS);
