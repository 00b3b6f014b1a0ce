//! Who waits for whom, and what those are told whose peer has gone.
//!
//! When a server's thread goes, whoever waits for its answer would wait for ever: nothing names it any more. So core asks the
//! kernel before. A client that is told goes on as if it had been answered, with a label that says so; one that is frozen
//! finds it when it is thawed.

use base::rpc::Status;
use sel4::{Cap, Endpoint, Message, Received, Reply, UserContext, boot, message::MessageInfo};

use super::{Domain, EndpointObject, Id, System, Thread, look::info};
use crate::insist::insist;

/// Size of the instruction that enters the kernel.
const SYSTEM_CALL: u32 = 4;
/// Most queued calls that are ended at once; 0.6 us each.
const AT_ONCE: u32 = 16;

impl System {
    /// Ends the call that waits to be answered by a thread, if there is one; tells whether there was. A component's thread
    /// can have received one at most: it has nowhere to keep another.
    pub fn hang_up_thread(&self, server: Id<Thread>) -> bool {
        let caller = self.threads.get(server).and_then(|thread| info(thread.cap)).and_then(|info| info.caller);
        let client = caller.and_then(|caller| self.by_kernel.get(&caller)).copied();
        let Some(thread) = client.and_then(|client| self.threads.get(client)) else { return false };
        let Ok(asked) = insist(|| thread.cap.read_registers(false)) else { return false };
        let info = MessageInfo::new(Status::PeerGone.label(), 0);
        let told = UserContext { pc: asked.pc.wrapping_add(SYSTEM_CALL), r0: 0, r1: info.word(), ..asked };
        // SAFETY: the thread goes on behind its system call, as if it had been answered.
        insist(|| unsafe { thread.cap.write_registers(true, &told) }).is_ok()
    }

    /// Ends calls that wait to be answered by a thread of a protection domain, and 16 of those that wait to be received from an
    /// endpoint; tells how many, so 0 means that there are none left. The kernel does not tell on which endpoint a call
    /// was that has been received, so all of those end.
    ///
    /// 0.65 us for each thread, at most 64.
    pub fn hang_up(&mut self, endpoint: Id<EndpointObject>, server: Id<Domain>) -> u32 {
        let Some(threads) = self.domains.get(server).map(|domain| &domain.threads) else { return 0 };
        let received = threads.iter().filter(|&thread| self.hang_up_thread(thread)).count() as u32;
        let queued = self.endpoints.get(endpoint).map(|object| object.cap);
        received + queued.map_or(0, |endpoint| self.hang_up_queued(endpoint))
    }

    /// Ends calls that nobody has received from an endpoint, the oldest first; tells how many, 16 at most. At 0 there are
    /// none left. An endpoint is deleted after that: those who call on it would otherwise call on an empty slot.
    ///
    /// Core receives them in place of whoever should have. That takes the authority to answer the request that core is
    /// serving out of the kernel's hands, so it is kept, and [`answer_kept`](Self::answer_kept) uses it.
    pub fn hang_up_queued(&mut self, endpoint: Cap<Endpoint>) -> u32 {
        if self.kept.is_none() {
            let Ok(slot) = self.resources.take_slot() else { return 0 };
            let kept = Cap::<Reply>::new(slot);
            // If nobody waits for core's answer the slot stays empty, and answering there does nothing.
            if insist(|| kept.slot(boot::CNODE).save_caller()).is_err() {
                self.resources.give_slot(slot);
                return 0;
            }
            self.kept = Some(kept);
        }
        let mut ended = 0;
        while ended < AT_ONCE {
            match endpoint.nb_recv() {
                Some(Received::Message(..)) => {
                    sel4::reply(Message::new(Status::PeerGone.label(), []));
                    ended += 1;
                }
                // An interrupt came instead; it is served when this request has been.
                Some(Received::Signal(badge)) => self.postponed |= badge.number(),
                None => break,
            }
        }
        ended
    }

    /// Whether whom core is to answer was kept aside.
    #[inline]
    pub const fn has_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// Answers the request that core is serving, whose caller was kept aside.
    pub fn answer_kept(&mut self, answer: Message) {
        if let Some(kept) = self.kept.take() {
            kept.answer(answer);
            self.resources.give_slot(kept.number());
        }
    }

    /// Forgets whom core was to answer: the request has no answer.
    pub fn drop_kept(&mut self) {
        if let Some(kept) = self.kept.take() {
            // SAFETY: no memory goes with an authority to answer.
            let _ = insist(|| unsafe { kept.slot(boot::CNODE).delete() });
            self.resources.give_slot(kept.number());
        }
    }

    /// Interrupts that came while core was doing something else.
    #[inline]
    pub fn take_postponed(&mut self) -> Option<sel4::Badge> {
        if self.postponed == 0 {
            return None;
        }
        sel4::Badge::new(core::mem::take(&mut self.postponed)).filter(|&badge| badge != sel4::Badge::NONE)
    }
}
