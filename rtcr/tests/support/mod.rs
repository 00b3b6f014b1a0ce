//! A component under checkpoint on the host: who plays its code, who embeds the library, and the parent in memory.
#![allow(dead_code)]

pub mod image;
pub mod random;
pub mod snapshot;
pub mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard},
};

use base::{
    child::Known,
    env::slots,
    executable::Layout,
    rpc::{
        Answer, Body, Buffer, CallError, Label, Long, MAX_WORDS, Registers, Reply, Request, Selector, Sequence, Slot,
        Status, ThreadNumber, Transport,
    },
    session::{INTERFACES, cpu, log, parent, parent::OpenError, pd, rm, rom, signal, timer},
};
use rtcr::{
    checkpoint::Checkpoint,
    child::Child,
    information::Need,
    object::Info,
    object::SessionInfo,
    restore::{Replaying, RestoreError, Step},
    start::{Program, Settings, numbers},
    storage::Pool,
    surroundings::{CallInfo, Event, Opened, Surroundings},
    upstream::Upstream,
};

use snapshot::Snapshot;
use world::World;

/// Numbers of the child.
pub const SLOTS: u32 = 64;
/// Where its numbers begin among the parent's.
pub const BASE: u32 = 1000;
pub const PRIORITY: u8 = 100;
pub const STACK: u32 = 5 * 4096;

pub type Up<'w> = Upstream<&'w World>;

/// A program of one page of code and two of data, one of which is in the file.
pub fn program() -> Vec<u8> {
    let mut file = b"\x7fELF\x01\x01\x01".to_vec();
    file.resize(16, 0);
    file.extend([2u16, 40].map(u16::to_le_bytes).concat());
    file.extend([1u32, 0x0100_0010, 52, 0, 0].map(u32::to_le_bytes).concat());
    file.extend([52u16, 32, 2, 40, 0, 0].map(u16::to_le_bytes).concat());
    for header in
        [[1u32, 0x1000, 0x0100_0000, 0, 0x1000, 0x1000, 5, 0x1000], [1, 0x2000, 0x0100_1000, 0, 100, 0x1800, 6, 0x1000]]
    {
        file.extend(header.map(u32::to_le_bytes).concat());
    }
    file.resize(0x1000, 0);
    file.resize(0x2000, 0xc0);
    file.resize(0x2000 + 100, 0xda);
    file
}

pub fn world() -> World {
    World::new([("program", program()), ("other", vec![7; 5000])])
}

pub fn settings() -> Settings<'static> {
    Settings {
        name: "child",
        number: 3,
        ram: 4 << 20,
        caps: 80,
        slots: SLOTS,
        priority: PRIORITY,
        stack: STACK,
        base: BASE,
        endpoint: slots::ENDPOINT,
        service: slots::ENDPOINT,
        exceptions: Slot(500),
        log: slots::LOG,
    }
}

/// Room that is enough for every test.
pub const ROOM: Need = Need { objects: 120, regions: 200, words: 4096, served: 8, pages: 0 };

pub fn pool(world: &World, checkpoints: usize) -> Pool<&World> {
    Pool::new(Upstream::new(world), checkpoints, &ROOM, 4096).unwrap()
}

/// Whoever embeds the library, and what it was told.
#[derive(Default)]
pub struct Embedder {
    pub events: Vec<Event>,
    pub rung: Vec<Slot>,
    pub quiet: bool,
    /// Sessions that there are, and the number that was given last.
    pub sessions: BTreeSet<u32>,
    pub last_session: u32,
    /// Those whose servers are gone.
    pub lost: BTreeSet<u32>,
    /// Calls that are on their way.
    pub calls: BTreeMap<ThreadNumber, CallInfo>,
    pub kept: Vec<CallInfo>,
    pub again: Vec<(ThreadNumber, CallInfo)>,
    /// What it knows of services that it offers, and who asks for a checkpoint.
    pub served: Known,
    pub asks: u64,
}

impl Embedder {
    fn opened(number: u32) -> Opened {
        Opened { number, endpoint: slots::ENDPOINT, badge: 500 + number }
    }
}

struct ParentOf<'a>(&'a mut Embedder);

impl Surroundings for Embedder {
    fn parent<'s>(&mut self, request: &Request<'_>, space: &'s mut Buffer) -> Option<Reply<'s>> {
        match request.label.selector() {
            s if s == <parent::call::Name as base::rpc::Call>::SELECTOR => {
                let name = parent::Name::try_from("child").unwrap();
                Some(base::rpc::answer::<parent::call::Name>(Ok(name), space))
            }
            s if s == <parent::call::Exit as base::rpc::Call>::SELECTOR => None,
            _ => Some(Reply::of(Status::Refused)),
        }
    }

    fn ring(&mut self, doorbell: Slot) {
        self.rung.push(doorbell);
    }

    /// Everybody has the service; the first answer is that it takes longer.
    fn open(&mut self, service: &str, argument: &[u8]) -> Result<Opened, CallError<OpenError>> {
        match (service, argument) {
            ("service", b"later") => Err(CallError::Pending),
            ("service", _) => {
                self.last_session += 1;
                self.sessions.insert(self.last_session);
                Ok(Self::opened(self.last_session))
            }
            _ => Err(OpenError::Service.into()),
        }
    }

    fn is_lost(&mut self, session: u32) -> bool {
        self.lost.contains(&session)
    }

    fn close(&mut self, session: u32) {
        assert!(self.sessions.remove(&session), "a session is closed once");
    }

    fn reopen(&mut self, session: &SessionInfo) -> Result<Opened, CallError<OpenError>> {
        self.sessions.insert(session.number);
        self.last_session = self.last_session.max(session.number);
        Ok(Self::opened(session.number))
    }

    fn keep_only(&mut self, sessions: &mut dyn Iterator<Item = u32>) {
        self.sessions = sessions.collect();
    }

    fn sessions_served(&mut self) -> usize {
        self.served.sessions.len()
    }

    fn write_served(&mut self, served: &mut Known) {
        served.services.extend_from_slice(&self.served.services);
        served.sessions.extend_from_slice(&self.served.sessions);
    }

    fn goes_back(&mut self, served: &Known, asking: u64) {
        (self.served, self.asks) = (served.clone(), asking);
    }

    fn asking(&mut self) -> u64 {
        self.asks
    }

    fn call(&mut self, thread: ThreadNumber) -> Option<CallInfo> {
        self.calls.get(&thread).copied()
    }

    fn keep_call(&mut self, call: CallInfo) -> bool {
        self.kept.push(call);
        self.calls.values().any(|known| *known == call)
    }

    fn forget_call(&mut self, call: CallInfo) {
        self.kept.retain(|kept| *kept != call);
    }

    fn call_again(&mut self, thread: ThreadNumber, call: CallInfo) {
        self.again.push((thread, call));
    }

    fn fingerprint(&mut self, name: &str, _: Slot) -> u64 {
        name.len() as u64
    }

    fn event(&mut self, event: Event) {
        if !self.quiet {
            self.events.push(event);
        }
    }
}

/// A component, live or on its way to be.
pub enum State<'w, 'c> {
    Live(Child<&'w World>),
    Replaying(Replaying<'c, &'w World>),
    /// It has ended, for that reason perhaps.
    Ended(Option<RestoreError>),
}

/// A component whose code the test plays: its sessions, as its code sees them.
pub struct Player<'w, 'c> {
    pub state: Mutex<(State<'w, 'c>, Embedder)>,
    pub over: Mutex<bool>,
}

impl<'w, 'c> Player<'w, 'c> {
    pub fn new(state: State<'w, 'c>) -> Self {
        Self { state: Mutex::new((state, Embedder::default())), over: Mutex::new(false) }
    }

    pub fn live(child: Child<&'w World>) -> Self {
        Self::new(State::Live(child))
    }

    pub fn lock(&self) -> MutexGuard<'_, (State<'w, 'c>, Embedder)> {
        self.state.lock().unwrap()
    }

    pub fn pd(&self) -> pd::Client<&Self> {
        pd::Client::new(self, slots::PD)
    }

    pub fn rm(&self) -> rm::Client<&Self> {
        rm::Client::new(self, slots::RM)
    }

    pub fn cpu(&self) -> cpu::Client<&Self> {
        cpu::Client::new(self, slots::CPU)
    }

    pub fn rom(&self) -> rom::Client<&Self> {
        rom::Client::new(self, slots::ROM)
    }

    pub fn timer(&self) -> timer::Client<&Self> {
        timer::Client::new(self, slots::TIMER)
    }

    pub fn signal(&self) -> signal::Client<&Self> {
        signal::Client::new(self, slots::SIGNAL)
    }

    pub fn log(&self) -> log::Client<&Self> {
        log::Client::new(self, slots::LOG)
    }

    pub fn parent(&self) -> parent::Client<&Self> {
        parent::Client::new(self, slots::PARENT)
    }

    /// The live component.
    pub fn into_child(self) -> Child<&'w World> {
        match self.state.into_inner().unwrap().0 {
            State::Live(child) => child,
            State::Replaying(_) => panic!("it is still being replayed"),
            State::Ended(error) => panic!("it has ended: {error:?}"),
        }
    }

    pub fn with<R>(&self, f: impl FnOnce(&mut Child<&'w World>, &mut Embedder) -> R) -> R {
        match &mut *self.lock() {
            (State::Live(child), embedder) => f(child, embedder),
            _ => panic!("it does not live"),
        }
    }

    pub fn error(&self) -> Option<RestoreError> {
        match &self.lock().0 {
            State::Ended(error) => error.clone(),
            _ => None,
        }
    }

    fn dispatch(&self, to: Slot, selector: Selector, words: &[u32]) -> (Status, Vec<u32>) {
        let interface = match to {
            slots::PD => pd::INTERFACE,
            slots::RM => rm::INTERFACE,
            slots::CPU => cpu::INTERFACE,
            slots::ROM => rom::INTERFACE,
            slots::TIMER => timer::INTERFACE,
            slots::SIGNAL => signal::INTERFACE,
            slots::LOG => log::INTERFACE,
            slots::PARENT => parent::INTERFACE,
            _ => return (Status::Refused, Vec::new()),
        };
        assert!(INTERFACES.contains(&interface));
        let request =
            Request { label: Label::new(selector, ThreadNumber::FIRST, Sequence::FIRST), body: Body::Long(words) };
        let mut space = Buffer::new();
        let (state, embedder) = &mut *self.lock();
        let taken = std::mem::replace(state, State::Ended(None));
        let (next, answered) = match taken {
            State::Live(mut child) => {
                let reply = child.serve(interface.id, &request, &mut space, embedder);
                let reply = reply.map_or((Status::PeerGone, Vec::new()), |r| (r.status, r.body.words().to_vec()));
                (State::Live(child), reply)
            }
            State::Replaying(mut replaying) => match replaying.serve(interface.id, &request, &mut space, embedder) {
                Ok(Step::Answer(reply)) => {
                    let reply = (reply.status, reply.body.words().to_vec());
                    (State::Replaying(replaying), reply)
                }
                Ok(Step::Last(reply)) => {
                    let reply = (reply.status, reply.body.words().to_vec());
                    match replaying.finish(embedder) {
                        Ok(child) => (State::Live(child), reply),
                        Err(error) => (State::Ended(Some(error)), reply),
                    }
                }
                Ok(Step::Barrier) => {
                    *self.over.lock().unwrap() = true;
                    match replaying.finish(embedder) {
                        Ok(child) => (State::Live(child), (Status::Interrupted, Vec::new())),
                        Err(error) => (State::Ended(Some(error)), (Status::PeerGone, Vec::new())),
                    }
                }
                Err(error) => (State::Ended(Some(error)), (Status::PeerGone, Vec::new())),
            },
            State::Ended(error) => (State::Ended(error), (Status::PeerGone, Vec::new())),
        };
        *state = next;
        answered
    }
}

impl Transport for Player<'_, '_> {
    fn call(&self, to: Slot, selector: Selector, request: Registers) -> Answer {
        let (status, words) = self.dispatch(to, selector, request.words());
        world::answer(status, &words, &mut [])
    }

    fn call_long(&self, to: Slot, selector: Selector, request: Long<'_>, reply: &mut [u32]) -> Answer {
        let mut words = [0; MAX_WORDS];
        let length = request.write(&mut words).unwrap();
        let (status, words) = self.dispatch(to, selector, &words[..length]);
        world::answer(status, &words, reply)
    }
}

/// Makes an instance of the program.
pub fn start(world: &World) -> Child<&World> {
    let file = program();
    let layout = Layout::new(&file, file.len() as u32, 40).unwrap();
    let program = Program { module: "program", layout: &layout };
    Child::start(Upstream::new(world), &settings(), program, &mut Embedder::default()).unwrap()
}

pub fn start_replay<'w, 'c>(world: &'w World, saved: &'c Checkpoint) -> Result<Replaying<'c, &'w World>, RestoreError> {
    let file = program();
    let layout = Layout::new(&file, file.len() as u32, 40).unwrap();
    let program = Program { module: "program", layout: &layout };
    Child::start_replay(Upstream::new(world), &settings(), program, saved, &mut Embedder::default())
}

/// What the component's framework does before `construct`: it brings its heap. Returns false when the component has ended meanwhile.
pub fn bootstrap(player: &Player<'_, '_>) {
    let pd = player.pd();
    let Ok(heap) = pd.allocate(pd::ANY, pd::OWN, 0x2_0000, pd::Memory::default()) else { return };
    if player.rm().attach(slots::ADDRESS_SPACE, heap, rm::Placement::at(0xd000_0000)).is_err() {
        return;
    }
    let _ = player.log().write(b"booting\n");
    let _ = player.parent().name();
    // Something that is given back before construction.
    let Ok(passing) = pd.allocate(pd::ANY, pd::OWN, 0x1000, pd::Memory::default()) else { return };
    let Ok(bell) = pd.create_notification(pd::ANY, pd::OWN) else { return };
    let Ok(context) = player.signal().create(pd::ANY, pd::OWN, bell, 77) else { return };
    let _ = player.signal().raise(context);
    let _ = pd.free(passing);
    let _ = pd.restore_thread();
}

/// A component that has passed its barrier.
pub fn started(world: &World) -> Player<'_, 'static> {
    let player = Player::live(start(world));
    bootstrap(&player);
    player
}

/// The checkpoint in a new instance that has booted itself.
pub fn replayed<'w>(world: &'w World, saved: &Checkpoint) -> Result<(Child<&'w World>, Embedder), RestoreError> {
    let player = Player::new(State::Replaying(start_replay(world, saved)?));
    bootstrap(&player);
    let (state, embedder) = player.state.into_inner().unwrap();
    match state {
        State::Live(child) => Ok((child, embedder)),
        State::Ended(Some(error)) => Err(error),
        State::Ended(None) | State::Replaying(_) => panic!("it did not get to its barrier"),
    }
}

/// The checkpoint in a new instance without a bootstrap.
pub fn restored<'w>(world: &'w World, saved: &Checkpoint) -> Result<(Child<&'w World>, Embedder), RestoreError> {
    let mut embedder = Embedder::default();
    let child = Child::restore_directly(Upstream::new(world), &settings(), saved, &mut embedder)?;
    Ok((child, embedder))
}

/// Something of everything.
pub fn furnish(world: &World, player: &Player<'_, '_>) {
    let (pd, rm) = (player.pd(), player.rm());
    let memory = pd.allocate(pd::ANY, pd::OWN, 40 * 4096, pd::Memory::default()).unwrap();
    assert_eq!(pd.populate(memory).unwrap(), 0);
    let address = rm.attach(slots::ADDRESS_SPACE, memory, rm::Placement::ANYWHERE).unwrap();
    assert_eq!(rm.map(slots::ADDRESS_SPACE, address).unwrap(), 0);
    let managed = rm.create(pd::ANY, pd::OWN, 0x8000).unwrap();
    let part =
        rm::Placement { address: Some(0x2000), offset: 0x1000, size: 0x2000, writable: false, executable: false };
    rm.attach(managed, memory, part).unwrap();
    rm.attach(slots::ADDRESS_SPACE, managed, rm::Placement::at(0x2000_0000)).unwrap();
    let module = player.rom().open(pd::ANY, "other").unwrap();
    let read_only = rm::Placement { writable: false, ..rm::Placement::ANYWHERE };
    rm.attach(slots::ADDRESS_SPACE, module, read_only).unwrap();
    let bell = pd.create_notification(Slot(40), pd::OWN).unwrap();
    pd.create_endpoint(pd::ANY, pd::OWN).unwrap();
    let context = player.signal().create(pd::ANY, pd::OWN, bell, 0xc00c1e).unwrap();
    rm.handle_faults(managed, context).unwrap();
    player.timer().periodic(context, 1_000_000).unwrap();
    let once = player.signal().create(pd::ANY, pd::OWN, slots::DOORBELL, 5).unwrap();
    player.timer().once(once, 777_000).unwrap();
    player.signal().raise(once).unwrap();
    let stack = pd.allocate(pd::ANY, pd::OWN, 4 * 4096, pd::Memory::default()).unwrap();
    rm.attach(slots::ADDRESS_SPACE, stack, rm::Placement::at(0x0c1f_c000)).unwrap();
    let thread = player.cpu().create(pd::ANY, pd::OWN, slots::ADDRESS_SPACE, 90, 0x0c1f_f000, "second").unwrap();
    player.cpu().bind(thread, bell).unwrap();
    player.cpu().start(thread, 0x0100_0040, 0x0c1f_e800, 9).unwrap();
    player.cpu().pause(thread).unwrap();
    player.parent().open("service", b"furnished").unwrap();
    let services = ["tally", "echo"].map(|name| name.try_into().unwrap());
    player.lock().1.served = Known { services: services.into(), sessions: vec![3, 4, 900] };
    player.lock().1.asks = 0b101;
    random::scribble(world, 1);
    world.state().advance(100_000);
}

/// A way to restore.
pub type Restore = for<'w> fn(&'w World, &Checkpoint) -> Result<(Child<&'w World>, Embedder), RestoreError>;

/// Both ways.
pub const WAYS: [Restore; 2] = [replayed, restored];

pub fn snapshot(world: &World) -> Snapshot {
    world.state().snapshot(BASE, numbers(SLOTS))
}

/// What the holder has: nothing may be missing after a component is gone.
pub fn holding(world: &World) -> (pd::Account, Vec<u32>, usize) {
    let state = world.state();
    (state.domains[&world::HOLDER].account, state.table.keys().copied().collect(), state.objects.len())
}

/// The pages that a checkpoint has of each dataspace, by its number; of a stack those from its pointer's page on.
pub fn contents(world: &World, checkpoint: &Checkpoint) -> Vec<(u32, Vec<world::Page>)> {
    let (pages, mut state) = (checkpoint.pages(), world.state());
    let storage = &state.dataspace_mut(pages.dataspace).unwrap().pages;
    let saved = checkpoint.information().objects.iter().filter_map(|object| match &object.info {
        Info::RamDataspace(info) => {
            let first = (pages.first + info.stored + info.skipped) as usize;
            Some((object.number, storage[first..first + info.saved() as usize].to_vec()))
        }
        _ => None,
    });
    saved.collect()
}

pub fn assert_same(one: &Snapshot, two: &Snapshot) {
    if let Some(difference) = one.difference(two) {
        panic!("{difference}");
    }
}
