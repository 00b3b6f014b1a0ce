//! A machine in memory: a component, or a parent, runs on the host as if on a board, with everything that it asks for
//! answered here.
//!
//! ```
//! let machine = base::testing::Machine::new();
//! let env = machine.env();
//! let memory = env.memory(10_000).unwrap();
//! assert_eq!(memory.len(), 3 * 4096);
//! ```
//!
//! Threads are threads of the host. Time passes when a thread waits and nobody rings: then the next timeout is now. What is
//! large is done in parts, as by core. Nothing is ever given back to the host: tests are short.

mod sessions;
mod world;

use std::{
    boxed::Box,
    cell::Cell,
    collections::BTreeMap,
    string::{String, ToString},
    sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    vec::Vec,
};

use crate::{
    Env,
    env::slots,
    platform::{Platform, Received},
    rpc::{
        Answer, Body, Buffer, Caller, Label, Long, MAX_WORDS, Registers, Reply, Request, Selector, Serve, Slot, Status,
        ThreadNumber, Transport,
    },
    runtime::Runtime,
    session::{self, parent::TaskKind},
};
pub use world::World;

std::thread_local! {
    static THREAD: Cell<ThreadNumber> = const { Cell::new(ThreadNumber::FIRST) };
}

/// A machine with one component. It lasts for ever.
pub struct Machine {
    /// Itself.
    this: OnceLock<&'static Self>,
    world: Mutex<World>,
    changed: Condvar,
    runtime: &'static Runtime,
    /// Servers of sessions that are not core's, by their number.
    servers: Mutex<BTreeMap<Slot, Box<dyn Serve + Send>>>,
}

impl Machine {
    /// A machine whose component has not begun.
    pub fn new() -> &'static Self {
        let machine: &'static Self = Box::leak(Box::new(Self {
            this: OnceLock::new(),
            world: Mutex::new(World::default()),
            changed: Condvar::new(),
            runtime: Box::leak(Box::default()),
            servers: Mutex::default(),
        }));
        machine.this.get_or_init(|| machine)
    }

    /// The component's environment.
    pub fn env(&'static self) -> Env {
        Env::new(self, self.runtime)
    }

    /// What there is, to be looked at or changed.
    pub fn world(&self) -> MutexGuard<'_, World> {
        // A test that has failed has said so.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves a session, or a service that is opened by that number.
    pub fn install(&self, slot: Slot, server: impl Serve + Send + 'static) {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner).insert(slot, Box::new(server));
    }

    /// Offers a service of that name to the component; its first `pending` openings are answered "pending".
    pub fn offer(&self, service: &str, server: impl Serve + Send + 'static, pending: u32) {
        let slot = self.world().offer(service, pending);
        self.install(slot, server);
    }

    /// Rings a notification.
    pub fn ring(&self, notification: Slot) {
        self.world().ring(notification);
        self.changed.notify_all();
    }

    /// Raises a signal.
    pub fn raise(&self, context: Slot) {
        self.world().raise(context);
        self.changed.notify_all();
    }

    /// Gives the component a task, and waits until it is done; tells whether it was accepted.
    pub fn task(&self, session: u32, what: TaskKind) -> bool {
        self.world().give_task(session, what);
        self.changed.notify_all();
        self.wait_for(|world| world.take_done(session))
    }

    /// A client of a session that the component serves.
    pub fn caller(&'static self, badge: u32) -> Client {
        Client { machine: self, badge }
    }

    /// Waits until the component has ended, and tells its code; a panic has none.
    pub fn ended(&self) -> Option<i32> {
        self.wait_for(|world| world.ended)
    }

    /// What was printed.
    pub fn printed(&self) -> String {
        String::from_utf8_lossy(&self.world().printed).to_string()
    }

    /// Runs a component in a thread of its own: construction, then the entrypoint.
    pub fn run(&'static self, construct: impl FnOnce(&mut Env) + Send + 'static) {
        std::thread::spawn(move || {
            construct(&mut self.env());
            crate::entrypoint::Entrypoint::new(self.env()).run()
        });
    }

    fn wait_for<R>(&self, mut ready: impl FnMut(&mut World) -> Option<R>) -> R {
        let mut world = self.world();
        loop {
            match ready(&mut world) {
                Some(result) => return result,
                // Others wait too; time is theirs.
                None => world = self.changed.wait(world).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// As `wait_for`, and when nothing happens, time passes.
    fn wait_in_time<R>(&self, mut ready: impl FnMut(&mut World) -> Option<R>) -> R {
        let mut world = self.world();
        loop {
            if let Some(result) = ready(&mut world) {
                return result;
            }
            if world.pass_time() {
                self.changed.notify_all();
            } else {
                world = self.changed.wait(world).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Answers a request of the component's.
    fn serve(&self, to: Slot, request: &Request<'_>, space: &mut Buffer) -> (Status, Vec<u32>) {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let reply = if let Some(server) = servers.get_mut(&to) {
            server.serve(request, space)
        } else {
            drop(servers);
            let mut world = self.world();
            world.calls.push((to, request.label.selector().operation()));
            let world = &mut *world;
            match to {
                slots::PD => session::pd::dispatch(world, request, space),
                slots::LOG => session::log::dispatch(world, request, space),
                slots::CPU => session::cpu::dispatch(world, request, space),
                slots::RM => session::rm::dispatch(world, request, space),
                slots::ROM => session::rom::dispatch(world, request, space),
                slots::TIMER => session::timer::dispatch(world, request, space),
                slots::SIGNAL => session::signal::dispatch(world, request, space),
                slots::PARENT => session::parent::dispatch(world, request, space),
                // As the kernel answers a call on an empty slot.
                _ => Some(Reply::of(Status::Foreign(2))),
            }
        };
        let answer = match reply {
            Some(reply) => (reply.status, reply.body.words().to_vec()),
            None => {
                self.changed.notify_all();
                // The component has ended: nothing of it goes on.
                loop {
                    std::thread::park();
                }
            }
        };
        self.changed.notify_all();
        self.start_threads();
        answer
    }

    fn start_threads(&self) {
        let started = core::mem::take(&mut self.world().started);
        for (argument, machine) in started.into_iter().zip(self.this.get().copied().into_iter().cycle()) {
            std::thread::spawn(move || {
                THREAD.set(u8::try_from(argument).ok().and_then(ThreadNumber::new).unwrap_or_default());
                crate::thread::begin(machine.env(), argument)
            });
        }
    }

    fn ask(&self, to: Slot, selector: Selector, body: Body<'_>, reply: &mut [u32]) -> Answer {
        let label = Caller::new(THREAD.get()).label(selector);
        let (status, words) = self.serve(to, &Request { label, body }, &mut Buffer::new());
        answer(status, &words, reply)
    }
}

fn answer(status: Status, words: &[u32], reply: &mut [u32]) -> Answer {
    let mut registers = [0; 4];
    for (register, word) in registers.iter_mut().zip(words) {
        *register = *word;
    }
    if words.len() > registers.len() {
        for (place, word) in reply.iter_mut().zip(words) {
            *place = *word;
        }
    }
    Answer::new(status.label(), words.len(), registers)
}

fn long(request: Long<'_>) -> Option<Vec<u32>> {
    let mut words = [0; MAX_WORDS];
    let length = request.write(&mut words)?;
    Some(words[..length].to_vec())
}

impl Transport for Machine {
    fn call(&self, to: Slot, selector: Selector, request: Registers) -> Answer {
        self.ask(to, selector, Body::Short(request), &mut [])
    }

    fn call_long(&self, to: Slot, selector: Selector, request: Long<'_>, reply: &mut [u32]) -> Answer {
        match long(request) {
            Some(words) => self.ask(to, selector, Body::Long(&words), reply),
            None => Answer::unsent(Status::TooLong),
        }
    }
}

impl Platform for Machine {
    fn wait(&self, doorbell: Slot) {
        self.wait_in_time(|world| world.take_ring(doorbell).then_some(()));
    }

    fn ring(&self, doorbell: Slot) {
        Self::ring(self, doorbell);
    }

    fn receive<'a>(&self, _: Slot, space: &'a mut Buffer) -> Received<'a> {
        let received = self.wait_in_time(|world| match world.take_ring(slots::DOORBELL) {
            true => Some(None),
            false => world.requests.pop_front().map(Some),
        });
        let Some((badge, label, words)) = received else { return Received::Ring };
        let place = &mut space.words()[..words.len()];
        place.copy_from_slice(&words);
        self.world().receiving = Some(badge);
        Received::Request { badge, request: Request { label, body: Body::Long(place) } }
    }

    fn answer_and_receive<'a>(&self, endpoint: Slot, reply: &Reply<'_>, space: &'a mut Buffer) -> Received<'a> {
        self.world().answered(reply.status, reply.body.words());
        self.changed.notify_all();
        self.receive(endpoint, space)
    }

    fn thread(&self) -> ThreadNumber {
        THREAD.get()
    }

    fn thread_entry(&self) -> u32 {
        0x100_0000
    }

    fn thread_mark(&self, number: ThreadNumber) -> (u32, u32) {
        (484, Caller::new(number).word())
    }

    fn memory(&self, address: u32) -> *mut u8 {
        self.world().memory(slots::ADDRESS_SPACE, address).unwrap_or(core::ptr::null_mut())
    }

    fn elf_machine(&self) -> u16 {
        40
    }
}

/// Asks the component, as the client of a session that it serves.
#[derive(Clone, Copy)]
pub struct Client {
    machine: &'static Machine,
    badge: u32,
}

impl Client {
    fn ask(&self, selector: Selector, words: &[u32], reply: &mut [u32]) -> Answer {
        let label: Label = Caller::default().label(selector);
        // One request of a badge at a time, or answers would be mixed up.
        self.machine.world().requests.push_back((self.badge, label, words.to_vec()));
        self.machine.changed.notify_all();
        let (status, words) = self.machine.wait_for(|world| world.answers.remove(&self.badge));
        answer(status, &words, reply)
    }
}

impl Transport for Client {
    fn call(&self, _: Slot, selector: Selector, request: Registers) -> Answer {
        self.ask(selector, request.words(), &mut [])
    }

    fn call_long(&self, _: Slot, selector: Selector, request: Long<'_>, reply: &mut [u32]) -> Answer {
        match long(request) {
            Some(words) => self.ask(selector, &words, reply),
            None => Answer::unsent(Status::TooLong),
        }
    }
}
