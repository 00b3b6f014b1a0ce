//! What accounts have paid for. Each object knows where it is in its account's list, so that it leaves that in one step.

use super::{Domain, Id, Known, System};

impl System {
    /// Notes that an account has paid for an object, which has just been made.
    pub fn own(&mut self, account: Id<Domain>, object: Known) {
        let Some(domain) = self.domains.get_mut(account) else { return };
        domain.owned.push(object);
        let place = domain.owned.len() as u32 - 1;
        if let Some(at) = self.place_of(object) {
            *at = place;
        }
    }

    /// Notes that it does so no more. Call it while the object is still there.
    pub fn disown(&mut self, account: Id<Domain>, object: Known) {
        let Some(&mut place) = self.place_of(object) else { return };
        let Some(domain) = self.domains.get_mut(account) else { return };
        if domain.owned.get(place as usize) != Some(&object) {
            return;
        }
        domain.owned.swap_remove(place as usize);
        let moved = domain.owned.get(place as usize).copied();
        if let Some(at) = moved.and_then(|moved| self.place_of(moved)) {
            *at = place;
        }
    }

    /// Where an object keeps its place. Modules and sessions have none: they are paid for by the entry of a table.
    fn place_of(&mut self, object: Known) -> Option<&mut u32> {
        match object {
            Known::Domain(id) => self.domains.get_mut(id).map(|object| &mut object.place),
            Known::Dataspace(id) => self.dataspaces.get_mut(id).map(|object| &mut object.place),
            Known::RegionMap(id) => self.maps.get_mut(id).map(|object| &mut object.place),
            Known::Thread(id) => self.threads.get_mut(id).map(|object| &mut object.place),
            Known::Endpoint(id) => self.endpoints.get_mut(id).map(|object| &mut object.place),
            Known::Notification(id) => self.notifications.get_mut(id).map(|object| &mut object.place),
            Known::Context(id) => self.contexts.get_mut(id).map(|object| &mut object.place),
            _ => None,
        }
    }
}
