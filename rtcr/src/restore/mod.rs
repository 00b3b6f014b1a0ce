//! From a value to objects.
//!
//! * [`Replaying`]: a new instance boots itself, and its requests are answered from the journal; at the barrier the
//!   difference to the checkpoint is applied.
//! * [`Child::restore_directly`]: the difference is applied to a component that has nothing.
//!
//! Both end in the same code, and in the same state. What fails leaves the checkpoint as it was, and nothing of the new
//! instance.

mod admission;
mod difference;
mod direct;
mod make;
mod memory;
mod replay;
mod threads;

use core::fmt;

use base::{
    layout::Stack,
    rpc::{CallError, Never, Status, Transport},
    session::{cpu, parent, pd, rm, rom, signal, timer},
};

pub use admission::Lack;
pub use replay::{Replaying, Step};

use crate::{
    checkpoint::Checkpoint,
    child::Child,
    information::Stage,
    journal::Asked,
    object::{GoneError, ModuleName},
    start::StartError,
    stop::Stopped,
    surroundings::{Event, Phase, Surroundings, Work},
};
use difference::Difference;

/// Why a component was not restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// The checkpoint is of a component with another number of numbers.
    Slots {
        /// Of the checkpoint's.
        saved: u32,
        /// Of the new one.
        given: u32,
    },
    /// The checkpoint was taken before the barrier: there is a journal and nothing else.
    Booting,
    /// There is no new instance.
    Start(StartError),
    /// The new instance asks for something else than the old one did.
    Mismatch {
        /// The how-manieth request, from 0.
        index: u32,
        /// What the old one asked for.
        saved: Asked,
        /// What the new one asks for.
        found: Asked,
    },
    /// The new instance asks for more than the old one did before its barrier.
    Surplus {
        /// How many requests there are in the journal.
        index: u32,
        /// What it asks for.
        found: Asked,
    },
    /// The new instance is to go on before it has asked for everything that the old one had.
    TooEarly {
        /// How many requests it has made.
        index: u32,
    },
    /// What was done for the old instance is not done for the new one.
    Answer {
        /// The how-manieth request, from 0.
        index: u32,
        /// What it asks for.
        asked: Asked,
        /// How that ended; none if there was no answer.
        found: Option<Status>,
    },
    /// The new instance runs another program, though it has asked for the same until its barrier.
    Program {
        /// The old one's.
        saved: ModuleName,
        /// The new one's.
        found: ModuleName,
    },
    /// There is another module of that name than there was.
    Module(ModuleName),
    /// There is no such module.
    Open(CallError<rom::OpenError>),
    /// There is no such session, not even a dead one.
    Session(CallError<parent::OpenError>),
    /// What a server had handed over is not there any more.
    Shared(CallError<parent::RedeemError>),
    /// No memory, endpoint or notification.
    Allocate(CallError<pd::AllocateError>),
    /// No region map.
    Map(CallError<rm::CreateError>),
    /// Something was not attached.
    Attach(CallError<rm::AttachError>),
    /// Something was not detached, or has no handler.
    Detach(CallError<rm::DetachError>),
    /// Addresses of something that is gone were not taken.
    Gone(GoneError),
    /// No signal context.
    Context(CallError<signal::CreateError>),
    /// No thread.
    Thread(CallError<cpu::CreateError>),
    /// A thread does not become what it was.
    State(CallError<cpu::ThreadError>),
    /// A thread does not wait for the answer that it waited for.
    Link(CallError<cpu::LinkError>),
    /// A page was not copied.
    Copy(CallError<pd::CopyError>),
    /// The quota is not told.
    Account(CallError<pd::LookupError>),
    /// The quota is not given.
    Transfer(CallError<pd::TransferError>),
    /// A timeout was not set.
    Timeout(CallError<timer::TimeoutError>),
    /// What the bootstrap has raised is not taken back.
    Fetch(CallError<signal::SignalError>),
    /// The time is not told.
    Time(CallError<Never>),
    /// The checkpoint refers to something that it does not have.
    Broken {
        /// The number.
        number: u32,
    },
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mismatch { index, saved, found } => {
                write!(f, "it is another component: its request {index} is {found}, and was {saved}")
            }
            Self::Surplus { index, found } => {
                write!(f, "it is another component: after {index} requests it was ready, and now it asks for {found}")
            }
            Self::Answer { index, asked, found: Some(status) } => {
                write!(f, "its request {index}, {asked}, was done once, and now: {status}")
            }
            Self::Program { saved, found } => {
                write!(f, "it is another component: its program is {found}, and was {saved}")
            }
            Self::Module(name) => write!(f, "the module {name} is another one than it was"),
            Self::Booting => write!(f, "the checkpoint is from before the barrier, and can only be replayed"),
            Self::Start(error) => error.fmt(f),
            other => write!(f, "{other:?}"),
        }
    }
}

impl core::error::Error for RestoreError {}

impl From<StartError> for RestoreError {
    fn from(error: StartError) -> Self {
        Self::Start(error)
    }
}

impl<T: Transport + Copy> Child<T> {
    /// Brings a component whose threads stand still to what a checkpoint says, and lets it go on. What is half restored
    /// never runs: if that fails, its threads stand still until they end with it.
    fn become_saved<P: Surroundings + ?Sized>(
        mut self,
        saved: &Checkpoint,
        stopped: Stopped<T>,
        surroundings: &mut P,
    ) -> Result<Self, RestoreError> {
        let restored = match self.apply(saved, surroundings) {
            Ok(()) => {
                surroundings.event(Event::Phase(Phase::Thaw));
                drop(stopped);
                surroundings.event(Event::Thawed);
                self.ring_all(surroundings);
                Ok(self)
            }
            Err(error) => {
                stopped.abandon();
                Err(error)
            }
        };
        surroundings.event(Event::Ends(Work::Restore));
        restored
    }

    fn apply<P: Surroundings + ?Sized>(
        &mut self,
        saved: &Checkpoint,
        surroundings: &mut P,
    ) -> Result<(), RestoreError> {
        let information = saved.information();
        if information.slots != self.table.slots() {
            return Err(RestoreError::Slots { saved: information.slots, given: self.table.slots() });
        }
        let begin = |surroundings: &mut P, phase| surroundings.event(Event::Phase(phase));
        begin(surroundings, Phase::Objects);
        let mut difference = Difference::new(self, saved);
        difference.raise_quota()?;
        let gone = difference.remove()?;
        let made = difference.make(surroundings)?;
        surroundings.event(Event::Objects { gone, made });
        begin(surroundings, Phase::Memory);
        let (pages, bytes) = difference.copy_memory(surroundings)?;
        surroundings.event(Event::Memory { pages });
        surroundings.event(Event::Repair { bytes });
        begin(surroundings, Phase::Regions);
        difference.attach()?;
        begin(surroundings, Phase::Threads);
        difference.make_threads()?;
        let threads = difference.write_threads()?;
        difference.link_threads()?;
        surroundings.event(Event::Registers { threads });
        begin(surroundings, Phase::Signals);
        // Before timeouts run for what remained: so no wait ends before its time.
        difference.set_clock()?;
        difference.set_signals()?;
        difference.set_quota()?;

        // Nothing fails from here on.
        surroundings.keep_only(&mut information.sessions());
        surroundings.goes_back(&information.served, information.asking);
        for (buffer, call) in information.calls() {
            if let Some(thread) = Stack::owner(buffer) {
                surroundings.call_again(thread, call);
            }
        }
        self.stage = Stage::Running;
        self.journal = information.journal.clone();
        Ok(())
    }

    /// Rings every notification: what had been rung for and not been heard is heard again, and a ring may always be for
    /// nothing.
    fn ring_all<P: Surroundings + ?Sized>(&self, surroundings: &mut P) {
        for (_, object) in self.table.iter() {
            if let Ok(notification) = object.notification() {
                surroundings.ring(notification.number());
            }
        }
    }
}
