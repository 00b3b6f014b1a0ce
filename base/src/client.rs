//! Sessions of services that others offer.

use core::{fmt, ops::Deref};

use crate::{
    Env,
    memory::{MemoryError, Shared},
    rpc::{CallError, Connection, Shared as Transport, Slot},
    session::{
        parent::{OpenError, RedeemError, RequestError, SessionError},
        pd::ANY,
    },
};

/// A session, and the client that talks through it; closed when dropped.
///
/// ```ignore
/// let counter = env.open::<counter::Client>("counter", b"")?;
/// counter.add(1)?;
/// ```
pub struct Session<C> {
    env: Env,
    slot: Slot,
    client: C,
}

impl<C> Session<C> {
    /// Its number.
    pub const fn slot(&self) -> Slot {
        self.slot
    }

    /// Donates memory and capabilities to the server.
    ///
    /// # Errors
    /// Why not.
    pub fn upgrade(&self, ram: u32, caps: u32) -> Result<(), CallError<SessionError>> {
        self.env.until_answered(|| self.env.parent().upgrade(self.slot, ram, caps))
    }

    /// The dataspace for which the server has handed over that handle.
    ///
    /// # Errors
    /// Why there is none.
    pub fn redeem(&self, handle: u32) -> Result<Shared, HandleError> {
        let slot = self.redeem_slot(handle).map_err(HandleError::Redeem)?;
        Shared::new(self.env, slot).map_err(HandleError::Memory)
    }

    /// A handle by which the server can [borrow](Env::borrow) a signal context of this component's, to raise it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn lend(&self, context: Slot) -> Result<u32, CallError<SessionError>> {
        self.env.parent().lend(self.slot, context)
    }

    /// The number of whatever the server has handed over, a signal context for example.
    ///
    /// # Errors
    /// Why there is none.
    pub fn redeem_slot(&self, handle: u32) -> Result<Slot, CallError<RedeemError>> {
        self.env.parent().redeem(self.slot, handle, ANY)
    }
}

/// The client's operations.
impl<C> Deref for Session<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.client
    }
}

impl<C> fmt::Debug for Session<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Session").field(&self.slot).finish()
    }
}

impl<C> Drop for Session<C> {
    fn drop(&mut self) {
        // A close that takes longer is done all the same.
        let _ = self.env.parent().close(self.slot);
    }
}

/// Why a handle gave no dataspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandleError {
    /// It was not redeemed.
    Redeem(CallError<RedeemError>),
    /// It is no dataspace.
    Memory(MemoryError),
}

impl Env {
    /// Opens a session of a service, and waits until it is there. `C` is the client of the service's interface.
    ///
    /// # Errors
    /// Why there is none.
    pub fn open<C: From<Connection<Transport>>>(
        &self,
        service: &str,
        argument: &[u8],
    ) -> Result<Session<C>, CallError<OpenError>> {
        let slot = self.until_answered(|| self.parent().open(service, argument))?;
        let client = C::from(Connection { transport: self.platform(), slot });
        Ok(Session { env: *self, slot, client })
    }

    /// Asks the parent for more memory and capabilities, and waits for its decision.
    ///
    /// # Errors
    /// It does not give so much.
    pub fn request_more(&self, ram: u32, caps: u32) -> Result<(), CallError<RequestError>> {
        self.until_answered(|| self.parent().request(ram, caps))
    }

    /// A handle by which the client of a session of this component's can have a dataspace or signal context. The session
    /// is the one of [`Opening`](crate::service::Opening).
    ///
    /// # Errors
    /// Why there is none.
    pub fn hand_over(&self, session: u32, number: Slot, writable: bool) -> Result<u32, CallError<SessionError>> {
        self.parent().hand_over(session, number, writable)
    }

    /// The signal context that the client of a session of this component's has [lent](Session::lend), under a number that is
    /// to be given up with `pd().remove` when the session goes. It can be raised, and be gone.
    ///
    /// # Errors
    /// Why there is none.
    pub fn borrow(&self, session: u32, handle: u32) -> Result<Slot, CallError<RedeemError>> {
        self.parent().borrow(session, handle, ANY)
    }
}
