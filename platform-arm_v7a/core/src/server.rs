//! Serves the components of a run: their requests, their faults, and the limit.

use base::rpc::Buffer;
use rtcr_core::{
    first::First,
    serve::{
        self, Outside,
        message::{request, to_message},
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
    /// Serves until the judge ends the run.
    pub fn serve(self, mut system: System, mut outside: Outside) -> ! {
        let (mut received_words, mut space) = (Buffer::new(), Buffer::new());
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
                        let request = request(&message, &mut received_words);
                        let to = (domain, number);
                        let reply = serve::session(&mut system, &mut outside, to, &request, &mut space);
                        answer = reply.map(|reply| to_message(&reply));
                        if system.has_kept() {
                            settle(&mut system, &mut answer);
                        }
                    }
                    // Never answered: the thread is resumed when there is a reason to.
                    Source::Fault { domain, .. } => {
                        system.faulted(domain, &message);
                        self.first.faulted(domain, &mut system, &mut outside);
                    }
                },
            }
            if let Some(badge) = system.take_postponed() {
                signalled(&mut system, &mut outside, badge);
            }
        }
    }
}

/// Interrupts have come.
fn signalled(system: &mut System, outside: &mut Outside, badge: Badge) {
    system.interrupted(badge);
    if badge.number() & TIMER.number() != 0 && system.timer_interrupted() {
        outside.judge.timed_out(system.running_thread());
    }
}

/// Answers a request whose caller had to be kept aside.
#[cold]
fn settle(system: &mut System, answer: &mut Option<Message>) {
    match answer.take() {
        Some(answer) => system.answer_kept(answer),
        None => system.drop_kept(),
    }
}
