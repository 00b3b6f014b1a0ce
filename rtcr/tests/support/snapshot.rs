//! What a child is, seen from outside: from the parent in memory, not from the library.

use std::collections::BTreeMap;

use base::{
    layout::STACK_AREA,
    session::{
        cpu,
        pd::{Account, PAGE},
    },
};

use super::world::{Dataspace, Id, Kind, Map, State, Thread};

/// A child from outside. Addresses of memory below a stack pointer's page are left out.
#[derive(Clone, PartialEq)]
pub struct Snapshot {
    pub objects: BTreeMap<u32, Seen>,
    pub account: Account,
    /// Capability space: slot, what (number of the child, or none for the parent's), badge.
    pub space: BTreeMap<u32, (Option<u32>, u32)>,
    pub frozen: u32,
}

#[derive(Clone, PartialEq)]
pub enum Seen {
    Dataspace {
        size: u32,
        module: Option<String>,
        pages: Vec<Vec<u8>>,
        ending: bool,
    },
    /// Address, size, offset, writable, executable, what.
    Map {
        regions: Vec<(u32, u32, u32, bool, bool, Option<u32>)>,
        handler: Option<u32>,
        size: u32,
    },
    Thread {
        map: Option<u32>,
        buffer: u32,
        name: String,
        priority: u8,
        paused: u32,
        started: bool,
        bound: Option<u32>,
        registers: cpu::Registers,
        /// It waits for an answer.
        calls: bool,
        /// Who waits for its answer.
        owes: Option<u32>,
    },
    Context {
        doorbell: Option<u32>,
        timeout: Option<u64>,
    },
    Endpoint,
    Notification,
    Domain,
}

impl State {
    /// What the holder knows under `base..base + count`.
    pub fn snapshot(&self, base: u32, count: u32) -> Snapshot {
        let numbers: BTreeMap<Id, u32> =
            self.table.range(base..base + count).map(|(number, id)| (*id, number - base)).collect();
        let number = |id: Id| numbers.get(&id).copied().filter(|_| self.objects.contains_key(&id));
        let attachable = |id: Id| {
            number(id)
                .filter(|_| !matches!(&self.objects[&id].kind, Kind::Dataspace(Dataspace { freeing: Some(_), .. })))
        };
        let mut objects = BTreeMap::new();
        for (&id, &at) in &numbers {
            let Some(object) = self.objects.get(&id) else { continue };
            let seen = match &object.kind {
                Kind::Domain(_) => Seen::Domain,
                Kind::Dataspace(dataspace) => {
                    let ending = dataspace.freeing.is_some();
                    let skipped = self.below_stack(id);
                    let page = |(at, page): (usize, &super::world::Page)| {
                        if (at as u32) < skipped || ending { Vec::new() } else { page.to_vec() }
                    };
                    Seen::Dataspace {
                        size: dataspace.size,
                        module: dataspace.module.clone(),
                        pages: if ending { Vec::new() } else { dataspace.pages.iter().enumerate().map(page).collect() },
                        ending,
                    }
                }
                Kind::Map(map) => Seen::Map {
                    regions: map
                        .regions
                        .iter()
                        // Of what is gone nothing shows, from whatever offset.
                        .map(|(&at, r)| match attachable(r.what) {
                            None => (at, r.size, 0, false, false, None),
                            what => (at, r.size, r.offset, r.writable, r.executable, what),
                        })
                        .collect(),
                    handler: map.handler.and_then(number),
                    size: map.size,
                },
                Kind::Thread(thread) => Seen::Thread {
                    map: number(thread.map),
                    buffer: thread.buffer,
                    name: thread.name.clone(),
                    priority: thread.priority,
                    paused: thread.paused,
                    started: thread.started,
                    bound: thread.bound.and_then(number),
                    registers: thread.registers,
                    calls: thread.activity == cpu::Activity::Calling,
                    owes: thread.owes.filter(|client| self.calls(*client)).and_then(number),
                },
                Kind::Context(context) => Seen::Context {
                    doorbell: number(context.doorbell),
                    // What rings nothing is told to nobody, so it does not matter whether somebody waits for it here.
                    timeout: number(context.doorbell).and(context.timeout).map(|(at, _)| at - self.now),
                },
                Kind::Endpoint => Seen::Endpoint,
                Kind::Notification { .. } => Seen::Notification,
            };
            objects.insert(at, seen);
        }
        let domain = match &self.objects[&self.table[&(base + 1)]].kind {
            Kind::Domain(domain) => &self.domains[domain],
            _ => panic!("number 1 is the protection domain"),
        };
        let space = domain.space.iter().map(|(slot, (id, grant))| (*slot, (number(*id), grant.badge))).collect();
        Snapshot { objects, account: domain.account, space, frozen: domain.frozen }
    }

    /// Whether a thread is in a call.
    fn calls(&self, id: Id) -> bool {
        self.threads().any(|(at, thread)| at == id && thread.activity == cpu::Activity::Calling)
    }

    /// Pages of a dataspace below the pointer of the thread whose stack it is.
    fn below_stack(&self, dataspace: Id) -> u32 {
        let maps = self.objects.iter().filter_map(|(id, object)| match &object.kind {
            Kind::Map(map) => Some((*id, map)),
            _ => None,
        });
        let regions: Vec<(Id, u32, u32)> = maps
            .flat_map(|(id, map): (Id, &Map)| {
                map.regions.iter().filter(|(_, r)| r.what == dataspace).map(move |(at, r)| (id, *at, r.size))
            })
            .collect();
        let &[(map, start, size)] = regions.as_slice() else { return 0 };
        let threads = self.objects.values().filter_map(|object| match &object.kind {
            Kind::Thread(thread) => Some(thread),
            _ => None,
        });
        let here = |thread: &&Thread| thread.map == map && thread.buffer.wrapping_sub(start) < size;
        let skipped = threads.filter(here).map(|thread| {
            let sp = thread.registers[1];
            if (start..=thread.buffer).contains(&sp) && thread.started { (sp - start) / PAGE } else { 0 }
        });
        if STACK_AREA.contains(&start) { skipped.min().unwrap_or(0) } else { 0 }
    }
}

impl Snapshot {
    /// Whether something has begun to go, which a checkpoint finishes.
    pub fn has_ending(&self) -> bool {
        self.objects.values().any(|seen| matches!(seen, Seen::Dataspace { ending: true, .. }))
    }

    /// The first thing that differs, for people.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let numbers = self.objects.keys().chain(other.objects.keys());
        for number in numbers {
            let (one, two) = (self.objects.get(number), other.objects.get(number));
            if one != two {
                return Some(format!("number {number}: {} and {}", shown(one), shown(two)));
            }
        }
        if self.account != other.account {
            return Some(format!("{:?} and {:?}", self.account, other.account));
        }
        if self.space != other.space {
            return Some(format!("{:?} and {:?}", self.space, other.space));
        }
        (self.frozen != other.frozen).then(|| format!("frozen {} and {}", self.frozen, other.frozen))
    }
}

fn shown(seen: Option<&Seen>) -> String {
    match seen {
        None => "nothing".into(),
        Some(Seen::Dataspace { size, module, pages, ending }) => {
            let sums: Vec<u32> = pages
                .iter()
                .map(|page| page.iter().fold(0, |sum: u32, &byte| sum.wrapping_mul(31).wrapping_add(byte.into())))
                .collect();
            format!("dataspace of {size:#x} {module:?} ending {ending} {sums:x?}")
        }
        Some(Seen::Map { regions, handler, size }) => format!("map of {size:#x} {regions:x?} handler {handler:?}"),
        Some(Seen::Thread { map, buffer, name, priority, paused, started, bound, registers, calls, owes }) => format!(
            "thread {name} in {map:?} at {buffer:#x} priority {priority} paused {paused} started {started} bound \
             {bound:?} {registers:x?} calls {calls} owes {owes:?}"
        ),
        Some(Seen::Context { doorbell, timeout }) => format!("context at {doorbell:?} {timeout:?}"),
        Some(Seen::Endpoint) => "endpoint".into(),
        Some(Seen::Notification) => "notification".into(),
        Some(Seen::Domain) => "protection domain".into(),
    }
}
