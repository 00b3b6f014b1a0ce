//! Serves the components of a run: their requests, their faults, and the limit.

use alloc::vec::Vec;

use base::{rpc::Status, session};
use rtcr_core::{
    clock::Limit,
    component::{Component, Source, Target},
    guardian,
    judge::Judge,
};
use sel4::{Badge, Cap, Endpoint, IrqHandler, Message, Received, message::MAX_WORDS};
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
        let mut answer = None;
        loop {
            let received = match answer.take() {
                Some(status) => self.endpoint.reply_recv(status_message(status)),
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
                    answer = handle(&mut entries, source, &message, &mut judge);
                }
            }
        }
    }
}

/// Handles one message; none means that there is nobody to answer.
fn handle(entries: &mut [Entry], source: Source, message: &Message, judge: &mut Judge) -> Option<Status> {
    let mut words = [0; MAX_WORDS];
    let words = {
        let length = message.read(&mut words);
        &words[..length]
    };
    match source.target {
        Target::Log => Some(match session::log::Request::parse(message.label(), words) {
            Ok(session::log::Request::Write(text)) => {
                judge.print(source.component, &text);
                Status::Done
            }
            Err(status) => status,
        }),
        Target::Pd => match session::pd::Request::parse(message.label(), words) {
            Ok(session::pd::Request::Exit(code)) => {
                exit(entries, source.component, code, judge);
                None
            }
            Err(status) => Some(status),
        },
        Target::Fault => {
            let component = &entries[source.component].component;
            // First the message, of which the rest lies in the message buffer: the next call to the kernel reuses that.
            let (cause, pc) = guardian::cause(message);
            let place = component.place().unwrap_or_default();
            // The component holds this endpoint too, so what the message says is believed if the thread is where it says.
            let cause = if pc == place.pc { cause } else { Cause::Forged { label: message.label() } };
            judge.fault(source.component, cause, place)
        }
    }
}

fn exit(entries: &mut [Entry], number: usize, code: i32, judge: &mut Judge) {
    let Entry { component, ended } = &mut entries[number];
    if code == session::pd::PANIC {
        judge.panic(number, component.place().unwrap_or_default());
    }
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

fn status_message(status: Status) -> Message {
    Message::new(status.label(), [])
}
