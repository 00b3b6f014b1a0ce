//! The first component, `init`: core is its parent.
//!
//! Core has a protection domain of its own, without threads or address space, that holds everything that can be given away. In
//! its name core asks itself what any parent asks: the same mechanism makes the first component and all others. Its requests
//! do not leave core; they are served where they are made.

use alloc::{format, string::String, vec, vec::Vec};
use core::{
    ptr,
    sync::atomic::{AtomicPtr, Ordering::Relaxed},
};

use base::{
    child::{Child, Program, Settings, Standing, Way},
    env::slots,
    executable::Layout,
    platform::{Platform, Received},
    rpc::{
        Answer, Body, Buffer, Caller, Long, MAX_WORDS, Registers, Reply, Request, Selector, Slot, Status, ThreadNumber,
        Transport,
    },
    scenario::INIT,
    session::{
        parent::Event,
        pd::{self, ANY, OWN},
        report, rom,
    },
};
use wire::executable::MACHINE;

use crate::{
    modules,
    serve::{self, Outside},
    system::{Account, CORE, Domain, Entry, Known, Session, System},
};

/// Numbers of core's own table, as a power of two.
const SLOT_BITS: u8 = 6;
/// What core keeps back for objects whose memory no account pays, in bytes.
const RESERVE: u64 = 2 << 20;
/// Capabilities that there are to give.
const CAPS: u32 = 1 << 16;
/// Numbers of the first component: children's windows come out of them.
const SLOTS: u32 = 1 << 13;
/// Stack of the first component.
const STACK: u32 = 64 << 10;
/// Its priority, above all other components'.
const PRIORITY: u8 = 240;
/// Its number among core's children.
const NUMBER: u16 = 1;

/// The first component as its parent has it.
pub struct First {
    /// Kept, since dropping it would end the component.
    _child: Child,
    domain: u32,
}

/// Starts `init` from the boot module of that name. It does not run before core waits for something.
///
/// # Errors
/// For people: nothing can run then.
pub fn start(system: &mut System, outside: &mut Outside) -> Result<First, String> {
    let modules = modules::archive().map_err(|error| format!("core cannot start: {error}"))?;
    for file in modules.files() {
        system.add_module(file.name, file.bytes).map_err(|error| format!("core cannot start: {error}"))?;
    }
    let file = modules.find(INIT).ok_or_else(|| format!("the boot modules hold no program `{INIT}`"))?;
    let layout = Layout::new(file.bytes, file.bytes.len() as u32, MACHINE);
    let layout = layout.map_err(|error| format!("the program `{INIT}` is {error}"))?;
    let all = found(system).ok_or("core cannot start: there is no room for its own table")?;
    let child = inside(system, outside, || make(&layout, all))?;
    let (domain, _) = system.domains.iter().find(|(id, _)| *id != CORE).ok_or("core has no child")?;
    Ok(First { _child: child, domain: domain.index() })
}

impl First {
    /// A thread of that protection domain has faulted. If it is the first component's, nobody else will say so.
    pub fn faulted(&self, domain: u32, system: &mut System, outside: &mut Outside) {
        if domain != self.domain {
            return;
        }
        let Some((id, _)) = system.domains.at(domain) else { return };
        while let Ok(Some(exception)) = system.next_exception(id) {
            outside.judge.event(INIT, Event::Faulted(exception.cause, exception.place));
        }
    }
}

/// Makes core's own protection domain; tells what it may give away.
fn found(system: &mut System) -> Option<Account> {
    let account =
        Account { ram: system.resources.available().saturating_sub(RESERVE), caps: CAPS, ..Account::default() };
    system.whole = account;
    let cnode = system.resources.take_cnode(SLOT_BITS).ok()?;
    let nothing = Entry { known: Known::Nothing, owned: false, paid: false };
    let mut table: Vec<Entry> = vec![nothing; 1 << SLOT_BITS];
    let sessions = [
        (slots::PD, Session::Pd),
        (slots::RM, Session::Rm),
        (slots::CPU, Session::Cpu),
        (slots::ROM, Session::Rom),
        (slots::SIGNAL, Session::Signal),
    ];
    for (number, session) in sessions {
        table[number.0 as usize] = Entry { known: Known::Session(session), owned: false, paid: false };
    }
    let id = system.domains.insert(Domain::new("core", None, table, cnode, SLOT_BITS, account))?;
    (id == CORE).then_some(account)
}

fn make(layout: &Layout<'_>, all: Account) -> Result<Child, String> {
    let text = |what: &str, error: &dyn core::fmt::Debug| format!("{INIT} cannot start: {what}: {error:?}");
    let (pd, rom) = (pd::Client::new(&INSIDE, slots::PD), rom::Client::new(&INSIDE, slots::ROM));
    let dataspace = rom.open(ANY, INIT).map_err(|error| text("its program", &error))?;
    pd.create_notification(slots::DOORBELL, OWN).map_err(|error| text("core's doorbell", &error))?;
    let used = pd.account(OWN).map_err(|error| text("core's account", &error))?;
    // Its table is paid by core: what is left after that is its.
    let table = SLOTS * 16 + (64 << 10);
    let ram = u32::try_from(all.ram).unwrap_or(u32::MAX).saturating_sub(used.ram_used + table) & !0xfff;
    let caps = all.caps - used.caps_used - 64;
    let settings = Settings { name: INIT, number: NUMBER, ram, caps, slots: SLOTS, priority: PRIORITY, stack: STACK };
    let program = Program { dataspace, layout };
    let endpoint = pd.create_endpoint(ANY, OWN).map_err(|error| text("its endpoint", &error))?;
    let child = Child::start(&INSIDE, &settings, program, &Standing::Aside, endpoint, Way::Core, |_| Way::Core);
    let child = child.map_err(|error| format!("{INIT} cannot start: {error}"))?;
    let reported = pd.connect(child.number(), slots::REPORT, report::INTERFACE.id, INIT);
    reported.map_err(|error| text("REPORT", &error))?;
    Ok(child)
}

/// Core as the machine of its own protection domain.
struct Inside {
    system: AtomicPtr<System>,
    outside: AtomicPtr<Outside>,
}

static INSIDE: Inside = Inside { system: AtomicPtr::new(ptr::null_mut()), outside: AtomicPtr::new(ptr::null_mut()) };

/// Lets `ask` ask core from inside.
fn inside<T>(system: &mut System, outside: &mut Outside, ask: impl FnOnce() -> T) -> T {
    INSIDE.system.store(system, Relaxed);
    INSIDE.outside.store(outside, Relaxed);
    let result = ask();
    INSIDE.system.store(ptr::null_mut(), Relaxed);
    INSIDE.outside.store(ptr::null_mut(), Relaxed);
    result
}

impl Inside {
    fn ask(&self, to: Slot, selector: Selector, body: Body<'_>, stored: &mut [u32]) -> Answer {
        // SAFETY: `inside` borrows both for as long as they are stored, and nobody else uses them meanwhile: core has one
        // thread, and serving a request asks nobody.
        let (system, outside) = unsafe {
            match (self.system.load(Relaxed).as_mut(), self.outside.load(Relaxed).as_mut()) {
                (Some(system), Some(outside)) => (system, outside),
                _ => return Answer::unsent(Status::PeerGone),
            }
        };
        let request = Request { label: Caller::default().label(selector), body };
        let mut space = Buffer::new();
        let answer = serve::session(system, outside, (CORE.index(), to.0), &request, &mut space);
        let Some(answer) = answer else { return Answer::unsent(Status::PeerGone) };
        // It lies where it would be sent from, and that is where one is received.
        answer.read(stored);
        Answer::new(answer.label(), answer.len(), answer.words)
    }
}

impl Transport for Inside {
    fn call(&self, to: Slot, selector: Selector, request: Registers) -> Answer {
        self.ask(to, selector, Body::Short(request), &mut [])
    }

    fn call_long(&self, to: Slot, selector: Selector, request: Long<'_>, reply: &mut [u32]) -> Answer {
        let mut words = [0; MAX_WORDS];
        match request.write(&mut words) {
            Some(length) => self.ask(to, selector, Body::Long(&words[..length]), reply),
            None => Answer::unsent(Status::TooLong),
        }
    }
}

/// What needs a thread that can wait does nothing: core's own protection domain has none.
impl Platform for Inside {
    fn wait(&self, _: Slot) {}

    fn ring(&self, _: Slot) {}

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
        ptr::null_mut()
    }

    fn elf_machine(&self) -> u16 {
        MACHINE
    }
}
