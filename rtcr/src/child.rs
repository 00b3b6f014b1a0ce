//! A component under checkpoint: one request in, one reply out.

use base::{
    env::slots,
    rpc::{Buffer, Call, CallError, Connection, Reply, Request, Slot, Status, Transport},
    session::{
        cpu::{Activity, ThreadError},
        pd::{self, CopyError, LookupError, MAX_COPY},
    },
};

use crate::{
    information::Stage,
    journal::Journal,
    object::{Object, Owned},
    obstacle::Refusals,
    session,
    stop::Stopped,
    surroundings::Surroundings,
    table::Table,
    upstream::Upstream,
};

/// A component all of whose sessions end here. Dropping it ends the component and frees everything that it has.
pub struct Child<T: Transport + Copy> {
    /// Its protection domain.
    pub(crate) pd: Owned<T>,
    pub(crate) table: Table<T>,
    pub(crate) up: Upstream<T>,
    pub(crate) journal: Journal,
    pub(crate) stage: Stage,
    /// What its clock is ahead of the parent's, in two's complement.
    pub(crate) offset: u64,
    pub(crate) refusals: Refusals,
    /// Where its text goes.
    pub(crate) log: Connection<T>,
    /// It is to exit, and has not been told.
    pub(crate) exit_wanted: bool,
}

impl<T: Transport + Copy> Child<T> {
    /// Answers a request for one of its sessions, that of the interface with this number. Nothing in the request is
    /// trusted. None means that nobody is answered. Long results are put into `space`.
    pub fn serve<'s, P: Surroundings + ?Sized>(
        &mut self,
        interface: u16,
        request: &Request<'_>,
        space: &'s mut Buffer,
        surroundings: &mut P,
    ) -> Option<Reply<'s>> {
        let reply = session::answer(self, interface, request, space, surroundings, None);
        if self.stage == Stage::Booting
            && let Some(reply) = &reply
        {
            self.journal.record(interface, request, reply);
            if is_barrier(interface, request) {
                self.stage = Stage::Running;
            }
        }
        if let Some(Reply { status: Status::Refused, .. }) = reply {
            let service = session::wanted_service(interface, request);
            self.refusals.note(interface, request.label.selector().operation(), service);
        }
        reply
    }

    /// Asks the component to exit: it is told by its doorbell, as any component is by its parent. That is no state of the
    /// component's and in no checkpoint, so a new instance is to be asked again.
    pub fn ask_to_exit<P: Surroundings + ?Sized>(&mut self, surroundings: &mut P) {
        self.exit_wanted = true;
        surroundings.ring(self.table.outward(slots::DOORBELL.0));
    }

    /// Stops all its threads until what is returned is dropped. That is to be before the component ends.
    ///
    /// # Errors
    /// They run on.
    pub fn freeze(&self) -> Result<Stopped<T>, CallError<ThreadError>> {
        Stopped::freeze(self.up, self.pd.number)
    }

    /// How far it is.
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// What it asked for until the barrier.
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Its objects.
    pub const fn table(&self) -> &Table<T> {
        &self.table
    }

    /// The parent's number for its protection domain.
    pub const fn number(&self) -> Slot {
        self.pd.number
    }

    /// The parent's number for a thread that runs, or would if the processor were free: none if all wait for something, or are
    /// stopped. A thread that cannot be looked at does not run. Cost: a request for each thread.
    pub fn running(&self) -> Option<Slot> {
        let runs = |thread: &Slot| {
            let state = self.up.cpu().read(*thread);
            state.is_ok_and(|state| state.activity == Activity::Running && state.paused == 0)
        };
        self.table.iter().filter_map(|(_, object)| object.thread().ok()).map(|thread| thread.number()).find(runs)
    }

    /// The sessions of the parent.
    pub const fn upstream(&self) -> Upstream<T> {
        self.up
    }
}

impl<T: Transport + Copy> Child<T> {
    /// Ends the component after all its memory was overwritten with what `pattern` holds, a dataspace of the parent's
    /// of at least [`MAX_COPY`] pages: so that a restore that comes out right does not do so because the frames are the
    /// same. Tells how many pages were overwritten.
    ///
    /// # Errors
    /// A page was not overwritten; the component has ended all the same.
    pub fn wipe(mut self, pattern: Slot) -> Result<u32, WipeError> {
        let stopped = Stopped::freeze(self.up, self.pd.number).map_err(WipeError::Stop)?;
        // It never runs again.
        stopped.abandon();
        let mut wiped = 0;
        let mut next = 0;
        while let Some(number) = self.table.next(next) {
            next = number + 1;
            let Some(Object::RamDataspace(dataspace)) = self.table.get_mut(number) else { continue };
            if dataspace.owned.ending {
                continue;
            }
            dataspace.count_pages().map_err(WipeError::Lookup)?;
            for first in (0..dataspace.pages).step_by(MAX_COPY as usize) {
                let count = (dataspace.pages - first).min(MAX_COPY);
                self.up.copy((dataspace.number(), first), (pattern, 0), count).map_err(WipeError::Copy)?;
                wiped += count;
            }
        }
        Ok(wiped)
    }
}

/// Why a component's memory was not overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WipeError {
    /// It does not stop.
    Stop(CallError<ThreadError>),
    /// What it has is not told.
    Lookup(CallError<LookupError>),
    /// A page was not copied.
    Copy(CallError<CopyError>),
}

impl<T: Transport + Copy> Drop for Child<T> {
    /// The protection domain goes first: its threads end, and what it has paid for is given back at once. What is left
    /// are the parent's numbers.
    fn drop(&mut self) {
        self.up.free(self.pd.number);
        self.pd.gone = true;
        let mut next = 0;
        while let Some(number) = self.table.next(next) {
            next = number + 1;
            if let Some(object) = self.table.take(number) {
                object.forget(self.up, self.table.outward(number));
            }
        }
    }
}

/// Whether a request is the barrier.
pub(crate) fn is_barrier(interface: u16, request: &Request<'_>) -> bool {
    interface == pd::INTERFACE.id && request.label.selector() == pd::call::RestoreThread::SELECTOR
}
