//! What a keeper does to its child: checkpoints it, ends it, restores it; and tells so.

use alloc::{boxed::Box, format, string::String, sync::Arc};
use core::{fmt, sync::atomic::Ordering::SeqCst};

use base::{
    child::Badge,
    platform::Received,
    rpc::{Buffer, CallError, Reply, Shared, Slot},
    session::{
        checkpoint::{TakeError, Taken},
        cpu::Exception,
        parent::Event as Fate,
        timer::TimeoutError,
    },
};
use rtcr::{
    checkpoint::{Checkpoint, CheckpointError},
    child::Child,
    information::Stage,
    obstacle::Obstacle,
    restore::{RestoreError, Step},
    start::Program,
    statistics::Statistics,
    surroundings::Surroundings,
};

use crate::{
    keeper::{Answer, Keeper, LIMIT, Next, Restored, failed},
    plan::Way,
    recover::Deed,
    shelf::Kept,
    stands::say,
    uses::Uses,
};

impl Keeper {
    /// Writes down what the child is. If there is no checkpoint, the child goes on as if nothing had been, and another
    /// instant is planned: soon if it is busy, and a bounded number of times.
    pub(crate) fn checkpoint(&mut self, child: &mut Child<Shared>) -> Result<(), ()> {
        self.home.done = Statistics::default();
        self.tried += u32::from(self.busy == 0);
        let asked = self.home.now();
        let refused = one_later(self.plan.refused.0, self.tried);
        self.refuse(refused);
        let mut taken = self.take(child);
        let made = self.refuse(0);
        let failed = match &taken {
            Err(Untaken::Failed(reason)) => Some(reason.as_str()),
            _ => None,
        };
        let is_again = failed.is_some() && refused > 0;
        self.tell_refused((refused, made), failed);
        if is_again {
            // The same instant, and nothing is refused.
            taken = self.take(child);
        }
        if taken.is_ok() {
            self.tell_uses();
        }
        match taken {
            Ok(kept) => {
                self.tell_taken(&kept);
                if self.plan.threads {
                    self.tell_threads(&kept.checkpoint, asked);
                }
                if self.plan.stands {
                    self.stands.note(self.post.settings.name, &kept.checkpoint);
                }
                self.keep_it(kept);
                self.of_instance += 1;
                self.busy = 0;
                Ok(())
            }
            Err(Untaken::Busy(_)) if self.busy < self.plan.busy_tries => {
                self.busy += 1;
                self.wake_after(self.plan.busy_every);
                Err(())
            }
            Err(Untaken::Busy(reason) | Untaken::Failed(reason)) => {
                let busy = if self.busy > 0 { "it is busy: " } else { "" };
                log::warn!("{} runs on without checkpoint {}: {busy}{reason}", self.name(), self.tried);
                self.busy = 0;
                self.tell_account();
                self.wake_again();
                Err(())
            }
        }
    }

    /// It is one for all who have asked for one.
    fn keep_it(&mut self, kept: Kept) {
        self.answer_wishes(Ok(Taken { number: kept.number, restored: false }));
        self.home.confirm_output();
        self.at_checkpoint = self.requests();
        let kept = Arc::new(kept);
        self.store(&kept);
        self.shelf.keep(kept);
    }

    fn answer_wishes(&mut self, answer: Result<Taken, TakeError>) {
        if self.home.wishes.is_any() {
            self.home.wishes.settle(answer);
            // They are told by the child's doorbell.
            self.post.news.store(true, SeqCst);
        }
    }

    /// The child has asked for a checkpoint, and gets it if it can; whether it is then to be ended and restored.
    pub(crate) fn grant(&mut self, child: &mut Child<Shared>) -> bool {
        let (number, busy) = self.asked;
        self.home.done = Statistics::default();
        self.asked.0 += u32::from(busy == 0);
        match self.take(child) {
            Ok(kept) => {
                self.tell_taken(&kept);
                self.keep_it(kept);
                self.asked.1 = 0;
                return number < self.plan.asked;
            }
            Err(Untaken::Busy(_)) if busy < self.plan.busy_tries && self.home.wishes.later(self.busy_every()) => {
                self.asked.1 += 1;
            }
            Err(untaken) => {
                let (error, reason) = match untaken {
                    Untaken::Busy(reason) => (TakeError::Busy, reason),
                    Untaken::Failed(reason) => (TakeError::Failed, reason),
                };
                log::warn!("{} asks for a checkpoint, and runs on without: {reason}", self.name());
                self.asked.1 = 0;
                self.answer_wishes(Err(error));
            }
        }
        false
    }

    fn busy_every(&self) -> u64 {
        u64::try_from(self.plan.busy_every.as_nanos()).unwrap_or(u64::MAX)
    }

    /// Whether the child is to be ended later, since it serves a call; a bounded number of times.
    pub(crate) fn serves(&mut self, child: &Child<Shared>) -> bool {
        let mut serves = false;
        child.obstacles(&mut self.home, |obstacle| serves |= matches!(obstacle, Obstacle::Serving(_)));
        let is_busy = serves && self.busy < self.plan.busy_tries;
        self.busy = if is_busy { self.busy + 1 } else { 0 };
        is_busy
    }

    pub(crate) fn take(&mut self, child: &mut Child<Shared>) -> Result<Kept, Untaken> {
        let mut room = self.shelf.room(self.up);
        let taken = child.checkpoint(&mut room, &mut self.home);
        let (pool, lack, forgotten) = room.into_parts();
        forgotten.into_iter().for_each(|call| self.home.forget_call(call));
        match (taken, pool, lack) {
            (Ok(checkpoint), Some(pool), _) => {
                let number = self.loaded + self.tried + self.asked.0;
                Ok(Kept { number, checkpoint, said: self.home.output.mark(), pool })
            }
            (Err(_), _, Some((pages, error))) => Err(Untaken::Failed(format!(
                "there is no memory for {pages} pages, raise `ram` of its parent: {error:?}"
            ))),
            (Err(error), pool, None) => {
                pool.into_iter().for_each(|pool| self.shelf.put_back(pool));
                Err(Untaken::because(error))
            }
            // Nothing else is where a checkpoint could be.
            (Ok(_), None, _) => Err(Untaken::Failed("it is nowhere".into())),
        }
    }

    /// Ends the instance, and makes a new one that goes on where the planned checkpoint was taken; not if it is known before
    /// that there cannot be one. What fails after that is tried again, and the checkpoint is kept.
    pub(crate) fn revive(&mut self, child: Child<Shared>, next: Next<'_>) -> Result<Restored, Box<Fate>> {
        let name = self.name();
        let place = self.shelf.place(self.plan.from);
        let taken = place.and_then(|place| Some((place, self.shelf.take(place)?)));
        let Some((place, saved)) = taken else { return Err(failed(&"there is no checkpoint of it")) };
        let room = next.map_err(String::from).and_then(|next| {
            let room = child.makes_room(&saved.checkpoint, &self.post.settings, next.module, self.plan.reserve);
            room.map(|()| next).map_err(|lack| format!("{lack}"))
        });
        let program = match room {
            Ok(program) => program,
            Err(reason) => {
                log::warn!("{name} runs on, since it could not be restored from checkpoint {}: {reason}", saved.number);
                self.doomed = false;
                self.shelf.replace(place, saved);
                self.tell_account();
                self.wake_again();
                return Ok((child, None));
            }
        };
        self.home.pace.lower();
        match child.wipe(self.post.pattern) {
            Ok(pages) => {
                log::info!("{name} is ended: its memory ({pages} pages) is overwritten, its objects are deleted.");
            }
            Err(error) => log::warn!("{name} is ended, and not all its memory is overwritten: {error:?}"),
        }
        let restored = self.go_back(program, place, saved)?;
        self.wake_again();
        Ok(restored)
    }

    /// There is no instance, and another one goes on from a checkpoint, which is put back at its place.
    pub(crate) fn go_back(
        &mut self,
        program: Program<'_>,
        place: usize,
        saved: Arc<Kept>,
    ) -> Result<Restored, Box<Fate>> {
        self.restored += 1;
        self.forget_instance();
        self.recovery.goes_on(Some(saved.number), self.home.now());
        self.home.wishes.goes_back_to(saved.number);
        self.home.takes_back(Some(&saved.said));
        let restored = self.restore_patiently(program, &saved);
        let number = saved.number;
        self.shelf.replace(place, saved);
        let restored = restored?;
        // How long it lives is counted from when it can: a restore takes its time.
        self.recovery.goes_on(Some(number), self.home.now());
        self.tell_account();
        self.listen_from_now();
        Ok(restored)
    }

    /// What was known of the instance that is gone.
    pub(crate) fn forget_instance(&mut self) {
        (self.doomed, self.of_instance, self.busy, self.asked.1) = (false, 0, 0, 0);
    }

    /// Tries as often as the plan says.
    fn restore_patiently(&mut self, program: Program<'_>, saved: &Kept) -> Result<Restored, Box<Fate>> {
        let refused = one_later(self.plan.refused.1, self.restored);
        for left in (0..self.plan.tries.max(1)).rev() {
            let is_refused = self.plan.tries.max(1) - left <= self.plan.refusals;
            self.refuse(if is_refused { refused } else { 0 });
            let restored = self.restore_and_compare(program, saved);
            let made = self.refuse(0);
            if is_refused && refused > 0 {
                let failed = restored.as_ref().err().map(|error| format!("{error}"));
                self.tell_refused((refused, made), failed.as_deref());
            }
            let error = match restored {
                Ok(restored) => {
                    self.tell_uses();
                    return Ok(restored);
                }
                Err(error) => error,
            };
            let (name, number) = (self.name(), saved.number);
            log::warn!("{name} is not restored, and checkpoint {number} is kept: {error}");
            self.tell_account();
            if left == 0 {
                return Err(failed(&format_args!("it cannot be restored: {error}")));
            }
            if let Err(error) = self.env.sleep(self.plan.try_every) {
                log::warn!("{name} is tried again at once: {error:?}");
            }
        }
        Err(failed(&"it is never restored"))
    }

    /// A new instance that is what the checkpoint says; and tells so.
    pub(crate) fn restore(&mut self, way: Way, program: Program<'_>, kept: &Kept) -> Result<Restored, NotRestored> {
        self.home.done = Statistics::default();
        let begun = self.home.now();
        let restored = self.restore_by(way, program, kept)?;
        let way = if kept.checkpoint.information().stage == Stage::Running { way } else { Way::Replay };
        let took = self.home.now().saturating_sub(begun);
        self.tell_restored(way, kept, took);
        let saved = kept.checkpoint.information().account;
        self.home.has(saved.ram, saved.caps);
        Ok(restored)
    }

    pub(crate) fn restore_by(&mut self, way: Way, program: Program<'_>, kept: &Kept) -> Result<Restored, NotRestored> {
        let saved = &kept.checkpoint;
        match (way, saved.information().stage) {
            (Way::Direct, Stage::Running) => {
                Ok((Child::restore_directly(self.up, &self.post.settings, saved, &mut self.home)?, None))
            }
            // What had not passed the barrier is its journal and nothing else.
            _ => self.replay(program, saved),
        }
    }

    /// A new instance boots itself, answered from the checkpoint's journal, within the plan's limit.
    fn replay(&mut self, program: Program<'_>, saved: &Checkpoint) -> Result<Restored, NotRestored> {
        let limit = u64::try_from(self.plan.boot_limit.as_nanos()).unwrap_or(u64::MAX);
        let (timer, context) = (self.env.timer(), self.post.limit);
        timer.once(context, limit).map_err(NotRestored::Unlimited)?;
        let restored = self.replay_for_ever(program, saved);
        // If it has fired meanwhile, nobody minds.
        let _ = timer.cancel(context);
        restored
    }

    fn replay_for_ever(&mut self, program: Program<'_>, saved: &Checkpoint) -> Result<Restored, NotRestored> {
        let (machine, endpoint) = (self.env.platform(), self.post.settings.endpoint);
        let mut replaying = Child::start_replay(self.up, &self.post.settings, program, saved, &mut self.home)?;
        let (mut words, mut space) = (Buffer::new(), Buffer::new());
        let mut reply = None::<Reply<'_>>;
        let mut last = None;
        while !replaying.is_over() {
            let received = match reply.take() {
                Some(reply) => machine.answer_and_receive(endpoint, &reply, &mut words),
                None => machine.receive(endpoint, &mut words),
            };
            let Received::Request { badge, request } = received else {
                self.rang_meanwhile(replaying.child().number())?;
                continue;
            };
            let Some(badge) = Badge::of(badge) else { continue };
            match replaying.serve(badge.interface, &request, &mut space, &mut self.home)? {
                Step::Answer(answer) => reply = Some(answer),
                Step::Last(Reply { status, body }) => {
                    last = Some(Answer { status, words: body.words().to_vec() });
                    break;
                }
                Step::Barrier => break,
            }
        }
        Ok((replaying.finish(&mut self.home)?, last))
    }

    /// The doorbell has rung while a new instance boots: it has done what it may not, it takes too long, or nothing. What else
    /// is pending concerns the instance before.
    fn rang_meanwhile(&self, instance: Slot) -> Result<(), NotRestored> {
        while let Ok(Some(pending)) = self.env.signal().fetch(self.post.bell) {
            if pending.cookie == LIMIT {
                return Err(NotRestored::TooLong);
            }
            if !pending.more {
                break;
            }
        }
        match self.env.cpu().exception(instance) {
            Ok(Some(exception)) => Err(NotRestored::Faulted(Box::new(exception))),
            _ => Ok(()),
        }
    }

    /// The request with that number from now on is refused, if that is wanted, or the call of the kernel; tells how many there
    /// were since this was said last.
    fn refuse(&self, number: u32) -> u32 {
        match (self.trial, self.uses.as_ref().and_then(Uses::census)) {
            (Some(_), Some(census)) if self.plan.kernel => match census.refuse(number) {
                Ok(count) => count,
                Err(error) => {
                    log::error!("the kernel refuses nothing: {error:?}");
                    0
                }
            },
            (Some(trial), _) => trial.refuse(number),
            (None, _) => 0,
        }
    }

    /// What came of what was refused on purpose: of the one with that number, of so many.
    fn tell_refused(&mut self, (number, made): (u32, u32), failed: Option<&str>) {
        let name = self.post.settings.name;
        match failed {
            _ if number == 0 => {}
            _ if number > made => {
                // Nor will any be later.
                say(format_args!("{name}: none of {made} was refused"));
                self.plan.checkpoints = self.tried;
            }
            Some(reason) => say(format_args!("{name}: {number} of {made} was refused, and it failed: {reason}")),
            None => say(format_args!("{name}: {number} of {made} was refused, and it did not matter")),
        }
    }

    fn tell_uses(&mut self) {
        let name = self.post.settings.name;
        if let (Some(uses), 1..) = (&mut self.uses, self.plan.uses) {
            uses.tell(name);
        }
    }
}

/// A request's number in the first checkpoint or restore, and in later ones one later each.
const fn one_later(first: u32, number: u32) -> u32 {
    if first == 0 { 0 } else { first + number - 1 }
}

/// Why there is no checkpoint, for people.
pub(crate) enum Untaken {
    /// Something stands in the way that will soon not.
    Busy(String),
    /// Something else.
    Failed(String),
}

impl Untaken {
    fn because(error: CheckpointError) -> Self {
        match error {
            CheckpointError::Obstacle(Obstacle::Serving(_) | Obstacle::Calling(_)) => Self::Busy(format!("{error}")),
            _ => Self::Failed(format!("{error}")),
        }
    }
}

/// Why there is no new instance. The checkpoint is as it was.
pub(crate) enum NotRestored {
    Error(RestoreError),
    /// It did what it may not before its barrier.
    Faulted(Box<Exception>),
    /// It did not get to its barrier in time.
    TooLong,
    /// Nobody would notice that.
    Unlimited(CallError<TimeoutError>),
    /// Restored in another way it would be another one, or nobody can tell.
    Differs(String),
}

impl From<RestoreError> for NotRestored {
    fn from(error: RestoreError) -> Self {
        Self::Error(error)
    }
}

impl fmt::Display for NotRestored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            Self::Faulted(exception) => {
                let (pc, deed) = (exception.place.pc, Deed(exception.cause));
                write!(f, "the new instance faults before its barrier, at {pc:#010x}: {deed}")
            }
            Self::TooLong => write!(f, "the new instance does not get to its barrier in time"),
            Self::Differs(what) => f.write_str(what),
            Self::Unlimited(error) => write!(f, "there is no timeout for its bootstrap: {error:?}"),
        }
    }
}
