//! Protection domains: a table of numbers, a capability space, an account.

use alloc::{string::String, vec::Vec};

use base::session::pd::{self, CreateError, TransferError};
use sel4::{CNode, Cap};
use wire::trace::Event;

use super::{
    CORE, Context, Dataspace, EndpointObject, Id, MAX_SLOT_BITS, NotificationObject, RegionMap, System, Thread,
    irq::Irq,
};
use crate::trace;

/// A protection domain.
pub struct Domain {
    /// What it is called.
    pub name: String,
    /// Whose child it is, who also pays for its table; none for the first.
    pub parent: Option<Id<Domain>>,
    /// Where it is in the list of what the parent has paid for.
    pub place: u32,
    /// What its numbers stand for; as long as its capability space.
    pub table: Vec<Entry>,
    /// No number below this is free.
    pub lowest: u32,
    /// Its capability space.
    pub slots: Cap<CNode>,
    /// Slots of that, as a power of two.
    pub slot_bits: u8,
    /// What it may use and uses.
    pub account: Account,
    /// What it has paid for, in no order.
    pub owned: Vec<Known>,
    /// What is known of its threads, in the order of creation.
    pub threads: super::thread::Threads,
    /// It takes no further operation but `free`.
    pub ending: bool,
}

impl Domain {
    /// One without threads, that nobody has asked for anything yet.
    pub fn new(
        name: &str,
        parent: Option<Id<Domain>>,
        table: Vec<Entry>,
        slots: Cap<CNode>,
        slot_bits: u8,
        account: Account,
    ) -> Self {
        Self {
            name: name.into(),
            parent,
            place: 0,
            table,
            lowest: base::env::slots::FIRST_FREE.0,
            slots,
            slot_bits,
            account,
            owned: Vec::new(),
            threads: super::thread::Threads::default(),
            ending: false,
        }
    }
}

/// What a number stands for, and what its holder may do with it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The object.
    pub known: Known,
    /// Whether it may be written, received at, waited for, freed.
    pub owned: bool,
    /// Whether the holder has paid a capability for the entry itself, as for sessions and modules.
    pub paid: bool,
}

/// What a number can stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing.
    Nothing,
    /// A session of core's; the slot holds core's endpoint.
    Session(Session),
    /// A protection domain.
    Domain(Id<Domain>),
    /// A dataspace.
    Dataspace(Id<Dataspace>),
    /// A region map.
    RegionMap(Id<RegionMap>),
    /// A thread.
    Thread(Id<Thread>),
    /// An endpoint; the slot holds it.
    Endpoint(Id<EndpointObject>),
    /// A notification; the slot holds it.
    Notification(Id<NotificationObject>),
    /// A signal context.
    Context(Id<Context>),
    /// The slot holds what the kernel needs to report faults.
    Fault,
}

/// A session of core's, with what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// PD.
    Pd,
    /// LOG, with the number of the printer that shows its text.
    Log(u32),
    /// RM.
    Rm,
    /// CPU.
    Cpu,
    /// ROM.
    Rom,
    /// TIMER, with what is added to the time.
    Timer(Offset),
    /// SIGNAL.
    Signal,
    /// PARENT of the first component.
    Parent,
    /// IRQ.
    Irq(Id<Irq>),
    /// IO_MEM, with the dataspace of the registers.
    IoMem(Id<Dataspace>),
    /// DMA.
    Dma,
    /// PERSISTENT, with the dataspace that is the memory.
    Persistent(Id<Dataspace>),
    /// REPORT.
    Report,
    /// ECHO.
    Echo,
    /// CENSUS.
    Census,
}

/// What a session of TIMER adds to the time, in nanoseconds; in words, so that no entry of a table is larger for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offset([u32; 2]);

impl Offset {
    /// That many nanoseconds, in two's complement.
    pub const fn new(nanoseconds: u64) -> Self {
        Self([nanoseconds as u32, (nanoseconds >> 32) as u32])
    }

    /// The same as a number.
    #[inline]
    pub const fn nanoseconds(self) -> u64 {
        (self.0[1] as u64) << 32 | self.0[0] as u64
    }
}

/// What a protection domain may use and uses. What it has handed to children counts as neither: quota moves.
///
/// With the bytes that it may use come bytes of core's heap, one with each [`ROOM_PART`]: what core keeps about its regions,
/// page tables, lists of frames, and its children's tables. So nobody takes from others what core keeps about theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Bytes that it may use.
    pub ram: u64,
    /// Bytes that it uses.
    pub ram_used: u64,
    /// Capabilities that it may have.
    pub caps: u32,
    /// Capabilities that it has.
    pub caps_used: u32,
    /// Bytes of core's heap that it uses.
    pub room_used: u64,
}

/// One byte of core's heap comes with so many of an account.
pub const ROOM_PART: u64 = 32;

/// Which quota does not suffice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// Memory.
    Ram,
    /// Capabilities.
    Caps,
}

impl Account {
    /// As it is told; what is beyond 32 bits is told as the largest number.
    pub fn told(&self) -> pd::Account {
        let word = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX);
        pd::Account { ram: word(self.ram), ram_used: word(self.ram_used), caps: self.caps, caps_used: self.caps_used }
    }

    /// Uses more.
    ///
    /// # Errors
    /// That is more than there is; nothing has changed.
    pub fn charge(&mut self, ram: u64, caps: u32) -> Result<(), Quota> {
        if self.ram - self.ram_used < ram {
            return Err(Quota::Ram);
        }
        if self.caps - self.caps_used < caps {
            return Err(Quota::Caps);
        }
        self.ram_used += ram;
        self.caps_used += caps;
        Ok(())
    }

    /// Uses more of core's heap; tells whether it may.
    #[must_use]
    pub const fn take_room(&mut self, bytes: u32) -> bool {
        let used = self.room_used + bytes as u64;
        let fits = used <= self.ram / ROOM_PART;
        if fits {
            self.room_used = used;
        }
        fits
    }

    /// Uses less of it.
    pub const fn give_room(&mut self, bytes: u32) {
        self.room_used = self.room_used.saturating_sub(bytes as u64);
    }

    /// Whether so much can go to another, with the part of core's heap that goes with it.
    const fn can_give(&self, ram: u64) -> bool {
        self.ram - self.ram_used >= ram && self.room_used <= (self.ram - ram) / ROOM_PART
    }

    /// Uses less: what was charged before.
    pub fn refund(&mut self, ram: u64, caps: u32) {
        self.ram_used = self.ram_used.saturating_sub(ram);
        self.caps_used = self.caps_used.saturating_sub(caps);
    }
}

/// Bytes of a slot, in the kernel. What core keeps about it takes as many of its heap.
const SLOT_BYTES: u64 = 16;
const _: () = assert!(size_of::<Entry>() <= SLOT_BYTES as usize);
/// Longest name.
const MAX_NAME: usize = 32;
/// Most protection domains above each other, core's own included.
const MAX_DEPTH: usize = 16;
/// Fewest slots of a protection domain, as a power of two.
const MIN_SLOT_BITS: u8 = 6;

impl Domain {
    /// Bytes that its table costs.
    pub fn table_bytes(&self) -> u64 {
        SLOT_BYTES << self.slot_bits
    }
}

impl System {
    /// A protection domain, whose table its parent pays for.
    ///
    /// # Errors
    /// Nothing has been made.
    pub fn create_domain(
        &mut self,
        parent: Option<Id<Domain>>,
        slots: u32,
        name: &str,
    ) -> Result<Id<Domain>, CreateError> {
        let printable = name.chars().all(|character| !character.is_control() && !character.is_whitespace());
        if name.is_empty() || name.len() > MAX_NAME || !printable {
            return Err(CreateError::Name);
        }
        if slots == 0 || slots > 1 << MAX_SLOT_BITS {
            return Err(CreateError::Size);
        }
        let slot_bits = (slots.next_power_of_two().trailing_zeros() as u8).max(MIN_SLOT_BITS);
        let cost = SLOT_BYTES << slot_bits;
        if !self.may_have_child(parent) {
            return Err(CreateError::Exhausted);
        }
        let payer = parent.unwrap_or(CORE);
        if !self.take_room(payer, cost as u32) {
            return Err(CreateError::Ram);
        }
        let made = self.make_domain(parent, (slot_bits, cost), name);
        if made.is_err() {
            self.give_room(payer, cost as u32);
        }
        made
    }

    /// Whether a protection domain is not the deepest there may be.
    fn may_have_child(&self, parent: Option<Id<Domain>>) -> bool {
        let above = |id: &Id<Domain>| self.domains.get(*id).and_then(|domain| domain.parent);
        core::iter::successors(parent, above).take(MAX_DEPTH).count() < MAX_DEPTH
    }

    fn make_domain(
        &mut self,
        parent: Option<Id<Domain>>,
        (slot_bits, cost): (u8, u64),
        name: &str,
    ) -> Result<Id<Domain>, CreateError> {
        let count = 1 << slot_bits;
        let mut table = Vec::new();
        table.try_reserve_exact(count).map_err(|_| CreateError::Exhausted)?;
        table.resize(count, Entry::NOTHING);
        if let Some(parent) = parent {
            self.charge(parent, cost, 1).map_err(|quota| match quota {
                Quota::Ram => CreateError::Ram,
                Quota::Caps => CreateError::Caps,
            })?;
        }
        let made = self.resources.take_cnode(slot_bits).ok().and_then(|slots| {
            let domain = Domain {
                name: name.into(),
                parent,
                place: 0,
                table,
                lowest: base::env::slots::FIRST_FREE.0,
                slots,
                slot_bits,
                account: Account::default(),
                owned: Vec::new(),
                threads: Default::default(),
                ending: false,
            };
            let id = self.domains.insert(domain);
            if id.is_none() {
                self.resources.give_cnode(slots, slot_bits);
            }
            id
        });
        let Some(id) = made else {
            if let Some(parent) = parent {
                self.refund(parent, cost, 1);
            }
            return Err(CreateError::Exhausted);
        };
        if let Some(parent) = parent {
            self.own(parent, Known::Domain(id));
        }
        self.install_fault(id);
        trace::name_domain(id, name);
        self.trace(id, Event::DomainMade { parent: parent.unwrap_or(CORE).index() as u16 });
        Ok(id)
    }

    /// Moves quota.
    ///
    /// # Errors
    /// Nothing has been moved.
    pub fn transfer(&mut self, from: Id<Domain>, to: Id<Domain>, ram: u64, caps: u32) -> Result<(), TransferError> {
        if self.domains.get(to).is_none_or(|domain| domain.ending) {
            return Err(TransferError::Nothing);
        }
        let giver = &mut self.domains.get_mut(from).ok_or(TransferError::Nothing)?.account;
        if from != CORE && !giver.can_give(ram) || giver.ram - giver.ram_used < ram {
            return Err(TransferError::Ram);
        }
        if giver.caps - giver.caps_used < caps {
            return Err(TransferError::Caps);
        }
        (giver.ram, giver.caps) = (giver.ram - ram, giver.caps - caps);
        if let Some(domain) = self.domains.get_mut(to) {
            // The sum over all accounts stays what core began with, so this cannot overflow.
            (domain.account.ram, domain.account.caps) = (domain.account.ram + ram, domain.account.caps + caps);
        }
        Ok(())
    }

    /// An account uses more.
    ///
    /// # Errors
    /// That is more than it has, or its protection domain ends; nothing has changed.
    pub fn charge(&mut self, account: Id<Domain>, ram: u64, caps: u32) -> Result<(), Quota> {
        let domain = self.domains.get_mut(account).filter(|domain| !domain.ending).ok_or(Quota::Caps)?;
        domain.account.charge(ram, caps)
    }

    /// An account uses less: what was charged before.
    pub fn refund(&mut self, account: Id<Domain>, ram: u64, caps: u32) {
        if let Some(domain) = self.domains.get_mut(account) {
            domain.account.refund(ram, caps);
        }
    }
}
