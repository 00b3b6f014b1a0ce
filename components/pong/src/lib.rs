//! Offers ping-pong as a service, with an interface of its own and a dataspace that it shares with each client.
#![no_std]
#![forbid(unsafe_code)]

pub mod session;

use core::sync::atomic::Ordering::Relaxed;

use base::{
    Env,
    memory::{Attachment, Dataspace, MemoryError},
    service::{Opening, Refused},
    session::rm::Placement,
};
use session::{Pong, Server, TableError};

/// Called once, with everything that the component has.
pub fn construct(env: &mut Env) {
    let env = *env;
    let open = move |opening: &Opening<'_>| {
        let table = Table::new(env, opening).map_err(|_| Refused)?;
        log::info!("A table for {}.", table.client);
        Ok(Server(table))
    };
    env.serve("pong", open).expect("nobody else here offers it");
}

/// A session: one client and its table.
struct Table {
    env: Env,
    session: u32,
    client: base::session::parent::Name,
    // Detached before it is freed.
    score: Attachment,
    dataspace: Dataspace,
}

impl Table {
    fn new(env: Env, opening: &Opening<'_>) -> Result<Self, MemoryError> {
        let dataspace = env.allocate(4096)?;
        let score = env.attach(&dataspace, Placement::ANYWHERE)?;
        let client = opening.client.try_into().unwrap_or_default();
        Ok(Self { env, session: opening.session, client, score, dataspace })
    }
}

impl Pong for Table {
    fn table(&mut self) -> Result<u32, TableError> {
        self.env.hand_over(self.session, self.dataspace.slot(), true).map_err(|_| TableError::Handle)
    }

    fn hit(&mut self, ball: u32) -> u32 {
        self.score.words()[0].fetch_add(1, Relaxed);
        ball.wrapping_add(1)
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        log::info!("{} has left after {} hits.", self.client, self.score.words()[0].load(Relaxed));
    }
}
