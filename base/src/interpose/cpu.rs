//! CPU of a child.

use super::Ward;
use crate::{
    rpc::{Arguments, Decision, Transport},
    session::cpu::{self, CreateError, LinkError, ThreadError, call},
};

impl<T: Transport + Copy> Ward<T> {
    /// Whether the child may have a thread of that priority: none that could keep its parent from serving it.
    fn is_allowed(&self, priority: u8) -> bool {
        (1..=self.priority).contains(&priority)
    }
}

/// Nothing of that number.
const NOTHING: ThreadError = ThreadError::Nothing;

#[crate::interposer()]
impl<T: Transport + Copy> cpu::Interposer for Ward<T> {
    fn create(&mut self, (at, pd, map, priority, buffer, name): Arguments<'_, call::Create>) -> Decision<call::Create> {
        let (Some(pd), Some(map)) = (self.out(pd), self.out(map)) else {
            return Decision::Answer(Err(CreateError::Nothing.into()));
        };
        if !self.is_allowed(priority) {
            return Decision::Answer(Err(CreateError::Priority.into()));
        }
        let make = |ward: &mut Self, at| ward.cpu().create(at, pd, map, priority, buffer, name).map(|_| ());
        self.make(at, make).into()
    }

    fn start(&mut self, (thread, pc, sp, argument): Arguments<'_, call::Start>) -> Decision<call::Start> {
        let Some(thread) = self.out(thread) else { return Decision::Answer(Err(NOTHING.into())) };
        self.cpu().start(thread, pc, sp, argument).into()
    }

    fn pause(&mut self, (thread,): Arguments<'_, call::Pause>) -> Decision<call::Pause> {
        let Some(thread) = self.out(thread) else { return Decision::Answer(Err(NOTHING.into())) };
        self.cpu().pause(thread).into()
    }

    fn resume(&mut self, (thread,): Arguments<'_, call::Resume>) -> Decision<call::Resume> {
        let Some(thread) = self.out(thread) else { return Decision::Answer(Err(NOTHING.into())) };
        self.cpu().resume(thread).into()
    }

    fn read(&mut self, (thread,): Arguments<'_, call::Read>) -> Decision<call::Read> {
        let Some(thread) = self.out(thread) else { return Decision::Answer(Err(NOTHING.into())) };
        self.cpu().read(thread).into()
    }

    fn freeze(&mut self, (pd,): Arguments<'_, call::Freeze>) -> Decision<call::Freeze> {
        let Some(pd) = self.out(pd) else { return Decision::Answer(Err(NOTHING.into())) };
        self.cpu().freeze(pd).into()
    }

    fn thaw(&mut self, (pd,): Arguments<'_, call::Thaw>) -> Decision<call::Thaw> {
        let Some(pd) = self.out(pd) else { return Decision::Answer(Err(NOTHING.into())) };
        self.cpu().thaw(pd).into()
    }

    fn place(&mut self, (thread,): Arguments<'_, call::Place>) -> Decision<call::Place> {
        let Some(thread) = self.out(thread) else { return Decision::Answer(Err(NOTHING.into())) };
        self.cpu().place(thread).into()
    }

    fn write(&mut self, (thread, registers, cancel): Arguments<'_, call::Write>) -> Decision<call::Write> {
        let Some(thread) = self.out(thread) else { return Decision::Answer(Err(NOTHING.into())) };
        self.cpu().write(thread, registers, cancel).into()
    }

    /// Exceptions of the child's own protection domain are its parent's to handle.
    fn handle_exceptions(
        &mut self,
        (pd, context): Arguments<'_, call::HandleExceptions>,
    ) -> Decision<call::HandleExceptions> {
        match (Self::is_own(pd), self.out(pd), self.out_or_none(context)) {
            (true, ..) => Decision::Refuse,
            (false, Some(pd), Some(context)) => self.cpu().handle_exceptions(pd, context).into(),
            _ => Decision::Answer(Err(NOTHING.into())),
        }
    }

    fn exception(&mut self, (pd,): Arguments<'_, call::Exception>) -> Decision<call::Exception> {
        match (Self::is_own(pd), self.out(pd)) {
            (true, _) => Decision::Refuse,
            (false, Some(pd)) => self.cpu().exception(pd).into(),
            (false, None) => Decision::Answer(Err(NOTHING.into())),
        }
    }

    fn bind(&mut self, (thread, notification): Arguments<'_, call::Bind>) -> Decision<call::Bind> {
        let (Some(thread), Some(notification)) = (self.out(thread), self.out(notification)) else {
            return Decision::Answer(Err(NOTHING.into()));
        };
        self.cpu().bind(thread, notification).into()
    }

    fn prioritize(&mut self, (thread, priority): Arguments<'_, call::Prioritize>) -> Decision<call::Prioritize> {
        let Some(thread) = self.out(thread) else { return Decision::Answer(Err(NOTHING.into())) };
        match self.is_allowed(priority) {
            true => self.cpu().prioritize(thread, priority).into(),
            false => Decision::Answer(Err(ThreadError::Priority.into())),
        }
    }

    fn link(&mut self, (server, client): Arguments<'_, call::Link>) -> Decision<call::Link> {
        let (Some(server), Some(client)) = (self.out(server), self.out(client)) else {
            return Decision::Answer(Err(LinkError::Nothing.into()));
        };
        self.cpu().link(server, client).into()
    }

    fn destroy(&mut self, (number,): Arguments<'_, call::Destroy>) -> Decision<call::Destroy> {
        let Some(thread) = self.out(number) else { return Decision::Answer(Err(NOTHING.into())) };
        let destroyed = self.cpu().destroy(thread);
        if destroyed.is_ok() {
            self.forget(number);
        }
        destroyed.into()
    }
}
