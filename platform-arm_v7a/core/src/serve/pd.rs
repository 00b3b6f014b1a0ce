//! PD: protection domains, their memory, their accounts, and what lies in their slots.

use base::{
    env::slots,
    rpc::Slot,
    scenario::RESERVED,
    session::{
        census, cpu, device, echo, log, parent,
        pd::{
            Access, Account, AllocateError, CopyError, CopyPages, CreateError, Description, FreeError, Grant,
            InstallError, LookupError, Memory, Note, OWN, Pd, TraceError, TransferError,
        },
        report, rm, rom, several, signal, timer,
    },
};

use wire::trace::{Event, MAX_NAME};

use super::Call;
use crate::{
    system::{
        CORE, Domain, Id, Known, Session, domain,
        table::{Missing, Unfit},
    },
    trace,
};

impl From<Unfit> for InstallError {
    fn from(reason: Unfit) -> Self {
        match reason {
            Unfit::Number(reason) => reason.into(),
            Unfit::Caps => Self::Caps,
            Unfit::Grant => Self::Grant,
            Unfit::Kind => Self::Kind,
        }
    }
}

impl Call<'_> {
    /// A protection domain in whose name the caller may act: its own, or one that it has made or was given as its own.
    pub(super) fn own_domain(&self, number: Slot) -> Result<Id<Domain>, Missing> {
        let domain = self.domain(number)?;
        if number != OWN && !self.entry(number).owned {
            return Err(Missing::Kind);
        }
        match self.system.domains.get(domain) {
            Some(object) if !object.ending => Ok(domain),
            _ => Err(Missing::Nothing),
        }
    }

    /// Whether the caller may print under a name. That of a component of the scenario is for those above it and for whoever
    /// prints under it already; so nobody's lines are taken for another's, nor for core's.
    fn may_print(&self, label: &str) -> bool {
        let Some(domain) = self.system.domains.get(self.holder) else { return false };
        if self.holder == CORE || domain.parent == Some(CORE) {
            return true;
        }
        let scenario = &self.outside.scenario;
        let own = self.prints_as().map_or("", |number| self.outside.judge.name(number));
        let is_somebody = scenario.components.contains_key(label) || RESERVED.contains(&label);
        !is_somebody || label == own || scenario.is_below(label, own)
    }

    /// The number by which the caller prints itself.
    fn prints_as(&self) -> Option<u32> {
        let domain = self.system.domains.get(self.holder)?;
        match domain.table.get(slots::LOG.0 as usize)?.known {
            Known::Session(Session::Log(number)) => Some(number),
            _ => None,
        }
    }

    /// A session of core's, as it can be opened by the caller. CENSUS, devices and REPORT are for the first component alone,
    /// which gives them on by the scenario.
    fn session(&mut self, service: u16, label: &str) -> Result<Session, InstallError> {
        let is_first = || self.system.domains.get(self.holder).is_some_and(|domain| domain.parent == Some(CORE));
        Ok(match service {
            id if id == pd_id() => Session::Pd,
            id if id == rm::INTERFACE.id => Session::Rm,
            id if id == cpu::INTERFACE.id => Session::Cpu,
            id if id == rom::INTERFACE.id => Session::Rom,
            id if id == timer::INTERFACE.id => Session::Timer(domain::Offset::default()),
            id if id == signal::INTERFACE.id => Session::Signal,
            id if id == echo::INTERFACE.id => Session::Echo,
            id if id == census::INTERFACE.id && is_first() => Session::Census,
            id if id == log::INTERFACE.id && self.may_print(label) => {
                let by = self.prints_as();
                Session::Log(self.outside.judge.printer(label, by).ok_or(InstallError::Service)?)
            }
            id if id == parent::INTERFACE.id && self.holder == CORE => Session::Parent,
            id if id == report::INTERFACE.id && self.holder == CORE => Session::Report,
            id if id == device::irq::INTERFACE.id && is_first() => {
                let number = label.parse().map_err(|_| InstallError::Service)?;
                Session::Irq(self.system.open_irq(number).map_err(|_| InstallError::Service)?)
            }
            id if id == device::io_mem::INTERFACE.id && is_first() => {
                let digits = label.strip_prefix("0x").unwrap_or(label);
                let address = u32::from_str_radix(digits, 16).map_err(|_| InstallError::Service)?;
                Session::IoMem(self.system.device(address).map_err(|_| InstallError::Service)?)
            }
            id if id == device::dma::INTERFACE.id && is_first() => Session::Dma,
            id if id == device::persistent::INTERFACE.id && is_first() => {
                let digits = label.strip_prefix("0x").unwrap_or(label);
                let size = u32::from_str_radix(digits, 16).map_err(|_| InstallError::Service)?;
                Session::Persistent(self.system.persistent(size).map_err(|_| InstallError::Service)?)
            }
            _ => return Err(InstallError::Service),
        })
    }
}

const fn pd_id() -> u16 {
    base::session::pd::INTERFACE.id
}

impl Pd for Call<'_> {
    fn restore_thread(&mut self) {}

    fn allocate(&mut self, at: Slot, account: Slot, size: u32, memory: Memory) -> Result<Slot, AllocateError> {
        let account = self.own_domain(account)?;
        let number = self.free_number(at)?;
        let dataspace = self.system.allocate(account, size, memory)?;
        self.enter(number, Known::Dataspace(dataspace));
        Ok(number)
    }

    fn several(&mut self, requests: &[u8]) -> u32 {
        several::of_pd(self, requests)
    }

    fn populate(&mut self, dataspace: Slot) -> Result<u32, AllocateError> {
        let dataspace = self.dataspace(dataspace)?;
        self.system.populate(dataspace)
    }

    fn free(&mut self, number: Slot) -> Result<u32, FreeError> {
        let entry = self.entry(number);
        let left = match entry.known {
            // What only the number was paid for goes with it.
            Known::Dataspace(_) if entry.paid => 0,
            known if !self.system.lives(known) => return Err(FreeError::Nothing),
            _ => self.system.free(self.holder, entry)?,
        };
        if left == 0 {
            self.forget(number);
        }
        Ok(left)
    }

    fn describe(&mut self, dataspace: Slot) -> Result<Description, LookupError> {
        let id = self.dataspace(dataspace)?;
        let object = self.system.dataspaces.get(id).filter(|object| !object.ending).ok_or(LookupError::Nothing)?;
        Ok(Description {
            size: object.pages * base::session::pd::PAGE,
            memory: object.memory,
            writable: self.entry(dataspace).owned && object.is_writable(),
            pages: object.present(),
        })
    }

    fn copy(&mut self, dst: Slot, src: Slot, pages: CopyPages) -> Result<u32, CopyError> {
        let (to, from) = (self.dataspace(dst)?, self.dataspace(src)?);
        if !self.entry(dst).owned {
            return Err(CopyError::ReadOnly);
        }
        self.system.copy(to, from, pages)
    }

    fn account(&mut self, pd: Slot) -> Result<Account, LookupError> {
        let domain = self.domain(pd)?;
        self.system.domains.get(domain).map(|domain| domain.account.told()).ok_or(LookupError::Nothing)
    }

    fn transfer(&mut self, from: Slot, to: Slot, ram: u32, caps: u32) -> Result<(), TransferError> {
        let (from, to) = (self.own_domain(from)?, self.own_domain(to)?);
        let parent = |id| self.system.domains.get(id).and_then(|domain| domain.parent);
        let siblings = parent(from) == Some(self.holder) && parent(to) == Some(self.holder);
        if parent(from) != Some(to) && parent(to) != Some(from) && !siblings {
            return Err(TransferError::Unrelated);
        }
        self.system.transfer(from, to, ram.into(), caps)
    }

    fn create(&mut self, at: Slot, slots: u32, name: &str) -> Result<Slot, CreateError> {
        let number = self.free_number(at)?;
        let domain = self.system.create_domain(Some(self.holder), slots, name)?;
        self.enter(number, Known::Domain(domain));
        Ok(number)
    }

    fn install(&mut self, number: Slot, pd: Slot, slot: Slot, grant: Grant) -> Result<Slot, InstallError> {
        let to = self.own_domain(pd)?;
        if !self.system.lives(self.entry(number).known) {
            return Err(InstallError::Nothing);
        }
        Ok(self.system.install((self.holder, number), (to, slot), grant)?)
    }

    fn remove(&mut self, pd: Slot, slot: Slot) -> Result<(), InstallError> {
        let from = self.own_domain(pd)?;
        let domain = self.system.domains.get(from).ok_or(InstallError::Nothing)?;
        let entry = domain.table.get(slot.0 as usize).ok_or(InstallError::Range)?;
        match entry.known {
            Known::Nothing => Err(InstallError::Nothing),
            Known::Fault => Err(InstallError::Kind),
            _ => {
                self.system.vacate(from, slot.0);
                Ok(())
            }
        }
    }

    fn share(&mut self, from: Slot, number: Slot, to: Slot, at: Slot) -> Result<Slot, InstallError> {
        let (from, to) = (self.own_domain(from)?, self.own_domain(to)?);
        let domain = self.system.domains.get(from).ok_or(InstallError::Nothing)?;
        let entry = domain.table.get(number.0 as usize).copied().ok_or(InstallError::Range)?;
        if !self.system.lives(entry.known) {
            return Err(InstallError::Nothing);
        }
        let access = if entry.owned { Access::Own } else { Access::Use };
        Ok(self.system.install((from, number), (to, at), Grant { access, badge: 0 })?)
    }

    fn connect(&mut self, pd: Slot, slot: Slot, service: u16, label: &str) -> Result<Slot, InstallError> {
        let to = self.own_domain(pd)?;
        // Before something is opened that would have to be closed again.
        self.system.free_number(to, slot)?;
        let session = self.session(service, label)?;
        let opened = self.system.open(to, slot, session);
        if let (Err(_), Session::Irq(irq)) = (opened, session) {
            self.system.close_irq(irq);
        }
        Ok(opened?)
    }

    fn create_endpoint(&mut self, at: Slot, account: Slot) -> Result<Slot, AllocateError> {
        let account = self.own_domain(account)?;
        let number = self.free_number(at)?;
        let endpoint = self.system.create_endpoint(account)?;
        self.enter(number, Known::Endpoint(endpoint));
        self.system.place_own(self.holder, number);
        Ok(number)
    }

    fn create_notification(&mut self, at: Slot, account: Slot) -> Result<Slot, AllocateError> {
        let account = self.own_domain(account)?;
        let number = self.free_number(at)?;
        let notification = self.system.create_notification(account)?;
        self.enter(number, Known::Notification(notification));
        self.system.place_own(self.holder, number);
        Ok(number)
    }

    fn hang_up(&mut self, endpoint: Slot, pd: Slot) -> Result<u32, LookupError> {
        let (id, domain) = (self.endpoint(endpoint)?, self.own_domain(pd)?);
        if !self.entry(endpoint).owned {
            return Err(LookupError::Kind);
        }
        Ok(self.system.hang_up(id, domain))
    }
    fn trace_kind(&mut self, name: &str) -> Result<u32, TraceError> {
        if !trace::ON {
            return Err(TraceError::Off);
        }
        let is_good = (1..=MAX_NAME).contains(&name.len()) && !name.chars().any(char::is_control);
        match is_good.then(|| trace::kind(name)) {
            None => Err(TraceError::Name),
            Some(0) => Err(TraceError::Exhausted),
            Some(number) => Ok(number.into()),
        }
    }

    fn note(&mut self, pd: Slot, note: Note) -> Result<(), TraceError> {
        if !trace::ON {
            return Err(TraceError::Off);
        }
        let domain = self.own_domain(pd)?;
        if !trace::is_kind(note.kind) {
            return Err(TraceError::Kind);
        }
        self.system.trace(domain, Event::Note(note));
        Ok(())
    }
}
