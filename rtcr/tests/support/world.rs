//! A parent in memory: what core does for one holder of numbers and the protection domains below it.
//!
//! Contents, accounts, tables, capability spaces, frozen and paused threads, timeouts and what is pending are all there;
//! time passes only when somebody says so. The k-th request can be made to fail.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Mutex, MutexGuard},
};

use base::{
    env::slots,
    region::Pieces,
    rpc::{
        Answer, Body, Buffer, Label, Long, MAX_WORDS, Registers as Words, Reply, Request, Selector, Sequence, Slot,
        Status, ThreadNumber, Transport,
    },
    session::{
        cpu, log,
        pd::{self, AT_ONCE, Account, Grant, Memory, PAGE},
        rm, rom, signal, timer,
    },
};

pub type Page = Box<[u8; PAGE as usize]>;
pub type Id = u32;

/// What is asked: sessions of core's at the numbers that every component has.
pub struct World(Mutex<State>);

pub struct State {
    pub now: u64,
    pub domains: BTreeMap<Id, Domain>,
    pub objects: BTreeMap<Id, Object>,
    /// The holder's numbers.
    pub table: BTreeMap<u32, Id>,
    pub modules: BTreeMap<String, Vec<u8>>,
    pub printed: Vec<u8>,
    pub calls: usize,
    /// Regions go with what they show; otherwise their addresses stay taken until they are detached.
    pub forgets_regions: bool,
    /// How much time passes with each request.
    pub pace: u64,
    /// Threads can be linked.
    pub links: bool,
    /// Which request fails.
    pub fails_at: Option<usize>,
    /// What others have handed over: its numbers can be given up while it lives.
    pub shared: BTreeSet<Id>,
    /// Requests in order: session and operation.
    pub asked: Vec<(Slot, u8)>,
    last: Id,
}

pub struct Domain {
    pub account: Account,
    pub slots: u32,
    pub frozen: u32,
    /// Its capability space: what, and how.
    pub space: BTreeMap<u32, (Id, Grant)>,
}

pub struct Object {
    pub owner: Id,
    pub kind: Kind,
    pub ram: u32,
}

pub enum Kind {
    Domain(Id),
    Dataspace(Dataspace),
    Map(Map),
    Thread(Thread),
    Context(Context),
    Endpoint,
    Notification { rung: bool, pending: VecDeque<Id> },
}

pub struct Dataspace {
    pub size: u32,
    pub memory: Memory,
    pub pages: Vec<Page>,
    pub module: Option<String>,
    pub freeing: Option<u32>,
}

pub struct Map {
    pub size: u32,
    pub is_space: bool,
    pub regions: BTreeMap<u32, Region>,
    pub handler: Option<Id>,
}

#[derive(Clone, Copy)]
pub struct Region {
    pub what: Id,
    pub offset: u32,
    pub size: u32,
    pub writable: bool,
    pub executable: bool,
    pub left: u32,
    pub detaching: Option<u32>,
}

pub struct Thread {
    pub domain: Id,
    /// Its number there.
    pub number: u32,
    pub map: Id,
    pub buffer: u32,
    pub name: String,
    pub priority: u8,
    pub paused: u32,
    pub started: bool,
    pub bound: Option<Id>,
    pub registers: cpu::Registers,
    pub activity: cpu::Activity,
    /// Who waits for its answer: a thread, or [`STRANGER`].
    pub owes: Option<Id>,
}

/// Somebody outside.
pub const STRANGER: Id = 1;

pub struct Context {
    pub doorbell: Id,
    pub cookie: u32,
    pub count: u32,
    /// When, and how far apart.
    pub timeout: Option<(u64, Option<u64>)>,
}

/// The holder's own protection domain.
pub const HOLDER: Id = 0;

impl World {
    pub fn new(modules: impl IntoIterator<Item = (&'static str, Vec<u8>)>) -> Self {
        let account = Account { ram: 512 << 20, caps: 10_000, ..Account::default() };
        let holder = Domain { account, slots: 1 << 14, frozen: 0, space: BTreeMap::new() };
        let mut state = State {
            now: 1_000_000,
            domains: BTreeMap::from([(HOLDER, holder)]),
            objects: BTreeMap::new(),
            table: BTreeMap::new(),
            modules: modules.into_iter().map(|(name, bytes)| (name.into(), bytes)).collect(),
            printed: Vec::new(),
            calls: 0,
            forgets_regions: false,
            pace: 0,
            links: true,
            fails_at: None,
            asked: Vec::new(),
            shared: BTreeSet::new(),
            last: 100,
        };
        // Of its own the holder has sessions, which are looked up by nobody here, an endpoint and a context.
        state.make(HOLDER, slots::ENDPOINT.0, 0, Kind::Endpoint).unwrap();
        let doorbell = Kind::Notification { rung: false, pending: VecDeque::new() };
        state.make(HOLDER, slots::DOORBELL.0, 0, doorbell).unwrap();
        Self(Mutex::new(state))
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn dispatch(&self, to: Slot, selector: Selector, words: &[u32]) -> (Status, Vec<u32>) {
        let mut state = self.state();
        state.calls += 1;
        let pace = state.pace;
        state.advance(pace);
        state.asked.push((to, selector.operation()));
        if state.fails_at == Some(state.calls) {
            return (Status::PeerGone, Vec::new());
        }
        let label = Label::new(selector, ThreadNumber::FIRST, Sequence::FIRST);
        let request = Request { label, body: Body::Long(words) };
        let mut space = Buffer::new();
        let reply = match to {
            slots::PD => pd::dispatch(&mut *state, &request, &mut space),
            slots::RM => rm::dispatch(&mut *state, &request, &mut space),
            slots::CPU => cpu::dispatch(&mut *state, &request, &mut space),
            slots::ROM => rom::dispatch(&mut *state, &request, &mut space),
            slots::TIMER => timer::dispatch(&mut *state, &request, &mut space),
            slots::SIGNAL => signal::dispatch(&mut *state, &request, &mut space),
            slots::LOG => log::dispatch(&mut *state, &request, &mut space),
            _ => Some(Reply::of(Status::Refused)),
        };
        let reply = reply.unwrap();
        (reply.status, reply.body.words().to_vec())
    }
}

/// An answer with as many words as there are, the first ones in registers.
pub fn answer(status: Status, words: &[u32], stored: &mut [u32]) -> Answer {
    let mut registers = [0; 4];
    for (to, from) in registers.iter_mut().zip(words) {
        *to = *from;
    }
    if words.len() > 4 {
        let fits = words.len().min(stored.len());
        stored[..fits].copy_from_slice(&words[..fits]);
    }
    Answer::new(status.label(), words.len(), registers)
}

impl Transport for World {
    fn call(&self, to: Slot, selector: Selector, request: Words) -> Answer {
        let (status, words) = self.dispatch(to, selector, request.words());
        answer(status, &words, &mut [])
    }

    fn call_long(&self, to: Slot, selector: Selector, request: Long<'_>, reply: &mut [u32]) -> Answer {
        let mut words = [0; MAX_WORDS];
        let length = request.write(&mut words).unwrap();
        let (status, words) = self.dispatch(to, selector, &words[..length]);
        answer(status, &words, reply)
    }
}

impl State {
    pub fn object(&self, number: Slot) -> Option<&Object> {
        self.objects.get(self.table.get(&number.0)?)
    }

    fn domain(&self, number: Slot) -> Option<Id> {
        match (number, self.object(number)) {
            (pd::OWN, _) => Some(HOLDER),
            (_, Some(Object { kind: Kind::Domain(domain), .. })) => Some(*domain),
            _ => None,
        }
    }

    fn id(&self, number: Slot, is: impl Fn(&Kind) -> bool) -> Option<Id> {
        let id = *self.table.get(&number.0)?;
        self.objects.get(&id).is_some_and(|object| is(&object.kind)).then_some(id)
    }

    fn free_number(&self, at: Slot) -> Option<u32> {
        match at {
            pd::ANY => (16..1 << 14).rev().find(|number| !self.table.contains_key(number)),
            Slot(number) => {
                let lives = self.table.get(&number).is_some_and(|id| self.objects.contains_key(id));
                (number < 1 << 14 && !lives).then_some(number)
            }
        }
    }

    /// None, or `Some(true)` for memory and `Some(false)` for capabilities that do not suffice.
    fn charge(&mut self, domain: Id, ram: u32, caps: u32) -> Result<(), bool> {
        let account = &mut self.domains.get_mut(&domain).unwrap().account;
        if account.ram - account.ram_used < ram {
            return Err(true);
        }
        if account.caps - account.caps_used < caps {
            return Err(false);
        }
        account.ram_used += ram;
        account.caps_used += caps;
        Ok(())
    }

    fn refund(&mut self, domain: Id, ram: u32, caps: u32) {
        if let Some(domain) = self.domains.get_mut(&domain) {
            domain.account.ram_used -= ram;
            domain.account.caps_used -= caps;
        }
    }

    fn make(&mut self, owner: Id, number: u32, ram: u32, kind: Kind) -> Result<Id, bool> {
        self.charge(owner, ram, 1)?;
        self.last += 1;
        self.objects.insert(self.last, Object { owner, kind, ram });
        self.table.insert(number, self.last);
        Ok(self.last)
    }

    /// An object goes; the holder's numbers for it stay until they are given up.
    fn end(&mut self, id: Id) {
        let Some(object) = self.objects.remove(&id) else { return };
        self.refund(object.owner, object.ram, 1);
        if let Kind::Map(map) = &object.kind {
            self.refund(object.owner, 1024 * map.regions.len() as u32, 0);
        }
        if self.forgets_regions {
            let mut refunds = Vec::new();
            for object in self.objects.values_mut() {
                if let Kind::Map(map) = &mut object.kind {
                    let before = map.regions.len();
                    map.regions.retain(|_, region| region.what != id);
                    refunds.push((object.owner, 1024 * (before - map.regions.len()) as u32));
                }
            }
            refunds.into_iter().for_each(|(owner, ram)| self.refund(owner, ram, 0));
        }
    }

    fn end_domain(&mut self, id: Id, domain: Id) {
        let owned: Vec<Id> =
            self.objects.iter().filter(|(_, object)| object.owner == domain).map(|(id, _)| *id).collect();
        owned.into_iter().for_each(|id| self.end(id));
        let gone = self.domains.remove(&domain).unwrap();
        assert_eq!(gone.account.ram_used, 0, "a protection domain that is gone has used nothing");
        assert_eq!(gone.account.caps_used, gone.space.len() as u32);
        let holder = &mut self.domains.get_mut(&HOLDER).unwrap().account;
        holder.ram += gone.account.ram;
        holder.caps += gone.account.caps;
        self.end(id);
    }

    pub fn advance(&mut self, by: u64) {
        self.now += by;
        let ids: Vec<Id> = self.objects.keys().copied().collect();
        for id in ids {
            while let Some(Object { kind: Kind::Context(context), .. }) = self.objects.get_mut(&id)
                && let Some((at, period)) = context.timeout
                && at <= self.now
            {
                context.timeout = period.map(|period| (at + period, Some(period)));
                self.raise_one(id);
            }
        }
    }

    pub fn raise_one(&mut self, id: Id) {
        let Some(Object { kind: Kind::Context(context), .. }) = self.objects.get_mut(&id) else { return };
        context.count += 1;
        let (first, bell) = (context.count == 1, context.doorbell);
        if let Some(Object { kind: Kind::Notification { rung, pending }, .. }) = self.objects.get_mut(&bell) {
            *rung = true;
            if first {
                pending.push_back(id);
            }
        }
    }

    pub fn threads(&self) -> impl Iterator<Item = (Id, &Thread)> {
        self.objects.iter().filter_map(|(id, object)| match &object.kind {
            Kind::Thread(thread) => Some((*id, thread)),
            _ => None,
        })
    }

    pub fn thread_mut(&mut self, number: Slot) -> Result<&mut Thread, cpu::ThreadError> {
        let id = *self.table.get(&number.0).ok_or(cpu::ThreadError::Nothing)?;
        match self.objects.get_mut(&id) {
            Some(Object { kind: Kind::Thread(thread), .. }) => Ok(thread),
            Some(_) => Err(cpu::ThreadError::Kind),
            None => Err(cpu::ThreadError::Nothing),
        }
    }

    pub fn dataspace_mut(&mut self, number: Slot) -> Option<&mut Dataspace> {
        let id = *self.table.get(&number.0)?;
        match &mut self.objects.get_mut(&id)?.kind {
            Kind::Dataspace(dataspace) => Some(dataspace),
            _ => None,
        }
    }

    fn map_mut(&mut self, number: Slot) -> Option<(Id, Id, &mut Map)> {
        let id = *self.table.get(&number.0)?;
        let object = self.objects.get_mut(&id)?;
        match &mut object.kind {
            Kind::Map(map) => Some((id, object.owner, map)),
            _ => None,
        }
    }

    /// Whether something is `inner`, or has it attached somewhere below.
    fn contains(&self, outer: Id, inner: Id, depth: u32) -> bool {
        let Some(Object { kind: Kind::Map(map), .. }) = self.objects.get(&outer) else { return false };
        outer == inner || depth > 8 || map.regions.values().any(|region| self.contains(region.what, inner, depth + 1))
    }

    fn depth(&self, id: Id) -> u32 {
        let Some(Object { kind: Kind::Map(map), .. }) = self.objects.get(&id) else { return 0 };
        1 + map.regions.values().map(|region| self.depth(region.what)).max().unwrap_or(0)
    }

    fn pins(&self, map: Id, start: u32, size: u32) -> bool {
        self.objects.values().any(|object| match &object.kind {
            Kind::Thread(thread) => thread.map == map && thread.buffer.wrapping_sub(start) < size,
            _ => false,
        })
    }
}

fn no_quota<E>(ram: bool, for_ram: E, for_caps: E) -> E {
    if ram { for_ram } else { for_caps }
}

impl pd::Pd for State {
    fn restore_thread(&mut self) {}

    fn allocate(&mut self, at: Slot, account: Slot, size: u32, memory: Memory) -> Result<Slot, pd::AllocateError> {
        use pd::AllocateError as Error;
        let owner = self.domain(account).ok_or(Error::Nothing)?;
        let number = self.free_number(at).ok_or(Error::Occupied)?;
        let size = size.checked_next_multiple_of(PAGE).ok_or(Error::Size)?;
        if size == 0 || size / PAGE > pd::MAX_PAGES {
            return Err(Error::Size);
        }
        let mut dataspace = Dataspace { size, memory, pages: Vec::new(), module: None, freeing: None };
        let all = size / PAGE;
        let count = Pieces::new(all, memory.largest).of(AT_ONCE).map_or(all, |piece| piece.page);
        dataspace.pages.resize_with(count as usize, || Box::new([0; PAGE as usize]));
        let made = self.make(owner, number, size, Kind::Dataspace(dataspace));
        made.map_err(|ram| no_quota(ram, Error::Ram, Error::Caps))?;
        Ok(Slot(number))
    }

    fn several(&mut self, requests: &[u8]) -> u32 {
        base::session::several::of_pd(self, requests)
    }

    fn populate(&mut self, dataspace: Slot) -> Result<u32, pd::AllocateError> {
        let dataspace = self.dataspace_mut(dataspace).ok_or(pd::AllocateError::Nothing)?;
        let all = dataspace.size / PAGE;
        let pieces = Pieces::new(all, dataspace.memory.largest);
        let next = pieces.at(dataspace.pages.len() as u32).map_or(pieces.count(), |piece| piece.index);
        let count = pieces.of(next + AT_ONCE).map_or(all, |piece| piece.page);
        dataspace.pages.resize_with(count as usize, || Box::new([0; PAGE as usize]));
        Ok(all - count)
    }

    fn free(&mut self, number: Slot) -> Result<u32, pd::FreeError> {
        use pd::FreeError as Error;
        let id = *self.table.get(&number.0).ok_or(Error::Nothing)?;
        // A number for what is gone stays until it is removed or used again.
        let object = self.objects.get_mut(&id).ok_or(Error::Nothing)?;
        match &mut object.kind {
            Kind::Thread(_) | Kind::Context(_) => return Err(Error::Kind),
            Kind::Dataspace(Dataspace { module: Some(_), .. }) => return Err(Error::Kind),
            Kind::Domain(domain) => {
                let domain = *domain;
                self.end_domain(id, domain);
                self.table.remove(&number.0);
                return Ok(0);
            }
            Kind::Dataspace(dataspace) => {
                let left = dataspace.freeing.unwrap_or(dataspace.pages.len() as u32);
                let left_then = left.saturating_sub(AT_ONCE);
                if dataspace.freeing.is_none() {
                    let held = self.objects.iter().any(|(&map, object)| match &object.kind {
                        Kind::Map(inside) => inside
                            .regions
                            .iter()
                            .any(|(&at, region)| region.what == id && self.pins(map, at, region.size)),
                        _ => false,
                    });
                    if held {
                        return Err(Error::Busy);
                    }
                }
                if left_then > 0 {
                    self.dataspace_mut(number).unwrap().freeing = Some(left_then);
                    return Ok(left_then);
                }
            }
            Kind::Map(map) => {
                if map.is_space
                    && self.objects.values().any(|o| matches!(&o.kind, Kind::Thread(thread) if thread.map == id))
                {
                    return Err(Error::Busy);
                }
            }
            Kind::Endpoint | Kind::Notification { .. } => {}
        }
        self.end(id);
        self.table.remove(&number.0);
        Ok(0)
    }

    fn describe(&mut self, dataspace: Slot) -> Result<pd::Description, pd::LookupError> {
        let dataspace = self.dataspace_mut(dataspace).ok_or(pd::LookupError::Kind)?;
        let (size, memory, pages) = (dataspace.size, dataspace.memory, dataspace.pages.len() as u32);
        Ok(pd::Description { size, memory, writable: dataspace.module.is_none(), pages })
    }

    fn copy(&mut self, dst: Slot, src: Slot, pages: pd::CopyPages) -> Result<u32, pd::CopyError> {
        use pd::CopyError as Error;
        let count = pages.count.min(pd::MAX_COPY) as usize;
        let from = usize::from(pages.src);
        let source = self.dataspace_mut(src).ok_or(Error::Nothing)?;
        let copied: Vec<Page> = source.pages.get(from..from + count).ok_or(Error::Range)?.to_vec();
        let to = usize::from(pages.dst);
        let target = self.dataspace_mut(dst).ok_or(Error::Nothing)?;
        if target.module.is_some() {
            return Err(Error::ReadOnly);
        }
        let place = target.pages.get_mut(to..to + count).ok_or(Error::Range)?;
        place.clone_from_slice(&copied);
        Ok(count as u32)
    }

    fn account(&mut self, pd: Slot) -> Result<Account, pd::LookupError> {
        let domain = self.domain(pd).ok_or(pd::LookupError::Nothing)?;
        Ok(self.domains[&domain].account)
    }

    fn transfer(&mut self, from: Slot, to: Slot, ram: u32, caps: u32) -> Result<(), pd::TransferError> {
        use pd::TransferError as Error;
        let (from, to) = (self.domain(from).ok_or(Error::Nothing)?, self.domain(to).ok_or(Error::Nothing)?);
        let giver = &mut self.domains.get_mut(&from).unwrap().account;
        if giver.ram - giver.ram_used < ram {
            return Err(Error::Ram);
        }
        if giver.caps - giver.caps_used < caps {
            return Err(Error::Caps);
        }
        (giver.ram, giver.caps) = (giver.ram - ram, giver.caps - caps);
        let taker = &mut self.domains.get_mut(&to).unwrap().account;
        (taker.ram, taker.caps) = (taker.ram + ram, taker.caps + caps);
        Ok(())
    }

    fn create(&mut self, at: Slot, slots: u32, _: &str) -> Result<Slot, pd::CreateError> {
        let number = self.free_number(at).ok_or(pd::CreateError::Occupied)?;
        let domain = self.last + 1;
        let made = self.make(HOLDER, number, slots * 16, Kind::Domain(domain));
        made.map_err(|ram| no_quota(ram, pd::CreateError::Ram, pd::CreateError::Caps))?;
        let account = Account::default();
        self.domains.insert(domain, Domain { account, slots, frozen: 0, space: BTreeMap::new() });
        Ok(Slot(number))
    }

    fn install(&mut self, number: Slot, pd: Slot, slot: Slot, grant: Grant) -> Result<Slot, pd::InstallError> {
        use pd::InstallError as Error;
        let (id, domain) = (*self.table.get(&number.0).ok_or(Error::Nothing)?, self.domain(pd).ok_or(Error::Nothing)?);
        let target = &self.domains[&domain];
        if slot.0 >= target.slots {
            return Err(Error::Range);
        }
        if target.space.contains_key(&slot.0) {
            return Err(Error::Occupied);
        }
        self.charge(domain, 0, 1).map_err(|_| Error::Caps)?;
        self.domains.get_mut(&domain).unwrap().space.insert(slot.0, (id, grant));
        Ok(slot)
    }

    fn remove(&mut self, pd: Slot, slot: Slot) -> Result<(), pd::InstallError> {
        use pd::InstallError as Error;
        let domain = self.domain(pd).ok_or(Error::Nothing)?;
        if domain != HOLDER {
            self.domains.get_mut(&domain).unwrap().space.remove(&slot.0).ok_or(Error::Nothing)?;
            self.refund(domain, 0, 1);
            return Ok(());
        }
        let id = *self.table.get(&slot.0).ok_or(Error::Nothing)?;
        match self.objects.get(&id) {
            Some(Object { kind: Kind::Dataspace(Dataspace { module: Some(_), .. }), .. }) => self.end(id),
            Some(_) if self.shared.contains(&id) => {}
            // Core takes the number away, and the object lives on; nobody here may do that to what it owns.
            Some(_) => panic!("a number of something that lives is taken away"),
            None => {}
        }
        self.table.remove(&slot.0);
        Ok(())
    }

    fn share(&mut self, _: Slot, _: Slot, _: Slot, _: Slot) -> Result<Slot, pd::InstallError> {
        Err(pd::InstallError::Kind)
    }

    fn connect(&mut self, _: Slot, _: Slot, _: u16, _: &str) -> Result<Slot, pd::InstallError> {
        Err(pd::InstallError::Service)
    }

    fn create_endpoint(&mut self, at: Slot, account: Slot) -> Result<Slot, pd::AllocateError> {
        self.small(at, account, Kind::Endpoint)
    }

    fn create_notification(&mut self, at: Slot, account: Slot) -> Result<Slot, pd::AllocateError> {
        self.small(at, account, Kind::Notification { rung: false, pending: VecDeque::new() })
    }

    fn hang_up(&mut self, _: Slot, _: Slot) -> Result<u32, pd::LookupError> {
        Ok(0)
    }

    fn trace_kind(&mut self, _: &str) -> Result<u32, pd::TraceError> {
        Err(pd::TraceError::Off)
    }

    fn note(&mut self, _: Slot, _: pd::Note) -> Result<(), pd::TraceError> {
        Err(pd::TraceError::Off)
    }
}

impl State {
    fn small(&mut self, at: Slot, account: Slot, kind: Kind) -> Result<Slot, pd::AllocateError> {
        use pd::AllocateError as Error;
        let owner = self.domain(account).ok_or(Error::Nothing)?;
        let number = self.free_number(at).ok_or(Error::Occupied)?;
        self.make(owner, number, 16, kind).map_err(|ram| no_quota(ram, Error::Ram, Error::Caps))?;
        Ok(Slot(number))
    }

    fn create_map(&mut self, at: Slot, pd: Slot, size: u32, is_space: bool) -> Result<Slot, rm::CreateError> {
        use rm::CreateError as Error;
        let owner = self.domain(pd).ok_or(Error::Nothing)?;
        let number = self.free_number(at).ok_or(Error::Occupied)?;
        if size == 0 || !size.is_multiple_of(PAGE) {
            return Err(Error::Size);
        }
        let map = Map { size, is_space, regions: BTreeMap::new(), handler: None };
        let ram = if is_space { 16 << 10 } else { 1024 };
        self.make(owner, number, ram, Kind::Map(map)).map_err(|ram| no_quota(ram, Error::Ram, Error::Caps))?;
        Ok(Slot(number))
    }
}

impl rm::Rm for State {
    fn create(&mut self, at: Slot, account: Slot, size: u32) -> Result<Slot, rm::CreateError> {
        self.create_map(at, account, size, false)
    }

    fn create_space(&mut self, at: Slot, pd: Slot) -> Result<Slot, rm::CreateError> {
        self.create_map(at, pd, 0xe000_0000, true)
    }

    fn attach(&mut self, map: Slot, what: Slot, placement: rm::Placement) -> Result<u32, rm::AttachError> {
        use rm::AttachError as Error;
        let id = self.id(what, |kind| matches!(kind, Kind::Dataspace(_) | Kind::Map(Map { is_space: false, .. })));
        let id = id.ok_or(Error::Nothing)?;
        let (bytes, module) = match &self.objects[&id].kind {
            Kind::Dataspace(Dataspace { freeing: Some(_), .. }) => return Err(Error::Nothing),
            Kind::Dataspace(dataspace) => (dataspace.size, dataspace.module.is_some()),
            Kind::Map(inner) => (inner.size, false),
            _ => return Err(Error::Kind),
        };
        let rm::Placement { address, offset, size, writable, executable } = placement;
        if writable && module {
            return Err(Error::ReadOnly);
        }
        if writable && executable {
            return Err(Error::WritableCode);
        }
        let rest = bytes.checked_sub(offset).ok_or(Error::Range)?;
        let size = if size == 0 { rest } else { size };
        if size == 0 || size > rest {
            return Err(Error::Range);
        }
        let outer = *self.table.get(&map.0).ok_or(Error::Nothing)?;
        if self.contains(id, outer, 0) || self.depth(id) > 3 {
            return Err(Error::Nesting);
        }
        let (_, owner, map_ref) = self.map_mut(map).ok_or(Error::Kind)?;
        let end = map_ref.size;
        let is_free = |at: u32| {
            let last = at.checked_add(size).filter(|last| *last <= end);
            last.is_some_and(|last| !map_ref.regions.iter().any(|(&a, r)| a < last && at < a + r.size))
        };
        let start = if map_ref.is_space { base::layout::ANYWHERE.start } else { 0 };
        let at = match address {
            Some(at) if at.checked_add(size).is_none_or(|last| last > end) => return Err(Error::Range),
            Some(at) => Some(at).filter(|at| is_free(*at)).ok_or(Error::Occupied)?,
            None => {
                let ends = map_ref.regions.iter().map(|(&at, region)| at + region.size);
                let mut found: Vec<u32> = ends.chain([start]).filter(|at| *at >= start && is_free(*at)).collect();
                found.sort_unstable();
                *found.first().ok_or(Error::Occupied)?
            }
        };
        self.charge(owner, 1024, 0).map_err(|_| Error::Ram)?;
        let left = (size / PAGE).saturating_sub(AT_ONCE);
        let region = Region { what: id, offset, size, writable, executable, left, detaching: None };
        self.map_mut(map).unwrap().2.regions.insert(at, region);
        Ok(at)
    }

    fn several(&mut self, requests: &[u8]) -> u32 {
        base::session::several::of_rm(self, requests)
    }

    fn map(&mut self, map: Slot, address: u32) -> Result<u32, rm::AttachError> {
        let (_, _, map) = self.map_mut(map).ok_or(rm::AttachError::Nothing)?;
        let region = map.regions.get_mut(&address).ok_or(rm::AttachError::Nothing)?;
        region.left = region.left.saturating_sub(AT_ONCE);
        Ok(region.left)
    }

    fn detach(&mut self, map: Slot, address: u32) -> Result<u32, rm::DetachError> {
        use rm::DetachError as Error;
        let (id, owner, inside) = self.map_mut(map).ok_or(Error::Nothing)?;
        let region = *inside.regions.get(&address).ok_or(Error::Nothing)?;
        if self.pins(id, address, region.size) {
            return Err(Error::Busy);
        }
        let left = region.detaching.unwrap_or(region.size / PAGE).saturating_sub(AT_ONCE);
        let (_, _, inside) = self.map_mut(map).unwrap();
        if left > 0 {
            inside.regions.get_mut(&address).unwrap().detaching = Some(left);
            return Ok(left);
        }
        inside.regions.remove(&address);
        self.refund(owner, 1024, 0);
        Ok(0)
    }

    fn handle_faults(&mut self, map: Slot, context: Slot) -> Result<(), rm::DetachError> {
        let handler = match context {
            pd::ANY => None,
            other => Some(self.id(other, |kind| matches!(kind, Kind::Context(_))).ok_or(rm::DetachError::Nothing)?),
        };
        self.map_mut(map).ok_or(rm::DetachError::Nothing)?.2.handler = handler;
        Ok(())
    }

    fn fault(&mut self, map: Slot) -> Result<Option<rm::PageFault>, rm::DetachError> {
        self.map_mut(map).map(|_| None).ok_or(rm::DetachError::Nothing)
    }
}

impl cpu::Cpu for State {
    fn create(
        &mut self,
        at: Slot,
        pd: Slot,
        map: Slot,
        priority: u8,
        buffer: u32,
        name: &str,
    ) -> Result<Slot, cpu::CreateError> {
        use cpu::CreateError as Error;
        let domain = self.domain(pd).ok_or(Error::Nothing)?;
        let number = self.free_number(at).ok_or(Error::Occupied)?;
        let map = self.id(map, |kind| matches!(kind, Kind::Map(Map { is_space: true, .. }))).ok_or(Error::Kind)?;
        let Kind::Map(inside) = &self.objects[&map].kind else { return Err(Error::Kind) };
        let region = inside.regions.range(..=buffer).next_back();
        let alive = region.is_some_and(|(&at, region)| {
            buffer - at < region.size
                && matches!(&self.objects.get(&region.what), Some(Object { kind: Kind::Dataspace(d), .. })
                    if d.freeing.is_none())
        });
        if !alive || self.pins(map, buffer, PAGE) {
            return Err(Error::Buffer);
        }
        let taken: Vec<u32> = self.threads().filter(|(_, t)| t.domain == domain).map(|(_, t)| t.number).collect();
        let thread = Thread {
            domain,
            number: (0..).find(|number| !taken.contains(number)).unwrap(),
            map,
            buffer,
            name: name.into(),
            priority,
            paused: 0,
            started: false,
            bound: None,
            registers: [0; 17],
            activity: cpu::Activity::Inactive,
            owes: None,
        };
        let made = self.make(domain, number, 1024, Kind::Thread(thread));
        made.map_err(|ram| no_quota(ram, Error::Ram, Error::Caps))?;
        Ok(Slot(number))
    }

    fn start(&mut self, thread: Slot, pc: u32, sp: u32, argument: u32) -> Result<(), cpu::ThreadError> {
        let thread = self.thread_mut(thread)?;
        if thread.started {
            return Err(cpu::ThreadError::State);
        }
        thread.started = true;
        thread.activity = cpu::Activity::Running;
        (thread.registers[0], thread.registers[1], thread.registers[3]) = (pc, sp, argument);
        Ok(())
    }

    fn pause(&mut self, thread: Slot) -> Result<(), cpu::ThreadError> {
        self.thread_mut(thread)?.paused += 1;
        Ok(())
    }

    fn resume(&mut self, thread: Slot) -> Result<(), cpu::ThreadError> {
        let thread = self.thread_mut(thread)?;
        thread.paused = thread.paused.checked_sub(1).ok_or(cpu::ThreadError::State)?;
        Ok(())
    }

    fn read(&mut self, thread: Slot) -> Result<cpu::ThreadState, cpu::ThreadError> {
        let &mut Thread { domain, number, registers, activity, paused, priority, owes, .. } =
            self.thread_mut(thread)?;
        // Who was told otherwise meanwhile, or is gone, waits no more.
        let waits = |id: Id| match self.objects.get(&id) {
            Some(Object { kind: Kind::Thread(client), .. }) if client.activity == cpu::Activity::Calling => {
                (client.domain == domain).then_some(cpu::Debt::Thread(client.number)).or(Some(cpu::Debt::Outside))
            }
            Some(_) => None,
            None => (id == STRANGER).then_some(cpu::Debt::Outside),
        };
        let owes = owes.and_then(waits).unwrap_or(cpu::Debt::Nobody);
        Ok(cpu::ThreadState { registers, activity, paused, priority, thread: number, owes })
    }

    fn write(&mut self, thread: Slot, registers: cpu::Registers, cancel: bool) -> Result<(), cpu::ThreadError> {
        let thread = self.thread_mut(thread)?;
        thread.registers = registers;
        if cancel {
            (thread.started, thread.activity) = (true, cpu::Activity::Running);
        }
        Ok(())
    }

    fn link(&mut self, server: Slot, client: Slot) -> Result<(), cpu::LinkError> {
        use cpu::{Activity, Debt, LinkError as Error};
        let mut idle = |thread| {
            let state = cpu::Cpu::read(self, thread).map_err(|_| Error::Nothing)?;
            let is_idle = matches!(state.activity, Activity::Running | Activity::Inactive);
            is_idle.then_some(state.owes).ok_or(Error::State)
        };
        let (owes, _) = (idle(server)?, idle(client)?);
        let id = self.table[&client.0];
        let waits = self.thread_mut(client).map_err(|_| Error::Nothing)?;
        let domain = waits.domain;
        waits.activity = Activity::Calling;
        let serves = self.thread_mut(server).map_err(|_| Error::Nothing)?;
        (serves.owes, serves.started, serves.registers) = (Some(id), true, [0xdead_beef; 17]);
        let related = serves.domain == domain && server != client && owes == Debt::Nobody;
        match self.domains[&domain].frozen {
            1.. if related && self.links => Ok(()),
            1.. if related => Err(Error::Missed),
            _ => Err(Error::State),
        }
    }

    fn freeze(&mut self, pd: Slot) -> Result<u32, cpu::ThreadError> {
        let domain = self.domain(pd).ok_or(cpu::ThreadError::Nothing)?;
        self.domains.get_mut(&domain).unwrap().frozen += 1;
        Ok(0)
    }

    fn thaw(&mut self, pd: Slot) -> Result<u32, cpu::ThreadError> {
        let domain = self.domain(pd).ok_or(cpu::ThreadError::Nothing)?;
        let frozen = &mut self.domains.get_mut(&domain).unwrap().frozen;
        *frozen = frozen.checked_sub(1).ok_or(cpu::ThreadError::State)?;
        Ok(0)
    }

    fn handle_exceptions(&mut self, _: Slot, _: Slot) -> Result<(), cpu::ThreadError> {
        Ok(())
    }

    fn exception(&mut self, _: Slot) -> Result<Option<cpu::Exception>, cpu::ThreadError> {
        Ok(None)
    }

    fn bind(&mut self, thread: Slot, notification: Slot) -> Result<(), cpu::ThreadError> {
        let bell = self.id(notification, |kind| matches!(kind, Kind::Notification { .. }));
        let bell = bell.ok_or(cpu::ThreadError::Nothing)?;
        let taken = self.objects.values().any(|o| matches!(&o.kind, Kind::Thread(t) if t.bound == Some(bell)));
        let alive: Vec<Id> = self.objects.keys().copied().collect();
        let thread = self.thread_mut(thread)?;
        if taken || thread.bound.is_some_and(|bound| alive.contains(&bound)) {
            return Err(cpu::ThreadError::State);
        }
        thread.bound = Some(bell);
        Ok(())
    }

    fn place(&mut self, thread: Slot) -> Result<cpu::Place, cpu::ThreadError> {
        let thread = self.thread_mut(thread)?;
        Ok(cpu::Place { pc: thread.registers[0], sp: thread.registers[1], ..cpu::Place::default() })
    }

    fn prioritize(&mut self, thread: Slot, priority: u8) -> Result<(), cpu::ThreadError> {
        self.thread_mut(thread)?.priority = priority;
        Ok(())
    }

    fn destroy(&mut self, thread: Slot) -> Result<(), cpu::ThreadError> {
        self.thread_mut(thread)?;
        if let Some(id) = self.table.remove(&thread.0) {
            self.end(id);
        }
        Ok(())
    }
}

impl rom::Rom for State {
    fn open(&mut self, at: Slot, name: &str) -> Result<Slot, rom::OpenError> {
        let bytes = self.modules.get(name).ok_or(rom::OpenError::Nothing)?.clone();
        let number = self.free_number(at).ok_or(rom::OpenError::Occupied)?;
        let mut pages: Vec<Page> = Vec::new();
        for chunk in bytes.chunks(PAGE as usize) {
            let mut page = Box::new([0; PAGE as usize]);
            page[..chunk.len()].copy_from_slice(chunk);
            pages.push(page);
        }
        let size = pages.len() as u32 * PAGE;
        let module = Some(name.to_string());
        let dataspace = Dataspace { size, memory: Memory::default(), pages, module, freeing: None };
        self.make(HOLDER, number, 0, Kind::Dataspace(dataspace)).map_err(|_| rom::OpenError::Caps)?;
        Ok(Slot(number))
    }

    fn size(&mut self, name: &str) -> Result<u32, rom::OpenError> {
        self.modules.get(name).map(|bytes| bytes.len() as u32).ok_or(rom::OpenError::Nothing)
    }
}

impl State {
    fn context_mut(&mut self, number: Slot) -> Option<&mut Context> {
        let id = *self.table.get(&number.0)?;
        match &mut self.objects.get_mut(&id)?.kind {
            Kind::Context(context) => Some(context),
            _ => None,
        }
    }
}

impl timer::Timer for State {
    fn now(&mut self) -> u64 {
        self.now
    }

    fn once(&mut self, context: Slot, after: u64) -> Result<(), timer::TimeoutError> {
        let now = self.now;
        if after >= 1 << 62 {
            return Err(timer::TimeoutError::Time);
        }
        self.context_mut(context).ok_or(timer::TimeoutError::Nothing)?.timeout = Some((now + after, None));
        Ok(())
    }

    fn periodic(&mut self, context: Slot, period: u64) -> Result<(), timer::TimeoutError> {
        let now = self.now;
        if !(timer::SHORTEST_PERIOD..1 << 62).contains(&period) {
            return Err(timer::TimeoutError::Time);
        }
        self.context_mut(context).ok_or(timer::TimeoutError::Nothing)?.timeout = Some((now + period, Some(period)));
        Ok(())
    }

    fn cancel(&mut self, context: Slot) -> Result<Option<u64>, timer::TimeoutError> {
        let now = self.now;
        let context = self.context_mut(context).ok_or(timer::TimeoutError::Nothing)?;
        Ok(context.timeout.take().map(|(at, _)| at - now))
    }

    fn remaining(&mut self, context: Slot) -> Result<Option<u64>, timer::TimeoutError> {
        let now = self.now;
        Ok(self.context_mut(context).ok_or(timer::TimeoutError::Nothing)?.timeout.map(|(at, _)| at - now))
    }

    fn set_offset(&mut self, _: u64) {}
}

impl signal::Signal for State {
    fn create(&mut self, at: Slot, account: Slot, doorbell: Slot, cookie: u32) -> Result<Slot, signal::CreateError> {
        use signal::CreateError as Error;
        let owner = self.domain(account).ok_or(Error::Nothing)?;
        let doorbell = self.id(doorbell, |kind| matches!(kind, Kind::Notification { .. })).ok_or(Error::Kind)?;
        let number = self.free_number(at).ok_or(Error::Occupied)?;
        let context = Context { doorbell, cookie, count: 0, timeout: None };
        let made = self.make(owner, number, 64, Kind::Context(context));
        made.map_err(|ram| no_quota(ram, Error::Ram, Error::Caps))?;
        Ok(Slot(number))
    }

    fn raise(&mut self, context: Slot) -> Result<(), signal::SignalError> {
        let id = self.id(context, |kind| matches!(kind, Kind::Context(_))).ok_or(signal::SignalError::Nothing)?;
        self.raise_one(id);
        Ok(())
    }

    fn fetch(&mut self, doorbell: Slot) -> Result<Option<signal::Pending>, signal::SignalError> {
        let bell = self.id(doorbell, |kind| matches!(kind, Kind::Notification { .. }));
        let bell = bell.ok_or(signal::SignalError::Nothing)?;
        loop {
            let Some(Object { kind: Kind::Notification { pending, .. }, .. }) = self.objects.get_mut(&bell) else {
                return Err(signal::SignalError::Nothing);
            };
            let Some(id) = pending.pop_front() else { return Ok(None) };
            let more = !pending.is_empty();
            if let Some(Object { kind: Kind::Context(context), .. }) = self.objects.get_mut(&id) {
                let count = std::mem::take(&mut context.count);
                return Ok(Some(signal::Pending { cookie: context.cookie, count, more }));
            }
        }
    }

    fn destroy(&mut self, context: Slot) -> Result<(), signal::SignalError> {
        let Some(&id) = self.table.get(&context.0) else { return Err(signal::SignalError::Nothing) };
        match self.objects.get(&id) {
            None => Err(signal::SignalError::Nothing),
            Some(Object { kind: Kind::Context(_), .. }) => {
                self.table.remove(&context.0);
                self.end(id);
                Ok(())
            }
            Some(_) => Err(signal::SignalError::Kind),
        }
    }
}

impl log::Log for State {
    fn write(&mut self, text: &[u8]) {
        self.printed.extend(text);
    }
}
