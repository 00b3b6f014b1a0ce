//! SIGNAL: contexts, which are the holder's own numbers and cost a capability each.

use base::{
    rpc::Slot,
    session::signal::{CreateError, Pending, Signal, SignalError},
};

use super::Call;
use crate::system::Known;

impl Signal for Call<'_> {
    fn create(&mut self, at: Slot, account: Slot, doorbell: Slot, cookie: u32) -> Result<Slot, CreateError> {
        let account = self.domain(account)?;
        let doorbell = self.notification(doorbell)?;
        let number = self.free_number(at)?;
        let id = self.system.create_context(account, doorbell, cookie)?;
        self.enter(number, Known::Context(id));
        Ok(number)
    }

    #[inline]
    fn raise(&mut self, context: Slot) -> Result<(), SignalError> {
        let context = self.context(context)?;
        self.system.raise(context, 1);
        Ok(())
    }

    #[inline]
    fn fetch(&mut self, doorbell: Slot) -> Result<Option<Pending>, SignalError> {
        let id = self.notification(doorbell)?;
        // Who may only ring does not learn what others have rung for.
        if !self.entry(doorbell).owned {
            return Err(SignalError::Kind);
        }
        Ok(self.system.fetch(id))
    }

    fn destroy(&mut self, context: Slot) -> Result<(), SignalError> {
        let id = self.context(context)?;
        self.system.destroy_context(id);
        self.forget(context);
        Ok(())
    }
}
