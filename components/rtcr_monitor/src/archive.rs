//! Checkpoints leave the system, and come back: as images in persistent memory.
//!
//! A thread of its own, below the children, writes them, so that nobody waits: the child goes on while its checkpoint is being
//! stored. One checkpoint of a child at most waits for that; the next one takes its place, since the newest counts. What
//! still waits when a child has ended is stored before its end is told.
//!
//! A checkpoint that is being stored is not given back meanwhile. Its pages are read where they are, so it is in memory once.

pub(crate) mod import;
mod medium;
pub(crate) mod pages;

use alloc::{format, string::String, sync::Arc, vec::Vec};
use core::fmt;

use base::{
    Env,
    rpc::{CallError, Slot},
    session::{pd::ANY, pd::CopyError, pd::OWN},
    sync::Mutex,
    thread::ThreadOptions,
};
use rtcr::{
    image::{Identity, WriteError, measure},
    store::{Announced, PutError, Store},
};

use crate::{keeper::Keeper, shelf::Kept, tell::Micros};
use medium::PersistentMemory;
use pages::{AttachedPages, NoPage};

/// Stack of the thread that stores.
const STACK: usize = 32 << 10;

/// A checkpoint that is to be stored.
struct Job {
    name: &'static str,
    kept: Arc<Kept>,
    identity: Identity,
    /// How many images of the child there are to be.
    keep: u32,
    /// The how-manieth write fails on purpose; 0 for none.
    refused: u32,
}

/// Images, for all children.
pub struct Archive {
    env: Env,
    /// What waits to be stored.
    jobs: Mutex<Vec<Job>>,
    /// Where; or why there is none. Whoever stores or loads has it for as long.
    store: Mutex<Result<Store<PersistentMemory>, String>>,
    /// Rung when something waits.
    bell: Slot,
}

/// Why a checkpoint was not stored. It is kept as it was.
enum NotStored {
    /// There is no store.
    Absent(String),
    /// Its pages cannot be attached.
    Attach(base::memory::MemoryError),
    /// It is not what a checkpoint is like.
    Write(String),
    /// The store does not take it.
    Put(PutError<CallError<CopyError>>),
}

impl From<PutError<CallError<CopyError>>> for NotStored {
    fn from(error: PutError<CallError<CopyError>>) -> Self {
        Self::Put(error)
    }
}

impl From<WriteError<PutError<CallError<CopyError>>, NoPage>> for NotStored {
    fn from(error: WriteError<PutError<CallError<CopyError>>, NoPage>) -> Self {
        match error {
            WriteError::Sink(error) => Self::Put(error),
            other => Self::Write(format!("{other}")),
        }
    }
}

impl fmt::Display for NotStored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(reason) | Self::Write(reason) => f.write_str(reason),
            Self::Attach(error) => write!(f, "its pages cannot be read: {error:?}"),
            Self::Put(error) => error.fmt(f),
        }
    }
}

impl Archive {
    /// On that many bytes of persistent memory. The thread that stores has that priority.
    ///
    /// # Errors
    /// There is nobody to store anything.
    pub fn start(env: Env, size: Option<u32>, priority: u8) -> Result<Arc<Self>, &'static str> {
        let memory = size.ok_or(medium::NoMemory::None).and_then(|size| PersistentMemory::new(env, size));
        let store = memory.map_err(|error| format!("{error}"));
        let store = store.and_then(|memory| Store::open_or_format(memory).map_err(|error| format!("{error}")));
        let bell = env.pd().create_notification(ANY, OWN).map_err(|_| "notification")?;
        let archive = Self { env, jobs: Mutex::new(env, Vec::new()), store: Mutex::new(env, store), bell };
        let (archive, own) = {
            let archive = Arc::new(archive);
            (Arc::clone(&archive), archive)
        };
        let options = ThreadOptions { name: "archive", priority: Some(priority), stack: STACK };
        let thread = env.spawn(&options, move || own.work()).map_err(|_| "thread")?;
        // It works for as long as this component is there.
        core::mem::forget(thread);
        Ok(archive)
    }

    fn work(&self) -> ! {
        loop {
            self.settle();
            self.env.platform().wait(self.bell);
        }
    }

    /// Stores what waits, after what is being stored.
    pub fn settle(&self) {
        loop {
            let mut store = self.store.lock();
            // Taken with the store, so that nothing that was taken is not stored yet when somebody has the store.
            let Some(job) = self.jobs.lock().pop() else { return };
            self.put(&mut store, &job);
        }
    }

    /// A checkpoint is to be stored, soon, instead of one of the same child's that still waits.
    fn add(&self, job: Job) {
        let mut jobs = self.jobs.lock();
        jobs.retain(|other| other.name != job.name);
        jobs.insert(0, job);
        drop(jobs);
        self.env.platform().ring(self.bell);
    }

    fn put(&self, store: &mut Result<Store<PersistentMemory>, String>, job: &Job) {
        let Job { name, kept, .. } = job;
        let begun = self.env.timer().now().unwrap_or(0);
        match self.try_put(store, job) {
            Ok(length) => {
                let took = Micros(self.env.timer().now().unwrap_or(0).saturating_sub(begun));
                log::info!("Checkpoint {} of {name} is stored: {length} bytes, in {took}.", kept.number);
            }
            Err(error) => log::warn!("Checkpoint {} of {name} is not stored: {error}", kept.number),
        }
    }

    fn try_put(&self, store: &mut Result<Store<PersistentMemory>, String>, job: &Job) -> Result<u64, NotStored> {
        let Job { name, kept, identity, keep, refused } = job;
        let store = store.as_mut().map_err(|reason| NotStored::Absent(reason.clone()))?;
        let mut pages = AttachedPages::new(self.env, kept.checkpoint.pages(), false).map_err(NotStored::Attach)?;
        let measured = measure(kept.checkpoint.information(), identity, &mut pages)
            .map_err(|error| NotStored::Write(format!("{error}")))?;
        let length = measured.header().length;
        store.medium().refuse(*refused);
        let announced = Announced { name, number: kept.number, length, keep: *keep as usize };
        let put = store.put(announced, |sink| measured.write(&mut pages, sink).map_err(NotStored::from));
        store.medium().refuse(0);
        put.map(|_| length)
    }
}

impl Keeper {
    /// A checkpoint leaves the system, if it is to.
    pub(crate) fn store(&mut self, kept: &Arc<Kept>) {
        if !self.plan.archive.saves {
            return;
        }
        let identity = self.identity();
        let (name, keep) = (self.name(), self.plan.archive.keep);
        // One later each time, so that a run sees many of them.
        let refused = match self.plan.archive.refused {
            0 => 0,
            first => first + self.tried.saturating_sub(1),
        };
        if let Some(archive) = &self.post.archive {
            archive.add(Job { name, kept: Arc::clone(kept), identity, keep, refused });
        }
    }

    /// Whose checkpoints these are: of the program that runs now.
    fn identity(&mut self) -> Identity {
        let (first, next) = self.post.binaries;
        self.identity_of(if self.restored > 0 { next } else { first })
    }

    pub(crate) fn identity_of(&mut self, module: &'static str) -> Identity {
        use rtcr::surroundings::Surroundings;
        Identity {
            name: self.name().try_into().unwrap_or_default(),
            module: module.try_into().unwrap_or_default(),
            fingerprint: self.home.fingerprint(module, OWN),
        }
    }

    /// The child has ended; what there is of it is stored.
    pub(crate) fn settle(&self) {
        if let Some(archive) = &self.post.archive {
            archive.settle();
        }
    }
}
