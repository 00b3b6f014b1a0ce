//! Who keeps a child: the thread that starts it, serves it, and wakes up when something is planned.

use alloc::{boxed::Box, format, sync::Arc, vec::Vec};
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
    start::{Program, Settings},
    storage::Pool,
    upstream::Upstream,
};

use crate::{home::Home, plan::Plan};

/// Cookie of the signal that says that the child has done what it may not.
pub const EXCEPTION: u32 = 1;
/// Cookie of the signal that says that something is planned for now.
pub const INSTANT: u32 = 2;

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
    pub(crate) env: Env,
    pub(crate) post: Post,
    pub(crate) plan: Plan,
    pub(crate) up: Upstream<Shared>,
    pub(crate) home: Home,
    pub(crate) pool: Option<Pool<Shared>>,
    /// The last checkpoint.
    pub(crate) saved: Option<Checkpoint>,
    /// How many checkpoints were tried, and taken but for those that a warning tells of.
    pub(crate) tried: u32,
    /// The child runs on after its checkpoint, and will be ended.
    pub(crate) doomed: bool,
}

/// An answer that is still to be given.
pub(crate) struct Answer {
    pub status: Status,
    pub words: Vec<u32>,
}

/// A child, and what its pending request is answered.
pub(crate) type Restored = (Child<Shared>, Option<Answer>);

impl Keeper {
    /// For a child that is not there yet.
    pub fn new(env: Env, post: Post, plan: Plan) -> Self {
        let policy = ByScenario::load(env).unwrap_or_else(|error| ByScenario::failed(env, &error));
        let home = Home::new(env, policy, post.settings.name, post.settings.base);
        let up = Upstream::new(env.platform() as Shared);
        Self { env, post, plan, up, home, pool: None, saved: None, tried: 0, doomed: false }
    }

    /// Starts the child, and serves it until it has ended.
    pub fn run(mut self) {
        let fate = match self.env.rom_module(self.post.binary) {
            Ok(module) => self.keep(&module),
            Err(error) => failed(&format_args!("its program cannot be had: {error:?}")),
        };
        self.home.tell(*fate);
        if self.post.left.fetch_sub(1, SeqCst) == 1 {
            self.home.all_ended();
        }
    }

    fn keep(&mut self, module: &Module) -> Box<Fate> {
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
                        return Box::new(fate);
                    }
                }
            }
        }
    }

    /// The doorbell has rung: something is planned for now, the child has done what it may not, or nothing.
    fn rang(&mut self, mut child: Child<Shared>, program: Program<'_>) -> Result<Restored, Box<Fate>> {
        let mut answer = None;
        while let Ok(Some(pending)) = self.env.signal().fetch(self.post.bell) {
            match pending.cookie {
                EXCEPTION => {
                    if let Ok(Some(exception)) = self.env.cpu().exception(child.number()) {
                        return Err(Box::new(Fate::Faulted(exception.cause, exception.place)));
                    }
                }
                INSTANT if self.doomed => (child, answer) = self.revive(child, program)?,
                INSTANT => {
                    let is_saved = self.checkpoint(&mut child);
                    if !is_saved {
                        self.wake_again();
                    } else if self.plan.run_on.is_zero() {
                        (child, answer) = self.revive(child, program)?;
                    } else {
                        self.doomed = true;
                        log::info!("{} runs on for {} us.", self.name(), self.plan.run_on.as_micros());
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

    /// For the next checkpoint, if there is to be another one.
    pub(crate) fn wake_again(&self) {
        if self.tried < self.plan.checkpoints {
            self.wake_after(self.plan.every);
        }
    }

    fn wake_after(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        if let Err(error) = self.env.timer().once(self.post.instants, nanoseconds) {
            log::error!("{} is not checkpointed: there is no timeout: {error:?}", self.name());
        }
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.post.settings.name
    }
}

/// What becomes of a child that cannot be kept, for people.
pub(crate) fn failed(reason: &dyn fmt::Display) -> Box<Fate> {
    let text = format!("{reason}");
    let mut short = heapless::String::new();
    text.chars().try_for_each(|c| short.push(c)).unwrap_or(());
    Box::new(Fate::Failed(short))
}
