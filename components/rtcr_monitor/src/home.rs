//! What a child finds around it: its PARENT session, and somebody who notes what is done to it.

use alloc::{collections::BTreeMap, string::String, sync::Arc};

use base::{
    Env,
    child::{Badge, ByScenario, ChildPolicy, Known, Route},
    env::slots,
    rpc::{Arguments, Buffer, CallError, Connection, Decision, Reply, Request, Shared, Slot, ThreadNumber},
    session::{
        checkpoint, log as log_session,
        parent::{self, Event as Fate, Name, OpenError, RedeemError, RequestError, SessionError, call},
        pd::OWN,
        rom, timer,
    },
    trace::Tracer,
};
use rtcr::{
    image, notes,
    object::SessionInfo,
    statistics::Statistics,
    surroundings::{CallInfo, Edge, Event, Opened, Phase, Scope, Surroundings},
};

use crate::{
    output::{Mark, Output},
    pace::Pace,
    seats::{Seats, To},
    services::Services,
    wishes::Wishes,
};

/// More sessions than a child has opened in all.
const MOST_SESSIONS: u32 = 1 << 24;
/// Sessions that are served here, beside the first ones, are numbered from this on; no relay has such a number.
const HERE: u32 = 1 << 31;

/// The surroundings of a child.
pub struct Home {
    env: Env,
    name: Name,
    policy: ByScenario,
    /// This component's number for the child's number 0.
    base: u32,
    /// Its number among the children.
    child: usize,
    services: Arc<Services>,
    /// Where the child's own requests arrive.
    endpoint: Slot,
    /// What it says, and where to.
    pub output: Output,
    log: log_session::Client,
    /// Wakes the keeper, since there is no room for what the child says.
    full: Slot,
    /// What it asks for itself.
    pub wishes: Wishes,
    /// The sessions that it has of others' services.
    pub seats: Seats,
    /// At which priority the child is kept.
    pub pace: Pace,
    /// How many sessions were served here beside the first ones.
    here: u32,
    /// It has handed over memory.
    handed_over: bool,
    /// What became of the child.
    pub fate: Option<Fate>,
    fingerprints: BTreeMap<String, u64>,
    /// What was done since somebody looked last.
    pub done: Statistics,
    tracer: Tracer<{ notes::KINDS.len() }>,
}

impl Home {
    /// For the child of that name, whose numbers begin with `base`.
    pub fn new(
        env: Env,
        policy: ByScenario,
        (child, name, base): (usize, &str, u32),
        services: Arc<Services>,
        endpoint: Slot,
        (seats, pace, wishes): (Seats, Pace, Wishes),
        (output, log, full): (Output, Slot, Slot),
    ) -> Self {
        let tracer = Tracer::new(env.platform(), &notes::KINDS);
        // What recording adds to each scope.
        notes::EMPTY.into_iter().for_each(|kind| tracer.note(kind, 0));
        Self {
            env,
            name: Name::try_from(name).unwrap_or_default(),
            policy,
            base,
            child,
            services,
            endpoint,
            output,
            log: log_session::Client::new(env.platform(), log),
            full,
            seats,
            pace,
            wishes,
            here: 0,
            handed_over: false,
            fate: None,
            fingerprints: BTreeMap::new(),
            done: Statistics::default(),
            tracer,
        }
    }

    /// The time in nanoseconds.
    pub fn now(&self) -> u64 {
        // TIMER's session is this component's own and cannot be gone.
        self.env.timer().now().unwrap_or(0)
    }

    /// The child has ended: its parent's parents hear of it.
    pub fn tell(&mut self, fate: Fate) {
        self.services.ended(self.child);
        self.seats.close_all();
        self.policy.event(&self.name, fate);
    }

    /// A checkpoint was taken: what the child has said until then is never undone.
    pub fn confirm_output(&mut self) {
        self.output.release(|line| self.log.print(line));
    }

    /// There was none, and there is no room for more.
    pub fn give_out(&mut self) {
        self.output.release_unconfirmed(|line| self.log.print(line));
    }

    /// The child goes back to a checkpoint at which it had said that, or to its beginning.
    pub fn takes_back(&mut self, said: Option<&Mark>) {
        self.output.goes_back(said, |line| self.log.print(line));
    }

    /// The child has ended, well or not.
    pub fn last_words(&mut self, well: bool) {
        self.output.ends(well, |line| self.log.print(line));
    }

    /// Something is to be known of the child, which goes on.
    pub fn report(&mut self, event: Fate) {
        self.policy.event(&self.name, event);
    }

    /// The child has that quota, not what was given to an instance that is gone.
    pub fn has(&mut self, ram: u32, caps: u32) {
        self.policy.has(&self.name, ram, caps);
    }

    fn to(&self, service: &str) -> Result<To, CallError<OpenError>> {
        match self.policy.route(&self.name, service) {
            Route::Sibling(name) => self.services.child(&name).map(To::Sibling).ok_or(OpenError::Service.into()),
            Route::Upward => Ok(To::Upward),
            // What core serves and RTCR does not, or what was for another component.
            Route::Core => Err(CallError::Refused),
            Route::Nobody => Err(OpenError::Service.into()),
        }
    }

    /// Whether the child may have a session that an image tells of.
    pub fn may_have(&self, session: &SessionInfo) -> bool {
        // Numbers count up, and so they go on here.
        match session.number.checked_sub(HERE) {
            Some(number) => number < MOST_SESSIONS && self.served_here(&session.service, &session.argument).is_some(),
            None => session.number <= MOST_SESSIONS && self.to(&session.service).is_ok(),
        }
    }

    /// The interface of a service that is served here, as far as another session of it is the same as the first one: nothing
    /// of those is a session's own. Nor is asking for checkpoints of itself, unless the scenario knows a service of that name.
    fn served_here(&self, service: &str, argument: &[u8]) -> Option<u16> {
        match self.policy.route(&self.name, service) {
            Route::Core | Route::Nobody if service == checkpoint::SERVICE => Some(checkpoint::INTERFACE.id),
            Route::Core => match service {
                // What it says is shown under its own name.
                "log" if argument == self.name.as_bytes() => Some(log_session::INTERFACE.id),
                "rom" => Some(rom::INTERFACE.id),
                "timer" => Some(timer::INTERFACE.id),
                _ => None,
            },
            _ => None,
        }
    }

    /// A session whose requests arrive where all those of the first ones do.
    fn here(&self, number: u32, interface: u16) -> Result<Opened, CallError<OpenError>> {
        let child = u16::try_from(self.child).map_err(|_| CallError::Refused)?;
        let badge = Badge::first(child, interface).number().ok_or(CallError::Refused)?;
        Ok(Opened { number, endpoint: self.endpoint, badge })
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

    fn open(&mut self, service: &str, argument: &[u8]) -> Result<Opened, CallError<OpenError>> {
        if let Some(interface) = self.served_here(service, argument) {
            let opened = self.here(HERE | self.here, interface)?;
            // So many capabilities no component ever has had.
            self.here = (self.here + 1) & !HERE;
            return Ok(opened);
        }
        self.seats.open(self.to(service)?, service, argument)
    }

    fn close(&mut self, session: u32) {
        self.seats.close(session);
    }

    fn upgrade(&mut self, pd: Slot, session: u32, ram: u32, caps: u32) -> Result<(), CallError<SessionError>> {
        self.seats.upgrade(pd, session, ram, caps)
    }

    fn redeem(&mut self, session: u32, handle: u32, at: Slot) -> Result<(), CallError<RedeemError>> {
        self.seats.redeem(session, handle, at)
    }

    fn reopen(&mut self, session: &SessionInfo) -> Result<Opened, CallError<OpenError>> {
        if session.number >= HERE {
            let interface = self.served_here(&session.service, &session.argument).ok_or(CallError::Refused)?;
            self.here = self.here.max(session.number - HERE + 1);
            return self.here(session.number, interface);
        }
        let to = self.to(&session.service).ok();
        self.seats.reopen(session.number, to, &session.service, &session.argument)
    }

    fn is_lost(&mut self, session: u32) -> bool {
        session < HERE && self.seats.is_lost(session)
    }

    /// The new instance is what the checkpoint says, as a client and as a server.
    fn keep_only(&mut self, sessions: &mut dyn Iterator<Item = u32>) {
        self.seats.keep_only(sessions);
        self.handed_over = false;
    }

    fn sessions_served(&mut self) -> usize {
        self.services.sessions_served(self.child)
    }

    fn write_served(&mut self, served: &mut Known) {
        self.services.write_known(self.child, served);
    }

    fn goes_back(&mut self, served: &Known, asking: u64) {
        self.services.goes_back(self.child, served);
        self.wishes.are_restored(asking);
    }

    fn asking(&mut self) -> u64 {
        self.wishes.threads()
    }

    fn has_handed_over(&mut self) -> bool {
        self.handed_over
    }

    fn call(&mut self, thread: ThreadNumber) -> Option<CallInfo> {
        self.seats.call(thread)
    }

    fn keep_call(&mut self, call: CallInfo) -> bool {
        self.seats.keep_call(call)
    }

    fn forget_call(&mut self, call: CallInfo) {
        self.seats.forget_call(call);
    }

    fn call_again(&mut self, thread: ThreadNumber, call: CallInfo) {
        self.seats.call_again(thread, call);
    }

    fn says(&mut self, text: &[u8]) -> bool {
        if self.output.is_transparent() {
            return true;
        }
        self.output.say(text, |line| self.log.print(line));
        if self.output.is_full() {
            // The context is this component's own.
            let _ = self.env.signal().raise(self.full);
        }
        false
    }

    /// A hash of the file; a module does not change, so it is read once.
    fn fingerprint(&mut self, name: &str, _: Slot) -> u64 {
        if let Some(known) = self.fingerprints.get(name) {
            return *known;
        }
        let Ok(module) = self.env.rom_module(name) else { return 0 };
        let hash = image::fingerprint(module.bytes());
        self.fingerprints.insert(name.into(), hash);
        hash
    }

    fn event(&mut self, event: Event) {
        notes::of(&event).for_each(|(kind, value)| self.tracer.note(kind, value));
        let timer = self.env.timer();
        // As in `now`.
        self.done.note(&event, || timer.now().unwrap_or(0));
        match event {
            Event::Stopped { .. } => self.pace.lower(),
            Event::Phase(Phase::Thaw) => self.pace.raise(),
            _ => {}
        }
        log::trace!("{}: {event:?}", self.name);
    }

    #[inline]
    fn scope(&mut self, scope: Scope, edge: Edge) {
        self.tracer.note(notes::scope(scope, edge), 0);
    }
}

/// What is about sessions of the child's own is the library's, and does not come here.
#[base::interposer(refuse(open, close, upgrade, redeem, report, serve_at, lend, borrow))]
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

    fn announce(&mut self, (service,): Arguments<'_, call::Announce>) -> Decision<call::Announce> {
        self.services.announce(self.child, service).into()
    }

    fn task(&mut self, (): Arguments<'_, call::Task>) -> Decision<call::Task> {
        Decision::Answer(Ok(self.services.task(self.child)))
    }

    fn done(&mut self, (session, accepted): Arguments<'_, call::Done>) -> Decision<call::Done> {
        self.services.done(self.child, session, accepted).map_err(CallError::Error).into()
    }

    fn hand_over(&mut self, (session, number, writable): Arguments<'_, call::HandOver>) -> Decision<call::HandOver> {
        let handed = self.services.hand_over(self.child, session, number, writable);
        self.handed_over |= handed.is_ok();
        handed.into()
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
