//! SIGNAL: contexts, and what is pending.

use base::{
    env::slots,
    rpc::{Arguments, CallError, Decision, Slot, Transport},
    session::signal::{self, CreateError, EXIT, Pending, SignalError, call},
};

use super::{Asked, because};
use crate::{
    child::Child,
    object::{Object, SignalContext, Timeout},
    surroundings::Surroundings,
    table::{Link, Missing},
};

#[base::interposer()]
impl<T: Transport + Copy, P: Surroundings + ?Sized> signal::Interposer for Asked<'_, T, P> {
    fn create(&mut self, (at, account, doorbell, cookie): Arguments<'_, call::Create>) -> Decision<call::Create> {
        create(self, at, account, doorbell, cookie).into()
    }

    fn raise(&mut self, (context,): Arguments<'_, call::Raise>) -> Decision<call::Raise> {
        raise(self, context).into()
    }

    fn fetch(&mut self, (doorbell,): Arguments<'_, call::Fetch>) -> Decision<call::Fetch> {
        fetch(self, doorbell).into()
    }

    fn destroy(&mut self, (context,): Arguments<'_, call::Destroy>) -> Decision<call::Destroy> {
        destroy(self, context).into()
    }
}

fn create<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    at: Slot,
    account: Slot,
    doorbell: Slot,
    cookie: u32,
) -> Result<Slot, CallError<CreateError>> {
    let pd = asked.own(account).map_err(because)?;
    let bell = asked.child.table.named(doorbell).and_then(Object::notification).map_err(because)?.number();
    let link = asked.link(doorbell).map_err(because)?;
    let number = asked.place(at).map_err(because)?;
    let table = &mut asked.child.table;
    let made = SignalContext::create(asked.child.up, (table.outward(number), number), pd, (link, bell), cookie)?;
    table.insert(number, Object::SignalContext(made));
    Ok(Slot(number))
}

fn raise<T: Transport + Copy, P: ?Sized>(asked: &Asked<'_, T, P>, context: Slot) -> Result<(), CallError<SignalError>> {
    let context = asked.child.table.named(context).and_then(Object::signal_context).map_err(because)?;
    context.up.signal().raise(context.number)
}

fn fetch<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    doorbell: Slot,
) -> Result<Option<Pending>, CallError<SignalError>> {
    let _ = asked.child.table.named(doorbell).and_then(Object::notification).map_err(because)?;
    let link = asked.link(doorbell).map_err(because)?;
    if doorbell == slots::DOORBELL && core::mem::take(&mut asked.child.exit_wanted) {
        return Ok(Some(Pending { cookie: EXIT, count: 1, more: true }));
    }
    if let Some((cookie, count)) = next_waiting(asked.child, link) {
        // Upstream there may be another one; who asks for it will be told.
        return Ok(Some(Pending { cookie, count, more: true }));
    }
    fetch_upstream(asked.child, doorbell.0).map(|found| found.map(|(cookie, pending)| Pending { cookie, ..pending }))
}

fn destroy<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    context: Slot,
) -> Result<(), CallError<SignalError>> {
    asked.child.table.named(context).and_then(Object::signal_context).map_err(because)?;
    unlink(asked.child, context.0);
    // Dropping it ends it.
    asked.child.table.take(context.0).map(drop).ok_or_else(|| because(Missing::Nothing))
}

/// What is pending upstream at a doorbell: the component's cookie, and the rest with the number of the context as cookie.
fn fetch_upstream<T: Transport + Copy>(
    child: &mut Child<T>,
    doorbell: u32,
) -> Result<Option<(u32, Pending)>, CallError<SignalError>> {
    loop {
        let Some(mut pending) = child.up.signal().fetch(child.table.outward(doorbell))? else { return Ok(None) };
        // One that has ended meanwhile is of no interest.
        let Some(Object::SignalContext(context)) = child.table.get_mut(pending.cookie) else { continue };
        pending.count = pending.count.saturating_add(next_in_beat(context));
        return Ok(Some((context.cookie, pending)));
    }
}

/// Asks for the next tick of a beat, if one has come; tells how many were missed.
fn next_in_beat<T: Transport + Copy>(context: &mut SignalContext<T>) -> u32 {
    let Some(Timeout::InBeat { period, due }) = context.timeout else { return 0 };
    let timer = context.up.timer();
    let Ok(now) = timer.now() else { return 0 };
    if now < due {
        return 0;
    }
    let (missed, due) = Timeout::missed(period, due, now);
    // Refused, the beat goes on from now with the parent's own.
    context.timeout = match timer.once(context.number, due - now) {
        Ok(()) => Some(Timeout::InBeat { period, due }),
        Err(_) => timer.periodic(context.number, period).ok().map(|()| Timeout::Periodic { period }),
    };
    u32::try_from(missed).unwrap_or(u32::MAX)
}

/// Fetches everything that is pending, and puts it where [`fetch`] finds it first. Asks for no memory.
pub(crate) fn collect<T: Transport + Copy>(child: &mut Child<T>, doorbell: u32) -> Result<(), CallError<SignalError>> {
    while let Some((_, pending)) = fetch_upstream(child, doorbell)? {
        raised(child, pending.cookie, pending.count);
        if !pending.more {
            break;
        }
    }
    Ok(())
}

/// A context waits to be fetched, with so many more.
pub(crate) fn raised<T: Transport + Copy>(child: &mut Child<T>, number: u32, count: u32) {
    let table = &mut child.table;
    let Some(link) = table.link(number) else { return };
    let Some(Object::SignalContext(context)) = table.get_mut(number) else { return };
    let waits = context.raised > 0;
    context.raised = context.raised.saturating_add(count);
    let doorbell = context.doorbell;
    if waits || count == 0 {
        return;
    }
    let Some(Object::Notification(bell)) = table.follow_mut(doorbell) else { return };
    let last = bell.last.replace(link);
    match last {
        None => bell.first = Some(link),
        Some(last) => {
            if let Some(Object::SignalContext(last)) = table.follow_mut(last) {
                last.next = Some(link);
            }
        }
    }
}

/// Takes the first context that waits at a doorbell; tells its cookie and count.
fn next_waiting<T: Transport + Copy>(child: &mut Child<T>, doorbell: Link) -> Option<(u32, u32)> {
    let table = &mut child.table;
    let Some(Object::Notification(bell)) = table.follow(doorbell) else { return None };
    let Some(Object::SignalContext(context)) = table.follow_mut(bell.first?) else { return None };
    let (cookie, count, next) = (context.cookie, core::mem::take(&mut context.raised), context.next.take());
    if let Some(Object::Notification(bell)) = table.follow_mut(doorbell) {
        bell.first = next;
        if next.is_none() {
            bell.last = None;
        }
    }
    Some((cookie, count))
}

/// Takes a context out of the list at its doorbell, if it waits there: as many steps as wait before it, which only those
/// do that a checkpoint has fetched.
fn unlink<T: Transport + Copy>(child: &mut Child<T>, number: u32) {
    let table = &mut child.table;
    let Some(link) = table.link(number) else { return };
    let Some(Object::SignalContext(context)) = table.get_mut(number) else { return };
    if core::mem::take(&mut context.raised) == 0 {
        return;
    }
    let (next, doorbell) = (context.next.take(), context.doorbell);
    let Some(Object::Notification(bell)) = table.follow(doorbell) else { return };
    let (first, mut at) = (bell.first, bell.first);
    let mut before = None;
    while let Some(this) = at.filter(|this| *this != link) {
        before = Some(this);
        at = match table.follow(this) {
            Some(Object::SignalContext(context)) => context.next,
            _ => None,
        };
    }
    if let Some(before) = before
        && let Some(Object::SignalContext(before)) = table.follow_mut(before)
    {
        before.next = next;
    }
    if let Some(Object::Notification(bell)) = table.follow_mut(doorbell) {
        bell.first = if first == Some(link) { next } else { first };
        if bell.last == Some(link) {
            bell.last = before;
        }
    }
}
