//! What threads do, and where they are.

use base::session::cpu::{Activity, Debt, Place, Registers, ThreadError, ThreadState};
use sel4::{Cap, Tcb, UserContext, thread::ThreadInfo};

use super::{Id, Source, System, Thread, thread::Trouble};
use crate::{insist::insist, place};

impl System {
    /// Registers of a thread, and what it does.
    ///
    /// # Errors
    /// `Nothing`.
    pub fn read_thread(&self, id: Id<Thread>) -> Result<ThreadState, ThreadError> {
        let thread = self.threads.get(id).ok_or(ThreadError::Nothing)?;
        let (registers, info) = thread.cap.read_registers_and_info(false).map_err(|_| ThreadError::Nothing)?;
        let &Thread { paused, priority, number, .. } = thread;
        let (activity, owes) = (self.activity(thread, info), self.debt(thread, info));
        Ok(ThreadState { registers: registers.to_words(), activity, paused, priority, thread: number, owes })
    }

    /// Whose call a thread has received and not answered.
    fn debt(&self, thread: &Thread, info: Option<ThreadInfo>) -> Debt {
        let Some(caller) = info.and_then(|info| info.caller) else { return Debt::Nobody };
        match self.by_kernel.get(&caller).and_then(|&caller| self.threads.get(caller)) {
            Some(caller) if caller.domain == thread.domain => Debt::Thread(caller.number),
            _ => Debt::Outside,
        }
    }

    fn activity(&self, thread: &Thread, info: Option<ThreadInfo>) -> Activity {
        use sel4::ThreadState as State;
        let Some(info) = info.filter(|_| thread.trouble == Trouble::None) else { return Activity::Faulted };
        let fault = Source::Fault { domain: thread.domain.index(), thread: 0 }.badge();
        match info.state {
            State::Inactive | State::Idle => Activity::Inactive,
            State::Running | State::Restart => Activity::Running,
            State::BlockedOnReceive => Activity::Receiving,
            State::BlockedOnNotification => Activity::Waiting,
            State::BlockedOnReply => Activity::Calling,
            // Its fault has not been received. A component that badges an endpoint of its own alike deceives itself.
            State::BlockedOnSend if fault.is_some_and(|fault| fault.number() == info.badge) => Activity::Faulted,
            State::BlockedOnSend => Activity::Sending { badge: info.badge },
        }
    }

    /// Sets the registers of a thread. With `cancel` it gives up what it is in, a fault included, and runs from there.
    ///
    /// # Errors
    /// `Nothing`.
    pub fn write_thread(&mut self, id: Id<Thread>, registers: Registers, cancel: bool) -> Result<(), ThreadError> {
        if cancel {
            self.forget_trouble(id);
        }
        #[cfg(feature = "losses")]
        if let Some(stale) = &mut self.stale {
            *stale = UserContext::from_words(registers);
        }
        let thread = self.threads.get_mut(id).ok_or(ThreadError::Nothing)?;
        // SAFETY: as when it is started.
        unsafe { thread.cap.write_registers(cancel, &UserContext::from_words(registers)) }
            .map_err(|_| ThreadError::Nothing)?;
        thread.started |= cancel;
        Ok(())
    }

    /// Where a thread is: up to 24 frames, each two words of its memory.
    ///
    /// # Errors
    /// `Nothing`.
    pub fn thread_place(&self, id: Id<Thread>) -> Result<Place, ThreadError> {
        let thread = self.threads.get(id).ok_or(ThreadError::Nothing)?;
        let registers = thread.cap.read_registers(false).map_err(|_| ThreadError::Nothing)?;
        let UserContext { pc, sp, lr, r11, .. } = registers;
        Ok(place::place(pc, sp, lr, r11, |address| self.word(thread.map, address)))
    }

    /// The thread of highest priority that has or would have the processor, and where it is. For the end of a run: looks at
    /// all threads.
    pub fn running_thread(&self) -> Option<(&str, Place)> {
        use sel4::ThreadState as State;
        let ready = self.threads.iter().filter(|(_, thread)| {
            let runs = self.domains.get(thread.domain).is_some_and(|domain| domain.threads.frozen == 0);
            let state = info(thread.cap).map(|info| info.state);
            runs && thread.paused == 0 && matches!(state, Some(State::Running | State::Restart))
        });
        let (id, thread) = ready.max_by_key(|(_, thread)| thread.priority)?;
        let domain = self.domains.get(thread.domain)?;
        Some((&domain.name, self.thread_place(id).ok()?))
    }
}

/// What the kernel tells of a thread; none on one that does not.
pub(super) fn info(thread: Cap<Tcb>) -> Option<ThreadInfo> {
    insist(|| thread.read_registers_and_info(false)).ok()?.1
}
