//! Services that a component offers to others.
//!
//! An interface's definition brings `Server`, which answers the requests of one session by calling something that implements
//! the interface. So a service is a function that makes these:
//!
//! ```ignore
//! env.serve("counter", |_| Ok(counter::Server(Count::default())))?;
//! ```
//!
//! Sessions live in the first thread, which serves them one request after the other once construction is over.

use alloc::{boxed::Box, string::String, vec::Vec};

use crate::{
    Env,
    rpc::{CallError, Serve},
    session::parent::AnnounceError,
};

/// A client that wants a session.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// The session's number, with which the client can be [given](Env::hand_over) dataspaces.
    pub session: u32,
    /// What the client is called.
    pub client: &'a str,
    /// As the client gave it.
    pub argument: &'a [u8],
}

/// A session that a service does not want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

/// None: not yet.
type Factory = Box<dyn FnMut(&Opening<'_>) -> Result<Option<Box<dyn Serve>>, Refused> + Send>;

/// The services of a component, by name. There are few.
pub(crate) struct Services(Vec<Service>);

struct Service {
    name: String,
    /// None while it makes a session.
    factory: Option<Factory>,
}

impl Services {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds one, unless one of that name is there.
    fn add(&mut self, name: &str, factory: Factory) -> bool {
        let is_new = self.find(name).is_none();
        if is_new {
            self.0.push(Service { name: name.into(), factory: Some(factory) });
        }
        is_new
    }

    /// Takes one out. Others may have been added since it was.
    fn remove(&mut self, name: &str) -> Option<Service> {
        let place = self.0.iter().position(|service| service.name == name)?;
        Some(self.0.remove(place))
    }

    fn find(&mut self, name: &str) -> Option<&mut Option<Factory>> {
        self.0.iter_mut().find(|service| service.name == name).map(|service| &mut service.factory)
    }
}

impl Env {
    /// Offers a service. `open` is called for each client, by the first thread, and makes what answers its requests; it is
    /// dropped when the client closes the session.
    ///
    /// # Errors
    /// Why the service is not offered.
    pub fn serve<S: Serve + 'static>(
        &self,
        service: &str,
        mut open: impl FnMut(&Opening<'_>) -> Result<S, Refused> + Send + 'static,
    ) -> Result<(), CallError<AnnounceError>> {
        self.serve_when_ready(service, move |opening| open(opening).map(Some))
    }

    /// Likewise; `open` may return none if it cannot say yet. It is called again for the same session when the component's
    /// doorbell has rung, and sessions that others want wait until then; the first thread does not.
    ///
    /// # Errors
    /// Why the service is not offered.
    pub fn serve_when_ready<S: Serve + 'static>(
        &self,
        service: &str,
        mut open: impl FnMut(&Opening<'_>) -> Result<Option<S>, Refused> + Send + 'static,
    ) -> Result<(), CallError<AnnounceError>> {
        let factory: Factory = Box::new(move |opening| Ok(open(opening)?.map(|made| Box::new(made) as _)));
        // Known here before it is known to others: tasks may come at once.
        if !self.runtime().services.lock(*self).add(service, factory) {
            return Err(AnnounceError::Occupied.into());
        }
        let announced = self.parent().announce(service);
        if announced.is_err() {
            let service = self.runtime().services.lock(*self).remove(service);
            drop(service);
        }
        announced
    }

    pub(crate) fn has_services(&self) -> bool {
        !self.runtime().services.lock(*self).0.is_empty()
    }

    /// Makes a session, or none yet; the lock is free meanwhile.
    pub(crate) fn make_session(&self, service: &str, opening: &Opening<'_>) -> Result<Option<Box<dyn Serve>>, Refused> {
        let factory = self.runtime().services.lock(*self).find(service).and_then(Option::take);
        let mut factory = factory.ok_or(Refused)?;
        let session = factory(opening);
        if let Some(place) = self.runtime().services.lock(*self).find(service) {
            *place = Some(factory);
        }
        session
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_not_offered_takes_no_other_with_it() {
        let factory = || -> Factory { Box::new(|_| Err(Refused)) };
        let mut services = Services::new();
        assert!(services.add("refused", factory()) && services.add("offered", factory()));
        assert!(!services.add("offered", factory()), "it is there already");
        assert!(services.remove("refused").is_some() && services.remove("refused").is_none());
        assert!(services.find("offered").is_some() && services.find("refused").is_none());
    }
}
