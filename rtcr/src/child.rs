//! A component under checkpoint: one request in, one reply out.

use base::{
    rpc::{Buffer, Call, Connection, Reply, Request, Slot, Status, Transport},
    session::pd,
};

use crate::{
    information::Stage,
    journal::Journal,
    object::Owned,
    obstacle::Refusals,
    session,
    surroundings::Surroundings,
    table::{PRIVATE, Table},
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
}

impl<T: Transport + Copy> Child<T> {
    /// Answers a request for one of its sessions, that of the interface with this number. Nothing in the request is trusted.
    /// None means that nobody is answered. Long results are put into `space`.
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
            self.refusals.note(interface, request.label.selector().operation());
        }
        reply
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

    /// The sessions of the parent.
    pub const fn upstream(&self) -> Upstream<T> {
        self.up
    }
}

impl<T: Transport + Copy> Drop for Child<T> {
    /// The protection domain goes first: its threads end, and what it has paid for is given back at once. What is left are the
    /// parent's numbers.
    fn drop(&mut self) {
        self.up.free(self.pd.number);
        self.pd.gone = true;
        for number in 0..self.table.slots() + PRIVATE {
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
