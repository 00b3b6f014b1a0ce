//! PARENT of the first component, which core has made.

use base::{
    rpc::{CallError, Slot},
    scenario::INIT,
    session::parent::{
        AnnounceError, Event, Name, OpenError, Parent, RedeemError, ReportError, RequestError, SessionError, Task,
        Value,
    },
};

use super::Call;

impl Parent for Call<'_> {
    fn exit(&mut self, code: i32) {
        self.end();
        self.outside.judge.event(INIT, Event::Exited(code));
    }

    fn panicked(&mut self) {
        let first = self.system.domains.get(self.holder).and_then(|domain| domain.threads.first());
        let place = first.and_then(|first| self.system.thread_place(first).ok()).unwrap_or_default();
        self.end();
        self.outside.judge.event(INIT, Event::Panicked(place));
    }

    fn name(&mut self) -> Name {
        Name::try_from(INIT).unwrap_or_default()
    }

    fn value(&mut self, _: &str) -> Option<Value> {
        None
    }

    fn open(&mut self, _: &str, _: &[u8]) -> Result<Slot, CallError<OpenError>> {
        Err(OpenError::Service.into())
    }

    fn close(&mut self, _: Slot) -> Result<(), CallError<SessionError>> {
        Err(SessionError::Nothing.into())
    }

    fn upgrade(&mut self, _: Slot, _: u32, _: u32) -> Result<(), CallError<SessionError>> {
        Err(SessionError::Nothing.into())
    }

    fn request(&mut self, _: u32, _: u32) -> Result<(), CallError<RequestError>> {
        // It has everything already.
        Err(RequestError::Denied.into())
    }

    fn announce(&mut self, _: &str) -> Result<(), AnnounceError> {
        Err(AnnounceError::Occupied)
    }

    fn task(&mut self) -> Option<Task> {
        None
    }

    fn done(&mut self, _: u32, _: bool) -> Result<(), SessionError> {
        Err(SessionError::Nothing)
    }

    fn hand_over(&mut self, _: u32, _: Slot, _: bool) -> Result<u32, SessionError> {
        Err(SessionError::Nothing)
    }

    fn redeem(&mut self, _: Slot, _: u32, _: Slot) -> Result<Slot, RedeemError> {
        Err(RedeemError::Nothing)
    }

    fn report(&mut self, _: &str, _: Event) -> Result<(), ReportError> {
        // It has REPORT for that.
        Err(ReportError::Name)
    }

    fn serve_at(&mut self, _: u32, _: Slot) -> Result<(), SessionError> {
        Err(SessionError::Nothing)
    }

    fn lend(&mut self, _: Slot, _: Slot) -> Result<u32, SessionError> {
        Err(SessionError::Nothing)
    }

    fn borrow(&mut self, _: u32, _: u32, _: Slot) -> Result<Slot, RedeemError> {
        Err(RedeemError::Nothing)
    }
}

impl Call<'_> {
    /// The caller runs no more.
    fn end(&mut self) {
        // Its threads are there, so this cannot fail; that they are frozen is for good, since nobody thaws them.
        let _ = self.system.freeze(self.holder);
    }
}
