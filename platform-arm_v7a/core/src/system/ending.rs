//! How things go: endpoints, notifications, and protection domains with everything that their accounts have paid for.

use base::session::{pd::FreeError, rm::DetachError};

use wire::trace::Event;

use super::{CORE, Dataspace, Domain, EndpointObject, Entry, Id, Known, NotificationObject, System};

/// Numbers of an ending protection domain that are looked at in one step.
const NUMBERS: usize = 512;
/// Of those, slots that are emptied; 0.7 us each.
const SLOTS: usize = 16;
/// Threads that are ended in one step; about 4 us each.
const THREADS: usize = 4;

impl System {
    /// Frees as much as the bound allows of an object that is found, for `who` asks under a number that is its own; tells
    /// how much is left. At 0 it is gone.
    ///
    /// # Errors
    /// Nothing has changed.
    pub fn free(&mut self, who: Id<Domain>, entry: Entry) -> Result<u32, FreeError> {
        let account = match entry.known {
            Known::Domain(id) => self.domains.get(id).and_then(|domain| domain.parent),
            Known::Dataspace(id) => self.dataspaces.get(id).and_then(|dataspace| dataspace.account),
            Known::RegionMap(id) => self.maps.get(id).map(|map| map.account),
            Known::Endpoint(id) => self.endpoints.get(id).map(|endpoint| endpoint.account),
            Known::Notification(id) => self.notifications.get(id).map(|notification| notification.account),
            Known::Nothing => return Err(FreeError::Nothing),
            Known::Session(_) | Known::Fault | Known::Thread(_) | Known::Context(_) => return Err(FreeError::Kind),
        };
        // A handle to somebody else's memory lets write it, not free it.
        if !entry.owned || !account.is_some_and(|account| self.is_above(who, account)) {
            return Err(FreeError::Kind);
        }
        match entry.known {
            Known::Domain(id) => Ok(self.free_domain(id)),
            Known::Dataspace(id) => self.free_dataspace(id),
            Known::RegionMap(id) => self.free_map(id).map_err(busy),
            Known::Endpoint(id) => Ok(self.free_endpoint(id)),
            Known::Notification(id) => Ok(self.free_notification(id)),
            _ => Err(FreeError::Kind),
        }
    }

    fn free_dataspace(&mut self, id: Id<Dataspace>) -> Result<u32, FreeError> {
        let Some(dataspace) = self.dataspaces.get(id) else { return Ok(0) };
        if !dataspace.ending && self.buffer_place(id).is_some() {
            return Err(FreeError::Busy);
        }
        if let Some(dataspace) = self.dataspaces.get_mut(id) {
            dataspace.ending = true;
        }
        if let Some(&(map, start)) = self.dataspaces.get(id).and_then(|dataspace| dataspace.attached.last()) {
            let left = self.detach_page(map, start).map_err(busy)?;
            let attached = self.dataspaces.get(id).map_or(0, |dataspace| dataspace.attached.len() as u32);
            if left + attached > 0 {
                return Ok(left + attached);
            }
            return Ok(self.dataspaces.get(id).map_or(0, |dataspace| dataspace.present().max(1)));
        }
        Ok(self.release(id))
    }

    /// Where a dataspace is attached with a thread's messages in it.
    fn buffer_place(&self, id: Id<Dataspace>) -> Option<(Id<super::RegionMap>, u32, u32)> {
        let dataspace = self.dataspaces.get(id)?;
        let mut places = dataspace.attached.iter().filter_map(|&(map, start)| {
            let end = self.maps.get(map)?.regions.get(start)?.end();
            Some((map, start, end))
        });
        places.find(|&(map, start, end)| self.has_buffer(map, start, end))
    }

    /// Ends an endpoint: first the calls that nobody has received.
    fn free_endpoint(&mut self, id: Id<EndpointObject>) -> u32 {
        let Some(&EndpointObject { cap, account, .. }) = self.endpoints.get(id) else { return 0 };
        if self.hang_up_queued(cap) > 0 {
            return 1;
        }
        self.disown(account, Known::Endpoint(id));
        self.endpoints.remove(id);
        // SAFETY: no memory goes with it.
        unsafe { self.resources.unmake(cap) };
        self.refund(account, super::ENDPOINT_BYTES, 1);
        0
    }

    fn free_notification(&mut self, id: Id<NotificationObject>) -> u32 {
        let Some(&NotificationObject { cap, account, .. }) = self.notifications.get(id) else { return 0 };
        self.disown(account, Known::Notification(id));
        self.notifications.remove(id);
        // SAFETY: no memory goes with it.
        unsafe { self.resources.unmake(cap) };
        self.refund(account, super::NOTIFICATION_BYTES, 1);
        0
    }

    /// Frees as much of a protection domain as the bound allows; tells how much is left. Its threads go first, then what its
    /// account has paid for, children before all else, then its numbers.
    pub fn free_domain(&mut self, id: Id<Domain>) -> u32 {
        let Some(domain) = self.domains.get_mut(id) else { return 0 };
        domain.ending = true;
        let first: heapless::Vec<_, THREADS> = domain.threads.iter().take(THREADS).collect();
        if !first.is_empty() {
            first.into_iter().for_each(|thread| self.destroy_thread(thread));
            return self.left_of(id);
        }
        // At most as many as there are protection domains; found by looking through what was paid for.
        let child = domain.owned.iter().find_map(|known| match known {
            Known::Domain(child) => Some(*child),
            _ => None,
        });
        if let Some(child) = child {
            self.free_domain(child);
            return self.left_of(id);
        }
        if let Some(&last) = domain.owned.last() {
            self.free_owned(last);
            return self.left_of(id);
        }
        self.free_numbers(id)
    }

    /// One step of one thing that an ending protection domain has paid for.
    fn free_owned(&mut self, known: Known) {
        match known {
            Known::Dataspace(id) => {
                if let Some((map, start, end)) = self.buffer_place(id) {
                    self.evict(map, start, end);
                } else {
                    // Nothing is in the way now.
                    let _ = self.free_dataspace(id);
                }
            }
            Known::RegionMap(id) => {
                let pages = self.maps.get(id).map_or(0, |map| map.pages);
                if self.has_buffer(id, 0, pages) {
                    self.evict(id, 0, pages);
                } else {
                    let _ = self.free_map(id);
                }
            }
            Known::Endpoint(id) => _ = self.free_endpoint(id),
            Known::Notification(id) => _ = self.free_notification(id),
            Known::Context(id) => self.destroy_context(id),
            Known::Thread(id) => self.destroy_thread(id),
            Known::Domain(id) => _ = self.free_domain(id),
            Known::Nothing | Known::Session(_) | Known::Fault => {}
        }
    }

    /// Ends a thread of another protection domain that has its messages in memory that goes.
    fn evict(&mut self, map: Id<super::RegionMap>, start: u32, end: u32) {
        if let Some(thread) = self.thread_in(map, start, end) {
            self.destroy_thread(thread);
        }
    }

    fn free_numbers(&mut self, id: Id<Domain>) -> u32 {
        let Some(domain) = self.domains.get_mut(id) else { return 0 };
        let least = domain.table.len().saturating_sub(NUMBERS);
        for _ in 0..SLOTS {
            let Some(domain) = self.domains.get_mut(id) else { return 0 };
            // Most are free, and looked at in one go.
            let used = domain.table[least..].iter().rposition(|entry| entry.known != Known::Nothing);
            domain.table.truncate(least + used.map_or(0, |used| used + 1));
            let Some(used) = used else { break };
            self.vacate(id, (least + used) as u32);
            if let Some(domain) = self.domains.get_mut(id) {
                domain.table.truncate(least + used);
            }
        }
        let Some(domain) = self.domains.get(id).filter(|domain| domain.table.is_empty()) else {
            return self.left_of(id);
        };
        let (parent, slots, slot_bits, bytes) = (domain.parent, domain.slots, domain.slot_bits, domain.table_bytes());
        if let Some(parent) = parent {
            self.disown(parent, Known::Domain(id));
            self.refund(parent, bytes, 1);
        }
        self.resources.give_cnode(slots, slot_bits);
        self.give_room(parent.unwrap_or(CORE), bytes as u32);
        self.trace(id, Event::DomainFreed);
        let ended = self.domains.remove(id).map(|domain| domain.account).unwrap_or_default();
        if let Some(parent) = parent.and_then(|parent| self.domains.get_mut(parent)) {
            // What it was given comes back; nothing of it is in use any more.
            parent.account.ram += ended.ram;
            parent.account.caps += ended.caps;
        }
        0
    }

    /// How much is left of an ending protection domain, at least 1.
    fn left_of(&self, id: Id<Domain>) -> u32 {
        let Some(domain) = self.domains.get(id) else { return 0 };
        let things = domain.owned.len() + domain.table.len().div_ceil(NUMBERS);
        (things as u32).max(1)
    }
}

fn busy(error: DetachError) -> FreeError {
    match error {
        DetachError::Nothing => FreeError::Nothing,
        DetachError::Kind => FreeError::Kind,
        DetachError::Busy => FreeError::Busy,
    }
}
