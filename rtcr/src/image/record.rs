//! Records of an image, in postcard's encoding. These types are the format: whoever changes one of them, or the order of
//! an enumeration, changes `docs/src/reference/checkpoint-image.md` and the version.

use base::{
    rpc::MAX_WORDS,
    session::{
        cpu,
        parent::ServiceName,
        pd::{self, Memory},
    },
};
use serde::{Deserialize, Serialize};

use super::Identity;
use crate::{
    information::{AccountInfo, Information, Need, Stage},
    object::{
        Argument, Info, MapKind, ModuleName, RamDataspaceInfo, RegionInfo, RegionMapInfo, RomDataspaceInfo,
        SessionInfo, SharedInfo, SignalContextInfo, ThreadInfo, ThreadName, TimeoutInfo,
    },
    surroundings::CallInfo,
};

/// Most bytes of a record: an entry of the journal, two times as many words as a message has, five bytes each.
pub(super) const MAX_RECORD: usize = 1280;

const _: () = assert!(2 * (5 * MAX_WORDS + 2) + 16 <= MAX_RECORD);

/// The only record of its section.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Component {
    name: ThreadName,
    module: ModuleName,
    fingerprint: u64,
    is_running: bool,
    slots: u32,
    ram: u32,
    caps: u32,
    clock: u64,
    pub objects: u32,
    pub regions: u32,
    pub words: u32,
    pub served: u32,
    pub pages: u32,
    asking: u64,
}

impl Component {
    pub fn new(identity: &Identity, information: &Information) -> Self {
        let pages = information.objects.iter().map(|object| match &object.info {
            Info::RamDataspace(info) => info.pages,
            _ => 0,
        });
        Self {
            name: identity.name.clone(),
            module: identity.module.clone(),
            fingerprint: identity.fingerprint,
            is_running: information.stage == Stage::Running,
            slots: information.slots,
            ram: information.account.ram,
            caps: information.account.caps,
            clock: information.clock,
            objects: information.objects.len() as u32,
            regions: information.regions.len() as u32,
            words: information.journal.words() as u32,
            served: information.served.sessions.len() as u32,
            pages: pages.sum(),
            asking: information.asking,
        }
    }

    pub fn identity(&self) -> Identity {
        Identity { name: self.name.clone(), module: self.module.clone(), fingerprint: self.fingerprint }
    }

    pub const fn need(&self) -> Need {
        let (objects, regions, words) = (self.objects as usize, self.regions as usize, self.words as usize);
        Need { objects, regions, words, served: self.served as usize, pages: self.pages }
    }

    /// What it says of the component, but for all lists.
    pub fn apply(&self, to: &mut Information) {
        to.stage = if self.is_running { Stage::Running } else { Stage::Booting };
        to.account = AccountInfo { ram: self.ram, caps: self.caps };
        (to.slots, to.clock, to.asking) = (self.slots, self.clock, self.asking);
    }
}

/// A request of the journal and its reply.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    pub interface: u16,
    pub label: u32,
    pub status: u32,
    pub request: heapless::Vec<u32, MAX_WORDS>,
    pub reply: heapless::Vec<u32, MAX_WORDS>,
}

/// What has a number.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Object {
    pub number: u32,
    pub kind: Kind,
}

/// What it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Kind {
    Ram(Ram),
    Rom { name: ModuleName, size: u32, fingerprint: u64 },
    Map(Map),
    Thread(Thread),
    Context(Context),
    Endpoint,
    Notification,
    Remnant,
    Session { service: ServiceName, argument: Argument, number: u32 },
    Shared { session: u32, handle: u32, size: u32 },
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Ram {
    size: u32,
    cache: Cache,
    largest: FrameSize,
    pages: u32,
    skipped: u32,
    stack: bool,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Cache {
    Cached,
    Uncached,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum FrameSize {
    Small,
    Large,
    Section,
    SuperSection,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Map {
    kind: Space,
    regions: u32,
    handler: Option<u32>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Space {
    Address,
    Managed { size: u32 },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Thread {
    name: ThreadName,
    map: Option<u32>,
    buffer: u32,
    priority: u8,
    paused: u32,
    bound: Option<u32>,
    started: bool,
    activity: Activity,
    owes: Option<u32>,
    call: Option<Call>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Activity {
    Inactive,
    Running,
    Sending { badge: u32 },
    Calling,
    Receiving,
    Waiting,
    Faulted,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Call {
    session: u32,
    number: u32,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Context {
    doorbell: Option<u32>,
    cookie: u32,
    pending: u32,
    timeout: Option<Timeout>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Timeout {
    remaining: u64,
    period: Option<u64>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Region {
    address: u32,
    size: u32,
    offset: u32,
    writable: bool,
    executable: bool,
    what: Option<u32>,
    mapped: bool,
}

/// Registers of a thread.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RegistersOf {
    pub thread: u32,
    pub registers: Registers,
}

/// Of which architecture they are is part of the record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Registers {
    /// pc, sp, cpsr, r0, r1, r8 to r12, r2 to r7, lr.
    Arm([u32; 17]),
}

/// What the component offers, then who has that.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Served {
    Service(ServiceName),
    Session(u32),
}

/// Pages of a dataspace, one behind the other, of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    pub dataspace: u32,
    pub content: Content,
    pub count: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Content {
    /// In the section of contents.
    Saved,
    /// All zero.
    Zero,
    /// Below a stack's pointer: no state.
    Skipped,
}

impl Kind {
    /// What is told of an object.
    pub fn new(info: &Info) -> Self {
        match info {
            Info::RamDataspace(info) => Self::Ram(Ram {
                size: info.size,
                cache: match info.memory.cache {
                    pd::Cache::Cached => Cache::Cached,
                    pd::Cache::Uncached => Cache::Uncached,
                },
                largest: match info.memory.largest {
                    pd::FrameSize::Small => FrameSize::Small,
                    pd::FrameSize::Large => FrameSize::Large,
                    pd::FrameSize::Section => FrameSize::Section,
                    pd::FrameSize::SuperSection => FrameSize::SuperSection,
                },
                pages: info.pages,
                skipped: info.skipped,
                stack: info.stack,
            }),
            Info::RomDataspace(info) => {
                Self::Rom { name: info.name.clone(), size: info.size, fingerprint: info.fingerprint }
            }
            Info::RegionMap(info) => Self::Map(Map {
                kind: match info.kind {
                    MapKind::Space => Space::Address,
                    MapKind::Managed { size } => Space::Managed { size },
                },
                regions: info.count,
                handler: info.handler,
            }),
            Info::Thread(info) => Self::Thread(Thread::new(info)),
            Info::SignalContext(info) => Self::Context(Context {
                doorbell: info.doorbell,
                cookie: info.cookie,
                pending: info.pending,
                timeout: info.timeout.map(|TimeoutInfo { remaining, period }| Timeout { remaining, period }),
            }),
            Info::Endpoint => Self::Endpoint,
            Info::Notification => Self::Notification,
            Info::Remnant => Self::Remnant,
            Info::Session(info) => {
                Self::Session { service: info.service.clone(), argument: info.argument.clone(), number: info.number }
            }
            Info::SharedDataspace(info) => Self::Shared { session: info.session, handle: info.handle, size: info.size },
        }
    }

    /// The information. Regions and pages follow those of the objects before, and where they end is told there.
    /// None if there are more than can be counted.
    pub fn info(self, regions: &mut u32, pages: &mut u32) -> Option<Info> {
        Some(match self {
            Self::Ram(ram) => {
                let stored = *pages;
                *pages = stored.checked_add(ram.pages)?;
                Info::RamDataspace(ram.info(stored))
            }
            Self::Rom { name, size, fingerprint } => Info::RomDataspace(RomDataspaceInfo { name, size, fingerprint }),
            Self::Map(map) => {
                let first = *regions;
                *regions = first.checked_add(map.regions)?;
                let kind = match map.kind {
                    Space::Address => MapKind::Space,
                    Space::Managed { size } => MapKind::Managed { size },
                };
                Info::RegionMap(RegionMapInfo { kind, first, count: map.regions, handler: map.handler })
            }
            Self::Thread(thread) => Info::Thread(thread.info()),
            Self::Context(context) => {
                let Context { doorbell, cookie, pending, timeout } = context;
                let timeout = timeout.map(|Timeout { remaining, period }| TimeoutInfo { remaining, period });
                Info::SignalContext(SignalContextInfo { doorbell, cookie, pending, timeout })
            }
            Self::Endpoint => Info::Endpoint,
            Self::Notification => Info::Notification,
            Self::Remnant => Info::Remnant,
            Self::Session { service, argument, number } => Info::Session(SessionInfo { service, argument, number }),
            Self::Shared { session, handle, size } => Info::SharedDataspace(SharedInfo { session, handle, size }),
        })
    }
}

impl Ram {
    const fn info(self, stored: u32) -> RamDataspaceInfo {
        let cache = match self.cache {
            Cache::Cached => pd::Cache::Cached,
            Cache::Uncached => pd::Cache::Uncached,
        };
        let largest = match self.largest {
            FrameSize::Small => pd::FrameSize::Small,
            FrameSize::Large => pd::FrameSize::Large,
            FrameSize::Section => pd::FrameSize::Section,
            FrameSize::SuperSection => pd::FrameSize::SuperSection,
        };
        let Self { size, pages, skipped, stack, .. } = self;
        RamDataspaceInfo { size, memory: Memory { cache, largest }, pages, skipped, stack, stored }
    }
}

impl Thread {
    fn new(info: &ThreadInfo) -> Self {
        Self {
            name: info.name.clone(),
            map: info.map,
            buffer: info.buffer,
            priority: info.priority,
            paused: info.paused,
            bound: info.bound,
            started: info.started,
            activity: match info.activity {
                cpu::Activity::Inactive => Activity::Inactive,
                cpu::Activity::Running => Activity::Running,
                cpu::Activity::Sending { badge } => Activity::Sending { badge },
                cpu::Activity::Calling => Activity::Calling,
                cpu::Activity::Receiving => Activity::Receiving,
                cpu::Activity::Waiting => Activity::Waiting,
                cpu::Activity::Faulted => Activity::Faulted,
            },
            owes: info.owes,
            call: info.call.map(|CallInfo { session, number }| Call { session, number }),
        }
    }

    /// Its registers are in a section of their own.
    fn info(self) -> ThreadInfo {
        let Self { name, map, buffer, priority, paused, bound, started, activity, owes, call } = self;
        let activity = match activity {
            Activity::Inactive => cpu::Activity::Inactive,
            Activity::Running => cpu::Activity::Running,
            Activity::Sending { badge } => cpu::Activity::Sending { badge },
            Activity::Calling => cpu::Activity::Calling,
            Activity::Receiving => cpu::Activity::Receiving,
            Activity::Waiting => cpu::Activity::Waiting,
            Activity::Faulted => cpu::Activity::Faulted,
        };
        let call = call.map(|Call { session, number }| CallInfo { session, number });
        let registers = [0; 17];
        ThreadInfo { name, map, buffer, priority, paused, bound, started, activity, owes, call, registers }
    }
}

impl Region {
    pub const fn new(info: &RegionInfo) -> Self {
        let RegionInfo { address, size, offset, writable, executable, what, mapped } = *info;
        Self { address, size, offset, writable, executable, what, mapped }
    }

    pub const fn info(self) -> RegionInfo {
        let Self { address, size, offset, writable, executable, what, mapped } = self;
        RegionInfo { address, size, offset, writable, executable, what, mapped }
    }
}
