//! What the first thread does once construction is over: it serves requests, signals and tasks, for ever.

use alloc::{boxed::Box, collections::BTreeMap};

use crate::{
    Env,
    env::slots,
    platform::Received,
    rpc::{Buffer, Reply, Request, Serve, Status},
    service::Opening,
    session::parent::{Task, TaskKind},
};

/// The first thread's work.
pub struct Entrypoint {
    env: Env,
    /// By the badge with which their requests arrive.
    sessions: BTreeMap<u32, Box<dyn Serve>>,
}

impl Entrypoint {
    /// Nothing is served yet.
    pub const fn new(env: Env) -> Self {
        Self { env, sessions: BTreeMap::new() }
    }

    /// Serves, for ever.
    pub fn run(mut self) -> ! {
        let (mut inbox, mut outbox) = (Buffer::new(), Buffer::new());
        let mut reply = None;
        // What was rung for during construction was heard by whoever waited then, if at all.
        self.handle_ring();
        loop {
            if self.env.runtime().take_missed() {
                self.handle_ring();
            }
            let received = match reply {
                Some(reply) => self.env.platform().answer_and_receive(slots::ENDPOINT, &reply, &mut inbox),
                None => self.env.platform().receive(slots::ENDPOINT, &mut inbox),
            };
            reply = match received {
                Received::Ring => {
                    self.env.doorbell_rang();
                    None
                }
                Received::Request { badge, request } => self.answer(badge, &request, &mut outbox),
            };
        }
    }

    /// Answers a request. A session that is not there, because it was closed or never opened, has nothing to offer.
    fn answer<'s>(&mut self, badge: u32, request: &Request<'_>, space: &'s mut Buffer) -> Option<Reply<'s>> {
        match self.sessions.get_mut(&badge) {
            Some(session) => session.serve(request, space),
            None => Some(Reply::of(Status::Refused)),
        }
    }

    /// Looks for everything for which the doorbell may have been rung.
    fn handle_ring(&mut self) {
        self.env.fetch(slots::DOORBELL);
        self.env.handle_exit();
        self.env.handle_signals();
        if self.env.has_services() {
            self.handle_tasks();
        }
    }

    fn handle_tasks(&mut self) {
        while let Ok(Some(task)) = self.env.parent().task() {
            let session = task.session;
            // One that cannot be done with yet will be when there is another ring.
            let Some(accepted) = self.handle_task(task) else { return };
            // A task that cannot be done with would be told again and again; the next ring is soon enough.
            if self.env.parent().done(session, accepted).is_err() {
                return;
            }
        }
    }

    fn handle_task(&mut self, Task { session, what }: Task) -> Option<bool> {
        Some(match what {
            // Told again, because the answer to `done` was not seen: the session is there.
            TaskKind::Open { .. } if self.sessions.contains_key(&session) => true,
            TaskKind::Open { service, client, argument } => {
                let opening = Opening { session, client: &client, argument: &argument };
                match self.env.make_session(&service, &opening) {
                    Ok(Some(made)) => self.sessions.insert(session, made).is_none(),
                    Ok(None) => return None,
                    Err(_) => false,
                }
            }
            TaskKind::Upgrade { .. } => self.sessions.contains_key(&session),
            TaskKind::Close => {
                self.sessions.remove(&session);
                true
            }
        })
    }
}
