//! CPU.

use base::{
    rpc::Slot,
    session::cpu::{Cpu, CreateError, Exception, LinkError, Place, Registers, ThreadError, ThreadState},
};

use super::Call;
use crate::system::{CORE, Known};

impl Call<'_> {
    /// Whether the caller may give a priority: its first thread has it, or more. Core itself may give any.
    fn may_give(&self, priority: u8) -> bool {
        if self.holder == CORE {
            return true;
        }
        let first = self.system.domains.get(self.holder).and_then(|domain| domain.threads.first());
        first.and_then(|first| self.system.threads.get(first)).is_some_and(|first| priority <= first.priority())
    }
}

impl Cpu for Call<'_> {
    fn create(
        &mut self,
        at: Slot,
        pd: Slot,
        map: Slot,
        priority: u8,
        buffer: u32,
        name: &str,
    ) -> Result<Slot, CreateError> {
        let (domain, map) = (self.domain(pd)?, self.region_map(map)?);
        let number = self.free_number(at)?;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(CreateError::Name);
        }
        if !self.may_give(priority) {
            return Err(CreateError::Priority);
        }
        let id = self.system.create_thread(domain, map, priority, buffer, name)?;
        self.enter(number, Known::Thread(id));
        Ok(number)
    }

    fn start(&mut self, thread: Slot, pc: u32, sp: u32, argument: u32) -> Result<(), ThreadError> {
        let thread = self.thread(thread)?;
        self.system.start_thread(thread, pc, sp, argument)
    }

    fn pause(&mut self, thread: Slot) -> Result<(), ThreadError> {
        let thread = self.thread(thread)?;
        self.system.pause_thread(thread)
    }

    fn resume(&mut self, thread: Slot) -> Result<(), ThreadError> {
        let thread = self.thread(thread)?;
        self.system.resume_thread(thread)
    }

    fn read(&mut self, thread: Slot) -> Result<ThreadState, ThreadError> {
        let thread = self.thread(thread)?;
        self.system.read_thread(thread)
    }

    fn write(&mut self, thread: Slot, registers: Registers, cancel: bool) -> Result<(), ThreadError> {
        let thread = self.thread(thread)?;
        self.system.write_thread(thread, registers, cancel)
    }

    fn freeze(&mut self, pd: Slot) -> Result<u32, ThreadError> {
        let domain = self.domain(pd)?;
        self.system.freeze(domain)
    }

    fn thaw(&mut self, pd: Slot) -> Result<u32, ThreadError> {
        let domain = self.domain(pd)?;
        self.system.thaw(domain)
    }

    fn handle_exceptions(&mut self, pd: Slot, context: Slot) -> Result<(), ThreadError> {
        let (domain, context) = (self.domain(pd)?, self.context(context)?);
        self.system.handle_exceptions(domain, context)
    }

    fn exception(&mut self, pd: Slot) -> Result<Option<Exception>, ThreadError> {
        let domain = self.domain(pd)?;
        self.system.next_exception(domain)
    }

    fn bind(&mut self, thread: Slot, notification: Slot) -> Result<(), ThreadError> {
        let (thread, id) = (self.thread(thread)?, self.notification(notification)?);
        // Being woken is waiting, which who may only ring does not.
        if !self.entry(notification).owned {
            return Err(ThreadError::Kind);
        }
        self.system.bind_thread(thread, id)
    }

    fn place(&mut self, thread: Slot) -> Result<Place, ThreadError> {
        let thread = self.thread(thread)?;
        self.system.thread_place(thread)
    }

    fn prioritize(&mut self, thread: Slot, priority: u8) -> Result<(), ThreadError> {
        let thread = self.thread(thread)?;
        if !self.may_give(priority) {
            return Err(ThreadError::Priority);
        }
        self.system.prioritize_thread(thread, priority)
    }

    fn link(&mut self, server: Slot, client: Slot) -> Result<(), LinkError> {
        let (server, client) = (self.thread(server)?, self.thread(client)?);
        self.system.link(server, client)
    }

    fn destroy(&mut self, thread: Slot) -> Result<(), ThreadError> {
        let id = self.thread(thread)?;
        self.system.destroy_thread(id);
        self.forget(thread);
        Ok(())
    }
}
