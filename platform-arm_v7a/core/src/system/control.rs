//! Threads run and stop.
//!
//! Two reasons stop a thread, each counted: it was *paused*, or its protection domain was *frozen*. It runs while there is
//! neither. Stopping is moving it to a domain that the kernel does not schedule: what it waits for still reaches it.

use base::session::cpu::{MAX_PRIORITY, ThreadError};
use sel4::{Cap, Tcb, UserContext, boot};
use wire::trace::Event;

use super::{Domain, Id, NotificationObject, System, Thread};
use crate::insist::insist;

/// The domain that the kernel schedules.
const RUNNING: u8 = 0;
/// One that it does not.
const STOPPED: u8 = 1;
/// User mode, ARM state, interrupts on.
const USER_MODE: u32 = 0x10;

impl System {
    /// Lets a new thread run.
    ///
    /// # Errors
    /// `State`: it was started already.
    pub fn start_thread(&mut self, id: Id<Thread>, pc: u32, sp: u32, argument: u32) -> Result<(), ThreadError> {
        let thread = self.threads.get_mut(id).filter(|thread| !thread.started).ok_or(ThreadError::State)?;
        #[cfg(not(feature = "losses"))]
        let before = UserContext::default();
        #[cfg(feature = "losses")]
        let before = self.stale.unwrap_or_default();
        let registers = UserContext { pc, sp, cpsr: USER_MODE, r0: argument, ..before };
        // SAFETY: an address space in which core has no references; what a component runs is its own business.
        unsafe { thread.cap.write_registers(true, &registers) }.map_err(|_| ThreadError::State)?;
        thread.started = true;
        let (domain, thread) = (thread.domain, thread.number as u8);
        self.trace(domain, Event::ThreadStarted { thread });
        Ok(())
    }

    /// Stops a thread once more.
    ///
    /// # Errors
    /// `Nothing`; `State`: it was paused four billion times.
    pub fn pause_thread(&mut self, id: Id<Thread>) -> Result<(), ThreadError> {
        let thread = self.threads.get_mut(id).ok_or(ThreadError::Nothing)?;
        thread.paused = thread.paused.checked_add(1).ok_or(ThreadError::State)?;
        set_running(thread.cap, false);
        let (domain, thread) = (thread.domain, thread.number as u8);
        self.trace(domain, Event::ThreadPaused { thread });
        Ok(())
    }

    /// Takes one pause back.
    ///
    /// # Errors
    /// `State`: it is not paused.
    pub fn resume_thread(&mut self, id: Id<Thread>) -> Result<(), ThreadError> {
        let thread = self.threads.get_mut(id).ok_or(ThreadError::Nothing)?;
        thread.paused = thread.paused.checked_sub(1).ok_or(ThreadError::State)?;
        let frozen = self.domains.get(thread.domain).is_some_and(|domain| domain.threads.frozen > 0);
        if thread.paused == 0 && !frozen {
            set_running(thread.cap, true);
        }
        let (domain, thread) = (thread.domain, thread.number as u8);
        self.trace(domain, Event::ThreadResumed { thread });
        Ok(())
    }

    /// Stops all threads of a protection domain once more; tells how many there are. 0.5 us for each.
    ///
    /// # Errors
    /// `Nothing`; `State`: it was frozen four billion times.
    pub fn freeze(&mut self, id: Id<Domain>) -> Result<u32, ThreadError> {
        let threads = &mut self.domains.get_mut(id).ok_or(ThreadError::Nothing)?.threads;
        threads.frozen = threads.frozen.checked_add(1).ok_or(ThreadError::State)?;
        if threads.frozen == 1 {
            let all = threads.iter().filter_map(|id| self.threads.get(id));
            all.filter(|thread| thread.paused == 0).for_each(|thread| set_running(thread.cap, false));
        }
        let (count, depth) = (threads.count(), threads.frozen);
        self.trace(id, Event::Frozen { threads: count as u8, depth });
        Ok(count)
    }

    /// Takes one freeze back; tells how many threads there are.
    ///
    /// # Errors
    /// `State`: it is not frozen.
    pub fn thaw(&mut self, id: Id<Domain>) -> Result<u32, ThreadError> {
        let threads = &mut self.domains.get_mut(id).ok_or(ThreadError::Nothing)?.threads;
        threads.frozen = threads.frozen.checked_sub(1).ok_or(ThreadError::State)?;
        if threads.frozen == 0 {
            let all = threads.iter().filter_map(|id| self.threads.get(id));
            all.filter(|thread| thread.paused == 0).for_each(|thread| set_running(thread.cap, true));
        }
        let (count, depth) = (threads.count(), threads.frozen);
        self.trace(id, Event::Thawed { threads: count as u8, depth });
        Ok(count)
    }

    /// Changes the priority of a thread.
    ///
    /// # Errors
    /// `Priority`, `Nothing`.
    pub fn prioritize_thread(&mut self, id: Id<Thread>, priority: u8) -> Result<(), ThreadError> {
        if !(1..=MAX_PRIORITY).contains(&priority) {
            return Err(ThreadError::Priority);
        }
        let thread = self.threads.get_mut(id).ok_or(ThreadError::Nothing)?;
        thread.cap.set_priority(priority).map_err(|_| ThreadError::Priority)?;
        thread.priority = priority;
        Ok(())
    }

    /// The notification wakes the thread when it receives.
    ///
    /// # Errors
    /// `State`: one of the two is bound to another, or somebody waits for the notification.
    pub fn bind_thread(&mut self, id: Id<Thread>, notification: Id<NotificationObject>) -> Result<(), ThreadError> {
        let object = self.notifications.get(notification).ok_or(ThreadError::Nothing)?.cap;
        let thread = self.threads.get_mut(id).ok_or(ThreadError::Nothing)?;
        if let Some(bound) = thread.bound
            && self.notifications.get(bound).is_some()
        {
            return Err(ThreadError::State);
        }
        thread.cap.bind_notification(object).map_err(|_| ThreadError::State)?;
        thread.bound = Some(notification);
        Ok(())
    }
}

/// Lets the kernel schedule a thread, or not.
pub(crate) fn set_running(thread: Cap<Tcb>, running: bool) {
    // Both capabilities are core's own, and the domains exist, so this cannot fail.
    let _ = insist(|| boot::DOMAIN.set(if running { RUNNING } else { STOPPED }, thread));
}
