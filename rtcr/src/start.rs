//! How a component under checkpoint is made.
//!
//! What it has without knowing, its program and first stack, are objects like all others, under private numbers behind
//! its own. The same program makes the same objects under the same numbers, so a new instance is like the old one.

use core::fmt;

use base::{
    child::Badge,
    env::slots,
    executable::{Layout, Piece},
    layout::Stack,
    rpc::{CallError, Connection, Interface, Slot, ThreadNumber, Transport},
    session::{
        cpu, log, parent, pd,
        pd::{Access, CopyError, Grant, Memory, OWN, PAGE},
        rm,
        rm::Placement,
        rom, signal, timer,
    },
};

use crate::{
    child::Child,
    information::Stage,
    journal::Journal,
    object::{MapKind, Notification, Object, Owned, RamDataspace, RegionMap, RomDataspace, Thread},
    obstacle::Refusals,
    surroundings::{Edge, Scope, Surroundings},
    table::{PRIVATE, Table},
    upstream::Upstream,
};

/// What a component gets.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Its number among the parent's children: requests arrive with this child's badges ([`Badge`]).
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
    /// The first of [`numbers`] numbers of the parent's that nobody else uses.
    pub base: u32,
    /// The parent's endpoint at which the component's requests arrive.
    pub endpoint: Slot,
    /// The parent's endpoint at which the component serves others. It outlives the instance, and so do the badges with
    /// which others have it.
    pub service: Slot,
    /// The parent's context that its exceptions raise.
    pub exceptions: Slot,
    /// The parent's LOG session for the component's text.
    pub log: Slot,
}

/// How many of the parent's numbers stand for those of a component with that many.
pub const fn numbers(slots: u32) -> u32 {
    slots + PRIVATE
}

/// A program.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// Name of the module that is its file.
    pub module: &'a str,
    /// What its headers say.
    pub layout: &'a Layout<'a>,
}

/// The sessions that a component has from the beginning, and where.
const SESSIONS: [(Slot, Interface); 8] = [
    (slots::PD, pd::INTERFACE),
    (slots::LOG, log::INTERFACE),
    (slots::CPU, cpu::INTERFACE),
    (slots::RM, rm::INTERFACE),
    (slots::ROM, rom::INTERFACE),
    (slots::TIMER, timer::INTERFACE),
    (slots::SIGNAL, signal::INTERFACE),
    (slots::PARENT, parent::INTERFACE),
];

/// Whether a number is one that a component has from its parent, whatever it asks for.
pub(crate) fn is_given(number: u32) -> bool {
    let other = [slots::FAULT, slots::ENDPOINT];
    SESSIONS.iter().map(|(slot, _)| slot).chain(&other).any(|slot| slot.0 == number)
}

impl<T: Transport + Copy> Child<T> {
    /// Makes a component and lets it run. All its requests arrive at `settings.endpoint`.
    ///
    /// # Errors
    /// Nothing is left of it.
    pub fn start<P: Surroundings + ?Sized>(
        up: Upstream<T>,
        settings: &Settings<'_>,
        program: Program<'_>,
        surroundings: &mut P,
    ) -> Result<Self, StartError> {
        let mut child = Self::create(up, settings)?;
        let pd = child.pd.number;
        let at = |number: Slot| Slot(settings.base + number.0);
        let stack = Stack::of(ThreadNumber::FIRST, settings.stack).ok_or(StartError::Stack(settings.stack))?;

        let space = RegionMap::create(up, at(slots::ADDRESS_SPACE), pd, MapKind::Space).map_err(StartError::Space)?;
        let space_number = space.number();
        let space = child.table.insert(slots::ADDRESS_SPACE.0, Object::RegionMap(space));
        let file = child.place_private()?;
        let mut module =
            RomDataspace::open(up, child.table.outward(file), program.module).map_err(StartError::Module)?;
        module.fingerprint = surroundings.fingerprint(program.module, module.number());
        child.table.insert(file, Object::RomDataspace(module));
        program.layout.pieces().try_for_each(|piece| child.load(file, &piece, surroundings))?;
        let memory = child.allocate(stack.size(), surroundings)?;
        child.attach(memory, Placement::at(stack.base))?;

        let doorbell = Notification::create(up, at(slots::DOORBELL), pd, slots::DOORBELL.0);
        let doorbell = doorbell.map_err(StartError::Allocate)?;
        let bell = doorbell.number();
        let doorbell = child.table.insert(slots::DOORBELL.0, Object::Notification(doorbell));

        let description = (settings.priority, stack.buffer());
        let thread = Thread::create(up, at(slots::THREAD), pd, (space, space_number), description, settings.name);
        let mut thread = thread.map_err(StartError::Thread)?;
        up.cpu().bind(thread.number(), bell).map_err(StartError::Start)?;
        thread.bound = Some(doorbell);
        up.cpu().start(thread.number(), program.layout.entry(), stack.top, 0).map_err(StartError::Start)?;
        thread.started = true;
        child.table.insert(slots::THREAD.0, Object::Thread(thread));
        Ok(child)
    }

    /// A protection domain with its quota and its sessions, and nothing else.
    pub(crate) fn create(up: Upstream<T>, settings: &Settings<'_>) -> Result<Self, StartError> {
        let at = Slot(settings.base + OWN.0);
        let pd = Owned::new(up, up.pd().create(at, settings.slots, settings.name).map_err(StartError::Create)?);
        let mut child = Self {
            pd,
            table: Table::new(settings.base, settings.slots),
            up,
            journal: Journal::default(),
            stage: Stage::Booting,
            offset: 0,
            refusals: Refusals::default(),
            exit_wanted: false,
            log: Connection { transport: up.transport(), slot: settings.log },
        };
        let pd = child.pd.number;
        up.pd().transfer(OWN, pd, settings.ram, settings.caps).map_err(StartError::Transfer)?;
        for (slot, interface) in SESSIONS {
            let badge = Badge::first(settings.number, interface.id).number();
            let badge = badge.ok_or(StartError::Number)?;
            let installed = up.pd().install(settings.endpoint, pd, slot, Grant { access: Access::Use, badge });
            installed.map_err(|error| StartError::Session(interface.name, error))?;
            child.table.insert(slot.0, Object::First { interface: interface.id });
        }
        let installed = up.pd().install(settings.service, pd, slots::ENDPOINT, Grant::OWN);
        installed.map_err(|error| StartError::Session("service", error))?;
        child.table.insert(slots::ENDPOINT.0, Object::Service);
        up.cpu().handle_exceptions(pd, settings.exceptions).map_err(StartError::Start)?;
        Ok(child)
    }

    fn place_private(&self) -> Result<u32, StartError> {
        self.table.place_private().ok_or(StartError::Segments)
    }

    /// Memory of the component's under a private number.
    fn allocate<P: Surroundings + ?Sized>(&mut self, size: u32, surroundings: &mut P) -> Result<u32, StartError> {
        let number = self.place_private()?;
        let at = self.table.outward(number);
        surroundings.scope(Scope::Allocation, Edge::Begin);
        let memory = RamDataspace::allocate(self.up, at, self.pd.number, size, Memory::default());
        let mut memory = memory.map_err(StartError::Allocate)?;
        memory.populate(size / PAGE).map_err(StartError::Allocate)?;
        self.table.insert(number, Object::RamDataspace(memory));
        surroundings.scope(Scope::Allocation, Edge::End);
        Ok(number)
    }

    /// Attaches what has that number in the component's address space, and maps all of it, so that what the component
    /// costs is known before it runs.
    fn attach(&mut self, number: u32, placement: Placement) -> Result<(), StartError> {
        let table = &mut self.table;
        let (Some(link), Some(Ok(bytes))) = (table.link(number), table.get(number).map(Object::attachable)) else {
            return Err(StartError::Segments);
        };
        let what = (link, table.outward(number), bytes);
        if let Some(Object::RamDataspace(memory)) = table.get_mut(number) {
            memory.attached += 1;
        }
        let Some(Object::RegionMap(space)) = table.get_mut(slots::ADDRESS_SPACE.0) else {
            return Err(StartError::Segments);
        };
        let address = space.attach(what, placement).map_err(StartError::Attach)?;
        space.map_rest(address).map_err(StartError::Attach)
    }

    /// A segment that is never written is attached as it is in the file; others are copied.
    fn load<P: Surroundings + ?Sized>(
        &mut self,
        file: u32,
        piece: &Piece,
        surroundings: &mut P,
    ) -> Result<(), StartError> {
        let Piece { address, writable, executable, .. } = *piece;
        let pages = piece.pages().ok_or(StartError::Misaligned(address))?;
        if writable && executable {
            return Err(StartError::WritableCode(address));
        }
        if !writable && pages.filled == pages.count {
            let (offset, size) = (pages.from * PAGE, pages.count * PAGE);
            return self.attach(file, Placement { address: Some(address), offset, size, writable, executable });
        }
        let memory = self.allocate(pages.count * PAGE, surroundings)?;
        let (dst, src) = ((self.table.outward(memory), 0), (self.table.outward(file), pages.from));
        self.up.copy(dst, src, pages.filled).map_err(StartError::Copy)?;
        self.attach(memory, Placement { address: Some(address), offset: 0, size: 0, writable, executable })
    }
}

/// Why there is no component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartError {
    /// Its number does not fit a badge.
    Number,
    /// No stack of that size.
    Stack(u32),
    /// More segments than there are private numbers.
    Segments,
    /// A segment that does not begin at a page boundary, in memory as in the file.
    Misaligned(u32),
    /// A segment may be written and executed.
    WritableCode(u32),
    /// No protection domain.
    Create(CallError<pd::CreateError>),
    /// The parent has not the quota to give.
    Transfer(CallError<pd::TransferError>),
    /// It does not get that session.
    Session(&'static str, CallError<pd::InstallError>),
    /// No address space.
    Space(CallError<rm::CreateError>),
    /// Its program is not there.
    Module(CallError<rom::OpenError>),
    /// No memory, endpoint or notification.
    Allocate(CallError<pd::AllocateError>),
    /// The content of a segment was not copied.
    Copy(CallError<CopyError>),
    /// A segment or the stack was not attached.
    Attach(CallError<rm::AttachError>),
    /// No thread.
    Thread(CallError<cpu::CreateError>),
    /// Its thread does not start, or nobody would hear of its exceptions.
    Start(CallError<cpu::ThreadError>),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misaligned(address) => write!(f, "its segment at {address:#010x} begins in a page"),
            Self::WritableCode(address) => write!(f, "its segment at {address:#010x} is writable and executable"),
            Self::Stack(bytes) => write!(f, "a stack of {bytes} bytes is too large"),
            other => write!(f, "it cannot be made: {other:?}"),
        }
    }
}

impl core::error::Error for StartError {}
