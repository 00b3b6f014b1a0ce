//! Numbers of the caller's table: what they stand for, and which are free.

use base::{rpc::Slot, session::pd::OWN};

use super::Call;
use crate::system::{
    Context, Dataspace, Domain, EndpointObject, Entry, Id, Known, NotificationObject, RegionMap, Thread,
    table::{Missing, Unusable},
};

macro_rules! into_error {
    ($from:ident: $one:ident, $other:ident => $($error:path)*) => { $(
        impl From<$from> for $error {
            fn from(reason: $from) -> Self {
                match reason {
                    $from::$one => Self::$one,
                    $from::$other => Self::$other,
                }
            }
        }
    )* };
}

into_error! { Missing: Nothing, Kind =>
    base::session::pd::LookupError
    base::session::pd::TraceError
    base::session::pd::AllocateError
    base::session::pd::FreeError
    base::session::pd::CopyError
    base::session::pd::TransferError
    base::session::pd::InstallError
    base::session::rm::CreateError
    base::session::rm::AttachError
    base::session::rm::DetachError
    base::session::cpu::CreateError
    base::session::cpu::ThreadError
    base::session::cpu::LinkError
    base::session::signal::CreateError
    base::session::signal::SignalError
    base::session::timer::TimeoutError
    base::session::device::dma::AddressError
}

into_error! { Unusable: Occupied, Range =>
    base::session::pd::AllocateError
    base::session::pd::CreateError
    base::session::pd::InstallError
    base::session::rm::CreateError
    base::session::rom::OpenError
    base::session::cpu::CreateError
    base::session::signal::CreateError
}

/// Lookups of one kind of object: what the number stands for, if it is that and still there.
macro_rules! lookups {
    ($($(#[$doc:meta])* $name:ident: $kind:ident, $object:ident in $arena:ident;)*) => { $(
        $(#[$doc])*
        ///
        /// # Errors
        /// It stands for something else, or nothing.
        #[inline]
        pub fn $name(&self, number: Slot) -> Result<Id<$object>, Missing> {
            match self.entry(number).known {
                Known::$kind(id) if self.system.$arena.get(id).is_some() => Ok(id),
                Known::$kind(_) | Known::Nothing => Err(Missing::Nothing),
                _ => Err(Missing::Kind),
            }
        }
    )* };
}

impl Call<'_> {
    /// What a number of the caller's stands for. It may be gone.
    #[inline]
    pub fn entry(&self, number: Slot) -> Entry {
        let entry = self.system.domains.get(self.holder).and_then(|domain| domain.table.get(number.0 as usize));
        entry.copied().unwrap_or(Entry::NOTHING)
    }

    /// The protection domain of a number; [`OWN`] is the caller's.
    ///
    /// # Errors
    /// It stands for something else, or nothing.
    #[inline]
    pub fn domain(&self, number: Slot) -> Result<Id<Domain>, Missing> {
        if number == OWN { Ok(self.holder) } else { self.other_domain(number) }
    }

    lookups! {
        /// The protection domain of a number; the caller's own has none.
        other_domain: Domain, Domain in domains;
        /// The dataspace of a number.
        dataspace: Dataspace, Dataspace in dataspaces;
        /// The region map of a number.
        region_map: RegionMap, RegionMap in maps;
        /// The thread of a number.
        thread: Thread, Thread in threads;
        /// The endpoint of a number.
        endpoint: Endpoint, EndpointObject in endpoints;
        /// The notification of a number.
        notification: Notification, NotificationObject in notifications;
        /// The signal context of a number.
        context: Context, Context in contexts;
    }

    /// The number that something new of the caller's is to have: `at`, or the lowest that is free. It is not taken by that.
    ///
    /// # Errors
    /// There is none, or it is taken.
    pub fn free_number(&mut self, at: Slot) -> Result<Slot, Unusable> {
        self.system.free_number(self.holder, at)
    }

    /// Lets a number of the caller's, which is free, stand for something that is its own.
    pub fn enter(&mut self, number: Slot, known: Known) {
        self.system.enter(self.holder, number, known, true);
    }

    /// Lets a number of the caller's stand for nothing.
    pub fn forget(&mut self, number: Slot) {
        self.system.forget(self.holder, number.0);
    }
}
