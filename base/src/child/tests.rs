//! A parent with children, on a machine that has none of them.

extern crate std;

mod life;

use std::{
    borrow::ToOwned,
    boxed::Box,
    collections::BTreeMap,
    format,
    string::String,
    sync::{Mutex, MutexGuard},
    vec::Vec,
};

use super::{life::ALARM, parent::Asked, *};
use crate::{
    elf_file::elf,
    env::slots,
    executable::Layout,
    platform::{Machine, Platform, Received},
    rpc::{
        Answer, Body, Buffer, CallError, Caller, Label, Long, MAX_WORDS, Registers, Reply, Request, Selector, Slot,
        ThreadNumber, Transport,
    },
    session::{
        cpu::{self, Cpu},
        parent::{self, Event, OpenError, RedeemError, SessionError, TaskKind, Value},
        pd::{self, ANY, Access, Account, CopyPages, Description, Grant, InstallError, Memory, OWN, Pd},
        rm::{self, FaultAccess, PageFault, Placement, Rm},
        signal::{self, Pending, Signal},
        timer::{self, Timer},
    },
};

/// Whoever serves the parent: knows what exists, and what was put where.
#[derive(Default)]
struct Core {
    next: u32,
    /// What the parent knows, by number.
    known: BTreeMap<Slot, String>,
    /// What its children know, by protection domain and slot.
    installed: BTreeMap<(Slot, Slot), String>,
    rung: Vec<Slot>,
    did: Vec<String>,
    /// The operation that fails.
    fails: Option<&'static str>,
    /// Nanoseconds.
    now: u64,
    /// When the parent is to be woken.
    timeout: Option<u64>,
    /// Cookies of signals that are pending at the parent's doorbell.
    pending: Vec<u32>,
}

impl Core {
    fn make(&mut self, at: Slot, what: String) -> Slot {
        let number = if at == ANY { Slot(100 + self.next) } else { at };
        self.next += 1;
        self.did.push(what.clone());
        assert_eq!(self.known.insert(number, what), None, "{number:?}");
        number
    }

    fn put(&mut self, pd: Slot, slot: Slot, what: String) -> Result<Slot, InstallError> {
        if self.fails == Some("install") {
            return Err(InstallError::Caps);
        }
        let slot = if slot == ANY { Slot(16 + self.installed.len() as u32) } else { slot };
        match self.installed.insert((pd, slot), what) {
            None => Ok(slot),
            Some(_) => Err(InstallError::Occupied),
        }
    }

    fn name(&self, number: Slot) -> String {
        self.known.get(&number).cloned().unwrap_or_else(|| format!("{}", number.0))
    }
}

impl Pd for Core {
    fn restore_thread(&mut self) {}
    fn allocate(&mut self, at: Slot, account: Slot, size: u32, _: Memory) -> Result<Slot, pd::AllocateError> {
        if self.fails == Some("allocate") {
            return Err(pd::AllocateError::Ram);
        }
        assert!(self.known.contains_key(&account));
        Ok(self.make(at, format!("memory of {size:#x}")))
    }
    fn several(&mut self, _: &[u8]) -> u32 {
        0
    }
    fn populate(&mut self, _: Slot) -> Result<u32, pd::AllocateError> {
        Ok(0)
    }
    fn free(&mut self, number: Slot) -> Result<u32, pd::FreeError> {
        self.installed.retain(|(pd, _), _| *pd != number);
        self.known.remove(&number).map(|_| 0).ok_or(pd::FreeError::Nothing)
    }
    fn describe(&mut self, _: Slot) -> Result<Description, pd::LookupError> {
        Err(pd::LookupError::Nothing)
    }
    fn copy(&mut self, dst: Slot, src: Slot, pages: CopyPages) -> Result<u32, pd::CopyError> {
        let CopyPages { dst: to, src: from, count } = pages;
        self.did.push(format!("{count} pages of {} from {from} to {to} of {}", src.0, self.name(dst)));
        Ok(count)
    }
    fn account(&mut self, _: Slot) -> Result<Account, pd::LookupError> {
        Ok(Account::default())
    }
    fn transfer(&mut self, from: Slot, to: Slot, ram: u32, caps: u32) -> Result<(), pd::TransferError> {
        self.did.push(format!("{ram} and {caps} from {} to {}", self.name(from), self.name(to)));
        Ok(())
    }
    fn create(&mut self, at: Slot, slots: u32, name: &str) -> Result<Slot, pd::CreateError> {
        Ok(self.make(at, format!("{name} of {slots}")))
    }
    fn install(&mut self, number: Slot, pd: Slot, slot: Slot, grant: Grant) -> Result<Slot, InstallError> {
        let access = if grant.access == Access::Own { "own" } else { "use" };
        let what = format!("{access} {} {}", self.name(number), grant.badge);
        self.put(pd, slot, what)
    }
    fn remove(&mut self, pd: Slot, slot: Slot) -> Result<(), InstallError> {
        if pd == OWN && self.known.remove(&slot).is_some() {
            return Ok(());
        }
        self.installed.remove(&(pd, slot)).map(|_| ()).ok_or(InstallError::Nothing)
    }
    fn share(&mut self, from: Slot, number: Slot, to: Slot, at: Slot) -> Result<Slot, InstallError> {
        let what = format!("{} of {}", number.0, self.name(from));
        if to == OWN { Ok(self.make(at, what)) } else { self.put(to, at, what) }
    }
    fn connect(&mut self, pd: Slot, slot: Slot, service: u16, label: &str) -> Result<Slot, InstallError> {
        self.put(pd, slot, format!("core {service} {label}"))
    }
    fn create_endpoint(&mut self, at: Slot, _: Slot) -> Result<Slot, pd::AllocateError> {
        Ok(self.make(at, "endpoint".to_owned()))
    }
    fn create_notification(&mut self, at: Slot, _: Slot) -> Result<Slot, pd::AllocateError> {
        Ok(self.make(at, "doorbell".to_owned()))
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

impl Rm for Core {
    fn create(&mut self, at: Slot, _: Slot, _: u32) -> Result<Slot, rm::CreateError> {
        Ok(self.make(at, "map".to_owned()))
    }
    fn create_space(&mut self, at: Slot, _: Slot) -> Result<Slot, rm::CreateError> {
        Ok(self.make(at, "space".to_owned()))
    }
    fn attach(&mut self, _: Slot, dataspace: Slot, placement: Placement) -> Result<u32, rm::AttachError> {
        let Placement { address, offset, size, writable, executable } = placement;
        let rights = format!("r{}{}", if writable { "w" } else { "-" }, if executable { "x" } else { "-" });
        let (what, address) = (self.name(dataspace), address.unwrap_or_default());
        self.did.push(format!("{address:#x}: {what} from {offset:#x} size {size:#x} {rights}"));
        Ok(address)
    }
    fn several(&mut self, _: &[u8]) -> u32 {
        0
    }
    fn map(&mut self, _: Slot, _: u32) -> Result<u32, rm::AttachError> {
        Ok(0)
    }
    fn detach(&mut self, _: Slot, _: u32) -> Result<u32, rm::DetachError> {
        Ok(0)
    }
    fn handle_faults(&mut self, _: Slot, _: Slot) -> Result<(), rm::DetachError> {
        Ok(())
    }
    fn fault(&mut self, _: Slot) -> Result<Option<PageFault>, rm::DetachError> {
        Ok(Some(PageFault { address: 0, access: FaultAccess::Read }))
    }
}

type Done = Result<(), cpu::ThreadError>;

impl Cpu for Core {
    fn create(
        &mut self,
        at: Slot,
        _: Slot,
        _: Slot,
        priority: u8,
        buffer: u32,
        _: &str,
    ) -> Result<Slot, cpu::CreateError> {
        Ok(self.make(at, format!("thread of {priority} with {buffer:#x}")))
    }
    fn start(&mut self, _: Slot, pc: u32, sp: u32, argument: u32) -> Done {
        self.did.push(format!("start at {pc:#x} with {sp:#x} and {argument}"));
        Ok(())
    }
    fn pause(&mut self, _: Slot) -> Done {
        Ok(())
    }
    fn resume(&mut self, _: Slot) -> Done {
        Ok(())
    }
    fn read(&mut self, _: Slot) -> Result<cpu::ThreadState, cpu::ThreadError> {
        Err(cpu::ThreadError::Nothing)
    }
    fn write(&mut self, _: Slot, _: cpu::Registers, _: bool) -> Done {
        Ok(())
    }
    fn freeze(&mut self, _: Slot) -> Result<u32, cpu::ThreadError> {
        Ok(0)
    }
    fn thaw(&mut self, _: Slot) -> Result<u32, cpu::ThreadError> {
        Ok(0)
    }
    fn handle_exceptions(&mut self, _: Slot, _: Slot) -> Done {
        Ok(())
    }
    fn exception(&mut self, _: Slot) -> Result<Option<cpu::Exception>, cpu::ThreadError> {
        Ok(None)
    }
    fn bind(&mut self, _: Slot, _: Slot) -> Done {
        Ok(())
    }
    fn place(&mut self, _: Slot) -> Result<cpu::Place, cpu::ThreadError> {
        Ok(cpu::Place { pc: 7, ..Default::default() })
    }
    fn prioritize(&mut self, _: Slot, _: u8) -> Done {
        Ok(())
    }
    fn link(&mut self, _: Slot, _: Slot) -> Result<(), cpu::LinkError> {
        Ok(())
    }
    fn destroy(&mut self, thread: Slot) -> Done {
        self.known.remove(&thread).map(|_| ()).ok_or(cpu::ThreadError::Nothing)
    }
}

impl Signal for Core {
    fn create(&mut self, at: Slot, _: Slot, _: Slot, cookie: u32) -> Result<Slot, signal::CreateError> {
        if self.fails == Some("context") {
            return Err(signal::CreateError::Caps);
        }
        Ok(self.make(at, format!("context {cookie}")))
    }
    fn raise(&mut self, context: Slot) -> Result<(), signal::SignalError> {
        self.did.push(format!("raised {}", self.name(context)));
        Ok(())
    }
    fn fetch(&mut self, _: Slot) -> Result<Option<Pending>, signal::SignalError> {
        Ok(self.pending.pop().map(|cookie| Pending { cookie, count: 1, more: true }))
    }
    fn destroy(&mut self, context: Slot) -> Result<(), signal::SignalError> {
        self.known.remove(&context).map(|_| ()).ok_or(signal::SignalError::Nothing)
    }
}

impl Timer for Core {
    fn now(&mut self) -> u64 {
        self.now
    }
    fn once(&mut self, context: Slot, after: u64) -> Result<(), timer::TimeoutError> {
        if self.fails == Some("timer") || !self.known.contains_key(&context) {
            return Err(timer::TimeoutError::Nothing);
        }
        self.timeout = Some(self.now + after);
        Ok(())
    }
    fn periodic(&mut self, _: Slot, _: u64) -> Result<(), timer::TimeoutError> {
        Err(timer::TimeoutError::Nothing)
    }
    fn cancel(&mut self, _: Slot) -> Result<Option<u64>, timer::TimeoutError> {
        Err(timer::TimeoutError::Nothing)
    }
    fn remaining(&mut self, _: Slot) -> Result<Option<u64>, timer::TimeoutError> {
        Err(timer::TimeoutError::Nothing)
    }
    fn set_offset(&mut self, _: u64) {}
}

struct Board(Mutex<Core>);

impl Board {
    fn core(&self) -> MutexGuard<'_, Core> {
        self.0.lock().unwrap()
    }
}

/// Sends a request to `serve` as it would arrive there, and the reply back.
fn carry(
    selector: Selector,
    request: Long<'_>,
    reply: &mut [u32],
    serve: impl for<'s> FnOnce(&Request<'_>, &'s mut Buffer) -> Option<Reply<'s>>,
) -> Answer {
    let mut words = [0; MAX_WORDS];
    let length = request.write(&mut words).unwrap();
    let label = Label::received(Caller::default().label(selector).number());
    let (mut space, request) = (Buffer::new(), Request { label, body: Body::Long(&words[..length]) });
    let Some(answer) = serve(&request, &mut space) else { return Answer::unsent(crate::rpc::Status::PeerGone) };
    let words = answer.body.words();
    let mut first = [0; 4];
    first.iter_mut().zip(words).for_each(|(to, word)| *to = *word);
    reply.iter_mut().zip(words).for_each(|(to, word)| *to = *word);
    Answer::new(answer.status.label(), words.len(), first)
}

impl Transport for Board {
    fn call(&self, to: Slot, selector: Selector, request: Registers) -> Answer {
        self.call_long(to, selector, Long::Words(request.words()), &mut [])
    }

    fn call_long(&self, to: Slot, selector: Selector, request: Long<'_>, reply: &mut [u32]) -> Answer {
        let mut core = self.core();
        carry(selector, request, reply, |request, space| match to {
            slots::PD => pd::dispatch(&mut *core, request, space),
            slots::RM => rm::dispatch(&mut *core, request, space),
            slots::CPU => cpu::dispatch(&mut *core, request, space),
            slots::SIGNAL => signal::dispatch(&mut *core, request, space),
            slots::TIMER => timer::dispatch(&mut *core, request, space),
            _ => None,
        })
    }
}

impl Platform for Board {
    fn wait(&self, _: Slot) {}
    fn ring(&self, doorbell: Slot) {
        self.core().rung.push(doorbell);
    }
    fn receive<'a>(&self, _: Slot, _: &'a mut Buffer) -> Received<'a> {
        Received::Ring
    }
    fn answer_and_receive<'a>(&self, _: Slot, _: &Reply<'_>, _: &'a mut Buffer) -> Received<'a> {
        Received::Ring
    }
    fn thread(&self) -> ThreadNumber {
        ThreadNumber::FIRST
    }
    fn thread_entry(&self) -> u32 {
        0
    }
    fn thread_mark(&self, _: ThreadNumber) -> (u32, u32) {
        (0, 0)
    }
    fn memory(&self, _: u32) -> *mut u8 {
        core::ptr::null_mut()
    }
    fn elf_machine(&self) -> u16 {
        40
    }
}

/// Routes `echo` to the child `server`, gives up to 100 bytes, and remembers.
#[derive(Default)]
struct Policy {
    events: Vec<(String, Event)>,
    ended: bool,
    /// After how long whoever ends is started again.
    again: Option<u64>,
    /// Who is asked to exit, and when.
    stop_after: Option<(String, u64)>,
    /// With whom the server is to stop.
    stop_with: Vec<String>,
}

impl ChildPolicy for Policy {
    fn route(&self, _: &str, service: &str) -> Route {
        match service {
            "echo" => Route::Sibling("server".into()),
            "upward" => Route::Upward,
            "nobody" => Route::Nobody,
            _ => Route::Core,
        }
    }
    fn may_connect(&self, _: &str, service: &str, _: &str) -> bool {
        service != "irq"
    }
    fn value(&self, child: &str, key: &str) -> Option<Value> {
        Value::try_from(format!("{child} {key}").as_str()).ok()
    }
    fn grants(&self, _: &str, ram: u32, _: u32) -> bool {
        ram <= 100
    }
    fn granted(&mut self, _: &str, _: u32, _: u32) {}
    fn is_below(&self, component: &str, child: &str) -> bool {
        component.strip_prefix(child).is_some_and(|rest| !rest.is_empty())
    }
    fn again(&mut self, _: &str, _: &Event, _: Life) -> Option<u64> {
        self.again
    }
    fn stop_after(&self, child: &str) -> Option<u64> {
        self.stop_after.as_ref().filter(|(name, _)| name == child).map(|(_, after)| *after)
    }
    fn stop_with(&self, child: &str) -> &[String] {
        if child == "server" { &self.stop_with } else { &[] }
    }
    fn event(&mut self, component: &str, event: Event) {
        self.events.push((component.into(), event));
    }
    fn all_ended(&mut self) {
        self.ended = true;
    }
}

struct Home {
    board: &'static Board,
    family: Mutex<Family<Policy>>,
}

/// The program: one page of code from page 1 of the file, then a page of data and one that is zero.
fn program() -> Vec<u8> {
    let mut file = elf(0x100_0000, &[(0x100_0000, 5, 4096, &[1; 4096]), (0x100_1000, 6, 0x1800, &[2; 100])]);
    // Offsets in the file, as the tool chooses them.
    for (header, offset) in [(52, 0x1000u32), (84, 0x2000)] {
        file[header + 4..header + 8].copy_from_slice(&offset.to_le_bytes());
    }
    file.resize(0x3000, 0);
    file
}

fn settings(name: &str, number: u16) -> Settings<'_> {
    Settings { name, number, ram: 1 << 20, caps: 50, slots: 100, priority: 9, stack: 0x2000 }
}

impl Home {
    fn new() -> &'static Self {
        let board: &'static Board = Box::leak(Box::new(Board(Mutex::default())));
        Box::leak(Box::new(Self { board, family: Mutex::new(Family::new(board as Machine, Policy::default())) }))
    }

    fn start(&self, name: &str, standing: Standing) -> Result<(), ChildError> {
        let file = program();
        let layout = Layout::new(&file, file.len() as u32, 40).unwrap();
        let mut family = self.family.lock().unwrap();
        let way = match &standing {
            Standing::Aside => Way::Core,
            Standing::Between(room) => Way::Own(room.endpoint),
        };
        let settings = settings(name, family.next());
        family.start(&settings, Program { dataspace: Slot(90), layout: &layout }, standing, |_| way)
    }

    /// A server, which offers `echo`, and a client.
    fn with_two() -> (&'static Self, parent::Client<Link>, parent::Client<Link>) {
        let home = Self::new();
        home.start("server", Standing::Aside).unwrap();
        home.start("client", Standing::Aside).unwrap();
        let (server, client) = (home.child(0), home.child(1));
        server.announce("echo").unwrap();
        (home, server, client)
    }

    fn child(&'static self, child: usize) -> parent::Client<Link> {
        parent::Client::new(Link { home: self, child }, slots::PARENT)
    }

    fn pd(&self, child: usize) -> Slot {
        self.family.lock().unwrap().child(child).unwrap().number()
    }

    fn at(&self, child: usize, slot: Slot) -> Option<String> {
        self.board.core().installed.get(&(self.pd(child), slot)).cloned()
    }
}

/// A child's PARENT session.
#[derive(Clone, Copy)]
struct Link {
    home: &'static Home,
    child: usize,
}

impl Transport for Link {
    fn call(&self, to: Slot, selector: Selector, request: Registers) -> Answer {
        self.call_long(to, selector, Long::Words(request.words()), &mut [])
    }

    fn call_long(&self, _: Slot, selector: Selector, request: Long<'_>, reply: &mut [u32]) -> Answer {
        let mut family = self.home.family.lock().unwrap();
        carry(selector, request, reply, |request, space| {
            parent::dispatch(&mut Asked::new(&mut family, self.child), request, space)
        })
    }
}

#[test]
fn a_child_is_made_step_by_step_and_leaves_nothing() {
    let home = Home::new();
    home.start("hello", Standing::Aside).unwrap();
    let did: Vec<_> = home.board.core().did.drain(..).collect();
    assert_eq!(
        did,
        [
            "endpoint",
            "hello of 100",
            "1048576 and 50 from 1 to hello of 100",
            "space",
            "0x1000000: 90 from 0x1000 size 0x1000 r-x",
            "memory of 0x2000",
            "1 pages of 90 from 2 to 0 of memory of 0x2000",
            "0x1001000: memory of 0x2000 from 0x0 size 0x0 rw-",
            "memory of 0x3000",
            "0xc0fd000: memory of 0x3000 from 0x0 size 0x0 rw-",
            "doorbell",
            "thread of 9 with 0xc0ff000",
            "context 0",
            "start at 0x1000000 with 0xc0ff000 and 0",
        ]
    );
    let at = |slot| home.at(0, slot).unwrap();
    assert_eq!((at(slots::PD), at(slots::LOG)), ("core 1 hello".into(), "core 2 hello".into()));
    let badge = Badge::first(0, 8).number().unwrap();
    assert_eq!(at(slots::PARENT), format!("use 11 {badge}"));
    assert_eq!(
        (at(slots::DOORBELL), at(slots::THREAD)),
        ("own doorbell 0".into(), "own thread of 9 with 0xc0ff000 0".into())
    );
    assert!(home.at(0, slots::REPORT).is_none() && home.at(0, slots::FAULT).is_none());
    let _ = home.child(0).exit(3);
    assert!(home.board.core().known.is_empty() && home.board.core().installed.is_empty());
    let family = home.family.lock().unwrap();
    assert_eq!(
        (family.policy.events.as_slice(), family.policy.ended),
        (&[("hello".into(), Event::Exited(3))][..], true)
    );
}

#[test]
fn a_child_that_cannot_be_made_leaves_nothing() {
    for (fails, told) in [("allocate", "raise `ram`"), ("install", "raise `caps`")] {
        let home = Home::new();
        home.board.core().fails = Some(fails);
        let error = format!("{}", home.start("hello", Standing::Aside).unwrap_err());
        assert!(error.contains(told), "{error}");
        assert!(home.board.core().known.is_empty() && home.board.core().installed.is_empty());
    }
}

#[test]
fn siblings_have_sessions_of_each_other() {
    let (home, server, client) = Home::with_two();
    assert_eq!(client.open("echo", b"x"), Err(CallError::Pending));
    assert_eq!(home.board.core().rung.len(), 1);
    let task = server.task().unwrap().unwrap();
    assert!(matches!(task.what, TaskKind::Open { .. }));
    server.done(task.session, true).unwrap();
    assert_eq!(home.board.core().rung.len(), 2);
    let slot = client.open("echo", b"x").unwrap();
    assert_eq!(home.at(1, slot), Some(format!("use endpoint {}", task.session)));
    client.upgrade(slot, 4096, 1).unwrap();
    assert_eq!(home.board.core().did.last().unwrap(), "4096 and 1 from client of 100 to server of 100");
    assert_eq!(server.task().unwrap().unwrap().what, TaskKind::Upgrade { ram: 4096, caps: 1 });
    server.done(task.session, true).unwrap();

    let handle = server.hand_over(task.session, Slot(33), true).unwrap();
    let shared = client.redeem(slot, handle, ANY).unwrap();
    assert_eq!(home.at(1, shared), Some("33 of server of 100".into()));
    let handle = server.hand_over(task.session, Slot(34), false).unwrap();
    let shared = client.redeem(slot, handle, Slot(60)).unwrap();
    assert_eq!((shared, home.at(1, shared)), (Slot(60), Some("use 34 of server of 100 0".into())));
    assert_eq!(client.redeem(slot, 99, ANY), Err(RedeemError::Nothing.into()));
    assert_eq!(server.redeem(slot, handle, ANY), Err(RedeemError::Nothing.into()));

    let handle = client.lend(slot, Slot(35)).unwrap();
    let lent = server.borrow(task.session, handle, ANY).unwrap();
    assert_eq!(home.at(0, lent), Some("35 of client of 100".into()));
    assert_eq!(server.borrow(task.session, handle + 1, ANY), Err(RedeemError::Nothing.into()));
    assert_eq!(client.borrow(task.session, handle, ANY), Err(RedeemError::Nothing.into()));

    client.close(slot).unwrap();
    assert_eq!(home.at(1, slot), None);
    assert_eq!(client.close(slot), Err(SessionError::Nothing.into()));
    assert_eq!(client.close(slots::PD), Err(SessionError::Kind.into()));
    assert_eq!(server.task().unwrap().unwrap().what, TaskKind::Close);
}

#[test]
fn clients_of_a_server_that_ends_are_told() {
    let (home, server, client) = Home::with_two();
    let _ = client.open("echo", b"x");
    let task = server.task().unwrap().unwrap();
    server.done(task.session, true).unwrap();
    let slot = client.open("echo", b"x").unwrap();
    assert_eq!(client.open("echo", b"y"), Err(CallError::Pending));
    let _ = server.panicked();
    assert_eq!(home.at(1, slot), Some(format!("use 11 {}", Grant::MAX_BADGE)));
    assert_eq!(client.open("echo", b"y"), Err(OpenError::Gone.into()));
    assert_eq!(client.open("echo", b"z"), Err(OpenError::Gone.into()));
    client.close(slot).unwrap();
    let family = home.family.lock().unwrap();
    let place = cpu::Place { pc: 7, ..Default::default() };
    assert_eq!(
        (family.policy.events.as_slice(), family.policy.ended),
        (&[("server".into(), Event::Panicked(place))][..], false)
    );
}

#[test]
fn other_sessions_go_where_the_policy_says() {
    let (home, _, client) = Home::with_two();
    let timer = client.open("timer", b"label").unwrap();
    assert_eq!(home.at(1, timer), Some("core 6 label".into()));
    client.close(timer).unwrap();
    assert_eq!(home.at(1, timer), None);
    for service in ["irq", "nobody", "no_such", "Timer", ""] {
        assert_eq!(client.open(service, b""), Err(OpenError::Service.into()), "{service}");
    }
    assert_eq!(client.open("timer", b"\xff"), Err(OpenError::Refused.into()));
    assert_eq!(client.value("key").unwrap().unwrap(), "client key");
    assert_eq!(client.request(100, 1), Ok(()));
    assert_eq!(client.request(101, 1), Err(parent::RequestError::Denied.into()));
    assert_eq!(client.report("client/x", Event::Exited(1)), Ok(()));
    assert_eq!(client.report("client", Event::Exited(1)), Err(parent::ReportError::Name.into()));
}

#[test]
fn who_stands_between_has_everything_under_its_own_numbers() {
    let home = Home::new();
    for (name, base) in [("server", 1000), ("client", 2000)] {
        home.start(name, Standing::Between(Room::new(Window::new(base, 100).unwrap(), Slot(base - 1), slots::LOG)))
            .unwrap();
    }
    let (server, client) = (home.child(0), home.child(1));
    assert_eq!(home.pd(1), Slot(2001));
    let known = |number| home.board.core().known.get(&Slot(number)).cloned();
    assert_eq!((known(2012), known(2013)), (Some("space".into()), Some("thread of 9 with 0xc0ff000".into())));
    let badge = Badge::first(1, 1).number().unwrap();
    assert_eq!((home.at(1, slots::PD), home.at(1, slots::ADDRESS_SPACE)), (Some(format!("use 1999 {badge}")), None));

    server.announce("echo").unwrap();
    let _ = client.open("echo", b"");
    let task = server.task().unwrap().unwrap();
    server.done(task.session, true).unwrap();
    let slot = client.open("echo", b"").unwrap();
    assert_eq!((slot, home.at(1, slot).is_some()), (Slot(16), true));
    let handle = server.hand_over(task.session, Slot(33), false).unwrap();
    assert_eq!(client.redeem(slot, handle, ANY), Ok(Slot(17)));
    assert_eq!(home.board.core().installed[&(OWN, Slot(2017))], "use 1033 0");
    let timer = client.open("timer", b"").unwrap();
    assert_eq!(timer, Slot(18));
    client.close(timer).unwrap();
    assert_eq!(client.open("timer", b"").unwrap(), Slot(18), "the number is free again");
    assert_eq!(client.open("io_mem", b"x"), Err(CallError::Refused));
}
