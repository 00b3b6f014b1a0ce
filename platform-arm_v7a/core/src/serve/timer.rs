//! TIMER: the system's time plus the session's offset, and timeouts of signal contexts.

use base::{
    rpc::Slot,
    session::timer::{SHORTEST_PERIOD, TimeoutError, Timer},
};

use super::Call;
use crate::system::{Known, Session, domain::Offset};

/// A TIMER session.
pub(super) struct TimerCall<'a> {
    pub(super) call: Call<'a>,
    pub(super) offset: Offset,
}

impl Timer for TimerCall<'_> {
    #[inline]
    fn now(&mut self) -> u64 {
        self.call.system.timeouts.now().wrapping_add(self.offset.nanoseconds())
    }

    fn once(&mut self, context: Slot, after: u64) -> Result<(), TimeoutError> {
        let context = self.call.context(context)?;
        self.call.system.timeouts.set(context, after, 0)
    }

    fn periodic(&mut self, context: Slot, period: u64) -> Result<(), TimeoutError> {
        let context = self.call.context(context)?;
        if period < SHORTEST_PERIOD {
            return Err(TimeoutError::Time);
        }
        self.call.system.timeouts.set(context, period, period)
    }

    fn cancel(&mut self, context: Slot) -> Result<Option<u64>, TimeoutError> {
        let context = self.call.context(context)?;
        Ok(self.call.system.timeouts.cancel(context))
    }

    fn remaining(&mut self, context: Slot) -> Result<Option<u64>, TimeoutError> {
        let context = self.call.context(context)?;
        Ok(self.call.system.timeouts.remaining(context))
    }

    fn set_offset(&mut self, offset: u64) {
        let Call { system, holder, number, .. } = &mut self.call;
        if let Some(domain) = system.domains.get_mut(*holder)
            && let Some(entry) = domain.table.get_mut(*number as usize)
        {
            entry.known = Known::Session(Session::Timer(Offset::new(offset)));
        }
    }
}
