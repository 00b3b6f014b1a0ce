//! An image on its way through a window: the carrier's thread writes or reads it in order, and waits whenever the window is full
//! or empty.

use alloc::{vec, vec::Vec};
use core::sync::atomic::{
    AtomicBool, AtomicU32,
    Ordering::{Relaxed, SeqCst},
};

use base::{
    Env,
    memory::{Attachment, Dataspace, MemoryError},
    rpc::{Shared, Slot},
    session::{
        custody::{CustodyError, Description, WINDOW},
        rm::Placement,
    },
    sync::{Mutex, Semaphore},
};
use rtcr::{
    checkpoint::Checkpoint,
    image::{Reader, Sink, Source, write},
    storage::{Pool, Storage},
};

use super::Stored;
use crate::archive::{import::forget_calls, pages::AttachedPages};

/// Stands for a length where the image has failed.
const FAILED: u32 = u32::MAX;

/// What the carrier is to do.
enum Job {
    Export(Stored),
    Import(Pool<Shared>, Description),
}

/// What there is going on, for whoever serves the session.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Now {
    Nothing,
    /// Whether the window is full and was given to the client.
    Reading(bool),
    Writing,
}

/// A carrier's place of work.
pub struct Transfer {
    env: Env,
    // Detached before it is freed.
    window: Attachment,
    dataspace: Dataspace,
    now: Mutex<Now>,
    job: Mutex<Option<Job>>,
    begun: Semaphore,
    /// Bytes in the window.
    count: AtomicU32,
    filled: Semaphore,
    emptied: Semaphore,
    /// Nobody wants the rest, or there is none.
    is_over: AtomicBool,
    result: Mutex<Option<Result<Stored, CustodyError>>>,
    done: Semaphore,
}

impl Transfer {
    pub fn new(env: Env) -> Result<Self, MemoryError> {
        let dataspace = env.allocate(WINDOW)?;
        let window = env.attach(&dataspace, Placement::ANYWHERE)?;
        let semaphore = || Semaphore::new(env, 0);
        Ok(Self {
            env,
            window,
            dataspace,
            now: Mutex::new(env, Now::Nothing),
            job: Mutex::new(env, None),
            begun: semaphore(),
            count: AtomicU32::new(0),
            filled: semaphore(),
            emptied: semaphore(),
            is_over: AtomicBool::new(false),
            result: Mutex::new(env, None),
            done: semaphore(),
        })
    }

    /// The window.
    pub const fn memory(&self) -> Slot {
        self.dataspace.slot()
    }

    fn begin(&self, job: Job, now: Now) {
        while self.filled.try_acquire() || self.emptied.try_acquire() || self.done.try_acquire() {}
        self.is_over.store(false, SeqCst);
        *self.now.lock() = now;
        *self.job.lock() = Some(job);
        self.begun.release();
    }

    /// The image of a checkpoint can be read.
    pub fn export(&self, stored: Stored) {
        self.begin(Job::Export(stored), Now::Reading(false));
    }

    /// An image can be written for which there is that room.
    pub fn import(&self, pool: Pool<Shared>, of: Description) {
        self.begin(Job::Import(pool, of), Now::Writing);
    }

    /// The next piece of the image.
    pub fn read(&self) -> Result<u32, CustodyError> {
        let Now::Reading(is_given) = *self.now.lock() else { return Err(CustodyError::State) };
        if is_given {
            self.emptied.release();
        }
        self.filled.acquire();
        let count = self.count.load(SeqCst);
        *self.now.lock() = if matches!(count, 0 | FAILED) { Now::Nothing } else { Now::Reading(true) };
        match count {
            0 => self.finish().map(|_| 0),
            FAILED => self.finish().and(Err(CustodyError::Image)),
            count => Ok(count),
        }
    }

    /// The next piece of an image is in the window.
    pub fn write(&self, count: u32) -> Result<(), CustodyError> {
        if *self.now.lock() != Now::Writing || count as usize > WINDOW {
            return Err(CustodyError::State);
        }
        // Once the carrier has ended nobody empties the window.
        match *self.result.lock() {
            Some(Err(error)) => return Err(error),
            Some(Ok(_)) => return Err(CustodyError::State),
            None => {}
        }
        self.count.store(count, SeqCst);
        self.filled.release();
        self.emptied.acquire();
        match *self.result.lock() {
            Some(Err(error)) => Err(error),
            _ => Ok(()),
        }
    }

    /// The image is whole, or should be.
    pub fn whole(&self) -> Result<Stored, CustodyError> {
        if *self.now.lock() != Now::Writing {
            return Err(CustodyError::State);
        }
        *self.now.lock() = Now::Nothing;
        self.is_over.store(true, SeqCst);
        self.filled.release();
        self.finish()
    }

    /// Nobody wants the rest.
    pub fn cancel(&self) {
        let now = core::mem::replace(&mut *self.now.lock(), Now::Nothing);
        if now != Now::Nothing {
            self.is_over.store(true, SeqCst);
            // Whatever it waits for.
            self.filled.release();
            self.emptied.release();
            let _ = self.finish();
        }
    }

    /// Waits until the carrier is done.
    fn finish(&self) -> Result<Stored, CustodyError> {
        self.done.acquire();
        self.result.lock().take().unwrap_or(Err(CustodyError::Failed))
    }

    /// What a carrier does, for ever.
    pub fn carry(&self) {
        loop {
            self.begun.acquire();
            let Some(job) = self.job.lock().take() else { continue };
            let result = match job {
                Job::Export(stored) => self.write_image(stored),
                Job::Import(pool, of) => self.read_image(pool, &of),
            };
            *self.result.lock() = Some(result);
            // Who still brings something for it waits for nothing. Before the end is told, since the next job may begin then.
            self.emptied.release();
            self.done.release();
        }
    }

    fn write_image(&self, stored: Stored) -> Result<Stored, CustodyError> {
        let (identity, saved) = (&stored.identity, stored.checkpoint.pages());
        let mut outlet = Outlet { transfer: self, bytes: Vec::with_capacity(WINDOW) };
        let pages = AttachedPages::new(self.env, saved, false).map_err(|_| CustodyError::Room);
        let written = pages.and_then(|mut pages| {
            let information = stored.checkpoint.information();
            write(information, identity, &mut pages, &mut outlet).map(|_| ()).map_err(|error| {
                log::warn!("{}: {error}", identity.name);
                CustodyError::Image
            })
        });
        let _ = outlet.pass_on();
        self.count.store(if written.is_ok() { 0 } else { FAILED }, SeqCst);
        self.filled.release();
        written.map(|()| stored)
    }

    fn read_image(&self, mut pool: Pool<Shared>, of: &Description) -> Result<Stored, CustodyError> {
        let inlet = Inlet { transfer: self, bytes: vec![0; WINDOW], place: 0, count: 0, is_first: true };
        let image = |what: &dyn core::fmt::Display| {
            log::warn!("What has come of {}: {what}", of.name);
            CustodyError::Image
        };
        let reader = Reader::open(inlet).map_err(|error| image(&error))?;
        let need = reader.need();
        let identity = reader.identity();
        if (&identity.module, identity.fingerprint) != (&of.module, of.fingerprint) {
            return Err(CustodyError::Program);
        }
        let mut place = pool.reserve(&need).map_err(|shortage| {
            log::warn!("What has come of {} needs more than was told: {shortage:?}", of.name);
            CustodyError::Room
        })?;
        let mut pages = AttachedPages::new(self.env, place.pages, true).map_err(|_| CustodyError::Room)?;
        reader.read(&mut place.information, &mut pages).map_err(|error| image(&error))?;
        pages.finish().map_err(|error| image(&format_args!("{error:?}")))?;
        drop(pages);
        forget_calls(&mut place.information);
        Ok(Stored { identity, checkpoint: Checkpoint::of_image(place), pool })
    }
}

/// Nobody wants the rest.
#[derive(Clone, Copy, Debug)]
struct Over;

/// Where an image goes.
struct Outlet<'a> {
    transfer: &'a Transfer,
    bytes: Vec<u8>,
}

impl Outlet<'_> {
    /// Puts what there is into the window, and waits until it is empty again.
    fn pass_on(&mut self) -> Result<(), Over> {
        let transfer = self.transfer;
        if transfer.is_over.load(SeqCst) {
            return Err(Over);
        }
        if self.bytes.is_empty() {
            return Ok(());
        }
        for (word, bytes) in transfer.window.words().iter().zip(self.bytes.chunks(4)) {
            let mut whole = [0; 4];
            whole[..bytes.len()].copy_from_slice(bytes);
            word.store(u32::from_le_bytes(whole), Relaxed);
        }
        transfer.count.store(self.bytes.len() as u32, SeqCst);
        self.bytes.clear();
        transfer.filled.release();
        transfer.emptied.acquire();
        if transfer.is_over.load(SeqCst) { Err(Over) } else { Ok(()) }
    }
}

impl Sink for Outlet<'_> {
    type Error = Over;

    fn write(&mut self, mut bytes: &[u8]) -> Result<(), Over> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(WINDOW - self.bytes.len()));
            self.bytes.extend_from_slice(now);
            bytes = later;
            if self.bytes.len() == WINDOW {
                self.pass_on()?;
            }
        }
        Ok(())
    }
}

/// Where an image comes from.
struct Inlet<'a> {
    transfer: &'a Transfer,
    bytes: Vec<u8>,
    place: usize,
    count: usize,
    is_first: bool,
}

impl Source for Inlet<'_> {
    type Error = Over;

    fn read(&mut self, to: &mut [u8]) -> Result<usize, Over> {
        if self.place == self.count {
            let transfer = self.transfer;
            if !core::mem::replace(&mut self.is_first, false) {
                transfer.emptied.release();
            }
            transfer.filled.acquire();
            if transfer.is_over.load(SeqCst) {
                (self.place, self.count, self.is_first) = (0, 0, true);
                return Ok(0);
            }
            self.count = (transfer.count.load(SeqCst) as usize).min(WINDOW);
            self.place = 0;
            for (bytes, word) in self.bytes.chunks_exact_mut(4).zip(transfer.window.words()) {
                bytes.copy_from_slice(&word.load(Relaxed).to_le_bytes());
            }
        }
        let count = to.len().min(self.count - self.place);
        to[..count].copy_from_slice(&self.bytes[self.place..self.place + count]);
        self.place += count;
        Ok(count)
    }
}
