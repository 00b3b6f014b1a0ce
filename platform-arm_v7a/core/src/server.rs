//! Serves the components of a run: their requests, their faults, and the limit.

use alloc::vec::Vec;

use base::{
    rpc::{Body, Buffer, Label, Registers, Reply, Request},
    session::{
        log::{self, Log},
        pd::{self, Pd},
    },
};
use rtcr_core::{
    clock::Limit,
    component::{Component, Source, Target},
    guardian,
    judge::Judge,
};
use sel4::{Badge, Cap, Endpoint, IrqHandler, Message, Received, message::MessageInfo};
use wire::record::Cause;

/// Badge of the signal with which the timer interrupts.
pub const TIMER: Badge = Badge::new(1).unwrap();

/// Where requests arrive, and what else wakes core.
pub struct Server {
    /// All sessions of all components, and their faults, told apart by badge.
    pub endpoint: Cap<Endpoint>,
    /// What is left of the run's time.
    pub limit: Limit,
    /// The timer's interrupt.
    pub timer: Cap<IrqHandler>,
}

/// A component and whether it still runs.
struct Entry {
    component: Component,
    ended: bool,
}

impl Server {
    /// Serves until the judge ends the run.
    pub fn serve(mut self, components: Vec<Component>, mut judge: Judge) -> ! {
        let mut entries: Vec<_> = components.into_iter().map(|component| Entry { component, ended: false }).collect();
        let (mut received_words, mut space) = (Buffer::new(), Buffer::new());
        let mut answer = None;
        loop {
            let received = match answer.take() {
                Some(answer) => self.endpoint.reply_recv(answer),
                None => self.endpoint.recv(),
            };
            match received {
                Received::Signal(_) => {
                    if self.limit.interrupted() {
                        judge.timed_out(running(&entries));
                    }
                    // The handler is core's own, so this cannot fail.
                    let _ = self.timer.acknowledge();
                }
                Received::Message(badge, message) => {
                    // Only badges that core minted arrive at its endpoint.
                    let Some(source) = Source::of(badge) else { continue };
                    let mut session = Session { entries: &mut entries, judge: &mut judge, component: source.component };
                    let reply = match source.target {
                        Target::Log => log::dispatch(&mut session, &request(&message, &mut received_words), &mut space),
                        Target::Pd => pd::dispatch(&mut session, &request(&message, &mut received_words), &mut space),
                        Target::Fault => session.fault(&message),
                    };
                    answer = reply.map(|reply| to_message(&reply));
                }
            }
        }
    }
}

/// A request as it arrived; further words are taken to where there is room for them.
#[inline(always)]
fn request<'a>(message: &Message, room: &'a mut Buffer) -> Request<'a> {
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
fn to_message(reply: &Reply<'_>) -> Message {
    let label = reply.status.label();
    match &reply.body {
        Body::Short(words) => Message { info: MessageInfo::new(label, words.length()), words: words.all() },
        // A buffer has no more words than a message can have.
        Body::Long(words) => Message::long(label, words).unwrap_or(Message::new(label, [])),
    }
}

/// What a component's sessions lead to.
struct Session<'a> {
    entries: &'a mut [Entry],
    judge: &'a mut Judge,
    /// Whose request is served.
    component: usize,
}

impl Log for Session<'_> {
    fn write(&mut self, text: &[u8]) {
        self.judge.print(self.component, text);
    }
}

impl Pd for Session<'_> {
    fn exit(&mut self, code: i32) {
        exit(self.entries, self.component, code, self.judge);
    }

    fn panicked(&mut self) {
        let place = self.entries[self.component].component.place().unwrap_or_default();
        self.judge.panic(self.component, place)
    }
}

impl Session<'_> {
    /// The component's thread has faulted, which ends the run.
    fn fault(&mut self, message: &Message) -> ! {
        let component = &self.entries[self.component].component;
        // First the message, of which the rest lies in the message buffer: the next call to the kernel reuses that.
        let (cause, pc) = guardian::cause(message);
        let place = component.place().unwrap_or_default();
        // The component holds this endpoint too, so what the message says is believed if the thread is where it says.
        let cause = if pc == place.pc { cause } else { Cause::Forged { label: message.label() } };
        self.judge.fault(self.component, cause, place)
    }
}

fn exit(entries: &mut [Entry], number: usize, code: i32, judge: &mut Judge) {
    let Entry { component, ended } = &mut entries[number];
    component.stop();
    *ended = true;
    judge.exit(number, code);
    if entries.iter().all(|entry| entry.ended) {
        judge.all_ended();
    }
}

/// The component that has or would have the processor, and where it is; none if all wait. On a kernel that does not tell
/// who waits, the first that has not ended.
fn running(entries: &[Entry]) -> Option<(usize, wire::record::Place)> {
    let mut ready: Vec<_> = entries.iter().enumerate().filter(|(_, entry)| !entry.ended).collect();
    ready.retain(|(_, entry)| entry.component.is_ready().unwrap_or(true));
    let (number, entry) = ready.into_iter().rev().max_by_key(|(_, entry)| entry.component.priority())?;
    Some((number, entry.component.place()?))
}
