//! What there is on a machine in memory.

use core::sync::atomic::AtomicU32;
use std::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    env::slots,
    region::Pieces,
    rpc::{Label, Slot, Status},
    session::{
        parent::{Task, TaskKind},
        pd::{AT_ONCE, Account, Memory, PAGE},
        signal::Pending,
    },
};

/// Something that has a number.
pub(super) enum Object {
    Dataspace(Dataspace),
    Map(Map),
    Notification {
        rung: bool,
    },
    Endpoint,
    Context(Context),
    Thread {
        priority: u8,
    },
    /// Core's own, which are known by their numbers.
    Session,
}

pub(super) struct Dataspace {
    pub words: &'static [AtomicU32],
    /// What it was asked for with.
    pub memory: Memory,
    /// Pages that it has.
    pub populated: u32,
    pub writable: bool,
    /// Pages that are still to be freed, once freeing has begun.
    pub freeing: Option<u32>,
    pub own: bool,
}

impl Dataspace {
    /// All of it zero, in small frames, with all of its pages.
    pub fn new(bytes: u32) -> Self {
        // Aligned to its size, as a heap likes its pieces. Never given back: somebody may still look at it.
        let words = bytes.div_ceil(4) as usize;
        let align = (bytes.next_power_of_two().max(PAGE)) as usize;
        let room: &'static [AtomicU32] = Box::leak((0..words + align / 4).map(|_| AtomicU32::new(0)).collect());
        let skip = room.as_ptr().align_offset(align).min(align / 4);
        let memory = Memory::default();
        Self {
            words: &room[skip..][..words],
            memory,
            populated: bytes / PAGE,
            writable: true,
            freeing: None,
            own: true,
        }
    }

    /// With its first pieces only.
    pub fn begun(bytes: u32, memory: Memory) -> Self {
        let mut dataspace = Self { memory, populated: 0, ..Self::new(bytes) };
        dataspace.populate();
        dataspace
    }

    /// Gives it its next pieces; tells how many pages are missing.
    pub fn populate(&mut self) -> u32 {
        let pieces = Pieces::new(self.pages(), self.memory.largest);
        if let Some(next) = pieces.at(self.populated) {
            self.populated = pieces.of(next.index + AT_ONCE).map_or(self.pages(), |piece| piece.page);
        }
        self.pages() - self.populated
    }

    pub fn bytes(&self) -> u32 {
        self.words.len() as u32 * 4
    }

    pub fn pages(&self) -> u32 {
        self.bytes() / PAGE
    }
}

pub(super) struct Map {
    pub size: u32,
    pub regions: BTreeMap<u32, Region>,
}

#[derive(Clone, Copy)]
pub(super) struct Region {
    pub dataspace: Slot,
    pub offset: u32,
    pub size: u32,
    pub mapped: u32,
}

pub(super) struct Context {
    pub doorbell: Slot,
    pub cookie: u32,
    pub count: u32,
    pub timeout: Option<Timeout>,
}

#[derive(Clone, Copy)]
pub(super) struct Timeout {
    pub at: u64,
    pub period: Option<u64>,
}

/// A service of another component.
pub(super) struct Service {
    pub slot: Slot,
    pub pending: u32,
}

/// Everything there is.
pub struct World {
    pub(super) objects: BTreeMap<Slot, Object>,
    /// The component's account.
    pub account: Account,
    /// What its parent still gives.
    pub reserve: Account,
    /// What the component is called.
    pub name: String,
    /// Values of the scenario.
    pub values: BTreeMap<String, String>,
    /// Modules by name.
    pub modules: BTreeMap<String, Vec<u8>>,
    pub(super) services: BTreeMap<String, Service>,
    /// Services that the component has announced.
    pub announced: Vec<String>,
    pub(super) tasks: VecDeque<Task>,
    pub(super) done: BTreeMap<u32, bool>,
    /// What was handed over: session, number, and whether it may be written.
    pub handed_over: Vec<(u32, Slot, bool)>,
    /// Sessions that were closed.
    pub closed: Vec<Slot>,
    /// Nanoseconds.
    pub now: u64,
    pub(super) started: Vec<u32>,
    pub(super) requests: VecDeque<(u32, Label, Vec<u32>)>,
    pub(super) receiving: Option<u32>,
    pub(super) answers: BTreeMap<u32, (Status, Vec<u32>)>,
    pub(super) ended: Option<Option<i32>>,
    pub(super) printed: Vec<u8>,
    /// What was asked of whom, by session and operation.
    pub calls: Vec<(Slot, u8)>,
}

impl Default for World {
    fn default() -> Self {
        let mut objects = BTreeMap::new();
        for session in 1..slots::FIRST_FREE.0 {
            objects.insert(Slot(session), Object::Session);
        }
        objects.insert(slots::DOORBELL, Object::Notification { rung: false });
        objects.insert(slots::ENDPOINT, Object::Endpoint);
        objects.insert(slots::ADDRESS_SPACE, Object::Map(Map { size: 0xe000_0000, regions: BTreeMap::new() }));
        objects.insert(slots::THREAD, Object::Thread { priority: 100 });
        Self {
            objects,
            account: Account { ram: 64 << 20, ram_used: 0, caps: 1000, caps_used: 0 },
            reserve: Account::default(),
            name: "component".to_string(),
            values: BTreeMap::new(),
            modules: BTreeMap::new(),
            services: BTreeMap::new(),
            announced: Vec::new(),
            tasks: VecDeque::new(),
            done: BTreeMap::new(),
            handed_over: Vec::new(),
            closed: Vec::new(),
            now: 0,
            started: Vec::new(),
            requests: VecDeque::new(),
            receiving: None,
            answers: BTreeMap::new(),
            ended: None,
            printed: Vec::new(),
            calls: Vec::new(),
        }
    }
}

impl World {
    /// How many numbers stand for something.
    pub fn numbers(&self) -> usize {
        self.objects.len()
    }

    pub(super) fn offer(&mut self, service: &str, pending: u32) -> Slot {
        let slot = self.free_number();
        self.objects.insert(slot, Object::Session);
        self.services.insert(service.to_string(), Service { slot, pending });
        slot
    }

    /// The lowest number that stands for nothing.
    pub(super) fn free_number(&self) -> Slot {
        let mut number = slots::FIRST_FREE;
        while self.objects.contains_key(&number) {
            number.0 += 1;
        }
        number
    }

    pub(super) fn ring(&mut self, notification: Slot) {
        if let Some(Object::Notification { rung }) = self.objects.get_mut(&notification) {
            *rung = true;
        }
    }

    pub(super) fn take_ring(&mut self, notification: Slot) -> bool {
        match self.objects.get_mut(&notification) {
            Some(Object::Notification { rung }) => core::mem::take(rung),
            _ => false,
        }
    }

    pub(super) fn raise(&mut self, context: Slot) -> bool {
        let Some(Object::Context(context)) = self.objects.get_mut(&context) else { return false };
        context.count += 1;
        let doorbell = context.doorbell;
        self.ring(doorbell);
        true
    }

    pub(super) fn fetch(&mut self, doorbell: Slot) -> Option<Pending> {
        let mut pending = self.objects.values_mut().filter_map(|object| match object {
            Object::Context(context) if context.doorbell == doorbell && context.count > 0 => Some(context),
            _ => None,
        });
        let context = pending.next()?;
        let more = pending.next().is_some();
        Some(Pending { cookie: context.cookie, count: core::mem::take(&mut context.count), more })
    }

    /// Goes on to the next timeout; false if there is none.
    pub(super) fn pass_time(&mut self) -> bool {
        let timeouts = self.objects.iter_mut().filter_map(|(slot, object)| match object {
            Object::Context(Context { timeout: timeout @ Some(_), .. }) => Some((*slot, timeout)),
            _ => None,
        });
        let Some((slot, timeout)) = timeouts.min_by_key(|(_, timeout)| timeout.map(|timeout| timeout.at)) else {
            return false;
        };
        if let Some(Timeout { at, period }) = *timeout {
            self.now = self.now.max(at);
            *timeout = period.map(|period| Timeout { at: at + period, period: Some(period) });
        }
        self.raise(slot)
    }

    pub(super) fn give_task(&mut self, session: u32, what: TaskKind) {
        self.tasks.push_back(Task { session, what });
        self.ring(slots::DOORBELL);
    }

    pub(super) fn take_done(&mut self, session: u32) -> Option<bool> {
        self.done.remove(&session)
    }

    pub(super) fn answered(&mut self, status: Status, words: &[u32]) {
        if let Some(badge) = self.receiving.take() {
            self.answers.insert(badge, (status, words.to_vec()));
        }
    }

    /// Where the byte at an address is.
    pub(super) fn memory(&self, map: Slot, address: u32) -> Option<*mut u8> {
        let Some(Object::Map(Map { regions, .. })) = self.objects.get(&map) else { return None };
        let (start, region) = regions.range(..=address).next_back()?;
        let inside = address - start;
        if inside >= region.size {
            return None;
        }
        let offset = inside + region.offset;
        match self.objects.get(&region.dataspace)? {
            Object::Dataspace(dataspace) => {
                let word = dataspace.words.get(offset as usize / 4)?;
                Some(word.as_ptr().cast::<u8>().wrapping_add(offset as usize % 4))
            }
            Object::Map(_) => self.memory(region.dataspace, offset),
            _ => None,
        }
    }
}
