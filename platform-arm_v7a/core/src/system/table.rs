//! Tables of numbers: which are free, and what comes and goes with them in the capability space.

use base::{
    env::slots,
    rpc::Slot,
    session::pd::{ANY, Access, Grant},
};
use sel4::{Badge, CapData, Rights, boot};

use super::{Domain, Entry, Id, Known, Session, Source, System};
use crate::insist::insist;

/// Why a number does not stand for what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// For nothing, or something that is gone.
    Nothing,
    /// For something else.
    Kind,
}

/// Why a number cannot be given to something new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It stands for something.
    Occupied,
    /// It is beyond the table, or the table is full.
    Range,
}

/// Why nothing was put under a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// The number is taken or too large.
    Number(Unusable),
    /// The account would exceed its capabilities.
    Caps,
    /// More than there is to give.
    Grant,
    /// Not something that others can know.
    Kind,
}

impl From<Unusable> for Unfit {
    fn from(reason: Unusable) -> Self {
        Self::Number(reason)
    }
}

impl Entry {
    /// A number that stands for nothing.
    pub const NOTHING: Self = Self { known: Known::Nothing, owned: false, paid: false };
}

impl System {
    /// Whether what a number stands for is still there.
    pub fn lives(&self, known: Known) -> bool {
        match known {
            Known::Nothing => false,
            Known::Session(_) | Known::Fault => true,
            Known::Domain(id) => self.domains.get(id).is_some(),
            Known::Dataspace(id) => self.dataspaces.get(id).is_some(),
            Known::RegionMap(id) => self.maps.get(id).is_some(),
            Known::Thread(id) => self.threads.get(id).is_some(),
            Known::Endpoint(id) => self.endpoints.get(id).is_some(),
            Known::Notification(id) => self.notifications.get(id).is_some(),
            Known::Context(id) => self.contexts.get(id).is_some(),
        }
    }

    /// The number that something new of a protection domain's is to have: `at`, which may stand for something that is gone,
    /// or the lowest free one. It is not taken by that.
    ///
    /// What is gone makes numbers free when the table is full, all at once.
    ///
    /// # Errors
    /// There is none, or it is taken.
    pub fn free_number(&mut self, holder: Id<Domain>, at: Slot) -> Result<Slot, Unusable> {
        let domain = self.domains.get(holder).filter(|domain| !domain.ending).ok_or(Unusable::Range)?;
        if at != ANY {
            let entry = *domain.table.get(at.0 as usize).ok_or(Unusable::Range)?;
            return if self.lives(entry.known) { Err(Unusable::Occupied) } else { Ok(at) };
        }
        if let Some(number) = self.lowest(holder) {
            return Ok(number);
        }
        self.sweep(holder);
        self.lowest(holder).ok_or(Unusable::Range)
    }

    fn lowest(&mut self, holder: Id<Domain>) -> Option<Slot> {
        let domain = self.domains.get_mut(holder)?;
        let rest = domain.table.get(domain.lowest as usize..)?;
        domain.lowest += rest.iter().position(|entry| entry.known == Known::Nothing)? as u32;
        Some(Slot(domain.lowest))
    }

    /// Makes numbers free whose objects are gone. Up to 2^14 entries, about 5 ns each; happens when a table has become full.
    #[cold]
    fn sweep(&mut self, holder: Id<Domain>) {
        let count = self.domains.get(holder).map_or(0, |domain| domain.table.len());
        for number in 0..count {
            let known = self.domains.get(holder).and_then(|domain| domain.table.get(number)).map(|entry| entry.known);
            if known.is_some_and(|known| known != Known::Nothing && !self.lives(known)) {
                self.forget(holder, number as u32);
            }
        }
    }

    /// Lets a free number stand for something, that nobody pays for again.
    pub fn enter(&mut self, holder: Id<Domain>, number: Slot, known: Known, owned: bool) {
        let entry = self.domains.get_mut(holder).and_then(|domain| domain.table.get_mut(number.0 as usize));
        if let Some(entry) = entry {
            *entry = Entry { known, owned, paid: false };
        }
    }

    /// Lets a number stand for nothing; its kernel slot is empty.
    pub fn forget(&mut self, holder: Id<Domain>, number: u32) {
        let Some(domain) = self.domains.get_mut(holder) else { return };
        let Some(entry) = domain.table.get_mut(number as usize) else { return };
        let paid = core::mem::replace(entry, Entry::NOTHING).paid;
        domain.lowest = domain.lowest.min(number).max(slots::FIRST_FREE.0);
        if paid {
            domain.account.refund(0, 1);
        }
    }

    /// Takes what a number stands for away from its holder. What it stands for stays, unless it is a session of core's.
    pub fn vacate(&mut self, holder: Id<Domain>, number: u32) {
        let Some(domain) = self.domains.get(holder) else { return };
        let Some(entry) = domain.table.get(number as usize).copied() else { return };
        if let Known::Session(Session::Irq(irq)) = entry.known {
            self.close_irq(irq);
        }
        let in_kernel =
            matches!(entry.known, Known::Session(_) | Known::Endpoint(_) | Known::Notification(_) | Known::Fault);
        if in_kernel && let Some(domain) = self.domains.get(holder) {
            // SAFETY: no memory goes with it. An empty slot is no error.
            let _ = insist(|| unsafe { domain.slots.slot_at(number, domain.slot_bits).delete() });
        }
        self.forget(holder, number);
    }

    /// Opens a session of core's for a protection domain, which pays a capability for it.
    ///
    /// # Errors
    /// Nothing has changed.
    pub fn open(&mut self, holder: Id<Domain>, at: Slot, session: Session) -> Result<Slot, Unfit> {
        let number = self.free_number(holder, at)?;
        let source = Source::Session { domain: holder.index(), number: number.0 };
        let badge = source.badge().ok_or(Unusable::Range)?;
        self.pay_entry(holder, number, Known::Session(session), false)?;
        self.mint(holder, number, badge);
        Ok(number)
    }

    /// Lets a free number stand for something that costs its holder a capability, since nobody else pays for it.
    ///
    /// # Errors
    /// The account would exceed its capabilities.
    pub fn pay_entry(&mut self, holder: Id<Domain>, number: Slot, known: Known, owned: bool) -> Result<(), Unfit> {
        let domain = self.domains.get_mut(holder).ok_or(Unusable::Range)?;
        let entry = domain.table.get_mut(number.0 as usize).ok_or(Unusable::Range)?;
        domain.account.charge(0, 1).map_err(|_| Unfit::Caps)?;
        *entry = Entry { known, owned, paid: true };
        Ok(())
    }

    /// Puts core's endpoint into a slot, which is empty.
    fn mint(&mut self, holder: Id<Domain>, number: Slot, badge: Badge) {
        let Some(domain) = self.domains.get(holder) else { return };
        let dst = domain.slots.slot_at(number.0, domain.slot_bits);
        // The slot exists and is empty, so this cannot fail.
        let _ = insist(|| self.endpoint.slot(boot::CNODE).mint_to(dst, Rights::CALL, badge.into()));
    }

    /// Puts an endpoint or notification that its holder has just made into its slot.
    pub fn place_own(&mut self, holder: Id<Domain>, number: Slot) {
        let Some(domain) = self.domains.get(holder) else { return };
        let Some(entry) = domain.table.get(number.0 as usize) else { return };
        let (src, rights) = match entry.known {
            Known::Endpoint(id) => (self.endpoints.get(id).map(|object| object.cap.slot(boot::CNODE)), Rights::ALL),
            Known::Notification(id) => {
                (self.notifications.get(id).map(|object| object.cap.slot(boot::CNODE)), Rights::READ_WRITE)
            }
            _ => return,
        };
        if let Some(src) = src {
            // The slot exists and is empty, so this cannot fail.
            let _ = insist(|| src.copy_to(domain.slots.slot_at(number.0, domain.slot_bits), rights));
        }
    }

    /// Puts the endpoint to which the kernel reports faults of threads into its slot.
    pub fn install_fault(&mut self, holder: Id<Domain>) {
        let Some(badge) = (Source::Fault { domain: holder.index(), thread: 0 }).badge() else { return };
        self.enter(holder, slots::FAULT, Known::Fault, false);
        self.mint(holder, slots::FAULT, badge);
    }

    /// Makes what one knows under a number known to another.
    ///
    /// # Errors
    /// Nothing has changed.
    pub fn install(
        &mut self,
        (from, number): (Id<Domain>, Slot),
        (to, at): (Id<Domain>, Slot),
        grant: Grant,
    ) -> Result<Slot, Unfit> {
        let domain = self.domains.get(from).ok_or(Unfit::Kind)?;
        let entry = domain.table.get(number.0 as usize).copied().unwrap_or(Entry::NOTHING);
        let owned = grant.access == Access::Own;
        if owned && !entry.owned {
            return Err(Unfit::Grant);
        }
        let has_badge = grant.badge != 0;
        // Who has only a badged capability passes that on: another badge would be somebody else's name.
        if has_badge && (!matches!(entry.known, Known::Endpoint(_)) || owned || !entry.owned) {
            return Err(Unfit::Grant);
        }
        let own = domain.slots.slot_at(number.0, domain.slot_bits);
        let (src, rights) = match entry.known {
            Known::Session(_) | Known::Fault | Known::Nothing => return Err(Unfit::Kind),
            Known::Endpoint(_) if !entry.owned => (Some(own), Rights::CALL),
            Known::Notification(_) if !entry.owned => (Some(own), Rights::WRITE),
            Known::Endpoint(id) => {
                let rights = if owned { Rights::ALL } else { Rights::CALL };
                (self.endpoints.get(id).map(|object| object.cap.slot(boot::CNODE)), rights)
            }
            Known::Notification(id) => {
                let rights = if owned { Rights::READ_WRITE } else { Rights::WRITE };
                (self.notifications.get(id).map(|object| object.cap.slot(boot::CNODE)), rights)
            }
            _ => (None, Rights::NONE),
        };
        let at = self.free_number(to, at)?;
        if let Some(src) = src {
            let Some(receiver) = self.domains.get(to) else { return Err(Unfit::Kind) };
            let dst = receiver.slots.slot_at(at.0, receiver.slot_bits);
            // Both slots exist; what is gone has left an empty one. What has a badge can be copied, but not minted again, be it
            // without another badge (seL4 5.0.0, updateCapData).
            let placed = match Badge::new(grant.badge).filter(|_| has_badge) {
                Some(badge) => src.mint_to(dst, rights, CapData::Badge(badge)),
                None => src.copy_to(dst, rights),
            };
            placed.map_err(|_| Unfit::Kind)?;
        }
        self.enter(to, at, entry.known, owned);
        // A module is paid for by everybody who knows it; that is whoever opened it, not who was given it.
        Ok(at)
    }

    /// Whether `above` is `below` or one of those above it.
    pub fn is_above(&self, above: Id<Domain>, below: Id<Domain>) -> bool {
        let mut next = Some(below);
        while let Some(id) = next {
            if id == above {
                return true;
            }
            next = self.domains.get(id).and_then(|domain| domain.parent);
        }
        false
    }
}
