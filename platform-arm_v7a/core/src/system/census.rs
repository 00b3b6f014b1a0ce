//! What is counted of core: resources, and what it keeps about components.

use base::session::census::{CNODES, Count, Counts, LoseError, Sums};

#[cfg(feature = "losses")]
use base::session::census::{STALE, UNCLEARED};
#[cfg(feature = "losses")]
use sel4::UserContext;

use super::{Domain, Id, System};
use crate::resources;

impl System {
    /// How much of everything there is.
    pub fn count(&self) -> Counts {
        let mut counts = self.resources.counts();
        // Core's own are as many as there are MiB of small and large frames that were made, and stay.
        let own = counts.frames[0].made.div_ceil(256) + counts.frames[1].made.div_ceil(16);
        counts.tables.used = counts.tables.used.saturating_sub(own);
        counts.tables.made = counts.tables.made.saturating_sub(own);
        let (cnodes, bits) = CNODES;
        let made = |count: resources::Count| Count { used: count.used, made: count.made };
        // Nothing is made ahead of these.
        let all = |used: usize| Count { used: used as u32, made: used as u32 };
        let objects = [counts.threads, counts.endpoints, counts.notifications, counts.directories, counts.tables];
        let kinds = [all(counts.slots as usize)]
            .into_iter()
            .chain(counts.frames.into_iter().chain(objects).map(made))
            .chain(counts.cnodes[bits..].iter().take(cnodes.len()).copied().map(made))
            .chain([
                all(self.domains.len()),
                all(self.dataspaces.len()),
                all(self.maps.len()),
                all(self.contexts.len()),
                all(self.irqs.len()),
                all(self.timeouts.waiting()),
                all(self.room_used as usize),
            ]);
        Counts { free: self.resources.available(), kinds: kinds.collect() }
    }

    /// The accounts of all protection domains together. Few are there, and this is asked for rarely.
    pub fn sums(&self) -> Sums {
        let whole = self.whole;
        let mut sums = Sums { ram: whole.ram, caps: whole.caps, ..Sums::default() };
        for (_, domain) in self.domains.iter() {
            sums.all_ram += domain.account.ram;
            sums.all_caps += domain.account.caps;
            sums.used_ram += domain.account.ram_used;
            sums.used_caps += domain.account.caps_used;
        }
        sums
    }

    /// Nothing is refused on purpose.
    ///
    /// # Errors
    /// `Never`.
    #[cfg(not(feature = "losses"))]
    pub const fn refuse(&mut self, _: Id<Domain>, _: u32) -> Result<u32, LoseError> {
        Err(LoseError::Never)
    }

    /// Has the kernel refuse a call that is made of it for requests of a protection domain; tells how many there were.
    ///
    /// # Errors
    /// None.
    #[cfg(feature = "losses")]
    pub fn refuse(&mut self, whose: Id<Domain>, number: u32) -> Result<u32, LoseError> {
        self.watched = Some(whose);
        Ok(sel4::faults::refuse(number))
    }

    /// Loses the next thing of a kind that is given back.
    ///
    /// # Errors
    /// `Never`.
    #[cfg(not(feature = "losses"))]
    pub const fn lose(&mut self, _: u32) -> Result<(), LoseError> {
        Err(LoseError::Never)
    }

    /// Loses the next thing of a kind that is given back.
    ///
    /// # Errors
    /// `Kind`.
    #[cfg(feature = "losses")]
    pub fn lose(&mut self, kind: u32) -> Result<(), LoseError> {
        if kind == UNCLEARED {
            self.resources.leave_uncleared();
            return Ok(());
        }
        if kind == STALE {
            self.stale = Some(UserContext::default());
            return Ok(());
        }
        let arenas = CNODES.0.end as u32;
        match kind.checked_sub(arenas) {
            None => self.resources.lose(kind as usize),
            Some(0) => self.domains.lose(),
            Some(1) => self.dataspaces.lose(),
            Some(2) => self.maps.lose(),
            Some(3) => self.contexts.lose(),
            _ => return Err(LoseError::Kind),
        }
        Ok(())
    }
}
