//! From an image to a checkpoint that is kept like any other. The image is anybody's.

use alloc::{boxed::Box, format, string::String, sync::Arc};
use core::fmt;

use base::{
    memory::MemoryError,
    rpc::CallError,
    session::{
        parent::Event as Fate,
        pd::{CopyError, LookupError, OWN, PAGE},
    },
};
use rtcr::{
    checkpoint::Checkpoint,
    image::{Given, Identity, ReadError, Reader, Refused},
    information::{AccountInfo, Information, Need},
    object::{Info, ObjectInfo, RegionInfo},
    start::Program,
    storage::{Place, Storage},
};

use super::{
    Archive,
    pages::{AttachedPages, NoPage},
};
use crate::{
    keeper::{Keeper, Next, Restored, failed},
    output::Mark,
    plan::Otherwise,
    shelf::Kept,
    tell::Micros,
};

/// Why no image was loaded. Nothing was started, and nothing is left of it.
enum NotLoaded {
    /// There is no store.
    Absent(String),
    /// There is no image of that child.
    None,
    /// There is no room for it.
    Memory(String),
    /// What it is like.
    Image(String),
    /// It is refused.
    Refused(Refused),
    /// Its pages cannot be written.
    Attach(MemoryError),
    /// What there is is not told.
    Account(CallError<LookupError>),
}

impl From<Refused> for NotLoaded {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl<P: fmt::Debug> From<ReadError<CallError<CopyError>, P>> for NotLoaded {
    fn from(error: ReadError<CallError<CopyError>, P>) -> Self {
        Self::Image(format!("{error}"))
    }
}

impl fmt::Display for NotLoaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(reason) | Self::Memory(reason) => f.write_str(reason),
            Self::None => write!(f, "there is none"),
            Self::Image(reason) => f.write_str(reason),
            Self::Refused(refused) => refused.fmt(f),
            Self::Attach(error) => write!(f, "its pages cannot be written: {error:?}"),
            Self::Account(error) => write!(f, "what there is is not told: {error:?}"),
        }
    }
}

impl Keeper {
    /// Starts the child from its newest image, if it is to be; none if it starts from its beginning.
    pub(crate) fn load(&mut self, next: Next<'_>) -> Result<Option<Restored>, Box<Fate>> {
        let Some(archive) = self.post.archive.clone().filter(|_| self.plan.archive.loads) else { return Ok(None) };
        let program = next.map_err(|reason| failed(&reason))?;
        let begun = self.home.now();
        self.tell_account();
        let loaded = self.import(&archive, program);
        if loaded.is_err() {
            self.tell_account();
        }
        let name = self.name();
        let refused = match loaded {
            Ok((kept, length)) => {
                let took = Micros(self.home.now().saturating_sub(begun));
                log::info!("Checkpoint {} of {name} is loaded: {length} bytes, in {took}.", kept.number);
                self.loaded = kept.number;
                let kept = Arc::new(kept);
                self.shelf.keep(Arc::clone(&kept));
                match self.go_back_to_loaded(program) {
                    Ok(restored) => return Ok(Some(restored)),
                    Err(fate) if self.plan.archive.otherwise == Otherwise::Fail => return Err(fate),
                    Err(fate) => {
                        self.shelf.throw_away(kept.number, |_| {});
                        let Fate::Failed(reason) = *fate else { return Err(fate) };
                        format!("the image of {name} is not restored: {reason}")
                    }
                }
            }
            Err(error) => format!("the image of {name} is not loaded: {error}"),
        };
        match self.plan.archive.otherwise {
            Otherwise::Fail => Err(failed(&refused)),
            Otherwise::Fresh => {
                log::warn!("{refused}; it starts from its beginning.");
                Ok(None)
            }
        }
    }

    fn go_back_to_loaded(&mut self, program: Program<'_>) -> Result<Restored, Box<Fate>> {
        let saved = self.shelf.take(0).ok_or_else(|| failed(&"its checkpoint is not there"))?;
        self.go_back(program, 0, saved)
    }

    /// Reads the newest image; tells how long it is.
    fn import(&mut self, archive: &Archive, program: Program<'_>) -> Result<(Kept, u64), NotLoaded> {
        let mut store = archive.store.lock();
        let store = store.as_mut().map_err(|reason| NotLoaded::Absent(reason.clone()))?;
        let image = store.newest(self.name()).ok_or(NotLoaded::None)?;
        let reader = Reader::open(store.read(&image))?;
        let (identity, need) = (reader.identity(), reader.need());
        let Identity { fingerprint, .. } = self.identity_of(self.post.binaries.1);
        let settings = self.post.settings;
        let account = AccountInfo { ram: self.post.most.0, caps: self.post.most.1 };
        let given = Given {
            name: settings.name,
            module: program.module,
            fingerprint,
            slots: settings.slots,
            account,
            priority: settings.priority,
        };
        given.admits_beginning(&identity, &need)?;
        self.has_room(&need)?;
        let pool = self.shelf.storage(self.up, &need);
        let mut pool = pool
            .map_err(|(pages, error)| NotLoaded::Memory(format!("there is no memory for {pages} pages: {error:?}")))?;
        let place = pool.reserve(&need);
        let mut place = place.map_err(|shortage| NotLoaded::Memory(format!("{shortage:?}")))?;
        let read = self.read(reader, &mut place).and_then(|()| {
            let home = &self.home;
            Ok(given.admits(&place.information, |session| home.may_have(session))?)
        });
        if let Err(error) = read {
            // Nothing is left of it.
            drop((place, pool));
            return Err(error);
        }
        forget_calls(&mut place.information);
        let kept = Kept { number: image.number, checkpoint: Checkpoint::of_image(place), said: Mark::default(), pool };
        Ok((kept, image.length))
    }

    fn read<S>(&self, reader: Reader<S>, place: &mut Place) -> Result<(), NotLoaded>
    where
        S: rtcr::image::Source<Error = CallError<CopyError>>,
    {
        let mut pages = AttachedPages::new(self.env, place.pages, true).map_err(NotLoaded::Attach)?;
        let _ = reader.read(&mut place.information, &mut pages)?;
        pages.finish().map_err(|NoPage| NotLoaded::Image("a page is missing".into()))
    }

    /// Whether what is told of an image, and is about to be asked for, is there. The heap does not grow in vain, and does not
    /// end.
    fn has_room(&self, need: &Need) -> Result<(), NotLoaded> {
        let account = self.env.pd().account(OWN).map_err(NotLoaded::Account)?;
        let available = u64::from(account.ram.saturating_sub(account.ram_used));
        let needed = memory_for(need);
        match needed <= available {
            true => Ok(()),
            false => Err(NotLoaded::Memory(format!("it needs {needed} bytes, and its parent has {available}"))),
        }
    }
}

/// Bytes that room for a checkpoint takes, and what else is needed meanwhile. What is told of an image comes from outside, and is
/// held against what there is before any of it is asked for.
pub(crate) fn memory_for(need: &Need) -> u64 {
    let bytes = |count: usize, size: usize| (count as u64).saturating_mul(size as u64);
    // The shelf takes twice as much, and the heap rounds up to the next power of two.
    let objects =
        bytes(need.objects, size_of::<ObjectInfo>()).saturating_add(bytes(need.regions, size_of::<RegionInfo>()));
    let heap = objects.saturating_add(bytes(need.served, 4)).saturating_mul(4);
    let pages = bytes(need.pages as usize, PAGE as usize);
    heap.saturating_add(bytes(need.words, 8)).saturating_add(pages).saturating_add(SPARE)
}

/// Bytes that are left for what else is needed meanwhile.
const SPARE: u64 = 128 << 10;

/// The books of another run's relays are gone: what was on its way is nobody's call here.
pub(crate) fn forget_calls(information: &mut Information) {
    for ObjectInfo { info, .. } in &mut information.objects {
        if let Info::Thread(thread) = info
            && let Some(call) = &mut thread.call
        {
            // The number of no call.
            call.number = 0;
        }
    }
}
