//! The proof that all threads of a component stand still.

use base::{
    rpc::{CallError, Slot, Transport},
    session::cpu::ThreadError,
};

use crate::upstream::Upstream;

/// All threads of a protection domain stand still for as long as this lives; what they wait for still reaches
/// them, and they go on exactly.
///
/// Requests of the component are served by the thread that has this, so none is served meanwhile.
pub struct Stopped<T: Transport + Copy> {
    up: Upstream<T>,
    pd: Slot,
    threads: u32,
}

impl<T: Transport + Copy> Stopped<T> {
    /// Stops them, with one request.
    ///
    /// # Errors
    /// They run on.
    pub(crate) fn freeze(up: Upstream<T>, pd: Slot) -> Result<Self, CallError<ThreadError>> {
        let threads = up.cpu().freeze(pd)?;
        Ok(Self { up, pd, threads })
    }

    /// How many there are.
    pub const fn threads(&self) -> u32 {
        self.threads
    }

    /// They stand still for ever.
    pub(crate) fn abandon(self) {
        core::mem::forget(self);
    }
}

impl<T: Transport + Copy> Drop for Stopped<T> {
    fn drop(&mut self) {
        // `State`: it is not frozen any more.
        let gone = CallError::Error(ThreadError::State);
        self.up.until_gone(gone, || self.up.cpu().thaw(self.pd).map(|_| 0));
    }
}
