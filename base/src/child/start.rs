//! A child: what its parent has of it, from the protection domain to the first thread.

use alloc::{sync::Arc, vec::Vec};
use core::fmt;

use super::{
    Badge, Logs, Numbers, Quiet, Window,
    load::{LoadError, Loader, Program},
};
use crate::{
    env::slots,
    layout::Stack,
    platform::Machine,
    rpc::{CallError, Interface, Slot, ThreadNumber},
    session::{
        cpu, pd,
        pd::{ANY, Access, Grant, OWN},
        rm,
        rm::Placement,
        signal,
    },
};

/// What a child gets.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Its number among the parent's children.
    pub number: u16,
    /// Bytes that it may use.
    pub ram: u32,
    /// Capabilities that it may have.
    pub caps: u32,
    /// Numbers that it has room for.
    pub slots: u32,
    /// Priority of its first thread.
    pub priority: u8,
    /// Size of its first thread's stack.
    pub stack: u32,
}

/// Where a parent stands.
#[derive(Clone, Debug)]
pub enum Standing {
    /// Aside: the child's numbers are core's business.
    Aside,
    /// Between: the parent serves the child's sessions itself.
    Between(Room),
}

/// What a parent that stands between has for a child.
#[derive(Clone, Debug)]
pub struct Room {
    /// Its numbers that stand for the child's.
    pub window: Window,
    /// Which of them are in use.
    pub numbers: Arc<Numbers>,
    /// Where the child's requests arrive.
    pub endpoint: Slot,
    /// The parent's sessions that print for the child.
    pub logs: Arc<Logs>,
    /// How the thread that serves the child says that it has nothing to do; none if the parent has no other thread for that.
    pub quiet: Option<Arc<Quiet>>,
}

impl Room {
    /// For a child that has what every component has from the beginning. It prints through `log`.
    pub fn new(window: Window, endpoint: Slot, log: Slot) -> Self {
        let numbers = Arc::new(Numbers::new(window.size(), slots::FIRST_FREE.0));
        Self { window, numbers, endpoint, logs: Arc::new(Logs::new(log)), quiet: None }
    }

    /// The same, where another thread of the parent serves the child, to which that notification is bound.
    pub fn served_by(self, bell: Slot) -> Self {
        Self { quiet: Some(Arc::new(Quiet::new(bell))), ..self }
    }
}

/// Who serves a session of a child's from the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Whoever serves the parent's PD.
    Core,
    /// The parent, at this endpoint.
    Own(Slot),
}

/// A component that this one has made. Dropping it frees everything that it had.
pub struct Child {
    machine: Machine,
    pd: Slot,
    space: Slot,
    thread: Slot,
    doorbell: Slot,
    /// Where it serves; the parent's, since it outlives the child.
    endpoint: Slot,
    /// What stands for that among the child's own numbers, if the parent stands between.
    window_endpoint: Slot,
    context: Slot,
    /// The signal by which it is asked to exit; none while it is not.
    exit: Slot,
    dataspaces: Vec<Slot>,
}

/// The sessions that a component starts with, besides PARENT, and where.
const SESSIONS: [(Slot, Interface); 7] = {
    use crate::session::{log, rom, timer};
    [
        (slots::PD, pd::INTERFACE),
        (slots::LOG, log::INTERFACE),
        (slots::CPU, cpu::INTERFACE),
        (slots::RM, rm::INTERFACE),
        (slots::ROM, rom::INTERFACE),
        (slots::TIMER, timer::INTERFACE),
        (slots::SIGNAL, signal::INTERFACE),
    ]
};

impl Child {
    /// Makes a child and lets it run. Signals of its exceptions ring the parent's doorbell with the child's number as cookie.
    ///
    /// `endpoint` is where the child serves, which stays its parent's; `parent` says who serves PARENT, `way` who serves each other
    /// session.
    ///
    /// # Errors
    /// Nothing is left of it.
    pub fn start(
        machine: Machine,
        settings: &Settings<'_>,
        program: Program<'_>,
        standing: &Standing,
        endpoint: Slot,
        parent: Way,
        way: impl Fn(&Interface) -> Way,
    ) -> Result<Self, ChildError> {
        let mut child = Self::create(machine, settings, standing)?;
        let at = |number: Slot| match standing {
            Standing::Aside => ANY,
            Standing::Between(room) => room.window.outward(number).unwrap_or(ANY),
        };
        child.space = child.rm().create_space(at(slots::ADDRESS_SPACE), child.pd).map_err(ChildError::Space)?;
        let stack = Stack::of(ThreadNumber::FIRST, settings.stack).ok_or(ChildError::Stack(settings.stack))?;
        let mut loader = Loader { machine, pd: child.pd, space: child.space, dataspaces: &mut child.dataspaces };
        loader.load(program)?;
        let memory = loader.allocate(stack.size()).map_err(LoadError::Allocate)?;
        loader.attach(memory, Placement::at(stack.base)).map_err(LoadError::Attach)?;

        child.doorbell = child.pd().create_notification(at(slots::DOORBELL), child.pd).map_err(ChildError::Allocate)?;
        child.endpoint = endpoint;
        if let Standing::Between(_) = standing {
            let number = child.pd().install(endpoint, OWN, at(slots::ENDPOINT), Grant::OWN);
            child.window_endpoint = number.map_err(ChildError::Install)?;
        }
        child.install(child.doorbell, slots::DOORBELL, Grant::OWN)?;
        child.install(child.endpoint, slots::ENDPOINT, Grant::OWN)?;
        for (slot, interface) in SESSIONS {
            child.session(settings, &interface, slot, way(&interface))?;
        }
        child.session(settings, &crate::session::parent::INTERFACE, slots::PARENT, parent)?;
        child.run(settings, program.layout.entry(), stack, at(slots::THREAD), matches!(standing, Standing::Aside))?;
        Ok(child)
    }

    /// The protection domain with its quota, and nothing in it.
    fn create(machine: Machine, settings: &Settings<'_>, standing: &Standing) -> Result<Self, ChildError> {
        let at = match standing {
            Standing::Aside => ANY,
            Standing::Between(room) => room.window.pd(),
        };
        let number = pd::Client::new(machine, slots::PD).create(at, settings.slots, settings.name);
        // From here on dropping it frees what there is.
        let child = Self {
            machine,
            pd: number.map_err(ChildError::Create)?,
            space: ANY,
            thread: ANY,
            doorbell: ANY,
            endpoint: ANY,
            window_endpoint: ANY,
            context: ANY,
            exit: ANY,
            dataspaces: Vec::new(),
        };
        child.pd().transfer(OWN, child.pd, settings.ram, settings.caps).map_err(ChildError::Transfer)?;
        Ok(child)
    }

    /// The first thread.
    fn run(
        &mut self,
        settings: &Settings<'_>,
        entry: u32,
        stack: Stack,
        at: Slot,
        aside: bool,
    ) -> Result<(), ChildError> {
        let (priority, buffer) = (settings.priority, stack.buffer());
        let thread = self.cpu().create(at, self.pd, self.space, priority, buffer, settings.name);
        self.thread = thread.map_err(ChildError::Thread)?;
        if aside {
            self.install(self.space, slots::ADDRESS_SPACE, Grant::OWN)?;
            self.install(self.thread, slots::THREAD, Grant::OWN)?;
        }
        let context = self.signal().create(ANY, OWN, slots::DOORBELL, settings.number.into());
        self.context = context.map_err(ChildError::Signal)?;
        self.cpu().handle_exceptions(self.pd, self.context).map_err(ChildError::Start)?;
        self.cpu().bind(self.thread, self.doorbell).map_err(ChildError::Start)?;
        self.cpu().start(self.thread, entry, stack.top, 0).map_err(ChildError::Start)
    }

    /// Lets it have a session.
    fn session(&self, settings: &Settings<'_>, interface: &Interface, slot: Slot, way: Way) -> Result<(), ChildError> {
        match way {
            Way::Core => {
                let connected = self.pd().connect(self.pd, slot, interface.id, settings.name);
                connected.map(|_| ()).map_err(|error| ChildError::Session(interface.name, error))
            }
            Way::Own(endpoint) => self.serve(settings.number, interface, slot, endpoint),
        }
    }

    /// Installs a session that this component serves itself at `endpoint`.
    fn serve(&self, number: u16, interface: &Interface, slot: Slot, endpoint: Slot) -> Result<(), ChildError> {
        let badge = Badge::first(number, interface.id).number().ok_or(ChildError::Number)?;
        let installed = self.pd().install(endpoint, self.pd, slot, Grant { access: Access::Use, badge });
        installed.map(|_| ()).map_err(|error| ChildError::Session(interface.name, error))
    }

    fn install(&self, number: Slot, slot: Slot, grant: Grant) -> Result<(), ChildError> {
        self.pd().install(number, self.pd, slot, grant).map(|_| ()).map_err(ChildError::Install)
    }

    /// The parent's number for the child's protection domain.
    pub fn number(&self) -> Slot {
        self.pd
    }

    /// The parent's number for the child's first thread.
    pub fn thread(&self) -> Slot {
        self.thread
    }

    /// The parent's number for the child's address space.
    pub fn space(&self) -> Slot {
        self.space
    }

    /// The parent's number for the endpoint at which the child serves.
    pub fn endpoint(&self) -> Slot {
        self.endpoint
    }

    /// The parent's numbers for what the child's program and stack lie in.
    pub fn dataspaces(&self) -> &[Slot] {
        &self.dataspaces
    }

    /// Tells the child that there is something to ask for.
    pub fn ring(&self) {
        self.machine.ring(self.doorbell);
    }

    /// Asks the child to exit, by a signal at its doorbell.
    ///
    /// # Errors
    /// There is no signal.
    pub fn ask_to_exit(&mut self) -> Result<(), CallError<signal::CreateError>> {
        if self.exit == ANY {
            self.exit = self.signal().create(ANY, OWN, self.doorbell, signal::EXIT)?;
        }
        // It was made above, for this.
        let _ = self.signal().raise(self.exit);
        Ok(())
    }

    fn pd(&self) -> pd::Client {
        pd::Client::new(self.machine, slots::PD)
    }

    fn rm(&self) -> rm::Client {
        rm::Client::new(self.machine, slots::RM)
    }

    fn cpu(&self) -> cpu::Client {
        cpu::Client::new(self.machine, slots::CPU)
    }

    fn signal(&self) -> signal::Client {
        signal::Client::new(self.machine, slots::SIGNAL)
    }

    /// Gives up one thing, however many steps that takes.
    fn free(&self, number: Slot) {
        if number == ANY {
            return;
        }
        let freed = loop {
            match self.pd().free(number) {
                Ok(1..) => {}
                other => break other,
            }
        };
        if freed.is_err() {
            // It went with its account; the number is left, and stands for nothing.
            let _ = self.pd().remove(OWN, number);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // The protection domain first: that ends its threads, and gives back what it has paid for. The numbers are then
        // names of nothing, and given back one by one.
        self.free(self.pd);
        for context in [self.context, self.exit] {
            if context != ANY {
                // It is this component's own and not shared, so it cannot fail.
                let _ = self.signal().destroy(context);
            }
        }
        self.dataspaces.iter().copied().chain([self.space, self.doorbell]).for_each(|n| self.free(n));
        self.free(self.thread);
        if self.window_endpoint != ANY {
            // Another number of what stays.
            let _ = self.pd().remove(OWN, self.window_endpoint);
        }
    }
}

/// Why there is no child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildError {
    /// Its number does not fit a badge.
    Number,
    /// No stack of that size.
    Stack(u32),
    /// No protection domain.
    Create(CallError<pd::CreateError>),
    /// The parent has not the quota to give.
    Transfer(CallError<pd::TransferError>),
    /// No address space.
    Space(CallError<rm::CreateError>),
    /// Its program cannot be loaded.
    Load(LoadError),
    /// No endpoint or notification.
    Allocate(CallError<pd::AllocateError>),
    /// Something was not made known to it.
    Install(CallError<pd::InstallError>),
    /// It does not get that session.
    Session(&'static str, CallError<pd::InstallError>),
    /// No thread.
    Thread(CallError<cpu::CreateError>),
    /// No signal for its exceptions.
    Signal(CallError<signal::CreateError>),
    /// Its thread does not start.
    Start(CallError<cpu::ThreadError>),
}

impl From<LoadError> for ChildError {
    fn from(error: LoadError) -> Self {
        Self::Load(error)
    }
}

impl fmt::Display for ChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use CallError::Error;
        match self {
            Self::Load(
                LoadError::Allocate(Error(pd::AllocateError::Ram)) | LoadError::Attach(Error(rm::AttachError::Ram)),
            )
            | Self::Space(Error(rm::CreateError::Ram))
            | Self::Allocate(Error(pd::AllocateError::Ram))
            | Self::Thread(Error(cpu::CreateError::Ram)) => {
                write!(f, "its memory does not suffice to start; raise `ram` in the scenario")
            }
            Self::Load(LoadError::Allocate(Error(pd::AllocateError::Caps)))
            | Self::Space(Error(rm::CreateError::Caps))
            | Self::Allocate(Error(pd::AllocateError::Caps))
            | Self::Thread(Error(cpu::CreateError::Caps))
            | Self::Install(Error(pd::InstallError::Caps))
            | Self::Session(_, Error(pd::InstallError::Caps)) => {
                write!(f, "its capabilities do not suffice to start; raise `caps` in the scenario")
            }
            Self::Create(Error(pd::CreateError::Ram)) | Self::Transfer(Error(pd::TransferError::Ram)) => {
                write!(f, "its parent has not so much memory to give; lower `ram`, or raise that of its parent")
            }
            Self::Create(Error(pd::CreateError::Caps)) | Self::Transfer(Error(pd::TransferError::Caps)) => {
                write!(f, "its parent has not so many capabilities to give; lower `caps`, or raise those of its parent")
            }
            Self::Load(LoadError::Misaligned(address)) => write!(f, "its segment at {address:#010x} begins in a page"),
            Self::Load(LoadError::WritableCode(address)) => {
                write!(f, "its segment at {address:#010x} is writable and executable")
            }
            Self::Stack(bytes) => write!(f, "a stack of {bytes} bytes is too large"),
            other => write!(f, "it cannot be made: {other:?}"),
        }
    }
}

impl core::error::Error for ChildError {}
