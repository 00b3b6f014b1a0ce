//! The server's end of a session of LINK.

use core::fmt;

use base::{
    Env,
    memory::{Attachment, Dataspace, MemoryError},
    rpc::{CallError, Slot},
    service::Opening,
    session::{
        link::{
            LinkError,
            rings::{self, Putter, Ring, RingError, Taker},
        },
        pd::OWN,
        rm::Placement,
        signal::CreateError,
    },
    signal::SignalHandler,
};

use crate::Frame;

/// A client's port: the memory of its rings, and the signals of both sides.
///
/// Nothing that the client does reaches beyond it: memory and signal are made for it alone.
pub struct Port {
    env: Env,
    session: u32,
    // Detached before it is freed.
    memory: Attachment,
    dataspace: Dataspace,
    /// What the client raises; none when it is dropped.
    bell: Option<SignalHandler>,
    /// What the server raises, if the client has said.
    client: Option<Slot>,
    outward: Putter,
    inward: Taker,
}

/// Why there is no port for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortError {
    /// There is no memory for its rings.
    Memory(MemoryError),
    /// There is no signal for it.
    Signal(CallError<CreateError>),
}

impl Port {
    /// A port for a client, not plugged in. `heard` is called by the first thread when the client has sent something, or taken
    /// something out of a ring that was full, if that was waited for.
    ///
    /// # Errors
    /// There is none.
    pub fn new(env: Env, opening: &Opening<'_>, heard: impl FnMut(u32) + Send + 'static) -> Result<Self, PortError> {
        let dataspace = env.allocate(rings::MEMORY).map_err(|error| PortError::Memory(error.into()))?;
        let memory = env.attach(&dataspace, Placement::ANYWHERE).map_err(PortError::Memory)?;
        let bell = Some(env.on_signal(heard).map_err(PortError::Signal)?);
        let (outward, inward) = (Putter::new(Ring::ToClient), Taker::new(Ring::ToServer));
        let mut port = Self { env, session: opening.session, memory, dataspace, bell, client: None, outward, inward };
        // The first frame is waited for from the beginning.
        let _ = port.is_empty();
        Ok(port)
    }

    /// Sends a frame to the client.
    ///
    /// # Errors
    /// It is not sent. `Full`: `heard` is called when there is room again.
    pub fn send(&mut self, frame: &[u8]) -> Result<(), RingError> {
        if self.outward.put(self.memory.words(), frame)? {
            self.raise();
        }
        Ok(())
    }

    /// Receives a frame of the client's, if there is one, and tells its length. If not, `heard` is called when there is.
    ///
    /// # Errors
    /// The client has broken its session.
    pub fn receive(&mut self, buffer: &mut Frame) -> Result<Option<usize>, RingError> {
        let Some((length, waits)) = self.inward.take(self.memory.words(), buffer)? else { return Ok(None) };
        if waits {
            self.raise();
        }
        Ok(Some(length))
    }

    /// Whether the client has sent nothing. Then `heard` is called when it has.
    ///
    /// # Errors
    /// The client has broken its session.
    pub fn is_empty(&mut self) -> Result<bool, RingError> {
        self.inward.is_empty(self.memory.words())
    }

    /// A cable is plugged in, or out.
    pub fn plug(&mut self, up: bool) {
        if rings::is_up(self.memory.words()) != up {
            rings::set_up(self.memory.words(), up);
            self.raise();
        }
    }

    /// [`Link::memory`](base::session::link::Link::memory).
    ///
    /// # Errors
    /// It cannot be handed over.
    pub fn memory(&self) -> Result<u32, LinkError> {
        self.env.hand_over(self.session, self.dataspace.slot(), true).map_err(|_| LinkError::Handle)
    }

    /// [`Link::bell`](base::session::link::Link::bell).
    ///
    /// # Errors
    /// It cannot be handed over.
    pub fn bell(&self) -> Result<u32, LinkError> {
        let bell = self.bell.as_ref().ok_or(LinkError::Handle)?;
        self.env.hand_over(self.session, bell.slot(), true).map_err(|_| LinkError::Handle)
    }

    /// [`Link::listen`](base::session::link::Link::listen).
    ///
    /// # Errors
    /// The client has lent nothing by that handle.
    pub fn listen(&mut self, handle: u32) -> Result<(), LinkError> {
        let lent = self.env.borrow(self.session, handle).map_err(|_| LinkError::Nothing)?;
        let before = self.client.replace(lent);
        before.into_iter().for_each(|before| self.give_up(before));
        Ok(())
    }

    fn raise(&self) {
        if let Some(client) = self.client {
            // A client that has ended it does not want to be told.
            let _ = self.env.signal().raise(client);
        }
    }

    fn give_up(&self, lent: Slot) {
        // It was put there by `borrow`, and may be gone.
        let _ = self.env.pd().remove(OWN, lent);
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.bell.take().into_iter().for_each(SignalHandler::remove);
        self.client.take().into_iter().for_each(|lent| self.give_up(lent));
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Port").field(&self.session).finish()
    }
}
