//! A component made from an executable: address space, capability space, one thread.
//!
//! Its address space is laid out as [`wire::plan`] says.
//!
//! The capability space has eight slots, and none holds a CNode: 1 the component's own protection domain, 2 its LOG
//! session, 3 the endpoint to which the kernel sends the thread's faults, all one endpoint of core's, told apart by
//! badge; 4 the doorbell on which the thread waits when it has nothing to do.

use alloc::vec::Vec;
use core::{fmt, ptr};

use base::{
    env,
    scenario::{self, Bytes},
};
use sel4::{
    Badge, Cap, CapData, Endpoint, Frame, Guard, Notification, PageDirectory, PageTable, Priority, Rights, Tcb,
    ThreadState, UserContext, VmAttributes, boot,
    thread::{MessageBuffer, Space},
};
use wire::{
    executable::{self, Executable, Segment},
    layout::PAGE,
    plan::{self, MESSAGE_BUFFER, Misplaced, STACK_TOP},
    record::Place,
};

use crate::{
    objects::{Exhausted, Objects},
    place,
    window::Window,
};

/// What one page table covers, as a power of two.
const TABLE_BITS: u32 = 20;
/// User mode, ARM state, interrupts on.
const USER_MODE: u32 = 0x10;
/// Slots of the capability space, as a power of two.
const SLOT_BITS: u8 = 3;
/// Slot of the endpoint for faults.
const FAULT: u32 = 3;

/// A component, from the outside.
pub struct Component {
    thread: Cap<Tcb>,
    priority: u8,
    memory: Vec<Run>,
}

/// Pages of a component that lie side by side, in core's window too.
struct Run {
    address: u32,
    size: u32,
    content: *const u8,
}

/// What a message was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The component's protection domain.
    Pd,
    /// Its LOG session.
    Log,
    /// Its fault endpoint: the kernel sends for a thread.
    Fault,
}

/// Who sent a message, and to what; what a badge of core's endpoint stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Number of the component.
    pub component: usize,
    /// What it sent to.
    pub target: Target,
}

impl Source {
    /// The badge that stands for it; none beyond 2^24 components.
    pub fn badge(self) -> Option<Badge> {
        let target = match self.target {
            Target::Pd => 1,
            Target::Log => 2,
            Target::Fault => 3,
        };
        u32::try_from(self.component).ok().filter(|&number| number < 1 << 24).and_then(|n| Badge::new(n << 2 | target))
    }

    /// What a badge stands for.
    pub fn of(badge: Badge) -> Option<Self> {
        let target = match badge.number() & 3 {
            1 => Target::Pd,
            2 => Target::Log,
            3 => Target::Fault,
            _ => return None,
        };
        Some(Self { component: (badge.number() >> 2) as usize, target })
    }
}

/// Why a component cannot be made.
#[derive(Debug)]
pub enum Error {
    /// Its program is no executable.
    Executable(executable::Error),
    /// It cannot lie where components lie.
    Misplaced(Misplaced),
    /// Program, stack, message buffer and page tables are larger than its quota.
    Quota {
        /// What it would need.
        needed: u64,
        /// What the scenario gives.
        given: Bytes,
    },
    /// Core has nothing left.
    Exhausted(Exhausted),
    /// The kernel refused.
    Kernel(sel4::Error),
}

impl From<Exhausted> for Error {
    fn from(exhausted: Exhausted) -> Self {
        Self::Exhausted(exhausted)
    }
}

impl From<sel4::Error> for Error {
    fn from(error: sel4::Error) -> Self {
        Self::Kernel(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Executable(error) => write!(f, "its program is {error}"),
            Self::Misplaced(misplaced) => misplaced.fmt(f),
            Self::Quota { needed, given } => {
                write!(f, "it needs {needed} bytes of RAM to start and has {given}; raise `ram` in the scenario")
            }
            Self::Exhausted(exhausted) => exhausted.fmt(f),
            Self::Kernel(error) => write!(f, "the kernel refused: {error}"),
        }
    }
}

/// A run of pages of a component that are alike.
struct Pages<'a> {
    address: u32,
    count: u32,
    bytes: &'a [u8],
    writable: bool,
    executable: bool,
}

impl<'a> Pages<'a> {
    fn of(segment: &Segment<'a>) -> Self {
        let Segment { address, size, bytes, writable, executable, .. } = *segment;
        Self { address, count: size.div_ceil(PAGE), bytes, writable, executable }
    }

    fn memory(address: u32, bytes: Bytes) -> Self {
        Self { address, count: bytes.0 / PAGE, bytes: &[], writable: true, executable: false }
    }
}

/// What core makes components with.
pub struct Maker<'a> {
    /// Objects and slots.
    pub objects: &'a mut Objects,
    /// Core's own mappings.
    pub window: &'a mut Window,
    /// Where requests and faults go.
    pub endpoint: Cap<Endpoint>,
}

impl Component {
    /// Makes component number `number` and lets it run.
    ///
    /// # Errors
    /// Nothing of it runs then; what has been made stays taken, since the run ends.
    pub fn start(
        maker: &mut Maker<'_>,
        number: usize,
        settings: &scenario::Component,
        program: &[u8],
    ) -> Result<Self, Error> {
        let program = executable::open(program).map_err(Error::Executable)?;
        let demand = plan::component(&program, settings.stack.0).map_err(Error::Misplaced)?;
        if demand.bytes() > settings.ram.0.into() {
            return Err(Error::Quota { needed: demand.bytes(), given: settings.ram });
        }
        let runs = program.segments().map(|segment| Pages::of(&segment)).chain([
            Pages::memory(STACK_TOP - settings.stack.0, settings.stack),
            Pages::memory(MESSAGE_BUFFER, Bytes(PAGE)),
        ]);
        let mut component = Self { thread: Cap::NULL, priority: settings.priority, memory: Vec::new() };
        let space = maker.objects.make::<PageDirectory>()?;
        boot::ASID_POOL.assign(space)?;
        let mut buffer = Cap::NULL;
        let mut tables = None;
        for pages in runs {
            buffer = component.add(maker, space, &mut tables, &pages)?;
        }
        component.thread = start_thread(maker, number, settings, space, buffer, program.entry())?;
        Ok(component)
    }
}

impl Component {
    /// Makes a run of pages, fills them and maps them; returns the frame of the last.
    fn add(
        &mut self,
        maker: &mut Maker<'_>,
        space: Cap<PageDirectory>,
        tables: &mut Option<u32>,
        pages: &Pages<'_>,
    ) -> Result<Cap<Frame>, Error> {
        let (rights, attributes) = match (pages.writable, pages.executable) {
            (true, _) => (Rights::READ_WRITE, VmAttributes::DATA),
            (false, true) => (Rights::READ, VmAttributes::EXECUTABLE),
            (false, false) => (Rights::READ, VmAttributes::DATA),
        };
        let frames = maker.objects.make_frames(pages.count)?;
        let copies = maker.objects.take_slots(pages.count)?;
        let (mut last, mut first) = (Cap::NULL, core::ptr::null());
        for (index, (frame, copy)) in frames.zip(copies).enumerate() {
            let address = pages.address + index as u32 * PAGE;
            let (frame, copy) = (Cap::<Frame>::new(frame), Cap::<Frame>::new(copy));
            let content = maker.window.map(maker.objects, frame)?;
            let bytes = pages.bytes.chunks(PAGE as usize).nth(index).unwrap_or_default();
            // SAFETY: a fresh page of core's own, zero, on which nobody else has a pointer; `bytes` is at most a page.
            unsafe { content.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
            if pages.executable {
                // What was written as data is to be fetched as instructions.
                frame.unify_instruction(0..PAGE)?;
            }
            if *tables != Some(address >> TABLE_BITS) {
                maker.objects.make::<PageTable>()?.map(space, address)?;
                *tables = Some(address >> TABLE_BITS);
            }
            frame.slot(boot::CNODE).copy_to(copy.slot(boot::CNODE), Rights::ALL)?;
            // SAFETY: the component's address space; core has no references into it.
            unsafe { copy.map(space, address, rights, attributes) }?;
            if index == 0 {
                first = content.cast_const();
            }
            last = copy;
        }
        self.memory.push(Run { address: pages.address, size: pages.count * PAGE, content: first });
        Ok(last)
    }

    /// Stops its thread for good.
    pub fn stop(&self) {
        // The capability is core's own and valid, so this cannot fail; a stopped thread stays stopped.
        let _ = self.thread.suspend();
    }

    /// Priority of its thread.
    pub fn priority(&self) -> u8 {
        self.priority
    }

    /// Whether its thread would run if the processor were free. None if the kernel does not tell.
    pub fn is_ready(&self) -> Option<bool> {
        let info = self.thread.read_registers_and_info(false).ok()?.1?;
        Some(matches!(info.state, ThreadState::Running | ThreadState::Restart))
    }

    /// Where its thread is, without disturbing it. None if the kernel does not say.
    pub fn place(&self) -> Option<Place> {
        let registers = self.thread.read_registers(false).ok()?;
        Some(place::place(registers.pc, registers.sp, registers.lr, registers.r11, |address| self.read(address)))
    }

    /// A word of its memory.
    fn read(&self, address: u32) -> Option<u32> {
        let run = self.memory.iter().find(|run| (run.address..run.address + run.size).contains(&address))?;
        // SAFETY: inside the run, whose pages were mapped one after the other and stay mapped; aligned, since runs are;
        // the component may be writing to it, hence volatile.
        address
            .is_multiple_of(4)
            .then(|| unsafe { ptr::read_volatile(run.content.add((address - run.address) as usize).cast()) })
    }
}

fn start_thread(
    maker: &mut Maker<'_>,
    number: usize,
    settings: &scenario::Component,
    space: Cap<PageDirectory>,
    buffer: Cap<Frame>,
    entry: u32,
) -> Result<Cap<Tcb>, Error> {
    let slots = maker.objects.make_cnode(SLOT_BITS)?;
    for (slot, target) in [(env::PD.0, Target::Pd), (env::LOG.0, Target::Log), (FAULT, Target::Fault)] {
        let source = Source { component: number, target };
        let badge = source.badge().ok_or(Error::Exhausted(Exhausted::Slots))?;
        let own = maker.endpoint.slot(boot::CNODE);
        own.mint_to(slots.slot_at(slot, SLOT_BITS), Rights::CALL, badge.into())?;
    }
    let doorbell = maker.objects.make::<Notification>()?.slot(boot::CNODE);
    doorbell.copy_to(slots.slot_at(env::DOORBELL.0, SLOT_BITS), Rights::READ)?;
    let thread = maker.objects.make::<Tcb>()?;
    let thread_space = Space {
        fault_endpoint: FAULT,
        root: slots,
        root_data: Guard::filling(SLOT_BITS).map_or(CapData::None, CapData::Guard),
        address_space: space,
    };
    let buffer = MessageBuffer { address: MESSAGE_BUFFER, frame: buffer };
    let registers = UserContext { pc: entry, sp: STACK_TOP, cpsr: USER_MODE, ..UserContext::default() };
    // SAFETY: the thread runs in an address space of its own, in which core has no references.
    unsafe {
        thread.configure(thread_space, Priority::new(settings.priority), Some(buffer))?;
        thread.write_registers(true, &registers)?;
    }
    Ok(thread)
}
