//! Serves the components of a run: their requests, their faults, and the limit.

use base::rpc::Buffer;
use rtcr_core::{
    first::First,
    serve::{
        self, Outside,
        message::{long_request, short_request},
    },
    system::{Source, System, irq::TIMER},
};
use sel4::{Badge, Cap, Endpoint, Message, Received};

/// Where requests arrive, and what else wakes core.
pub struct Server {
    /// All sessions of all components, and their faults, told apart by badge.
    pub endpoint: Cap<Endpoint>,
    /// The first component.
    pub first: First,
}

impl Server {
    /// Serves until the judge ends the run. What is not in every short request is in functions of its own, which take messages
    /// by value: so those that arrive and leave stay in registers.
    pub fn serve(self, mut system: System, mut outside: Outside) -> ! {
        let mut room = Room { received: Buffer::new(), sent: Buffer::new() };
        let mut answer = None;
        loop {
            let received = match answer.take() {
                Some(answer) => self.endpoint.reply_recv(answer),
                None => self.endpoint.recv(),
            };
            match received {
                Received::Signal(badge) => signalled(&mut system, &mut outside, badge),
                Received::Message(badge, message) => match Source::of(badge) {
                    Source::Session { domain, number } => {
                        let to = (domain, number);
                        answer = match short_request(&message) {
                            Some(request) => serve::session(&mut system, &mut outside, to, &request, &mut room.sent),
                            None => long(&mut system, &mut outside, to, message, &mut room),
                        };
                        if system.has_kept() {
                            settle(&mut system, &mut outside, answer.take());
                        }
                    }
                    Source::Fault { domain, .. } => self.faulted(&mut system, &mut outside, domain, message),
                },
            }
        }
    }

    /// A thread has faulted. Never answered: the thread is resumed when there is a reason to.
    #[inline(never)]
    fn faulted(&self, system: &mut System, outside: &mut Outside, domain: u32, message: Message) {
        system.faulted(domain, &message);
        self.first.faulted(domain, system, outside);
        catch_up(system, outside);
    }
}

/// Room for the words of long messages.
struct Room {
    received: Buffer,
    sent: Buffer,
}

/// Answers a request of more words than registers carry.
#[cold]
#[inline(never)]
fn long(
    system: &mut System,
    outside: &mut Outside,
    to: (u32, u32),
    message: Message,
    room: &mut Room,
) -> Option<Message> {
    serve::session(system, outside, to, &long_request(&message, &mut room.received), &mut room.sent)
}

/// Interrupts have come.
#[inline(never)]
fn signalled(system: &mut System, outside: &mut Outside, badge: Badge) {
    system.interrupted(badge);
    if badge.number() & TIMER.number() != 0 && system.timer_interrupted() {
        outside.judge.timed_out(system.running_thread());
    }
}

/// Serves interrupts that came while core was receiving something else. It does that only with the caller kept aside.
fn catch_up(system: &mut System, outside: &mut Outside) {
    if let Some(badge) = system.take_postponed() {
        signalled(system, outside, badge);
    }
}

/// Answers a request whose caller had to be kept aside.
#[cold]
#[inline(never)]
fn settle(system: &mut System, outside: &mut Outside, answer: Option<Message>) {
    match answer {
        Some(answer) => system.answer_kept(answer),
        None => system.drop_kept(),
    }
    catch_up(system, outside);
}
