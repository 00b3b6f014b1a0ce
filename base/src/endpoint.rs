//! Calls between threads of one component: an endpoint of its own, at which one thread serves an interface and which the
//! others call with that interface's client.
//!
//! Only the caller waits, so threads call each other in one direction, or they wait for ever.

use crate::{
    Env,
    platform::Received,
    rpc::{Buffer, CallError, Connection, Reply, Serve, Shared, Slot},
    session::pd::{ANY, AllocateError, OWN},
};

/// An endpoint of the component's own; freed when dropped.
#[derive(Debug)]
pub struct Endpoint {
    env: Env,
    slot: Slot,
}

impl Endpoint {
    /// Its number.
    pub const fn slot(&self) -> Slot {
        self.slot
    }

    /// A client of the interface that is served there.
    pub fn client<C: From<Connection<Shared>>>(&self) -> C {
        Connection { transport: self.env.platform() as Shared, slot: self.slot }.into()
    }

    /// Lets the calling thread answer everything that is asked there, for ever. What rings meanwhile is heard by the first
    /// thread, if that is the one.
    pub fn serve(&self, session: &mut (impl Serve + ?Sized)) -> ! {
        let machine = self.env.platform();
        let (mut inbox, mut outbox) = (Buffer::new(), Buffer::new());
        let mut reply = None::<Reply<'_>>;
        loop {
            let received = match reply {
                Some(reply) => machine.answer_and_receive(self.slot, &reply, &mut inbox),
                None => machine.receive(self.slot, &mut inbox),
            };
            reply = match received {
                Received::Ring => {
                    self.env.doorbell_rang();
                    None
                }
                Received::Request { request, .. } => session.serve(&request, &mut outbox),
            };
        }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        // It is there: nobody else frees it. An endpoint goes in one step.
        let _ = self.env.pd().free(self.slot);
    }
}

impl Env {
    /// An endpoint for calls between threads of the component.
    ///
    /// # Errors
    /// Why there is none.
    pub fn endpoint(&self) -> Result<Endpoint, CallError<AllocateError>> {
        Ok(Endpoint { env: *self, slot: self.pd().create_endpoint(ANY, OWN)? })
    }
}
