//! Who waits for whose answer, as it was in another life of the same protection domain.

use base::session::cpu::LinkError;
use sel4::{Cap, ThreadInfo, ThreadState, boot, registers::SystemCall, thread::MessageBuffer};

use super::{Id, System, Thread, look::info, thread::Trouble};
use crate::meeting::{Client, Server, meet};

impl System {
    /// The client waits for the server's answer from now on. Nothing of them runs but one system call each. About 20 us.
    ///
    /// # Errors
    /// See [`LinkError`]; neither waits then.
    pub fn link(&mut self, server: Id<Thread>, client: Id<Thread>) -> Result<(), LinkError> {
        let ((one, owes), (other, _)) = (self.idle_thread(server)?, self.idle_thread(client)?);
        let owner = self.domains.get(one.domain).ok_or(LinkError::Nothing)?;
        let related = one.domain == other.domain && one.map() == other.map() && server != client;
        if !related || owner.threads.frozen == 0 || owes.caller.is_some() {
            return Err(LinkError::State);
        }
        let registers = other.cap.read_registers(false).map_err(|_| LinkError::Nothing)?;
        // What lies in the slot does not matter, and that may be nothing any more; but there must be one.
        if registers.r7 != SystemCall::Call.number() || registers.r0 as usize >= owner.table.len() {
            return Err(LinkError::Call);
        }
        let slot = owner.slots.slot_at(registers.r0, owner.slot_bits);
        let client = Client { thread: other.cap, priority: other.priority(), slot };
        let bound = one.bound.and_then(|bound| self.notifications.get(bound)).map(|object| object.cap);
        let (map, address) = (one.map(), one.buffer());
        let frame = self.mapped_frame(map, address).ok_or(LinkError::State)?;
        let buffer = MessageBuffer { address, frame };
        let parties = (Server { thread: one.cap, priority: one.priority(), buffer, bound }, client);
        // Both are in that address space, so both can make the system call there. They run at core's priority until they do:
        // so it must be sure that the very next instruction is it.
        if !self.instruction(map, registers.pc).is_some_and(|instruction| registers.enters_kernel(instruction)) {
            return Err(LinkError::Call);
        }
        let aside = self.resources.take_slot().map_err(|_| LinkError::Exhausted)?;
        // SAFETY: what components run is their own business; nothing of core relies on it.
        let met = unsafe { meet(self.meeting, Cap::<()>::new(aside).slot(boot::CNODE), &parties.0, &parties.1) };
        self.resources.give_slot(aside);
        if !met {
            return Err(LinkError::Missed);
        }
        if let Some(thread) = self.threads.get_mut(server) {
            thread.started = true;
        }
        Ok(())
    }

    /// A thread that waits for nothing, and what the kernel tells of it.
    fn idle_thread(&self, id: Id<Thread>) -> Result<(&Thread, ThreadInfo), LinkError> {
        use ThreadState::{Inactive, Restart, Running};
        let thread = self.threads.get(id).ok_or(LinkError::Nothing)?;
        let info = info(thread.cap).filter(|_| thread.trouble == Trouble::None).ok_or(LinkError::State)?;
        let is_idle = matches!(info.state, Inactive | Restart | Running);
        is_idle.then_some((thread, info)).ok_or(LinkError::State)
    }
}
