//! Who keeps a child: the thread that starts it, serves it, and wakes up when something is planned.

use alloc::{boxed::Box, format, sync::Arc, vec::Vec};
use core::{
    fmt,
    sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use base::{
    Env,
    child::{Badge, ByScenario},
    env::slots,
    executable::{self, Layout},
    memory::{Module, ModuleError},
    platform::Received,
    rpc::{Body, Buffer, Reply, Shared, Slot, Status},
    session::{checkpoint, log as lines, parent::Event as Fate},
};
use rtcr::{
    child::Child,
    object::Object,
    start::{Program, Settings},
    upstream::Upstream,
};

use crate::{
    archive::Archive,
    custody::{Desk, keep::Custody},
    home::Home,
    output::Output,
    pace::Pace,
    plan::Plan,
    policy::Recovery,
    pulse::Pulse,
    recover::Ended,
    seats::Seats,
    services::Services,
    shelf::Shelf,
    stands::Stands,
    stop::{Due, Stop},
    trial::Trial,
    uses::Uses,
    wishes::Wishes,
};

/// Cookie of the signal that says that the child has done what it may not.
pub const EXCEPTION: u32 = 1;
/// Cookie of the signal that says that something is planned for now.
pub const INSTANT: u32 = 2;
/// Cookie of the signal that says that a new instance takes too long.
pub const LIMIT: u32 = 3;

/// Cookie of the signal that it is time to ask the child to exit, or that its time to do so is over.
pub const STOP: u32 = 4;

/// Cookie of the signal that the child asks for a checkpoint.
pub const WISH: u32 = 5;

/// Cookie of the signal that it is time to look for signs of life.
pub const BEAT: u32 = 6;

/// Cookie of the signal that there is no room for what the child says.
pub const FULL: u32 = 7;

/// A first checkpoint that is due earlier makes room for itself.
const WORTHWHILE: Duration = Duration::from_millis(2);

/// Cookie of the signal that whoever decides about the child wants something.
pub const CUSTODY: u32 = 8;

/// What a keeper is given.
pub struct Post {
    /// Of the child.
    pub settings: Settings<'static>,
    /// Most relays for its sessions.
    pub relays: usize,
    /// Names of its program and of that of new instances.
    pub binaries: (&'static str, &'static str),
    /// The keeper's doorbell.
    pub bell: Slot,
    /// The keeper's thread; known once it runs.
    pub thread: Arc<AtomicU32>,
    /// The context that its instants raise.
    pub instants: Slot,
    /// The context that the child's wishes raise.
    pub wishes: Slot,
    /// The context that looks for signs of life raise.
    pub beats: Slot,
    /// The context that is raised when there is no room for what the child says.
    pub full: Slot,
    /// The context that the limit of a bootstrap raises.
    pub limit: Slot,
    /// Memory with which that of an instance is overwritten when it is ended.
    pub pattern: Slot,
    /// Where images are, if there are to be any.
    pub archive: Option<Arc<Archive>>,
    /// The most bytes and capabilities that the child is ever given.
    pub most: (u32, u32),
    /// How the child is made to end.
    pub stop: Stop,
    /// Where whoever decides about it puts down what it wants, if somebody else than this component does.
    pub desk: Option<Arc<Desk>>,
    /// How many children of this component are left.
    pub left: Arc<AtomicUsize>,
    /// Who serves whom.
    pub services: Arc<Services>,
    /// Whether there is something to do for the child's services, or an answer that it was told to wait for.
    pub news: Arc<AtomicBool>,
}

/// What a thread of this component has for its child.
pub struct Keeper {
    pub(crate) env: Env,
    pub(crate) post: Post,
    pub(crate) plan: Plan,
    pub(crate) up: Upstream<Shared>,
    pub(crate) home: Home,
    /// Who refuses requests on purpose, if that is wanted.
    pub(crate) trial: Option<&'static Trial>,
    /// Who tells what is in use, if that is wanted.
    pub(crate) uses: Option<Uses>,
    /// Its checkpoints.
    pub(crate) shelf: Shelf,
    /// Number of the checkpoint that the child was loaded from; later ones are counted from there.
    pub(crate) loaded: u32,
    /// How its threads stood at them.
    pub(crate) stands: Stands,
    /// When the first checkpoint is due, until room has been made for it.
    pub(crate) first: Option<u64>,
    /// How many checkpoints were tried, and taken but for those that a warning tells of.
    pub(crate) tried: u32,
    /// How many checkpoints the child asked for, and how often it was busy then in a row.
    pub(crate) asked: (u32, u32),
    /// How many checkpoints were taken of the instance that runs.
    pub(crate) of_instance: u32,
    /// How many restores there were.
    pub(crate) restored: u32,
    /// The child runs on after its checkpoint, and will be ended.
    pub(crate) doomed: bool,
    /// How often the child was busy in a row.
    pub(crate) busy: u32,
    /// What is known of its crashes.
    pub(crate) recovery: Recovery,
    /// What is known of its life.
    pub(crate) pulse: Pulse,
    /// How many requests it has made here, and in all until its last checkpoint.
    pub(crate) requests: u32,
    pub(crate) at_checkpoint: u32,
    /// Somebody else decides about the child.
    pub(crate) custody: Option<Custody>,
}

/// An answer that is still to be given.
pub(crate) struct Answer {
    pub status: Status,
    pub words: Vec<u32>,
}

/// A child, and what its pending request is answered.
pub(crate) type Restored = (Child<Shared>, Option<Answer>);

/// The program of new instances, or why there is none.
pub(crate) type Next<'a> = Result<Program<'a>, &'a str>;

impl Keeper {
    /// For a child that is not there yet.
    pub fn new(env: Env, post: Post, plan: Plan) -> Self {
        let policy = ByScenario::load(env).unwrap_or_else(|error| ByScenario::failed(env, &error));
        let Settings { name, number, base, priority, .. } = post.settings;
        let (child, services) = (usize::from(number), &post.services);
        let told = (post.bell, Arc::clone(&post.news));
        let seats =
            Seats::new(env, Arc::clone(services), (child, name), told, (priority.saturating_add(1), post.relays));
        let low = (plan.priority > 0).then_some(plan.priority);
        let pace = Pace::new(env, (Arc::clone(&post.thread), Arc::clone(services)), priority.saturating_add(1), low);
        let wishes = Wishes::new(env, post.wishes);
        let endpoint = post.settings.endpoint;
        let output = (Output::new(plan.output.0, plan.output.1), post.settings.log, post.full);
        let own = (seats, pace, wishes);
        let home = Home::new(env, policy, (child, name, base), Arc::clone(services), endpoint, own, output);
        let sessions = env.platform() as Shared;
        let trial = (plan.refused != (0, 0)).then(|| &*Box::leak(Box::new(Trial::new(sessions))));
        let up = Upstream::new(trial.map_or(sessions, |trial| trial as Shared));
        let custody = post.desk.clone().map(Custody::new);
        Self {
            env,
            post,
            plan,
            up,
            home,
            trial,
            uses: (plan.uses > 0 || plan.kernel).then(|| Uses::new(env, plan.uses > 1)),
            shelf: Shelf::new(plan.keep),
            loaded: 0,
            stands: Stands::default(),
            first: None,
            tried: 0,
            asked: (0, 0),
            of_instance: 0,
            restored: 0,
            doomed: false,
            busy: 0,
            recovery: Recovery::new(plan.limits),
            pulse: Pulse::default(),
            requests: 0,
            at_checkpoint: 0,
            custody,
        }
    }

    /// Starts the child, and serves it until it has ended.
    pub fn run(mut self) {
        self.home.pace.begin();
        let (binary, next) = self.post.binaries;
        let (file, other) = (self.env.rom_module(binary), (next != binary).then(|| self.env.rom_module(next)));
        let fate = match file {
            Ok(file) => self.keep(&file, other.as_ref().map(|other| other.as_ref().map_err(|error| *error))),
            Err(error) => failed(&format_args!("its program cannot be had: {error:?}")),
        };
        // Whatever it exited with: that is what it was to do when nobody wants it otherwise.
        let is_final = self.plan.limits.recoveries == 0 || self.post.stop.was_asked();
        let ends_well = matches!(*fate, Fate::Exited(code) if code == 0 || is_final);
        self.settle();
        self.home.last_words(ends_well);
        if self.plan.stands {
            self.stands.tell(self.post.settings.name);
        }
        if let (Some(uses), 1..) = (&self.uses, self.plan.uses) {
            uses.tell_times(self.post.settings.name);
        }
        if let Some(custody) = &self.custody {
            custody.desk.close();
        }
        self.home.tell(*fate);
        if self.post.left.fetch_sub(1, SeqCst) == 1 {
            self.home.all_ended();
        }
        self.answer_for_the_dead();
    }

    /// The child has ended, and others still have sessions of it.
    fn answer_for_the_dead(&mut self) -> ! {
        let mut words = Buffer::new();
        let (machine, service) = (self.env.platform(), self.post.settings.service);
        let mut received = machine.receive(service, &mut words);
        loop {
            received = match received {
                Received::Ring => {
                    self.home.seats.bury();
                    machine.receive(service, &mut words)
                }
                Received::Request { .. } => {
                    machine.answer_and_receive(service, &Reply::of(Status::PeerGone), &mut words)
                }
            };
        }
    }

    fn keep(&mut self, file: &Module, other: Option<Result<&Module, ModuleError>>) -> Box<Fate> {
        let machine = self.env.platform().elf_machine();
        let own = match layout(file, machine) {
            Ok(layout) => layout,
            Err(error) => return failed(&format_args!("its program is {error}")),
        };
        let program = Program { module: self.post.binaries.0, layout: &own };
        // What is wrong with the program of new instances matters when there is to be one.
        let other = other.map(|other| match other {
            Ok(file) => layout(file, machine).map_err(|error| format!("the program of the new instance is {error}")),
            Err(error) => Err(format!("the program of the new instance cannot be had: {error:?}")),
        });
        let next = match &other {
            None => Ok(program),
            Some(Ok(layout)) => Ok(Program { module: self.post.binaries.1, layout }),
            Some(Err(reason)) => Err(reason.as_str()),
        };
        loop {
            let begun = match &self.custody {
                Some(_) => match self.wait_for_instance(program) {
                    Some(child) => Ok((child, None)),
                    None => return Self::put_away(),
                },
                None => self.load(next).and_then(|loaded| match loaded {
                    Some(loaded) => Ok(loaded),
                    None => {
                        let started = Child::start(self.up, &self.post.settings, program, &mut self.home);
                        started.map(|child| (child, None)).map_err(|error| failed(&error))
                    }
                }),
            };
            let fate = match begun {
                Ok(begun) => self.serve(begun, next),
                Err(fate) => return fate,
            };
            if !self.was_put_away() {
                return fate;
            }
        }
    }

    /// Serves an instance, and those that go on from its checkpoints.
    fn serve(&mut self, (mut child, mut owed): Restored, next: Next<'_>) -> Box<Fate> {
        self.home.pace.raise();
        let mut is_silent = self.plan.from_line && self.plan.instants() > 0;
        if self.plan.instants() > 0 && !is_silent {
            self.wake_for_first();
        }
        self.post.stop.begin();
        self.listen_from_now();
        let (mut words, mut space) = (Buffer::new(), Buffer::new());
        let (machine, endpoint) = (self.env.platform(), self.post.settings.endpoint);
        let mut reply = None::<Reply<'_>>;
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
                Received::Ring => match self.rang(child, next) {
                    Ok((next, answer)) => (child, owed) = (next, answer),
                    Err(fate) => return fate,
                },
                Received::Request { badge, request } => {
                    self.requests = self.requests.wrapping_add(1);
                    let badge = Badge::of(badge);
                    if is_silent && badge.is_some_and(|badge| badge.interface == lines::INTERFACE.id) {
                        is_silent = false;
                        self.wake_after(self.plan.after);
                    }
                    reply = match badge {
                        Some(badge) if badge.interface == checkpoint::INTERFACE.id => {
                            self.home.wishes.serve(&request, &mut space)
                        }
                        Some(badge) => child.serve(badge.interface, &request, &mut space, &mut self.home),
                        None => Some(Reply::of(Status::Refused)),
                    };
                    if let Some(fate) = self.home.fate.take() {
                        (child, owed) = match self.over(child, fate, next) {
                            Ok(restored) => restored,
                            Err(fate) => return fate,
                        };
                        self.home.pace.raise();
                    }
                }
            }
        }
    }

    /// The doorbell has rung: something is planned for now, the child has done what it may not, or nothing.
    fn rang(&mut self, child: Child<Shared>, next: Next<'_>) -> Ended {
        let came = self.came(child, next);
        // Whatever has failed.
        self.home.pace.raise();
        came
    }

    fn came(&mut self, mut child: Child<Shared>, next: Next<'_>) -> Ended {
        let (mut answer, instances) = (None, self.restored);
        while let Ok(Some(pending)) = self.env.signal().fetch(self.post.bell) {
            match pending.cookie {
                EXCEPTION => {
                    if let Ok(Some(exception)) = self.env.cpu().exception(child.number()) {
                        (child, answer) = self.faulted(child, exception, next)?;
                    }
                }
                // Who was asked to exit has its time for that.
                BEAT if !self.post.stop.was_asked() => {
                    if let Some(crash) = self.listen(&child) {
                        (child, answer) = self.silent(child, crash, next)?;
                    }
                }
                CUSTODY if self.next_order(&mut child) => return Err(Self::put_away()),
                FULL if self.home.output.is_full() => self.make_room(&mut child),
                INSTANT if self.plan.checks > 0 => self.look(&child),
                INSTANT if self.first.is_some() => self.prepare(&mut child),
                INSTANT if self.doomed && self.serves(&child) => self.wake_after(self.plan.busy_every),
                INSTANT if self.doomed => (child, answer) = self.revive(child, next)?,
                INSTANT if self.is_suspicious(&child) => self.wake_after(self.plan.every),
                INSTANT => {
                    let Ok(()) = self.checkpoint(&mut child) else { continue };
                    let goes_on = self.of_instance < self.plan.each && self.tried < self.plan.checkpoints;
                    if self.plan.each == 0 || goes_on {
                        self.wake_again();
                    } else if self.plan.run_on.is_zero() {
                        (child, answer) = self.revive(child, next)?;
                    } else {
                        self.is_doomed_soon();
                    }
                }
                WISH if self.home.wishes.is_any() => {
                    let is_restored = self.grant(&mut child);
                    if is_restored && self.plan.run_on.is_zero() {
                        (child, answer) = self.revive(child, next)?;
                    } else if is_restored {
                        self.is_doomed_soon();
                    }
                }
                _ => {}
            }
            if !pending.more {
                break;
            }
        }
        let is_news = self.post.news.swap(false, SeqCst);
        if is_news {
            self.home.seats.bury();
        }
        if is_news && let Some(Ok(bell)) = child.table().get(slots::DOORBELL.0).map(Object::notification) {
            self.env.platform().ring(bell.number());
        }
        // Whatever the ring was for, since signals may have been fetched during a restore.
        match self.post.stop.due() {
            Due::End => return Err(Box::new(Fate::Overdue)),
            Due::Ask => child.ask_to_exit(&mut self.home),
            Due::Nothing if self.restored != instances && self.post.stop.was_asked() => {
                child.ask_to_exit(&mut self.home);
            }
            Due::Nothing => {}
        }
        Ok((child, answer))
    }

    /// The instance runs on for a while before it is ended.
    fn is_doomed_soon(&mut self) {
        self.doomed = true;
        log::info!("{} runs on for {} us.", self.name(), self.plan.run_on.as_micros());
        self.wake_after(self.plan.run_on);
    }

    /// For the next checkpoint, or look at the child, if there is to be another one.
    pub(crate) fn wake_again(&self) {
        if self.tried < self.plan.instants() {
            self.wake_after(self.plan.every);
        }
    }

    /// For the first checkpoint; before that, if there is time, to make room for it: later ones find that of those before.
    fn wake_for_first(&mut self) {
        let after = self.plan.after;
        if self.plan.checks > 0 || after < WORTHWHILE {
            return self.wake_after(after);
        }
        let nanoseconds = u64::try_from(after.as_nanos()).unwrap_or(u64::MAX);
        self.first = Some(self.home.now().saturating_add(nanoseconds));
        self.wake_after(after - after / 8);
    }

    /// What a checkpoint would need now, and a little more. If that cannot be had, the checkpoint will tell.
    fn prepare(&mut self, child: &mut Child<Shared>) {
        let due = self.first.take().unwrap_or_default();
        if let Ok(need) = child.need(&mut self.home)
            && let Ok(pool) = self.shelf.storage(self.up, &need)
        {
            self.shelf.put_back(pool);
        }
        self.wake_after(Duration::from_nanos(due.saturating_sub(self.home.now())));
    }

    pub(crate) fn wake_after(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        if let Err(error) = self.env.timer().once(self.post.instants, nanoseconds) {
            log::error!("{} is not checkpointed: there is no timeout: {error:?}", self.name());
        }
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.post.settings.name
    }
}

fn layout(file: &Module, machine: u16) -> Result<Layout<'_>, executable::Error> {
    Layout::new(file.bytes(), file.bytes().len() as u32, machine)
}

/// What becomes of a child that cannot be kept, for people.
pub(crate) fn failed(reason: &dyn fmt::Display) -> Box<Fate> {
    let text = format!("{reason}");
    let mut short = heapless::String::new();
    text.chars().try_for_each(|c| short.push(c)).unwrap_or(());
    Box::new(Fate::Failed(short))
}
