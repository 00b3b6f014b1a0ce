//! Without a bootstrap.

use base::rpc::Transport;

use super::RestoreError;
use crate::{
    checkpoint::Checkpoint,
    child::Child,
    information::Stage,
    start::Settings,
    stop::Stopped,
    surroundings::{Event, Phase, Surroundings, Work},
    upstream::Upstream,
};

impl<T: Transport + Copy> Child<T> {
    /// A component that is what a checkpoint says; no instruction of it runs before it goes on. Quota, priority and
    /// stack are the checkpoint's, the others of `settings` count.
    ///
    /// # Errors
    /// Nothing is left of it, and the checkpoint is as it was.
    pub fn restore_directly<P: Surroundings + ?Sized>(
        up: Upstream<T>,
        settings: &Settings<'_>,
        saved: &Checkpoint,
        surroundings: &mut P,
    ) -> Result<Self, RestoreError> {
        let information = saved.information();
        if information.stage == Stage::Booting {
            return Err(RestoreError::Booting);
        }
        surroundings.event(Event::Begins(Work::Restore));
        surroundings.event(Event::Phase(Phase::Instance));
        let settings = Settings { ram: information.account.ram, caps: information.account.caps, ..*settings };
        let frozen = Self::create(up, &settings).map_err(RestoreError::Start).and_then(|child| {
            // Threads that are made in a frozen protection domain do not run.
            let stopped = Stopped::freeze(up, child.pd.number).map_err(RestoreError::State)?;
            Ok((child, stopped))
        });
        match frozen {
            Ok((child, stopped)) => child.become_saved(saved, stopped, surroundings),
            Err(error) => {
                surroundings.event(Event::Ends(Work::Restore));
                Err(error)
            }
        }
    }
}
