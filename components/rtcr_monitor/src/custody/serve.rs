//! The sessions of CUSTODY, served by the first thread.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use base::{
    Env,
    rpc::CallError,
    service::{Opening, Refused},
    session::custody::{Custody, CustodyError, Description, SERVICE, Server},
};

use super::{Answer, Desk, Order};

/// Offers the service for these children.
///
/// # Errors
/// It is not offered.
pub fn offer(env: Env, desks: Vec<(&'static str, Arc<Desk>)>) -> Result<(), &'static str> {
    let open = move |opening: &Opening<'_>| {
        let desk = desks.iter().find(|(name, _)| name.as_bytes() == opening.argument).map(|(_, desk)| desk);
        let desk = desk.ok_or(Refused)?;
        Ok(Server(Session { env, session: opening.session, desk: Arc::clone(desk) }))
    };
    env.serve(SERVICE, open).map_err(|_| "service")
}

struct Session {
    env: Env,
    session: u32,
    desk: Arc<Desk>,
}

impl Session {
    fn done(&self, order: Order) -> Result<(), CustodyError> {
        self.desk.ask(order).map(|_| ())
    }

    fn take(&self, stop: bool) -> Result<(), CustodyError> {
        self.desk.transfer.cancel();
        match self.desk.ask(Order::Take { stop })? {
            Answer::Taken(stored) => {
                self.desk.transfer.export(*stored);
                Ok(())
            }
            _ => Err(CustodyError::Failed),
        }
    }
}

impl Custody for Session {
    fn memory(&mut self) -> Result<u32, CustodyError> {
        let handed = self.env.hand_over(self.session, self.desk.transfer.memory(), true);
        handed.map_err(|_: CallError<_>| CustodyError::Handle)
    }

    fn describe(&mut self) -> Result<Description, CustodyError> {
        match self.desk.ask(Order::Describe)? {
            Answer::Description(description) => Ok(description),
            _ => Err(CustodyError::Failed),
        }
    }

    fn begin(&mut self) -> Result<(), CustodyError> {
        self.done(Order::Begin)
    }

    fn stop(&mut self) -> Result<(), CustodyError> {
        self.take(true)
    }

    fn copy(&mut self) -> Result<(), CustodyError> {
        self.take(false)
    }

    fn hold(&mut self) -> Result<(), CustodyError> {
        self.done(Order::Hold)
    }

    fn resume(&mut self) -> Result<(), CustodyError> {
        self.done(Order::Resume)
    }

    fn end(&mut self) -> Result<(), CustodyError> {
        self.desk.transfer.cancel();
        self.done(Order::End)
    }

    fn accept(&mut self, description: Description) -> Result<(), CustodyError> {
        self.desk.transfer.cancel();
        match self.desk.ask(Order::Accept(description.clone()))? {
            Answer::Room(pool) => {
                self.desk.transfer.import(pool, description);
                Ok(())
            }
            _ => Err(CustodyError::Failed),
        }
    }

    fn cancel(&mut self) -> Result<(), CustodyError> {
        self.desk.transfer.cancel();
        Ok(())
    }

    fn read(&mut self) -> Result<u32, CustodyError> {
        self.desk.transfer.read()
    }

    fn write(&mut self, length: u32) -> Result<(), CustodyError> {
        self.desk.transfer.write(length)
    }

    fn restore(&mut self) -> Result<(), CustodyError> {
        let stored = self.desk.transfer.whole()?;
        self.done(Order::Restore(Box::new(stored)))
    }
}

impl Drop for Session {
    /// Whoever decides about it is gone: it stands still, since somebody else may decide that it runs elsewhere.
    fn drop(&mut self) {
        self.desk.transfer.cancel();
        let _ = self.done(Order::Hold);
    }
}
