//! What a keeper does to its child: checkpoints it, ends it, restores it; and tells so.

use alloc::{boxed::Box, format, string::String};
use core::fmt;

use base::{
    child::Badge,
    platform::Received,
    rpc::{Buffer, Reply, Shared},
    session::{parent::Event as Fate, pd::OWN},
};
use rtcr::{
    checkpoint::Checkpoint,
    child::Child,
    information::{Need, Stage},
    restore::{RestoreError, Step},
    start::Program,
    storage::Pool,
    surroundings::Statistics,
};

use crate::{
    keeper::{Answer, Keeper, Restored, failed},
    plan::Way,
};

/// Pages of a pool beyond those that are needed when it is made, so that a component may grow a little.
const SPARE: u32 = 16;

/// Time for people.
struct Micros(u64);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} us", self.0 / 1000, self.0 % 1000 / 100)
    }
}

/// So many of something, for people.
struct Count<N>(N, &'static str);

impl<N: fmt::Display + PartialEq + From<u8>> fmt::Display for Count<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0 == N::from(1) { "" } else { "s" };
        write!(f, "{} {}{plural}", self.0, self.1)
    }
}

impl Keeper {
    /// Writes down what the child is; tells whether that succeeded. If not, the child goes on as if nothing had been.
    pub(crate) fn checkpoint(&mut self, child: &mut Child<Shared>) -> bool {
        self.home.done = Statistics::default();
        self.tried += 1;
        match self.take(child) {
            Ok(checkpoint) => {
                let (number, name) = (self.tried, self.name());
                let objects = checkpoint.information().objects.len();
                match checkpoint.information().stage {
                    Stage::Running => log::info!(
                        "Checkpoint {number} of {name}: stopped for {}, {} and {} saved.",
                        Micros(self.home.stood_still()),
                        Count(self.home.done.saved, "page"),
                        Count(objects as u32, "object"),
                    ),
                    Stage::Booting => {
                        log::info!("Checkpoint {number} of {name}: it still starts; what it has asked for is saved.")
                    }
                }
                self.saved = Some(checkpoint);
                true
            }
            Err(reason) => {
                log::warn!("{} runs on without checkpoint {}: {reason}", self.name(), self.tried);
                false
            }
        }
    }

    fn take(&mut self, child: &mut Child<Shared>) -> Result<Checkpoint, String> {
        let need = child.need().map_err(|error| format!("what it has is not told: {error:?}"))?;
        if let (Some(pool), Some(old)) = (&mut self.pool, self.saved.take()) {
            pool.discard(old);
        }
        let pool = match &mut self.pool {
            Some(pool) if pool.suffices(&need) => pool,
            place => {
                // What there was is given back first.
                *place = None;
                let pages = need.pages + SPARE;
                let need = Need { objects: need.objects * 2, regions: need.regions * 2, words: need.words, pages };
                let pool = Pool::new(self.up, 1, &need, pages);
                place.insert(pool.map_err(|error| {
                    format!("there is no memory for {pages} pages, raise `ram` of its parent: {error:?}")
                })?)
            }
        };
        child.checkpoint(pool, &mut self.home).map_err(|error| format!("{error}"))
    }

    /// Ends the instance, and makes a new one that goes on where the last checkpoint was taken.
    pub(crate) fn revive(&mut self, child: Child<Shared>, program: Program<'_>) -> Result<Restored, Box<Fate>> {
        self.doomed = false;
        let name = self.name();
        let pages =
            child.wipe(self.post.pattern).map_err(|error| failed(&format_args!("it does not end: {error:?}")))?;
        log::info!("{name} is ended: its memory ({pages} pages) is overwritten, its objects are deleted.");
        let Some(saved) = self.saved.take() else { return Err(failed(&"there is no checkpoint of it")) };
        self.home.done = Statistics::default();
        let begun = self.home.now();
        let (way, restored) = match (self.plan.way, saved.information().stage) {
            (Way::Direct, Stage::Running) => {
                let child = Child::restore_directly(self.up, &self.post.settings, &saved, &mut self.home);
                (Way::Direct, child.map(|child| (child, None)).map_err(not_restored))
            }
            // What had not passed the barrier is its journal and nothing else.
            _ => (Way::Replay, self.replay(program, &saved)),
        };
        self.saved = Some(saved);
        let restored = restored?;
        let took = Micros(self.home.now().saturating_sub(begun));
        let Statistics { answered, objects, pages, repaired, threads, .. } = self.home.done;
        log::info!(
            "A new {name} goes on from checkpoint {}: restored {way} in {took}, {} answered, {} put right, {} and {repaired} \
             bytes of stack copied, {} set.",
            self.tried,
            Count(answered, "request"),
            Count(objects, "object"),
            Count(pages, "page"),
            Count(threads, "thread"),
        );
        if let Ok(account) = self.env.pd().account(OWN) {
            log::debug!("{} bytes and {} capabilities are used here.", account.ram_used, account.caps_used);
        }
        self.wake_again();
        Ok(restored)
    }

    /// A new instance boots itself, answered from the checkpoint's journal.
    fn replay(&mut self, program: Program<'_>, saved: &Checkpoint) -> Result<Restored, Box<Fate>> {
        let (machine, endpoint) = (self.env.platform(), self.post.settings.endpoint);
        let replaying = Child::start_replay(self.up, &self.post.settings, program, saved, &mut self.home);
        let mut replaying = replaying.map_err(not_restored)?;
        let (mut words, mut space) = (Buffer::new(), Buffer::new());
        let mut reply = None::<Reply<'_>>;
        let mut last = None;
        while !replaying.is_over() {
            let received = match reply.take() {
                Some(reply) => machine.answer_and_receive(endpoint, &reply, &mut words),
                None => machine.receive(endpoint, &mut words),
            };
            let Received::Request { badge, request } = received else {
                if let Ok(Some(exception)) = self.env.cpu().exception(replaying.child().number()) {
                    return Err(Box::new(Fate::Faulted(exception.cause, exception.place)));
                }
                continue;
            };
            let Some(badge) = Badge::of(badge) else { continue };
            let step = replaying.serve(badge.interface, &request, &mut space, &mut self.home);
            match step.map_err(not_restored)? {
                Step::Answer(answer) => reply = Some(answer),
                Step::Last(Reply { status, body }) => {
                    last = Some(Answer { status, words: body.words().to_vec() });
                    break;
                }
                Step::Barrier => break,
            }
        }
        Ok((replaying.finish(&mut self.home).map_err(not_restored)?, last))
    }
}

fn not_restored(error: RestoreError) -> Box<Fate> {
    failed(&format_args!("it cannot be restored: {error}"))
}
