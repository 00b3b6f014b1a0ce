//! TIMER: the component's own time, and its timeouts.

use base::{
    rpc::{Arguments, CallError, Decision, Never, Slot, Transport},
    session::timer::{self, TimeoutError, call},
};

use super::{Asked, because};
use crate::{
    child::Child,
    object::{Object, SignalContext, Timeout},
    surroundings::Surroundings,
};

#[base::interposer(refuse(set_offset))]
impl<T: Transport + Copy, P: Surroundings + ?Sized> timer::Interposer for Asked<'_, T, P> {
    fn now(&mut self, (): Arguments<'_, call::Now>) -> Decision<call::Now> {
        self.child.now().into()
    }

    fn once(&mut self, (context, after): Arguments<'_, call::Once>) -> Decision<call::Once> {
        once(self, context, after).into()
    }

    fn periodic(&mut self, (context, period): Arguments<'_, call::Periodic>) -> Decision<call::Periodic> {
        periodic(self, context, period).into()
    }

    fn cancel(&mut self, (context,): Arguments<'_, call::Cancel>) -> Decision<call::Cancel> {
        cancel(self, context).into()
    }

    fn remaining(&mut self, (context,): Arguments<'_, call::Remaining>) -> Decision<call::Remaining> {
        let found = self.child.table.named(context).and_then(Object::signal_context);
        found.map_err(because).and_then(remaining).into()
    }
}

impl<T: Transport + Copy> Child<T> {
    /// The component's time.
    pub(crate) fn now(&self) -> Result<u64, CallError<Never>> {
        Ok(self.up.timer().now()?.wrapping_add(self.offset))
    }
}

impl<T: Transport + Copy, P: ?Sized> Asked<'_, T, P> {
    fn context_mut(&mut self, number: Slot) -> Result<&mut SignalContext<T>, CallError<TimeoutError>> {
        self.child.table.named_mut(number).and_then(Object::signal_context_mut).map_err(because)
    }
}

fn once<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    context: Slot,
    after: u64,
) -> Result<(), CallError<TimeoutError>> {
    let context = asked.context_mut(context)?;
    context.up.timer().once(context.number, after)?;
    context.timeout = Some(Timeout::Once);
    Ok(())
}

fn periodic<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    context: Slot,
    period: u64,
) -> Result<(), CallError<TimeoutError>> {
    let context = asked.context_mut(context)?;
    context.up.timer().periodic(context.number, period)?;
    context.timeout = Some(Timeout::Periodic { period });
    Ok(())
}

fn cancel<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    context: Slot,
) -> Result<Option<u64>, CallError<TimeoutError>> {
    let context = asked.context_mut(context)?;
    let remains = remaining(context)?;
    context.up.timer().cancel(context.number)?;
    context.timeout = None;
    Ok(remains)
}

/// What remains of a timeout.
pub(crate) fn remaining<T: Transport + Copy>(
    context: &SignalContext<T>,
) -> Result<Option<u64>, CallError<TimeoutError>> {
    // Most contexts never have one, which is known here.
    let Some(timeout) = context.timeout else { return Ok(None) };
    let timer = context.up.timer();
    match (timeout, timer.remaining(context.number)?) {
        // The tick has not been fetched, so the next one has not been asked for.
        (Timeout::InBeat { period, due }, None) => {
            let now = timer.now().map_err(|_| CallError::Refused)?;
            Ok(Some(Timeout::missed(period, due, now).1 - now))
        }
        (_, remains) => Ok(remains),
    }
}
