//! By replay: the new instance boots itself, and what it asks for is answered from the journal.

use base::{
    rpc::{Body, Buffer, Call, MAX_WORDS, Reply, Request, Slot, Status, Transport, encoded},
    session::{INTERFACES, log, parent, pd, signal},
};

use super::RestoreError;
use crate::{
    checkpoint::Checkpoint,
    child::{Child, is_barrier},
    information::{AccountInfo, Information, Stage},
    journal::{Asked, Entry},
    object::{Info, Object},
    session,
    start::{Program, Settings},
    stop::Stopped,
    surroundings::{Event, Phase, Surroundings, Work},
    upstream::Upstream,
};

/// A new instance on its way to the barrier. Dropping it ends the instance.
pub struct Replaying<'c, T: Transport + Copy> {
    child: Child<T>,
    saved: &'c Checkpoint,
    /// Where the journal's next entry is.
    place: usize,
    /// The how-manieth it is.
    index: u32,
    at_barrier: bool,
}

/// What is to be done after a request of the new instance.
#[derive(Debug)]
pub enum Step<'s> {
    /// It is answered like this, and more requests follow.
    Answer(Reply<'s>),
    /// It is answered like this; the journal of a checkpoint from before the barrier is over.
    /// [`Replaying::finish`] follows.
    Last(Reply<'s>),
    /// It stands at the barrier, and is not answered. [`Replaying::finish`] follows.
    Barrier,
}

impl<T: Transport + Copy> Child<T> {
    /// Starts a new instance of a program that is to become what a checkpoint says. If that is from after the barrier, it has
    /// its quota from the first instruction, so that nobody else gets it meanwhile.
    ///
    /// # Errors
    /// Nothing is left of it, and the checkpoint is as it was.
    pub fn start_replay<'c, P: Surroundings + ?Sized>(
        up: Upstream<T>,
        settings: &Settings<'_>,
        program: Program<'_>,
        saved: &'c Checkpoint,
        surroundings: &mut P,
    ) -> Result<Replaying<'c, T>, RestoreError> {
        if saved.information().stage == Stage::Running && saved.information().slots != settings.slots {
            return Err(RestoreError::Slots { saved: saved.information().slots, given: settings.slots });
        }
        let mut settings = *settings;
        if saved.information().stage == Stage::Running {
            let AccountInfo { ram, caps } = saved.information().account;
            (settings.ram, settings.caps) = (ram, caps);
        }
        surroundings.event(Event::Begins(Work::Restore));
        surroundings.event(Event::Phase(Phase::Instance));
        match Self::start(up, &settings, program, surroundings) {
            Ok(child) => {
                surroundings.event(Event::Phase(Phase::Bootstrap));
                Ok(Replaying { child, saved, place: 0, index: 0, at_barrier: false })
            }
            Err(error) => {
                surroundings.event(Event::Ends(Work::Restore));
                Err(error.into())
            }
        }
    }
}

impl<T: Transport + Copy> Replaying<'_, T> {
    /// Answers a request of the new instance for its session of that interface.
    ///
    /// # Errors
    /// It is not what the old instance asked for, or cannot be done again. The instance is to be dropped.
    pub fn serve<'s, P: Surroundings + ?Sized>(
        &mut self,
        interface: u16,
        request: &Request<'_>,
        space: &'s mut Buffer,
        surroundings: &mut P,
    ) -> Result<Step<'s>, RestoreError> {
        let step = self.step(interface, request, space, surroundings);
        if step.is_err() {
            surroundings.event(Event::Ends(Work::Restore));
        }
        step
    }

    fn step<'s, P: Surroundings + ?Sized>(
        &mut self,
        interface: u16,
        request: &Request<'_>,
        space: &'s mut Buffer,
        surroundings: &mut P,
    ) -> Result<Step<'s>, RestoreError> {
        let index = self.index;
        let found = || Asked::new(interface, request.label.selector(), request.body.words());
        let saved = self.saved.information();
        let Some((entry, next)) = saved.journal.entry(self.place).filter(|_| !self.at_barrier) else {
            return Err(RestoreError::Surplus { index, found: found() });
        };
        if !entry.is_of(interface, request) {
            return Err(RestoreError::Mismatch { index, saved: entry.asked(), found: found() });
        }
        (self.place, self.index) = (next, index + 1);
        surroundings.event(Event::Answered { index, interface, operation: entry.selector.operation() });
        if is_barrier(interface, request) && saved.stage == Stage::Running {
            self.at_barrier = true;
            surroundings.event(Event::Barrier);
            return Ok(Step::Barrier);
        }
        let mut scratch = Buffer::new();
        if let Err(found) = self.do_again(&entry, request, &mut scratch, surroundings) {
            return Err(RestoreError::Answer { index, asked: entry.asked(), found });
        }
        let words = &mut space.words()[..entry.reply.len().min(MAX_WORDS)];
        words.copy_from_slice(&entry.reply[..words.len()]);
        let reply = Reply { status: entry.status, body: Body::Long(words) };
        match self.saved.information().journal.entry(next) {
            Some(_) => Ok(Step::Answer(reply)),
            None => Ok(Step::Last(reply)),
        }
    }

    /// Does for the new instance what was done for the old one, under the same numbers and at the same addresses.
    ///
    /// What failed then did nothing; what only asked needs no second answer; what was said is not said again.
    fn do_again<P: Surroundings + ?Sized>(
        &mut self,
        entry: &Entry<'_>,
        request: &Request<'_>,
        scratch: &mut Buffer,
        surroundings: &mut P,
    ) -> Result<(), Option<Status>> {
        let copies = entry.interface == pd::INTERFACE.id && entry.selector == pd::call::Copy::SELECTOR;
        let fetches = entry.interface == signal::INTERFACE.id && entry.selector == signal::call::Fetch::SELECTOR;
        let only_asks = entry.selector.is_idempotent() && !copies || fetches;
        if entry.status != Status::Done || only_asks || entry.interface == log::INTERFACE.id {
            return Ok(());
        }
        if entry.interface == parent::INTERFACE.id {
            if self.saved.information().stage == Stage::Running {
                // It has its quota from the beginning.
                return Ok(());
            }
            return session::parent_again(&self.child, request).map_err(|error| Some(error.status()));
        }
        let forced = first_result(entry);
        let reply = session::answer(&mut self.child, entry.interface, request, scratch, surroundings, forced);
        match reply.map(|reply| reply.status) {
            Some(Status::Done) => Ok(()),
            other => Err(other),
        }
    }

    /// Brings the instance to what the checkpoint says and lets it go on: after [`Step::Barrier`] or [`Step::Last`].
    ///
    /// # Errors
    /// Nothing is left of the instance, and the checkpoint is as it was.
    pub fn finish<P: Surroundings + ?Sized>(self, surroundings: &mut P) -> Result<Child<T>, RestoreError> {
        let Self { mut child, saved, place, index, at_barrier } = self;
        let information = saved.information();
        if information.stage == Stage::Running && at_barrier {
            surroundings.event(Event::Phase(Phase::Freeze));
            let freeze = || Stopped::freeze(child.up, child.pd.number).map_err(RestoreError::State);
            match check_program(&child, information).and_then(|()| freeze()) {
                Ok(stopped) => return child.become_saved(saved, stopped, surroundings),
                Err(error) => {
                    surroundings.event(Event::Ends(Work::Restore));
                    return Err(error);
                }
            }
        }
        surroundings.event(Event::Ends(Work::Restore));
        if information.stage == Stage::Booting && information.journal.entry(place).is_none() {
            child.journal = information.journal.clone();
            // Until the barrier there are none.
            surroundings.keep_only(&mut core::iter::empty());
            return Ok(child);
        }
        Err(RestoreError::TooEarly { index })
    }

    /// Whether the journal of a checkpoint from before the barrier has nothing to replay: [`Self::finish`]
    /// can follow at once.
    pub fn is_over(&self) -> bool {
        let information = self.saved.information();
        information.stage == Stage::Booting && information.journal.entry(self.place).is_none()
    }

    /// The new instance.
    pub const fn child(&self) -> &Child<T> {
        &self.child
    }
}

/// Whether the new instance runs the program that the old one did: another one may ask for the same until its barrier. The
/// program is the first thing under a private number.
fn check_program<T: Transport + Copy>(child: &Child<T>, saved: &Information) -> Result<(), RestoreError> {
    let number = child.table.slots();
    match (child.table.get(number), saved.object(number)) {
        (Some(Object::RomDataspace(live)), Some(Info::RomDataspace(saved))) if live.suits(saved) => Ok(()),
        (Some(Object::RomDataspace(live)), Some(Info::RomDataspace(saved))) if live.name == saved.name => {
            Err(RestoreError::Module(saved.name.clone()))
        }
        (Some(Object::RomDataspace(live)), Some(Info::RomDataspace(saved))) => {
            Err(RestoreError::Program { saved: saved.name.clone(), found: live.name.clone() })
        }
        _ => Err(RestoreError::Broken { number }),
    }
}

/// The number or the address that an operation gave.
fn first_result(entry: &Entry<'_>) -> Option<u32> {
    let interface = INTERFACES.iter().find(|interface| interface.id == entry.interface)?;
    match interface.operation(entry.selector.operation())?.encoded {
        true => encoded::decode_all::<Slot>(&Body::Long(entry.reply)).map(|slot| slot.0),
        false => entry.reply.first().copied(),
    }
}
