//! What a checkpoint knows of a component: a value, in room that was asked for beforehand.

use alloc::vec::Vec;

use base::child::{Known, MAX_SERVICES};

use crate::{
    journal::Journal,
    object::{Info, ObjectInfo, RegionInfo, RegionMapInfo},
    surroundings::CallInfo,
};

/// How far a component is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// It has not reached the barrier: it is what its journal says.
    #[default]
    Booting,
    /// It has passed the barrier.
    Running,
}

/// What a protection domain may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountInfo {
    /// Bytes.
    pub ram: u32,
    /// Capabilities.
    pub caps: u32,
}

/// What a component is, but for the content of its memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Information {
    /// How far it is.
    pub stage: Stage,
    /// What it asked for until the barrier.
    pub journal: Journal,
    /// Its quota.
    pub account: AccountInfo,
    /// How many numbers it has.
    pub slots: u32,
    /// Its time, in nanoseconds.
    pub clock: u64,
    /// Its objects, by their numbers.
    pub objects: Vec<ObjectInfo>,
    /// The regions of its region maps, those of one map together, by their addresses.
    pub regions: Vec<RegionInfo>,
    /// What it knows of the services that it offers, and of their sessions.
    pub served: Known,
    /// Which of its threads have asked for a checkpoint and have no answer, a bit each by their numbers.
    pub asking: u64,
}

/// Room that a checkpoint needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// For objects.
    pub objects: usize,
    /// For regions.
    pub regions: usize,
    /// For words of the journal.
    pub words: usize,
    /// For sessions of services that it offers.
    pub served: usize,
    /// For pages.
    pub pages: u32,
}

impl Need {
    /// Whether this much is enough for `other`.
    pub const fn covers(&self, other: &Self) -> bool {
        self.objects >= other.objects
            && self.regions >= other.regions
            && self.words >= other.words
            && self.served >= other.served
            && self.pages >= other.pages
    }
}

impl Information {
    /// An empty one with room for that much.
    pub fn with_room(need: &Need) -> Self {
        Self {
            journal: Journal::with_capacity(need.words),
            objects: Vec::with_capacity(need.objects),
            regions: Vec::with_capacity(need.regions),
            served: Known { services: Vec::with_capacity(MAX_SERVICES), sessions: Vec::with_capacity(need.served) },
            ..Self::default()
        }
    }

    /// What it has room for.
    pub fn room(&self) -> Need {
        let (objects, regions) = (self.objects.capacity(), self.regions.capacity());
        let served = self.served.sessions.capacity();
        Need { objects, regions, words: self.journal.capacity(), served, pages: 0 }
    }

    /// Forgets everything; the room stays.
    pub fn clear(&mut self) {
        self.journal.clear();
        self.objects.clear();
        self.regions.clear();
        self.served.services.clear();
        self.served.sessions.clear();
        self.asking = 0;
        (self.stage, self.account, self.slots, self.clock) = (Stage::Booting, AccountInfo::default(), 0, 0);
    }

    /// What is under that number.
    pub fn object(&self, number: u32) -> Option<&Info> {
        let place = self.place(number)?;
        Some(&self.objects[place].info)
    }

    /// Where in the list what is under that number is.
    pub(crate) fn place(&self, number: u32) -> Option<usize> {
        self.objects.binary_search_by_key(&number, |object| object.number).ok()
    }

    /// Calls to others' services that were on their way, and the pages for messages of the threads that had made them.
    pub fn calls(&self) -> impl Iterator<Item = (u32, CallInfo)> {
        self.objects.iter().filter_map(|object| match &object.info {
            Info::Thread(thread) => Some((thread.buffer, thread.call?)),
            _ => None,
        })
    }

    /// Numbers of the sessions of others' services, with whoever embeds the library.
    pub fn sessions(&self) -> impl Iterator<Item = u32> {
        self.objects.iter().filter_map(|object| match &object.info {
            Info::Session(session) => Some(session.number),
            _ => None,
        })
    }

    /// The regions of a region map.
    pub fn regions_of(&self, map: &RegionMapInfo) -> &[RegionInfo] {
        let first = map.first as usize;
        self.regions.get(first..first + map.count as usize).unwrap_or_default()
    }
}
