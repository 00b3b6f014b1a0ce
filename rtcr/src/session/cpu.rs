//! CPU: threads.

use base::{
    env::slots,
    rpc::{Arguments, CallError, Decision, Slot, Transport},
    session::cpu::{self, CreateError, Debt, Place, Registers, ThreadError, ThreadState, call},
};

use super::{Asked, because};
use crate::{
    object::{Object, Thread},
    surroundings::Surroundings,
    table::Missing,
};

#[base::interposer(refuse(freeze, thaw, handle_exceptions, exception, link))]
impl<T: Transport + Copy, P: Surroundings + ?Sized> cpu::Interposer for Asked<'_, T, P> {
    fn create(&mut self, (at, pd, map, priority, buffer, name): Arguments<'_, call::Create>) -> Decision<call::Create> {
        create(self, (at, pd, map), (priority, buffer), name).into()
    }

    fn start(&mut self, (thread, pc, sp, argument): Arguments<'_, call::Start>) -> Decision<call::Start> {
        start(self, thread, (pc, sp, argument)).into()
    }

    fn pause(&mut self, (thread,): Arguments<'_, call::Pause>) -> Decision<call::Pause> {
        pause(self, thread).into()
    }

    fn resume(&mut self, (thread,): Arguments<'_, call::Resume>) -> Decision<call::Resume> {
        resume(self, thread).into()
    }

    fn read(&mut self, (thread,): Arguments<'_, call::Read>) -> Decision<call::Read> {
        read(self, thread).into()
    }

    fn write(&mut self, (thread, registers, cancel): Arguments<'_, call::Write>) -> Decision<call::Write> {
        write(self, thread, registers, cancel).into()
    }

    fn bind(&mut self, (thread, notification): Arguments<'_, call::Bind>) -> Decision<call::Bind> {
        bind(self, thread, notification).into()
    }

    fn place(&mut self, (thread,): Arguments<'_, call::Place>) -> Decision<call::Place> {
        place(self, thread).into()
    }

    fn prioritize(&mut self, (thread, priority): Arguments<'_, call::Prioritize>) -> Decision<call::Prioritize> {
        prioritize(self, thread, priority).into()
    }

    fn destroy(&mut self, (thread,): Arguments<'_, call::Destroy>) -> Decision<call::Destroy> {
        destroy(self, thread).into()
    }
}

impl<T: Transport + Copy, P: ?Sized> Asked<'_, T, P> {
    fn thread(&self, number: Slot) -> Result<&Thread<T>, CallError<ThreadError>> {
        self.child.table.named(number).and_then(Object::thread).map_err(because)
    }

    fn thread_mut(&mut self, number: Slot) -> Result<&mut Thread<T>, CallError<ThreadError>> {
        self.child.table.named_mut(number).and_then(Object::thread_mut).map_err(because)
    }

    /// Upstream the caller is the parent, which has a higher priority; so it is here that the component's
    /// first thread counts.
    fn may_give(&self, priority: u8) -> bool {
        let first = self.child.table.named(slots::THREAD).and_then(Object::thread);
        first.is_ok_and(|first| priority <= first.priority)
    }
}

fn create<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    (at, pd, map): (Slot, Slot, Slot),
    (priority, buffer): (u8, u32),
    name: &str,
) -> Result<Slot, CallError<CreateError>> {
    let pd = asked.own(pd).map_err(because)?;
    let space = asked.child.table.named(map).and_then(Object::region_map).map_err(because)?.number();
    let link = asked.link(map).map_err(because)?;
    let number = asked.place(at).map_err(because)?;
    if !asked.may_give(priority) {
        return Err(CreateError::Priority.into());
    }
    let table = &mut asked.child.table;
    let made = Thread::create(asked.child.up, table.outward(number), pd, (link, space), (priority, buffer), name)?;
    table.insert(number, Object::Thread(made));
    Ok(Slot(number))
}

fn start<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    thread: Slot,
    (pc, sp, argument): (u32, u32, u32),
) -> Result<(), CallError<ThreadError>> {
    let up = asked.child.up;
    let thread = asked.thread_mut(thread)?;
    up.cpu().start(thread.number(), pc, sp, argument)?;
    thread.started = true;
    Ok(())
}

fn pause<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    thread: Slot,
) -> Result<(), CallError<ThreadError>> {
    let up = asked.child.up;
    let thread = asked.thread_mut(thread)?;
    up.cpu().pause(thread.number())?;
    thread.paused += 1;
    Ok(())
}

fn resume<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    thread: Slot,
) -> Result<(), CallError<ThreadError>> {
    let up = asked.child.up;
    let thread = asked.thread_mut(thread)?;
    up.cpu().resume(thread.number())?;
    thread.paused = thread.paused.saturating_sub(1);
    Ok(())
}

fn read<T: Transport + Copy, P: ?Sized>(
    asked: &Asked<'_, T, P>,
    thread: Slot,
) -> Result<ThreadState, CallError<ThreadError>> {
    let state = asked.child.up.cpu().read(asked.thread(thread)?.number())?;
    let owes = match state.owes {
        Debt::Thread(other) => thread_of(asked, other)?.map_or(Debt::Outside, Debt::Thread),
        owes => owes,
    };
    Ok(ThreadState { thread: thread.0, owes, ..state })
}

/// The component's number for a thread that the parent's parent knows by another, which is not the same any more after
/// a restore. Asks each thread, 64 at most; only for a thread that owes another one an answer.
fn thread_of<T: Transport + Copy, P: ?Sized>(
    asked: &Asked<'_, T, P>,
    other: u32,
) -> Result<Option<u32>, CallError<ThreadError>> {
    for (number, object) in asked.child.table.iter() {
        if let Object::Thread(thread) = object
            && asked.child.up.cpu().read(thread.number())?.thread == other
        {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

fn write<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    thread: Slot,
    registers: Registers,
    cancel: bool,
) -> Result<(), CallError<ThreadError>> {
    let up = asked.child.up;
    let thread = asked.thread_mut(thread)?;
    up.cpu().write(thread.number(), registers, cancel)?;
    thread.started |= cancel;
    Ok(())
}

fn bind<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    thread: Slot,
    notification: Slot,
) -> Result<(), CallError<ThreadError>> {
    let up = asked.child.up;
    let bell = asked.child.table.named(notification).and_then(Object::notification).map_err(because)?.number();
    let link = asked.link(notification).map_err(because)?;
    let thread = asked.thread_mut(thread)?;
    up.cpu().bind(thread.number(), bell)?;
    thread.bound = Some(link);
    Ok(())
}

fn place<T: Transport + Copy, P: ?Sized>(
    asked: &Asked<'_, T, P>,
    thread: Slot,
) -> Result<Place, CallError<ThreadError>> {
    asked.child.up.cpu().place(asked.thread(thread)?.number())
}

fn prioritize<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    thread: Slot,
    priority: u8,
) -> Result<(), CallError<ThreadError>> {
    if !asked.may_give(priority) {
        return Err(ThreadError::Priority.into());
    }
    let up = asked.child.up;
    let thread = asked.thread_mut(thread)?;
    up.cpu().prioritize(thread.number(), priority)?;
    thread.priority = priority;
    Ok(())
}

fn destroy<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    thread: Slot,
) -> Result<(), CallError<ThreadError>> {
    let _: &Thread<T> = asked.thread(thread)?;
    // Dropping it ends it.
    asked.child.table.take(thread.0).map(drop).ok_or_else(|| because(Missing::Nothing))
}
