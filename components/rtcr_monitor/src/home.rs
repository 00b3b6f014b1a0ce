//! What a child finds around it: its PARENT session, and somebody who notes what is done to it.

use alloc::{collections::BTreeMap, string::String};

use base::{
    Env,
    child::{ByScenario, ChildPolicy},
    env::slots,
    rpc::{Arguments, Buffer, CallError, Connection, Decision, Reply, Request, Shared, Slot},
    session::{
        parent::{self, Event as Fate, Name, RequestError, call},
        pd::OWN,
    },
    trace::Tracer,
};
use rtcr::{
    notes,
    surroundings::{Event, Statistics, Surroundings},
};

/// The surroundings of a child.
pub struct Home {
    env: Env,
    name: Name,
    policy: ByScenario,
    /// This component's number for the child's number 0.
    base: u32,
    /// What became of the child.
    pub fate: Option<Fate>,
    fingerprints: BTreeMap<String, u64>,
    /// What was done since somebody looked last.
    pub done: Statistics,
    /// When the child was stopped last, and when it went on.
    stopped: u64,
    thawed: u64,
    tracer: Tracer<{ notes::KINDS.len() }>,
}

impl Home {
    /// For the child of that name, whose numbers begin with `base`.
    pub fn new(env: Env, policy: ByScenario, name: &str, base: u32) -> Self {
        Self {
            env,
            name: Name::try_from(name).unwrap_or_default(),
            policy,
            base,
            fate: None,
            fingerprints: BTreeMap::new(),
            done: Statistics::default(),
            stopped: 0,
            thawed: 0,
            tracer: Tracer::new(env.platform(), &notes::KINDS),
        }
    }

    /// The time in nanoseconds.
    pub fn now(&self) -> u64 {
        // TIMER's session is this component's own and cannot be gone.
        self.env.timer().now().unwrap_or(0)
    }

    /// For how long the child stood still, in nanoseconds.
    pub const fn stood_still(&self) -> u64 {
        self.thawed.saturating_sub(self.stopped)
    }

    /// The child has ended: its parent's parents hear of it.
    pub fn tell(&mut self, fate: Fate) {
        self.policy.event(&self.name, fate);
    }

    /// The child has that quota, not what was given to an instance that is gone.
    pub fn has(&mut self, ram: u32, caps: u32) {
        self.policy.has(&self.name, ram, caps);
    }

    /// No child is left.
    pub fn all_ended(&mut self) {
        self.policy.all_ended();
    }
}

impl Surroundings for Home {
    fn parent<'s>(&mut self, request: &Request<'_>, space: &'s mut Buffer) -> Option<Reply<'s>> {
        let upstream = Connection { transport: self.env.platform() as Shared, slot: slots::PARENT };
        parent::interpose(self, &upstream, request, space)
    }

    fn ring(&mut self, doorbell: Slot) {
        self.env.platform().ring(doorbell);
    }

    /// A hash of the file (FNV-1a); a module does not change, so it is read once.
    fn fingerprint(&mut self, name: &str, _: Slot) -> u64 {
        if let Some(known) = self.fingerprints.get(name) {
            return *known;
        }
        let Ok(module) = self.env.rom_module(name) else { return 0 };
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        let hash = module.bytes().iter().fold(0xcbf2_9ce4_8422_2325, step);
        self.fingerprints.insert(name.into(), hash);
        hash
    }

    fn event(&mut self, event: Event) {
        notes::of(&event).for_each(|(kind, value)| self.tracer.note(kind, value));
        match event {
            Event::Stopped { .. } => self.stopped = self.now(),
            Event::Thawed => self.thawed = self.now(),
            _ => {}
        }
        let level = if matches!(event, Event::Answered { .. }) { log::Level::Trace } else { log::Level::Debug };
        log::log!(level, "{}: {event:?}", self.name);
        self.done.note(&event);
    }
}

/// Sessions of siblings are not supported yet, and refused.
#[base::interposer(refuse(open, close, upgrade, announce, task, done, hand_over, redeem, report))]
impl parent::Interposer for Home {
    fn exit(&mut self, (code,): Arguments<'_, call::Exit>) -> Decision<call::Exit> {
        self.fate = Some(Fate::Exited(code));
        Decision::Unanswered
    }

    fn panicked(&mut self, (): Arguments<'_, call::Panicked>) -> Decision<call::Panicked> {
        let thread = Slot(self.base + slots::THREAD.0);
        self.fate = Some(Fate::Panicked(self.env.cpu().place(thread).unwrap_or_default()));
        Decision::Unanswered
    }

    fn name(&mut self, (): Arguments<'_, call::Name>) -> Decision<call::Name> {
        Decision::Answer(Ok(self.name.clone()))
    }

    fn value(&mut self, (key,): Arguments<'_, call::Value>) -> Decision<call::Value> {
        Decision::Answer(Ok(self.policy.value(&self.name, key)))
    }

    fn request(&mut self, (ram, caps): Arguments<'_, call::Request>) -> Decision<call::Request> {
        let denied = Err(CallError::Error(RequestError::Denied));
        if !self.policy.grants(&self.name, ram, caps) {
            return Decision::Answer(denied);
        }
        let pd = Slot(self.base + OWN.0);
        if self.env.pd().transfer(OWN, pd, ram, caps).is_err() {
            return Decision::Answer(denied);
        }
        self.policy.granted(&self.name, ram, caps);
        Decision::Answer(Ok(()))
    }
}
