//! What the library asks of whoever embeds it.

use base::{
    child::Known,
    rpc::{Buffer, CallError, Reply, Request, Slot, ThreadNumber},
    session::parent::{OpenError, RedeemError, SessionError},
};

use crate::object::SessionInfo;

/// What a session is, seen from its client: a capability of the parent's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Which session. The same number is never another session's.
    pub number: u32,
    /// The parent's endpoint at which its requests arrive.
    pub endpoint: Slot,
    /// With this badge.
    pub badge: u32,
}

/// A call that was on its way when a checkpoint was taken: whoever embeds the library has it in its book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallInfo {
    /// Which session's.
    pub session: u32,
    /// Which of the session's calls. The same number is never another call's.
    pub number: u32,
}

/// Whoever embeds the library. Only PARENT and ringing are its business in any case; one that says nothing of sessions has a
/// component without any.
pub trait Surroundings {
    /// Answers a request for PARENT that is not about a session of the component's. None means that nobody is answered:
    /// the component has ended.
    fn parent<'s>(&mut self, request: &Request<'_>, space: &'s mut Buffer) -> Option<Reply<'s>>;

    /// Rings a notification, by the parent's number for it.
    fn ring(&mut self, doorbell: Slot);

    /// The component wants a session of a service; `Pending` means that it is to ask again when it was rung. What is
    /// returned once is the component's until it is closed.
    ///
    /// # Errors
    /// There is none.
    fn open(&mut self, service: &str, argument: &[u8]) -> Result<Opened, CallError<OpenError>> {
        let _ = (service, argument);
        Err(CallError::Refused)
    }

    /// Whether a session could not be had again after a restore: its server is gone.
    fn is_lost(&mut self, session: u32) -> bool {
        let _ = session;
        false
    }

    /// The component does not want a session any more.
    fn close(&mut self, session: u32) {
        let _ = session;
    }

    /// The component, which is the parent's `pd`, donates to a session's server.
    ///
    /// # Errors
    /// It does not.
    fn upgrade(&mut self, pd: Slot, session: u32, ram: u32, caps: u32) -> Result<(), CallError<SessionError>> {
        let _ = (pd, session, ram, caps);
        Err(SessionError::Nothing.into())
    }

    /// What the server of a session has handed over becomes the parent's `at`.
    ///
    /// # Errors
    /// It does not.
    fn redeem(&mut self, session: u32, handle: u32, at: Slot) -> Result<(), CallError<RedeemError>> {
        let _ = (session, handle, at);
        Err(RedeemError::Nothing.into())
    }

    /// A session of a checkpoint, for a new instance: the one that there is, or the same opened again; or a dead one, whose
    /// requests are answered "peer gone".
    ///
    /// # Errors
    /// There is not even that.
    fn reopen(&mut self, session: &SessionInfo) -> Result<Opened, CallError<OpenError>> {
        let _ = session;
        Err(OpenError::Gone.into())
    }

    /// The component is what a checkpoint says: it has these sessions, and others are closed.
    fn keep_only(&mut self, sessions: &mut dyn Iterator<Item = u32>) {
        let _ = sessions;
    }

    /// How many sessions the component has of services that it offers.
    fn sessions_served(&mut self) -> usize {
        0
    }

    /// What the component knows of the services that it offers. There is room for as many sessions as it
    /// [has](Self::sessions_served).
    fn write_served(&mut self, served: &mut Known) {
        let _ = served;
    }

    /// The component is what a checkpoint says: that is all that it knows of the services that it offers, and these threads
    /// were [asking](Self::asking).
    fn goes_back(&mut self, served: &Known, asking: u64) {
        let _ = (served, asking);
    }

    /// Which of the component's threads have asked for a checkpoint and have no answer, a bit each by their numbers.
    fn asking(&mut self) -> u64 {
        0
    }

    /// Whether the component has handed over memory to clients of its own: they would look at memory of an instance that is
    /// gone.
    fn has_handed_over(&mut self) -> bool {
        false
    }

    /// The call of the component's thread that is on its way, if it is known and not answered; or that the thread
    /// [makes again](Self::call_again), and that has not arrived yet.
    fn call(&mut self, thread: ThreadNumber) -> Option<CallInfo> {
        let _ = thread;
        None
    }

    /// A checkpoint has seen a call on its way: its answer is to be kept when it comes. Not if it has come already.
    fn keep_call(&mut self, call: CallInfo) -> bool {
        let _ = call;
        false
    }

    /// A checkpoint that has seen a call on its way is not there any more.
    fn forget_call(&mut self, call: CallInfo) {
        let _ = call;
    }

    /// A thread of the new instance will make a call that the checkpoint has seen on its way.
    fn call_again(&mut self, thread: ThreadNumber, call: CallInfo) {
        let _ = (thread, call);
    }

    /// What is the content of a module known by? The same number for the same bytes; `dataspace` is the parent's number
    /// for it. Compared before a module's pages are taken for those of a checkpoint.
    fn fingerprint(&mut self, name: &str, dataspace: Slot) -> u64 {
        let _ = (name, dataspace);
        0
    }

    /// The component says something. Whether it goes on to LOG; else whoever embeds the library shows it, when it likes.
    fn says(&mut self, text: &[u8]) -> bool {
        let _ = text;
        true
    }

    /// Something has been done, for traces and statistics.
    fn event(&mut self, event: Event) {
        let _ = event;
    }

    /// Something begins, or ends, that whoever records tells apart. Also on the way of usual requests, so it is to cost next
    /// to nothing unless somebody records.
    fn scope(&mut self, scope: Scope, edge: Edge) {
        let _ = (scope, edge);
    }
}

/// What is measured on its own, besides the phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Memory is allocated for the component, in whatever state it is: live, in its bootstrap, in a restore.
    Allocation,
    /// A stack is found, gets its pages and its content.
    Repair,
}

/// One end of a [`Scope`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// It begins.
    Begin,
    /// It ends.
    End,
}

/// What is told of checkpoints and restores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A checkpoint or a restore begins.
    Begins(Work),
    /// Its next phase begins.
    Phase(Phase),
    /// It has ended, well or not.
    Ends(Work),
    /// All threads of the component stand still.
    Stopped {
        /// How many there are.
        threads: u32,
    },
    /// The time had to be asked for while the component stands still. It was this.
    Time {
        /// In nanoseconds.
        now: u64,
    },
    /// Pages were copied from the component to the storage.
    Saved {
        /// How many.
        pages: u32,
    },
    /// A request of the new instance was answered from the journal.
    Answered {
        /// The how-manieth, from 0.
        index: u32,
        /// The interface's number.
        interface: u16,
        /// The operation's number.
        operation: u8,
    },
    /// The new instance has reached the barrier.
    Barrier,
    /// What the checkpoint does not have is gone, what it has is there.
    Objects {
        /// How many went.
        gone: u32,
        /// How many came.
        made: u32,
    },
    /// Memory that is no stack has the checkpoint's content.
    Memory {
        /// How many pages were copied.
        pages: u32,
    },
    /// Stacks have the checkpoint's content, from their pointers' pages to their tops.
    Repair {
        /// How many bytes were copied.
        bytes: u32,
    },
    /// Threads have the checkpoint's registers.
    Registers {
        /// How many.
        threads: u32,
    },
    /// All threads go on.
    Thawed,
}

/// What takes time and has phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// From functional objects to information.
    Checkpoint,
    /// From information to functional objects.
    Restore,
}

/// The phases of checkpoints and restores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// What does not change by itself is written down, while the component runs.
    Information,
    /// All threads are stopped.
    Freeze,
    /// Registers of threads are read.
    Registers,
    /// What is pending is read, or set.
    Signals,
    /// Pages are copied to the storage.
    Pages,
    /// Threads go on.
    Thaw,
    /// A new instance is made.
    Instance,
    /// It boots, and is answered from the journal.
    Bootstrap,
    /// Objects go and come.
    Objects,
    /// Memory is brought to what it was.
    Memory,
    /// Memory is attached where it was.
    Regions,
    /// Threads come, and get their registers.
    Threads,
}
