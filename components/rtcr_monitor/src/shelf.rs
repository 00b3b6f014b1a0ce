//! The checkpoints of a child that are kept beside each other, each in storage of its own.

use alloc::{collections::VecDeque, sync::Arc, vec::Vec};
use core::str::FromStr;

use base::{
    rpc::{CallError, Shared},
    session::pd::AllocateError,
};
use rtcr::{
    checkpoint::Checkpoint,
    information::Need,
    storage::{Place, Pool, Shortage, Storage},
    surroundings::CallInfo,
    upstream::Upstream,
};

use crate::output::Mark;

/// Pages of a pool beyond those that are needed when it is made, so that a component may grow a little.
pub const SPARE: u32 = 16;

/// Which of the checkpoints that are kept a child goes back to: 0 is the newest, 1 the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Back(pub usize);

impl FromStr for Back {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "newest" => Ok(Self(0)),
            "oldest" => Ok(Self(usize::MAX)),
            number => number.parse().map(Self).map_err(|_| ()),
        }
    }
}

/// A checkpoint that is kept.
pub struct Kept {
    /// Its number.
    pub number: u32,
    pub checkpoint: Checkpoint,
    /// How far it was in what it says.
    pub said: Mark,
    /// Where it is.
    pub pool: Pool<Shared>,
}

/// Checkpoints in the order in which they were taken.
pub struct Shelf {
    kept: VecDeque<Arc<Kept>>,
    most: usize,
    /// Storage of one that is not needed any more.
    spare: Option<Pool<Shared>>,
}

impl Shelf {
    /// Room for so many, one at least.
    pub fn new(most: u32) -> Self {
        Self { kept: VecDeque::new(), most: (most as usize).max(1), spare: None }
    }

    /// Storage for the next one, which is made when it is known how much that needs: until then nothing goes for it.
    pub const fn room(&mut self, up: Upstream<Shared>) -> Room<'_> {
        Room { shelf: self, up, pool: None, lack: None, forgotten: Vec::new() }
    }

    /// Takes the oldest one away if all places are taken. Its storage is there for the next.
    fn make_place(&mut self, forget: impl FnOnce(&Checkpoint)) {
        if self.kept.len() >= self.most
            && let Some(oldest) = self.kept.pop_front()
        {
            self.discard(oldest, forget);
        }
    }

    /// Takes the one of that number away, if it is there.
    pub fn throw_away(&mut self, number: u32, forget: impl FnOnce(&Checkpoint)) {
        if let Some(kept) = self.place_of(number).and_then(|place| self.kept.remove(place)) {
            self.discard(kept, forget);
        }
    }

    /// One that is still being stored somewhere goes when it has been.
    fn discard(&mut self, kept: Arc<Kept>, forget: impl FnOnce(&Checkpoint)) {
        forget(&kept.checkpoint);
        if let Some(Kept { checkpoint, mut pool, .. }) = Arc::into_inner(kept) {
            pool.discard(checkpoint);
            self.spare = Some(pool);
        }
    }

    /// The numbers of all, the newest last.
    pub fn numbers(&self) -> impl DoubleEndedIterator<Item = u32> {
        self.kept.iter().map(|kept| kept.number)
    }

    /// The place of the one of that number.
    pub fn place_of(&self, number: u32) -> Option<usize> {
        self.kept.iter().position(|kept| kept.number == number)
    }

    /// Storage for one that needs so much: what is there, else as much again as room for what may come.
    ///
    /// # Errors
    /// There is no memory for so many pages.
    pub fn storage(
        &mut self,
        up: Upstream<Shared>,
        need: &Need,
    ) -> Result<Pool<Shared>, (u32, CallError<AllocateError>)> {
        // What there was and does not suffice is given back first.
        if let Some(pool) = self.spare.take().filter(|pool| pool.suffices(need)) {
            return Ok(pool);
        }
        let pages = need.pages + SPARE;
        let need =
            Need { objects: need.objects * 2, regions: need.regions * 2, served: need.served * 2, pages, ..*need };
        Pool::new(up, 1, &need, pages).map_err(|error| (pages, error))
    }

    /// Storage that was not needed.
    pub fn put_back(&mut self, pool: Pool<Shared>) {
        self.spare = Some(pool);
    }

    /// Keeps one, as the newest.
    pub fn keep(&mut self, kept: Arc<Kept>) {
        self.kept.push_back(kept);
    }

    /// The place of the one that is so many before the newest, or of the oldest.
    pub fn place(&self, Back(back): Back) -> Option<usize> {
        self.kept.len().checked_sub(1).map(|newest| newest.saturating_sub(back))
    }

    /// Takes one out, to be put back at its place.
    pub fn take(&mut self, place: usize) -> Option<Arc<Kept>> {
        self.kept.remove(place)
    }

    /// Puts one back at its place.
    pub fn replace(&mut self, place: usize, kept: Arc<Kept>) {
        self.kept.insert(place.min(self.kept.len()), kept);
    }
}

/// There is no memory for so many pages, for that reason.
pub type Lack = (u32, CallError<AllocateError>);

/// Storage for a checkpoint that is being taken: a pool of its own. A child that is busy, or that cannot be checkpointed at all, does not
/// get that far, and keeps the checkpoints that it has.
pub struct Room<'a> {
    shelf: &'a mut Shelf,
    up: Upstream<Shared>,
    pool: Option<Pool<Shared>>,
    lack: Option<Lack>,
    /// Calls that the checkpoint has seen whose place was taken.
    forgotten: Vec<CallInfo>,
}

impl Room<'_> {
    /// The pool if there is one, or why not; and calls that nobody wants the answers of any more.
    pub fn into_parts(self) -> (Option<Pool<Shared>>, Option<Lack>, Vec<CallInfo>) {
        (self.pool, self.lack, self.forgotten)
    }
}

impl Storage for Room<'_> {
    fn reserve(&mut self, need: &Need) -> Result<Place, Shortage> {
        let forgotten = &mut self.forgotten;
        self.shelf.make_place(|old| forgotten.extend(old.information().calls().map(|(_, call)| call)));
        match self.shelf.storage(self.up, need) {
            Ok(pool) => self.pool.insert(pool).reserve(need),
            Err(lack) => {
                self.lack = Some(lack);
                Err(Shortage { needed: *need, available: Need::default() })
            }
        }
    }

    fn release(&mut self, place: Place) {
        if let Some(pool) = &mut self.pool {
            pool.release(place);
        }
    }
}
