//! A parent that checkpoints its children while they run, ends them, and restores them. They know nothing of it.
//!
//! It starts the components of the scenario that name it as their parent. Each has an endpoint and a thread of its own here,
//! just above the child's priority: its `Keeper`, which serves all sessions of the child with the library `rtcr`, and
//! between two requests does what the scenario has planned. Values that it reads, for each child those of the child's own table
//! first:
//!
//! | value | says | else |
//! |---|---|---|
//! | `asked_restores` | how many of the checkpoints that a child asks for itself it is restored from, after `run_on` | 0 |
//! | `checks` | how often each child is looked at, whether it could be checkpointed; then nothing else is done to it | 0 |
//! | `recoveries` | how often a child that crashes is recovered, within the window | 0 |
//! | `recovery_window` | microseconds; 0 for the whole run | 0 |
//! | `crash_soon` | a child that crashes within so many microseconds after it has gone back to a checkpoint goes back further | `checkpoint_every` |
//! | `heartbeat` | a child that runs and asks for nothing for so many microseconds has crashed; 0 for none ever | 0 |
//! | `output` | what becomes of what it says: it goes on `now`; what is said again after a recovery is `marked`; or it is `held` until the next checkpoint | `now` |
//! | `output_room` | how many bytes are held; more force a checkpoint, and are shown unconfirmed if there is none | 16384 |
//! | `checkpoints` | how many checkpoints are taken of each child | 1; with `recoveries`, all |
//! | `checkpoint_after` | microseconds from its start to the first one | 10000 |
//! | `checkpoint_from_line` | with 1, that counts from when it first prints something | 0 |
//! | `checkpoint_every` | microseconds from a restore, or a checkpoint that its instance outlives, to the next one | 1000 |
//! | `checkpoints_each` | how many checkpoints are taken of each instance before it is ended; 0 if none is | 1; with `recoveries`, 0 |
//! | `keep` | how many checkpoints of a child are kept beside each other | 1; with `recoveries`, 2 |
//! | `restore_from` | which of them it goes back to: `newest`, `oldest`, or how many before the newest | `newest` |
//! | `checkpoint_priority` | at which checkpoints and restores are worked at, so that others go on meanwhile; 0 for just above the child's | 0 |
//! | `run_on` | microseconds that the child runs on after a checkpoint before it is ended | 0 |
//! | `busy_tries` | how often a child that is busy is looked at again | 20 |
//! | `busy_every` | microseconds from one time to the next | 100 |
//! | `restore` | `replay` or `direct` | `replay` |
//! | `custody` | 1 if the child is left to whoever has its session of CUSTODY: no instance begins by itself, and nothing else here is planned | 0 |
//! | `compare` | 1 if each restore is made in both ways, and what comes of it is compared | 0 |
//! | `restore_binary` | the program that a new instance runs | its own |
//! | `restore_tries` | how often a restore is tried | 3 |
//! | `restore_every` | microseconds from one try to the next | 1000 |
//! | `boot_limit` | microseconds that a new instance may take to its barrier | 100000 |
//! | `reserve_ram`, `reserve_caps` | quota that must be left here, or nothing is restored and nothing is ended | 0 |
//! | `refuse_checkpoint`, `refuse_restore` | the request of a checkpoint or a restore, from 1, that is refused on purpose; one later each time | 0 |
//! | `refusals` | in how many tries of one restore | 1 |
//! | `save` | whether the newest checkpoint is stored in persistent memory: `none` or `newest` | `none` |
//! | `save_keep` | how many images of a child are kept there | 1 |
//! | `load` | which image a child starts from: `none` or `newest` | `none` |
//! | `load_else` | what becomes of it if it cannot: `fail`, or `fresh` for its beginning | `fail` |
//! | `refuse_kernel` | with 1, what is refused are calls of the kernel that core makes for such requests, in place of requests | 0 |
//! | `tell_use` | with 2, each checkpoint and each restore tells what is in use then, here and in core; with 1, if it is more than ever | 0 |
//! | `tell_threads` | with 1, each checkpoint tells how every thread stood | 0 |
//! | `count_threads` | with 1, that is counted, and told when the child has ended | 0 |
//! | `refuse_store` | the write to the store, from 1, that fails on purpose; one later with each checkpoint | 0 |
//! | `log` | what is told: `off`, `error`, `warn`, `info`, `debug` or `trace` | `info` |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod archive;
mod ceiling;
mod compare;
mod custody;
mod home;
mod keeper;
mod look;
mod output;
mod pace;
mod plan;
mod policy;
mod pulse;
mod recover;
mod relay;
mod revive;
mod seats;
mod services;
mod shelf;
mod stands;
mod stop;
mod tell;
mod trial;
mod uses;
mod wishes;

use alloc::{boxed::Box, format, sync::Arc, vec::Vec};
use core::{
    sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use archive::Archive;
use base::{
    Env,
    child::{ByScenario, ChildPolicy, Window},
    env::slots,
    rpc::Slot,
    scenario::{Component, Scenario},
    session::{
        cpu::MAX_THREADS,
        parent::Event,
        pd::{ANY, MAX_COPY, OWN, PAGE},
        rm::Placement,
    },
    thread::ThreadOptions,
};
use custody::Desk;
use keeper::{Keeper, Post};
use plan::Plan;
use rtcr::start::{Settings, numbers};
use services::{Place, Services};
use stop::Stop;

/// Stack of a keeper.
const STACK: usize = 64 << 10;
/// What the memory of an instance that is ended is filled with.
const PATTERN: u32 = 0xdead_beef;

/// Called once, with everything that the component has.
pub fn construct(env: &mut Env) {
    let env = *env;
    let mut policy = ByScenario::load(env).unwrap_or_else(|error| ByScenario::failed(env, &error));
    let level = plan::level(&env).unwrap_or_else(|error| ByScenario::failed(env, &error));
    log::set_max_level(level);
    // It is needed for as long as this component is there.
    let scenario: &'static Scenario = Box::leak(Box::new(policy.scenario().clone()));
    let own = Box::leak(Box::<str>::from(policy.own()));
    let pattern = pattern(env).unwrap_or_else(|error| ByScenario::failed(env, &error));

    let (mut stops, mut desks) = (Vec::new(), Vec::new());
    let left = Arc::new(AtomicUsize::new(scenario.children(own).count()));
    if left.load(SeqCst) == 0 {
        policy.all_ended();
    }
    // Windows begin where this component's own numbers end: each of those costs a capability.
    let mut next = slots::FIRST_FREE.0 + scenario.components.get(&*own).map_or(0, |component| component.caps);
    let mut places = Vec::new();
    for (name, _) in scenario.children(own) {
        let slots = scenario.slots(name);
        let place = place(env, name, (next, slots))
            .unwrap_or_else(|what| ByScenario::failed(env, &format!("no {what} for {name}")));
        places.push(place);
        next += numbers(slots);
    }
    let priority = scenario.components.get(&*own).map_or(u8::MAX, |component| component.priority);
    let wanted = scenario.components.values().flat_map(|client| &client.routes).filter(|(_, to)| **to == *own);
    let services = Services::new(env, priority, places.clone(), wanted.map(|(service, _)| service.clone()).collect());
    let shares = Shares::new(scenario, own);
    let size = scenario.components.get(&*own).and_then(|component| component.devices.persistent);
    let mut archive = None;
    for ((number, (name, component)), place) in (0..).zip(scenario.children(own)).zip(places) {
        let shared = (Arc::clone(&services), Arc::clone(&left));
        let watched = match component.restart > 0 || !component.stop_with.is_empty() {
            true => {
                Err("its parent neither starts it again nor ends it with others: leave out `restart` and `stop_with`"
                    .into())
            }
            false => Plan::of(&env, component).map_err(|nonsense| format!("{nonsense}")).and_then(|plan| {
                if (plan.archive.saves || plan.archive.loads) && archive.is_none() {
                    let below = scenario.children(own).map(|(_, child)| child.priority).min().unwrap_or(1);
                    let below = below.saturating_sub(1).max(1);
                    let started = Archive::start(env, size.map(|size| size.0), below);
                    archive =
                        Some(started.map_err(|what| format!("its parent has no {what} to store its checkpoints"))?);
                }
                let shared = (shared.0, shared.1, archive.clone());
                watch(env, (name, component), (number, place, shares.of(component)), plan, pattern, shared)
                    .map_err(|what| format!("its parent has no {what} for it"))
            }),
        };
        match watched {
            Ok((stop, desk)) => {
                stops.push(stop);
                desks.extend(desk.map(|desk| (name, desk)));
            }
            Err(reason) => {
                policy.event(name, Event::Failed(reason.as_str().try_into().unwrap_or_default()));
                services.ended(number.into());
                left.fetch_sub(1, SeqCst);
            }
        }
    }
    if !desks.is_empty()
        && let Err(what) = custody::offer(env, desks)
    {
        ByScenario::failed(env, &format!("no {what} for those who decide about children"));
    }
    env.on_exit(move || {
        for (wanted, context) in stops {
            wanted.store(true, SeqCst);
            // It was made for this.
            let _ = env.signal().raise(context);
        }
        // The keeper of the last child exits.
        loop {
            let _ = env.sleep(Duration::from_secs(1));
        }
    });
}

/// What others need of a child to reach it.
fn place(env: Env, name: &'static str, (base, slots): (u32, u32)) -> Result<Place, &'static str> {
    let window = Window::new(base, slots).ok_or("numbers")?;
    let service = env.pd().create_endpoint(ANY, OWN).map_err(|_| "endpoint")?;
    let bell = env.pd().create_notification(ANY, OWN).map_err(|_| "notification")?;
    Ok(Place { name, service, window, bell, news: Arc::default(), lives: true })
}

/// How many threads there can be for the sessions of children: of those that this component can have, each child has a share
/// as large as its share of all children's capabilities. So none takes those of others.
struct Shares {
    threads: usize,
    caps: usize,
}

impl Shares {
    fn new(scenario: &Scenario, own: &str) -> Self {
        let (children, caps) =
            scenario.children(own).fold((0, 0), |(count, caps), (_, child)| (count + 1, caps + child.caps as usize));
        let carriers = scenario.children(own).filter(|(_, child)| child.values.contains_key("custody")).count();
        // The first thread, the archive's, a keeper for each child, and a carrier for each that somebody else decides about.
        Self { threads: MAX_THREADS.saturating_sub(2 + children + carriers), caps: caps.max(1) }
    }

    fn of(&self, child: &Component) -> usize {
        (self.threads * child.caps as usize / self.caps).max(1)
    }
}

/// How a keeper is told that its child is to be asked to exit.
type Wish = (Arc<AtomicBool>, Slot);

/// A thread that starts a child and serves it.
fn watch(
    env: Env,
    (name, component): (&'static str, &'static Component),
    (number, place, relays): (u16, Place, usize),
    plan: Plan,
    pattern: Slot,
    (services, left, archive): (Arc<Services>, Arc<AtomicUsize>, Option<Arc<Archive>>),
) -> Result<(Wish, Option<Arc<Desk>>), &'static str> {
    let endpoint = env.pd().create_endpoint(ANY, OWN).map_err(|_| "endpoint")?;
    let Place { service, bell, window, news, .. } = place;
    let context = |cookie| env.signal().create(ANY, OWN, bell, cookie).map_err(|_| "signal");
    let (exceptions, instants) = (context(keeper::EXCEPTION)?, context(keeper::INSTANT)?);
    let (limit, wishes) = (context(keeper::LIMIT)?, context(keeper::WISH)?);
    let (beats, full) = (context(keeper::BEAT)?, context(keeper::FULL)?);
    let stop = Stop::new(env, component, context(keeper::STOP)?);
    let wish = (Arc::clone(&stop.wanted), stop.context);
    let desk = match plan.custody {
        true => Some(Desk::new(env, name, context(keeper::CUSTODY)?, component.priority)?),
        false => None,
    };
    let log = env.until_answered(|| env.parent().open("log", name.as_bytes())).map_err(|_| "LOG session")?;
    let settings = Settings {
        name,
        number,
        ram: component.ram.0,
        caps: component.caps,
        slots: window.size(),
        priority: component.priority,
        stack: component.stack.0,
        base: window.base(),
        endpoint,
        service,
        exceptions,
        log,
    };
    let binary = component.binary(name);
    let next = env.parent().value("restore_binary").ok().flatten();
    let next = next.map_or(binary, |next| &*Box::leak(Box::<str>::from(next.as_str())));
    let known = Arc::new(AtomicU32::new(0));
    let own = Arc::clone(&known);
    let post = Post {
        settings,
        relays,
        binaries: (binary, next),
        bell,
        thread: own,
        instants,
        limit,
        wishes,
        beats,
        full,
        pattern,
        archive: archive.filter(|_| plan.archive.saves || plan.archive.loads),
        most: (component.ram_max.unwrap_or(component.ram).0, component.caps_max.unwrap_or(component.caps)),
        stop,
        desk: desk.clone(),
        left,
        services,
        news,
    };
    let options = ThreadOptions { name, priority: Some(component.priority.saturating_add(1)), stack: STACK };
    let thread = env.spawn(&options, move || Keeper::new(env, post, plan).run()).map_err(|_| "thread")?;
    // It has not run yet, since it is below this one.
    known.store(thread.slot().0, SeqCst);
    env.cpu().bind(thread.slot(), bell).map_err(|_| "doorbell")?;
    Ok((wish, desk))
}

/// Memory that is all pattern.
fn pattern(env: Env) -> Result<Slot, &'static str> {
    let dataspace = env.allocate((MAX_COPY * PAGE) as usize).map_err(|_| "there is no memory for a pattern")?;
    let attached = env.attach(&dataspace, Placement::ANYWHERE).map_err(|_| "the pattern cannot be written")?;
    attached.words().iter().for_each(|word| word.store(PATTERN, SeqCst));
    drop(attached);
    Ok(dataspace.leak())
}
