//! Who keeps a child: serves it, checkpoints it, ends it, restores it.

use alloc::{format, sync::Arc, vec::Vec};
use core::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use base::{
    Env,
    child::{Badge, ByScenario},
    executable::Layout,
    memory::Module,
    platform::Received,
    rpc::{Body, Buffer, Reply, Shared, Slot, Status},
    session::parent::Event as Fate,
};
use rtcr::{
    checkpoint::Checkpoint,
    child::Child,
    information::{Need, Stage},
    restore::{RestoreError, Step},
    start::{Program, Settings},
    storage::Pool,
    surroundings::Statistics,
    upstream::Upstream,
};

use crate::{
    home::Home,
    plan::{Plan, Way},
};

/// Cookie of the signal that says that the child has done what it may not.
pub const EXCEPTION: u32 = 1;
/// Cookie of the signal that says that something is planned for now.
pub const INSTANT: u32 = 2;
/// Pages of a pool beyond those that are needed when it is made, so that a component may grow a little.
const SPARE: u32 = 16;

/// What a keeper is given.
pub struct Post {
    /// Of the child.
    pub settings: Settings<'static>,
    /// Name of its program.
    pub binary: &'static str,
    /// The keeper's doorbell.
    pub bell: Slot,
    /// The context that its instants raise.
    pub instants: Slot,
    /// Memory with which that of an instance is overwritten when it is ended.
    pub pattern: Slot,
    /// How many children of this component are left.
    pub left: Arc<AtomicUsize>,
}

/// What a thread of this component has for its child.
pub struct Keeper {
    env: Env,
    post: Post,
    plan: Plan,
    up: Upstream<Shared>,
    home: Home,
    pool: Option<Pool<Shared>>,
    /// The last checkpoint.
    saved: Option<Checkpoint>,
    /// How many checkpoints were taken.
    taken: u32,
    /// The child runs on after its checkpoint, and will be ended.
    doomed: bool,
}

/// An answer that is still to be given.
struct Answer {
    status: Status,
    words: Vec<u32>,
}

/// A child, and what its pending request is answered.
type Restored = (Child<Shared>, Option<Answer>);

/// Time for people.
struct Micros(u64);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} us", self.0 / 1000, self.0 % 1000 / 100)
    }
}

impl Keeper {
    /// For a child that is not there yet.
    pub fn new(env: Env, post: Post, plan: Plan) -> Self {
        let policy = ByScenario::load(env).unwrap_or_else(|error| ByScenario::failed(env, &error));
        let home = Home::new(env, policy, post.settings.name, post.settings.base);
        let up = Upstream::new(env.platform() as Shared);
        Self { env, post, plan, up, home, pool: None, saved: None, taken: 0, doomed: false }
    }

    /// Starts the child, and serves it until it has ended.
    pub fn run(mut self) {
        let fate = match self.env.rom_module(self.post.binary) {
            Ok(module) => self.keep(&module),
            Err(error) => failed(&format_args!("its program cannot be had: {error:?}")),
        };
        self.home.tell(fate);
        if self.post.left.fetch_sub(1, SeqCst) == 1 {
            self.home.all_ended();
        }
    }

    fn keep(&mut self, module: &Module) -> Fate {
        let file = module.bytes();
        let layout = match Layout::new(file, file.len() as u32, self.env.platform().elf_machine()) {
            Ok(layout) => layout,
            Err(error) => return failed(&format_args!("its program is {error}")),
        };
        let program = Program { module: self.post.binary, layout: &layout };
        let mut child = match Child::start(self.up, &self.post.settings, program, &mut self.home) {
            Ok(child) => child,
            Err(error) => return failed(&error),
        };
        if self.plan.checkpoints > 0 {
            self.wake_after(self.plan.after);
        }
        let (mut words, mut space) = (Buffer::new(), Buffer::new());
        let (machine, endpoint) = (self.env.platform(), self.post.settings.endpoint);
        let mut reply = None::<Reply<'_>>;
        let mut owed = None::<Answer>;
        loop {
            let received = match (reply.take(), owed.take()) {
                (Some(reply), _) => machine.answer_and_receive(endpoint, &reply, &mut words),
                (None, Some(Answer { status, words: answer })) => {
                    let reply = Reply { status, body: Body::Long(&answer) };
                    machine.answer_and_receive(endpoint, &reply, &mut words)
                }
                (None, None) => machine.receive(endpoint, &mut words),
            };
            match received {
                Received::Ring => match self.rang(child, program) {
                    Ok((next, answer)) => (child, owed) = (next, answer),
                    Err(fate) => return fate,
                },
                Received::Request { badge, request } => {
                    reply = match Badge::of(badge) {
                        Some(badge) => child.serve(badge.interface, &request, &mut space, &mut self.home),
                        None => Some(Reply::of(Status::Refused)),
                    };
                    if let Some(fate) = self.home.fate.take() {
                        return fate;
                    }
                }
            }
        }
    }

    /// The doorbell has rung: something is planned for now, the child has done what it may not, or nothing.
    fn rang(&mut self, mut child: Child<Shared>, program: Program<'_>) -> Result<Restored, Fate> {
        let mut answer = None;
        while let Ok(Some(pending)) = self.env.signal().fetch(self.post.bell) {
            match pending.cookie {
                EXCEPTION => {
                    if let Ok(Some(exception)) = self.env.cpu().exception(child.number()) {
                        return Err(Fate::Faulted(exception.cause, exception.place));
                    }
                }
                INSTANT if self.doomed => (child, answer) = self.revive(child, program)?,
                INSTANT => {
                    let goes_on = self.checkpoint(&mut child);
                    if goes_on && self.plan.run_on.is_zero() {
                        (child, answer) = self.revive(child, program)?;
                    } else if goes_on {
                        self.doomed = true;
                        self.wake_after(self.plan.run_on);
                    }
                }
                _ => {}
            }
            if !pending.more {
                break;
            }
        }
        Ok((child, answer))
    }

    fn wake_after(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        if let Err(error) = self.env.timer().once(self.post.instants, nanoseconds) {
            log::error!("{} is not checkpointed: there is no timeout: {error:?}", self.name());
        }
    }

    const fn name(&self) -> &'static str {
        self.post.settings.name
    }

    /// Writes down what the child is; tells whether that succeeded. If not, the child goes on as if nothing had been.
    fn checkpoint(&mut self, child: &mut Child<Shared>) -> bool {
        self.home.done = Statistics::default();
        match self.take(child) {
            Ok(checkpoint) => {
                self.taken += 1;
                let (number, name) = (self.taken, self.name());
                let objects = checkpoint.information().objects.len();
                match checkpoint.information().stage {
                    Stage::Running => log::info!(
                        "Checkpoint {number}: {name} stood still for {}; {} pages and {objects} objects are saved.",
                        Micros(self.home.stood_still()),
                        self.home.done.saved,
                    ),
                    Stage::Booting => log::info!("Checkpoint {number}: {name} still starts; its requests are saved."),
                }
                self.saved = Some(checkpoint);
                true
            }
            Err(reason) => {
                log::warn!("{} runs on without a checkpoint: {reason}", self.name());
                false
            }
        }
    }

    fn take(&mut self, child: &mut Child<Shared>) -> Result<Checkpoint, alloc::string::String> {
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
                place.insert(pool.map_err(|error| format!("there is no memory for {pages} pages: {error:?}"))?)
            }
        };
        child.checkpoint(pool, &mut self.home).map_err(|error| format!("{error}"))
    }

    /// Ends the instance, and makes a new one that goes on where the last checkpoint was taken.
    fn revive(&mut self, child: Child<Shared>, program: Program<'_>) -> Result<Restored, Fate> {
        self.doomed = false;
        let name = self.name();
        let pages = child.wipe(self.post.pattern).map_err(|error| failed(&format_args!("it does not end: {error:?}")))?;
        log::info!("{name} is ended: its {pages} pages are overwritten, its objects deleted.");
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
        log::info!("{name} is restored {way} in {took}: {}.", self.home.done);
        if self.taken < self.plan.checkpoints {
            self.wake_after(self.plan.every);
        }
        Ok(restored)
    }

    /// A new instance boots itself, answered from the checkpoint's journal.
    fn replay(&mut self, program: Program<'_>, saved: &Checkpoint) -> Result<Restored, Fate> {
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
                    return Err(Fate::Faulted(exception.cause, exception.place));
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

fn not_restored(error: RestoreError) -> Fate {
    failed(&format_args!("it cannot be restored: {error}"))
}

/// What becomes of a child that cannot be kept, for people.
fn failed(reason: &dyn fmt::Display) -> Fate {
    let text = format!("{reason}");
    let mut short = heapless::String::new();
    text.chars().try_for_each(|c| short.push(c)).unwrap_or(());
    Fate::Failed(short)
}
