//! A relay: the thread that stands between a child and the server of one of its sessions, so that a call that takes long
//! holds up nobody but its caller, and outlives the instance that has made it.
//!
//! It hands requests on word by word, whatever the interface, and keeps a [`Book`] of them. It is just above the child's
//! priority. What it shares with the child's keeper is behind a lock that is never held across a request.

mod book;

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::sync::atomic::{AtomicU32, Ordering::SeqCst};

use base::{
    Env,
    platform::Received,
    rpc::{Body, Buffer, CallError, Connection, Reply, Request, Slot, Status},
    session::{
        parent::OpenError,
        pd::{ANY, OWN},
    },
    sync::Mutex,
    thread::{SpawnError, Thread, ThreadOptions},
};

use book::Arrived;
pub use book::Book;

/// Stack of a relay.
const STACK: usize = 16 << 10;

/// How a relay comes to its session, and gives it up.
pub trait Route: Send {
    /// The calling thread, which is that one and has that priority, is the one that opens and closes it.
    fn begin(&mut self, thread: Slot, priority: u8) {
        let _ = (thread, priority);
    }

    /// Waits until the session is there; tells this component's number for it.
    ///
    /// # Errors
    /// There is none.
    fn open(&mut self) -> Result<Slot, CallError<OpenError>>;

    /// The session is not needed any more.
    fn close(&mut self, session: Slot);
}

/// How far a relay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The session is not there yet.
    Opening,
    /// It is this component's of that number.
    Open(Slot),
    /// There is none, for that reason: requests are answered "peer gone".
    Failed(CallError<OpenError>),
}

/// What a relay shares with its child's keeper.
pub struct Line {
    pub book: Book,
    pub stage: Stage,
    /// How many requests have arrived.
    pub requests: u32,
    /// The session is not wanted any more.
    closing: bool,
    /// The relay has ended.
    closed: bool,
}

/// A relay, seen from the keeper.
pub struct Relay {
    env: Env,
    thread: Thread<()>,
    /// Where the child's requests arrive.
    pub endpoint: Slot,
    bell: Slot,
    line: Arc<Mutex<Line>>,
}

impl Relay {
    /// A relay of that priority that opens a session by that route. `tell` is called when it is known whether there is one.
    ///
    /// # Errors
    /// Which quota of this component's does not suffice.
    pub fn start(
        env: Env,
        name: &str,
        priority: u8,
        mut route: Box<dyn Route>,
        tell: impl Fn() + Send + 'static,
    ) -> Result<Self, OpenError> {
        let pd = env.pd();
        let endpoint = pd.create_endpoint(ANY, OWN).map_err(|_| OpenError::Caps)?;
        let bell = pd.create_notification(ANY, OWN).map_err(|_| OpenError::Caps);
        let bell = bell.inspect_err(|_| free(env, endpoint))?;
        let line = Line { book: Book::default(), stage: Stage::Opening, requests: 0, closing: false, closed: false };
        let line = Arc::new(Mutex::new(env, line));
        let shared = Arc::clone(&line);
        let options = ThreadOptions { name, priority: Some(priority), stack: STACK };
        let own = Arc::new(AtomicU32::new(0));
        let known = Arc::clone(&own);
        let thread = env.spawn(&options, move || {
            route.begin(Slot(known.load(SeqCst)), priority);
            let opened = route.open();
            shared.lock().stage = opened.map_or_else(Stage::Failed, Stage::Open);
            tell();
            serve(env, endpoint, opened.ok(), &shared);
            if let Ok(session) = opened {
                route.close(session);
            }
            shared.lock().closed = true;
            // There is something to bury.
            tell();
        });
        let thread = thread.map_err(|error| {
            free(env, endpoint);
            free(env, bell);
            match error {
                SpawnError::Memory(_) => OpenError::Ram,
                _ => OpenError::Caps,
            }
        })?;
        // It has not run yet, since it is no higher than this one.
        own.store(thread.slot().0, SeqCst);
        let relay = Self { env, thread, endpoint, bell, line };
        if env.cpu().bind(relay.thread.slot(), bell).is_err() {
            // Nobody can call it, and nobody could end it: it stays as it is.
            return Err(OpenError::Caps);
        }
        Ok(relay)
    }

    /// What is known of its session and calls.
    pub fn line(&self) -> base::sync::Guard<'_, Line> {
        self.line.lock()
    }

    /// It is to end; it does when the server has answered.
    pub fn close(&self) {
        self.line.lock().closing = true;
        self.env.platform().ring(self.bell);
    }

    /// Whether it has ended, so that [`Self::bury`] does not wait.
    pub fn is_closed(&self) -> bool {
        self.line.lock().closed
    }

    /// Gives back what it had.
    pub fn bury(self) {
        self.thread.join();
        free(self.env, self.endpoint);
        free(self.env, self.bell);
    }
}

fn free(env: Env, number: Slot) {
    while let Ok(1..) = env.pd().free(number) {}
}

/// Hands requests on until the session is not wanted any more.
fn serve(env: Env, endpoint: Slot, session: Option<Slot>, line: &Mutex<Line>) {
    let machine = env.platform();
    let (mut words, mut space) = (Buffer::new(), Buffer::new());
    let mut kept = Vec::new();
    let mut reply = None::<Reply<'_>>;
    loop {
        let received = match reply.take() {
            Some(reply) => machine.answer_and_receive(endpoint, &reply, &mut words),
            None => machine.receive(endpoint, &mut words),
        };
        if line.lock().closing {
            // Nobody calls any more who could be answered: the session was taken from the child before.
            return;
        }
        let Received::Request { badge, request } = received else { continue };
        reply = match session {
            Some(slot) => {
                let connection = Connection { transport: machine as _, slot };
                relay(connection, line, (badge, &request), &mut kept, &mut space)
            }
            None => Some(Reply::of(Status::PeerGone)),
        };
    }
}

/// One request. That of an instance that is gone has nobody who waits for the answer.
fn relay<'s>(
    connection: Connection,
    line: &Mutex<Line>,
    (badge, request): (u32, &Request<'_>),
    kept: &'s mut Vec<u32>,
    space: &'s mut Buffer,
) -> Option<Reply<'s>> {
    let arrived = {
        let Line { book, requests, .. } = &mut *line.lock();
        *requests = requests.wrapping_add(1);
        if badge != book.badge() {
            return None;
        }
        book.arrives(request.label, request.body.words())
    };
    Some(match arrived {
        Arrived::Ask => {
            let reply = connection.forward(request, space);
            line.lock().book.answered(reply.status, reply.body.words());
            reply
        }
        Arrived::Answer(status, words) => {
            *kept = words;
            Reply { status, body: Body::Long(kept) }
        }
    })
}
