//! Faults of threads, as the kernel reports them to core's endpoint.
//!
//! One capability in each protection domain's space serves all its threads, so the badge tells the domain. Which thread it
//! is, is found by asking each that is not known to have faulted what it does: 0.65 us for each, and the first one asked is
//! the right one where there is only one. A component holds that capability too; so a fault is believed if a thread waits
//! for core's answer where the message says that it is.
//!
//! Core never answers the kernel's message. It keeps what it says, and the thread goes on when the cause has gone.

use base::session::{
    cpu::{Access, Cause, Exception, ThreadError},
    rm::FaultAccess,
};
use sel4::{Message, ThreadState};
use wire::trace::{Event, FaultEnd};

use super::{Context, Cure, Domain, Id, System, Thread, thread::Trouble};
use crate::{guardian, insist::insist};

impl System {
    /// A message has arrived at the endpoint for faults of the protection domain in that place. Call it before anything else
    /// is asked of the kernel, since most of the message lies in the message buffer.
    pub fn faulted(&mut self, domain: u32, message: &Message) {
        let (cause, pc) = guardian::cause(message);
        let Some((domain, threads)) = self.domains.at(domain).map(|(id, domain)| (id, &domain.threads)) else { return };
        let at_fault = threads.iter().find(|&id| self.threads.get(id).is_some_and(|thread| is_at(thread, pc)));
        let Some(id) = at_fault.filter(|_| !matches!(cause, Cause::Unknown { .. })) else {
            // The kernel sends no such thing: some thread of the component did. It is held against the first, which stops.
            if let Some(first) = threads.first() {
                if let Some(thread) = self.threads.get(first) {
                    // The capability is core's own, so this cannot fail.
                    let _ = insist(|| thread.cap.suspend());
                }
                self.note(domain, first, Cause::Forged { label: message.label() });
            }
            return;
        };
        let Cause::Memory { address, access, status } = cause else { return self.note(domain, id, cause) };
        if !is_about_mapping(status) {
            return self.note(domain, id, cause);
        }
        let Some(thread) = self.threads.get_mut(id) else { return };
        let how = access;
        let access = match access {
            Access::Read => FaultAccess::Read,
            Access::Write => FaultAccess::Write,
            Access::Execute => FaultAccess::Execute,
        };
        // Before the region map's handler hears of it: what it attaches then resumes the thread.
        thread.trouble = Trouble::Page;
        let map = thread.map;
        let number = thread.number as u8;
        let cure = self.fault(map, address, access, id);
        let end = match cure {
            Cure::Cured => FaultEnd::Cured,
            Cure::Waits => FaultEnd::Waits,
            Cure::Nobody => FaultEnd::Exception,
        };
        self.trace(domain, Event::Fault { thread: number, access: how, end, address });
        match cure {
            Cure::Cured => _ = self.go_on(id),
            Cure::Waits => {}
            Cure::Nobody => {
                self.set_trouble(id, Trouble::None);
                self.note(domain, id, cause);
            }
        }
    }

    /// A thread that waited for a page makes its access again. Nothing happens if it does not wait.
    pub fn restart(&mut self, id: Id<Thread>) {
        if let Some((domain, thread)) = self.go_on(id) {
            self.trace(domain, Event::Continued { thread });
        }
    }

    /// As [`restart`](Self::restart); tells whose thread it is and its number there, if it waited.
    fn go_on(&mut self, id: Id<Thread>) -> Option<(Id<Domain>, u8)> {
        let thread = self.threads.get_mut(id).filter(|thread| thread.trouble == Trouble::Page)?;
        thread.trouble = Trouble::None;
        // The capability is core's own, so this cannot fail.
        let _ = insist(|| thread.cap.resume());
        Some((thread.domain, thread.number as u8))
    }

    /// Exceptions of a protection domain raise that signal from now on, and at once if some are there already.
    pub fn handle_exceptions(&mut self, domain: Id<Domain>, context: Id<Context>) -> Result<(), ThreadError> {
        let threads = &mut self.domains.get_mut(domain).ok_or(ThreadError::Nothing)?.threads;
        threads.handler = Some(context);
        if !threads.exceptions.is_empty() {
            self.raise(context, 1);
        }
        Ok(())
    }

    /// The oldest exception that nobody has asked for.
    pub fn next_exception(&mut self, domain: Id<Domain>) -> Result<Option<Exception>, ThreadError> {
        let threads = &mut self.domains.get_mut(domain).ok_or(ThreadError::Nothing)?.threads;
        while let Some(index) = self.exceptions.pop(&mut threads.exceptions) {
            let Some((id, thread)) = self.threads.at(index) else { continue };
            let Trouble::Exception(cause) = thread.trouble else { continue };
            let place = self.thread_place(id)?;
            return Ok(Some(Exception { thread: thread.number, name: thread.name.clone(), cause, place }));
        }
        Ok(None)
    }

    /// Keeps an exception of a thread, which stays stopped, and tells the handler.
    fn note(&mut self, domain: Id<Domain>, id: Id<Thread>, cause: Cause) {
        let Some(thread) = self.threads.get_mut(id).filter(|thread| thread.trouble == Trouble::None) else { return };
        thread.trouble = Trouble::Exception(cause);
        let number = thread.number as u8;
        self.trace(domain, Event::exception(number, cause));
        let Some(owner) = self.domains.get_mut(domain) else { return };
        self.exceptions.push(&mut owner.threads.exceptions, id.index());
        if let Some(handler) = owner.threads.handler {
            self.raise(handler, 1);
        }
    }

    /// Whatever kept a thread from going on is over: it ends, or goes on elsewhere.
    pub(super) fn forget_trouble(&mut self, id: Id<Thread>) {
        let Some(&Thread { trouble, map, domain, .. }) = self.threads.get(id) else { return };
        match trouble {
            Trouble::None => return,
            Trouble::Page => self.forget_fault(map, id),
            Trouble::Exception(_) => {
                if let Some(owner) = self.domains.get_mut(domain) {
                    self.exceptions.remove(&mut owner.threads.exceptions, id.index());
                }
            }
        }
        self.set_trouble(id, Trouble::None);
    }

    fn set_trouble(&mut self, id: Id<Thread>, trouble: Trouble) {
        if let Some(thread) = self.threads.get_mut(id) {
            thread.trouble = trouble;
        }
    }
}

/// Whether a thread that is not known to be in trouble waits for an answer at `pc`, as one does whose fault has just been
/// received.
fn is_at(thread: &Thread, pc: u32) -> bool {
    if thread.trouble != Trouble::None {
        return false;
    }
    let Ok((registers, info)) = thread.cap.read_registers_and_info(false) else { return false };
    // On a kernel that does not tell what it does, where it is has to do.
    registers.pc == pc && info.is_none_or(|info| info.state == ThreadState::BlockedOnReply)
}

/// Whether a page that is mapped cures it: a translation or permission fault (ARM ARM B3.13.3), and not an alignment fault
/// or an external abort, which would come again and again.
const fn is_about_mapping(status: u32) -> bool {
    matches!(status & 0x40f, 0x5 | 0x7 | 0xd | 0xf)
}
