//! The client's end of a session of LINK.

use alloc::boxed::Box;
use core::fmt;

use base::{
    Env,
    client::{HandleError, Session},
    memory::{Attachment, MemoryError, Shared},
    rpc::{CallError, Never, Slot},
    session::{
        link::{
            self, LinkError, MAX_FRAME, State,
            rings::{self, Putter, Ring, RingError, Taker},
        },
        parent::{OpenError, RedeemError, SessionError},
        pd::OWN,
        rm::Placement,
    },
};

use crate::Frame;

/// A port of an Ethernet. Closed when dropped.
///
/// The memory of its rings is the server's: when the server ends, it is gone, and touching it is a fault.
pub struct Ethernet {
    // Detached, then given up, before the session is closed.
    way: Way,
    _shared: Shared,
    outward: Outward,
    inward: Inward,
    state: State,
    _session: Session<link::Client>,
}

/// What both directions need.
pub(crate) struct Way {
    memory: Attachment,
    /// The server's signal.
    bell: Bell,
}

/// The ring to the server, and where frames are built.
pub(crate) struct Outward {
    putter: Putter,
    outbox: Box<Frame>,
}

/// The ring to the client, and where frames are looked at.
pub(crate) struct Inward {
    taker: Taker,
    inbox: Box<Frame>,
}

/// Why there is no port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkFailure {
    /// There is no session.
    Open(CallError<OpenError>),
    /// The server does not do what it should.
    Server(CallError<LinkError>),
    /// The server does not say what the port is.
    State(CallError<Never>),
    /// The server's memory is not there, or cannot be attached.
    Handle(HandleError),
    /// Likewise.
    Memory(MemoryError),
    /// There is less of it than the rings have.
    Size,
    /// The server's signal is not there.
    Bell(CallError<RedeemError>),
    /// The own signal cannot be lent.
    Lend(CallError<SessionError>),
}

impl Ethernet {
    /// Opens a session of a service that is a LINK. `signal`, a signal context, is raised when a frame has come, when there is
    /// room for one again, and when the link goes up or down, if [`receive`](Self::receive), [`send`](Self::send) or their likes
    /// have found nothing to do since.
    ///
    /// # Errors
    /// There is none. Nothing is left of it then.
    pub fn open(env: Env, service: &str, argument: &[u8], signal: Slot) -> Result<Self, LinkFailure> {
        let session = env.open::<link::Client>(service, argument).map_err(LinkFailure::Open)?;
        let shared = session.redeem(session.memory().map_err(LinkFailure::Server)?).map_err(LinkFailure::Handle)?;
        if shared.size() < rings::MEMORY {
            return Err(LinkFailure::Size);
        }
        let memory = env.attach(&shared, Placement::ANYWHERE).map_err(LinkFailure::Memory)?;
        let bell = session.redeem_slot(session.bell().map_err(LinkFailure::Server)?).map_err(LinkFailure::Bell)?;
        let bell = Bell { env, slot: bell };
        let lent = session.lend(signal).map_err(LinkFailure::Lend)?;
        session.listen(lent).map_err(LinkFailure::Server)?;
        let state = session.state().map_err(LinkFailure::State)?;
        Ok(Self {
            way: Way { memory, bell },
            _shared: shared,
            outward: Outward { putter: Putter::new(Ring::ToServer), outbox: Box::new([0; MAX_FRAME]) },
            inward: Inward { taker: Taker::new(Ring::ToClient), inbox: Box::new([0; MAX_FRAME]) },
            state,
            _session: session,
        })
    }

    /// Address and such; whether it is up, as it was when it was opened.
    pub const fn state(&self) -> State {
        self.state
    }

    /// Whether a cable is plugged in now.
    pub fn is_up(&self) -> bool {
        rings::is_up(self.way.memory.words())
    }

    /// Sends a frame, addresses and type first.
    ///
    /// # Errors
    /// It is not sent. `Full`: the signal is raised when there is room again.
    pub fn send(&mut self, frame: &[u8]) -> Result<(), RingError> {
        self.way.put(&mut self.outward.putter, frame)
    }

    /// How many frames can be sent now. If none, the signal is raised when there is room again.
    ///
    /// # Errors
    /// The session is broken.
    pub fn room(&mut self) -> Result<u32, RingError> {
        self.outward.putter.room(self.way.memory.words())
    }

    /// Receives a frame, if there is one, and tells its length. If not, the signal is raised when there is.
    ///
    /// # Errors
    /// The session is broken.
    pub fn receive(&mut self, buffer: &mut Frame) -> Result<Option<usize>, RingError> {
        self.way.take(&mut self.inward.taker, buffer)
    }

    /// Whether no frame has come. The signal is raised then when one does.
    ///
    /// # Errors
    /// The session is broken.
    pub fn is_empty(&mut self) -> Result<bool, RingError> {
        self.inward.taker.is_empty(self.way.memory.words())
    }

    /// What the tokens of the stack are made of.
    pub(crate) fn parts(&mut self) -> (&Way, &mut Outward, &mut Inward) {
        (&self.way, &mut self.outward, &mut self.inward)
    }
}

impl Way {
    fn put(&self, putter: &mut Putter, frame: &[u8]) -> Result<(), RingError> {
        if putter.put(self.memory.words(), frame)? {
            self.bell.raise();
        }
        Ok(())
    }

    fn take(&self, taker: &mut Taker, buffer: &mut Frame) -> Result<Option<usize>, RingError> {
        let Some((length, waits)) = taker.take(self.memory.words(), buffer)? else { return Ok(None) };
        if waits {
            self.bell.raise();
        }
        Ok(Some(length))
    }
}

impl Outward {
    /// Whether a frame can be sent.
    pub(crate) fn has_room(&mut self, way: &Way) -> bool {
        self.putter.room(way.memory.words()).is_ok_and(|room| room > 0)
    }

    /// Builds a frame and sends it.
    pub(crate) fn send<R>(&mut self, way: &Way, length: usize, build: impl FnOnce(&mut [u8]) -> R) -> R {
        // The stack keeps to the longest frame that it was told; something longer is built, and goes nowhere.
        let Some(frame) = self.outbox.get_mut(..length) else { return build(&mut alloc::vec![0; length]) };
        frame.fill(0);
        let result = build(frame);
        // There was room a moment ago. A session that is broken sends nothing, as a cable that is cut.
        let _ = way.put(&mut self.putter, frame);
        result
    }
}

impl Inward {
    /// The next frame, if one has come.
    pub(crate) fn receive(&mut self, way: &Way) -> Option<&[u8]> {
        let length = way.take(&mut self.taker, &mut self.inbox).ok().flatten()?;
        self.inbox.get(..length)
    }
}

impl fmt::Debug for Ethernet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ethernet").field("state", &self.state).finish_non_exhaustive()
    }
}

/// The server's signal, under a number that is given up with it.
struct Bell {
    env: Env,
    slot: Slot,
}

impl Bell {
    fn raise(&self) {
        // A server that has ended it does not want to be told.
        let _ = self.env.signal().raise(self.slot);
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        // It was put there by `redeem`, and may be gone.
        let _ = self.env.pd().remove(OWN, self.slot);
    }
}
