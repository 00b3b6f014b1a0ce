//! Endpoints and notifications (manual, sections 2.2, 4.2 and chapter 5).
//!
//! None of these returns an error of its own. Shown on the kernel (`cargo rtcr test kernel`):
//!
//! * a Call on an empty slot, or through a capability without the write right, is answered at once by the kernel, with label
//!   2 (`InvalidCapability`) and not with a message of a server; Send and Signal do nothing there;
//! * a number that leads to no slot at all, because a guard does not match, is a fault of the calling thread (label 1, see
//!   [`Fault`](crate::Fault)), and so is receiving at an empty slot, or at a notification that is bound to another thread.

use sel4_raw as raw;

use crate::{Badge, Cap, Endpoint, Message, Notification, Received, Reply, message::MessageInfo};

impl Cap<Endpoint> {
    /// Sends and waits until somebody has received.
    ///
    /// Corresponds to `seL4_Send` (manual, section 10.2).
    #[inline(always)]
    pub fn send(self, message: Message) {
        // SAFETY: the thread has its message buffer; memory is not touched.
        unsafe { raw::seL4_SendWithMRs(self.number(), message.info.raw(), message.words) }
    }

    /// Sends if somebody is waiting for it; otherwise the message is lost, and nothing tells.
    ///
    /// Corresponds to `seL4_NBSend` (manual, section 10.2).
    #[inline(always)]
    pub fn nb_send(self, message: Message) {
        // SAFETY: the thread has its message buffer; memory is not touched.
        unsafe { raw::seL4_NBSendWithMRs(self.number(), message.info.raw(), message.words) }
    }

    /// Sends and waits for the answer. 310 ns there and back without words, if the short path is taken. The capability
    /// needs the grant right, or the answer never wakes the caller.
    ///
    /// Corresponds to `seL4_Call` (manual, section 10.2).
    #[inline(always)]
    pub fn call(self, message: Message) -> Message {
        // SAFETY: the thread has its message buffer; memory is not touched.
        let (info, words) = unsafe { raw::seL4_CallWithMRs(self.number(), message.info.raw(), message.words) };
        Message { info: MessageInfo::from_word(info.words[0]), words }
    }

    /// Waits for a message, or a signal of the notification that is bound to the thread.
    ///
    /// Corresponds to `seL4_Recv` (manual, section 10.2).
    #[inline(always)]
    pub fn recv(self) -> Received {
        let before = MessageInfo::new(0, 0).marked();
        // SAFETY: the thread has its message buffer; memory is not touched.
        let (info, words, badge) = unsafe { raw::seL4_RecvWithMRs(self.number(), before) };
        Received::from_registers(info, words, badge)
    }

    /// Receives what waits to be received, if anything. A signal without badge is taken for nothing.
    ///
    /// Corresponds to `seL4_NBRecv` (manual, section 10.2).
    #[inline(always)]
    pub fn nb_recv(self) -> Option<Received> {
        let before = MessageInfo::new(0, 0).marked();
        // SAFETY: the thread has its message buffer; memory is not touched.
        let (info, words, badge) = unsafe { raw::seL4_NBRecvWithMRs(self.number(), before) };
        match Received::from_registers(info, words, badge) {
            Received::Signal(Badge::NONE) => None,
            received => Some(received),
        }
    }

    /// Answers the last caller, then receives as [`recv`](Self::recv): the whole work of a server, in one call.
    ///
    /// Corresponds to `seL4_ReplyRecv` (manual, section 10.2).
    #[inline(always)]
    pub fn reply_recv(self, answer: Message) -> Received {
        // SAFETY: the thread has its message buffer; memory is not touched.
        let (info, words, badge) =
            unsafe { raw::seL4_ReplyRecvWithMRs(self.number(), answer.info.marked(), answer.words) };
        Received::from_registers(info, words, badge)
    }
}

/// Answers the last caller, or restarts the last thread that faulted (label 0; see [`Fault`](crate::Fault)). If there is
/// none, because it was answered, is gone or was suspended, nothing happens.
///
/// Corresponds to `seL4_Reply` (manual, section 10.2).
#[inline(always)]
pub fn reply(answer: Message) {
    // SAFETY: the thread has its message buffer; memory is not touched.
    unsafe { raw::seL4_ReplyWithMRs(answer.info.raw(), answer.words) }
}

/// Gives the rest of the time slice to other threads of the same priority.
///
/// Corresponds to `seL4_Yield` (manual, section 10.2).
#[inline(always)]
pub fn yield_now() {
    // SAFETY: memory is not touched.
    unsafe { raw::seL4_Yield() }
}

impl Cap<Reply> {
    /// Answers the caller whose authority was kept here; the slot is empty then.
    ///
    /// Corresponds to `seL4_Send` on a reply capability (manual, section 10.2).
    #[inline(always)]
    pub fn answer(self, answer: Message) {
        // SAFETY: the thread has its message buffer; memory is not touched.
        unsafe { raw::seL4_SendWithMRs(self.number(), answer.info.raw(), answer.words) }
    }
}

impl Cap<Notification> {
    /// ORs the badge of this capability into the notification and wakes who waits for it. 318 ns.
    ///
    /// Corresponds to `seL4_Signal` (manual, section 5.2).
    #[inline(always)]
    pub fn signal(self) {
        // SAFETY: memory is not touched.
        unsafe { raw::seL4_Signal(self.number()) }
    }

    /// Waits until it is signalled, and takes all signals: their badges, ORed.
    ///
    /// Corresponds to `seL4_Wait` (manual, section 5.2).
    #[inline(always)]
    pub fn wait(self) -> Badge {
        // SAFETY: memory is not touched.
        let (_, _, badge) = unsafe { raw::seL4_RecvWithMRs(self.number(), MessageInfo::new(0, 0).marked()) };
        Badge::received(badge)
    }

    /// Takes all signals, if there are any: their badges, ORed. Signals without badge are taken for none.
    ///
    /// Corresponds to `seL4_Poll` (manual, section 5.2).
    #[inline(always)]
    pub fn poll(self) -> Option<Badge> {
        // SAFETY: memory is not touched.
        let (_, _, badge) = unsafe { raw::seL4_NBRecvWithMRs(self.number(), MessageInfo::new(0, 0).marked()) };
        Some(Badge::received(badge)).filter(|badge| *badge != Badge::NONE)
    }
}
