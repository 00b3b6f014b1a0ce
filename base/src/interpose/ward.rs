//! What a parent that stands between keeps about a child.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    child::{Badge, Logs, Numbers, Quiet, Room, Taken, Window},
    env::slots,
    platform::Machine,
    rpc::{Buffer, Connection, Reply, Request, Shared, Slot, Status, Transport},
    session::{
        cpu, echo, log,
        pd::{self, ANY, Grant, OWN},
        rm, rom, signal, timer,
    },
};

/// Most protection domains of a child's; whoever serves the parent has their tables at the parent's cost.
pub(super) const MAX_PDS: usize = 16;

/// A child, as its parent stands between it and the system.
pub struct Ward<T = Shared> {
    pub(super) transport: T,
    pub(super) window: Window,
    pub(super) numbers: Arc<Numbers>,
    /// Where it prints.
    logs: Arc<Logs>,
    /// The parent's own session of ECHO, if it has one.
    echo: Option<Slot>,
    /// Above which no thread of the child can be.
    pub(super) priority: u8,
    /// Numbers under which something lies in the child's own capability space.
    pub(super) installed: BTreeSet<Slot>,
    /// Protection domains that the child has made; and of those that are being freed the quota that it gets back then.
    pub(super) pds: BTreeMap<Slot, Option<(u32, u32)>>,
    /// How it is told that the child has ended.
    quiet: Option<Arc<Quiet>>,
}

impl<T: Transport + Copy> Ward<T> {
    /// A child that has no more than what every component has. Its threads have at most that priority.
    pub fn new(transport: T, room: &Room, priority: u8, echo: Option<Slot>) -> Self {
        let Room { window, numbers, logs, quiet, .. } = room.clone();
        let (installed, pds) = (BTreeSet::new(), BTreeMap::new());
        Self { transport, window, numbers, logs, echo, priority, installed, pds, quiet }
    }

    /// The bell of the thread that serves the child has rung, between two requests: if an instance has ended, nothing is known
    /// of it any more.
    pub fn quiet(&mut self, machine: Machine) {
        if let Some(quiet) = &self.quiet {
            quiet.answer(machine, || {
                self.installed.clear();
                self.pds.clear();
            });
        }
    }

    /// Answers a request of the child for the session that the badge tells.
    pub fn serve<'s>(&mut self, badge: Badge, request: &Request<'_>, space: &'s mut Buffer) -> Option<Reply<'s>> {
        const PD: u16 = pd::INTERFACE.id;
        const LOG: u16 = log::INTERFACE.id;
        const RM: u16 = rm::INTERFACE.id;
        const CPU: u16 = cpu::INTERFACE.id;
        const ROM: u16 = rom::INTERFACE.id;
        const TIMER: u16 = timer::INTERFACE.id;
        const SIGNAL: u16 = signal::INTERFACE.id;
        const ECHO: u16 = echo::INTERFACE.id;
        let upstream = |slot| Connection { transport: self.transport, slot };
        match badge.interface {
            PD => pd::interpose(self, &upstream(slots::PD), request, space),
            LOG => match self.logs.get(badge.session) {
                Some(slot) => log::interpose(self, &upstream(slot), request, space),
                None => Some(Reply::of(Status::Refused)),
            },
            RM => rm::interpose(self, &upstream(slots::RM), request, space),
            CPU => cpu::interpose(self, &upstream(slots::CPU), request, space),
            ROM => rom::interpose(self, &upstream(slots::ROM), request, space),
            TIMER => timer::interpose(self, &upstream(slots::TIMER), request, space),
            SIGNAL => signal::interpose(self, &upstream(slots::SIGNAL), request, space),
            ECHO => match self.echo {
                Some(slot) => echo::interpose(self, &upstream(slot), request, space),
                None => Some(Reply::of(Status::Refused)),
            },
            _ => Some(Reply::of(Status::Refused)),
        }
    }

    /// The parent's number for one of the child's.
    #[inline]
    pub(super) fn out(&self, number: Slot) -> Option<Slot> {
        self.window.outward(number)
    }

    /// The same, where the child may also say "none".
    pub(super) fn out_or_none(&self, number: Slot) -> Option<Slot> {
        if number == ANY { Some(ANY) } else { self.out(number) }
    }

    /// Makes something under a number of the child's choice: `make` gets the parent's number for it.
    pub(super) fn make<E: From<Taken>>(
        &mut self,
        at: Slot,
        make: impl FnOnce(&mut Self, Slot) -> Result<(), E>,
    ) -> Result<Slot, E> {
        let number = self.numbers.claim(at)?;
        let outside = self.out(number).ok_or(Taken::Range)?;
        match make(self, outside) {
            Ok(()) => Ok(number),
            Err(error) => {
                self.numbers.give(number);
                Err(error)
            }
        }
    }

    /// Puts an endpoint or notification of the child's into its own capability space, under the same number.
    pub(super) fn put(&mut self, number: Slot) -> Result<(), crate::rpc::CallError<pd::InstallError>> {
        let Some(outside) = self.out(number) else { return Err(pd::InstallError::Range.into()) };
        self.pd().install(outside, self.window.pd(), number, Grant::OWN)?;
        self.installed.insert(number);
        Ok(())
    }

    /// A number of the child's means nothing any more.
    pub(super) fn forget(&mut self, number: Slot) {
        if self.installed.remove(&number) {
            // What was freed may be gone from there already.
            let _ = self.pd().remove(self.window.pd(), number);
        }
        self.pds.remove(&number);
        self.numbers.give(number);
    }

    /// Whether a number is the child's own protection domain's.
    pub(super) fn is_own(number: Slot) -> bool {
        number == OWN
    }

    pub(super) fn pd(&self) -> pd::Client<T> {
        pd::Client::new(self.transport, slots::PD)
    }

    pub(super) fn rm(&self) -> rm::Client<T> {
        rm::Client::new(self.transport, slots::RM)
    }

    pub(super) fn cpu(&self) -> cpu::Client<T> {
        cpu::Client::new(self.transport, slots::CPU)
    }

    pub(super) fn rom(&self) -> rom::Client<T> {
        rom::Client::new(self.transport, slots::ROM)
    }

    pub(super) fn timer(&self) -> timer::Client<T> {
        timer::Client::new(self.transport, slots::TIMER)
    }

    pub(super) fn signal(&self) -> signal::Client<T> {
        signal::Client::new(self.transport, slots::SIGNAL)
    }
}

/// Numbers that cannot be had, as each operation tells it.
macro_rules! taken {
    ($($error:ty),*) => {
        $(impl From<Taken> for crate::rpc::CallError<$error> {
            fn from(taken: Taken) -> Self {
                Self::Error(match taken {
                    Taken::Occupied => <$error>::Occupied,
                    Taken::Range => <$error>::Range,
                })
            }
        })*
    };
}

taken!(
    pd::AllocateError,
    pd::CreateError,
    pd::InstallError,
    rm::CreateError,
    cpu::CreateError,
    rom::OpenError,
    signal::CreateError
);
