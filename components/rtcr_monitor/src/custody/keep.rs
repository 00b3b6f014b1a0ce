//! What a keeper does with a child that somebody else decides about.

use alloc::{boxed::Box, sync::Arc};

use base::{
    platform::Received,
    rpc::{Buffer, Reply, Shared, Status},
    session::{
        custody::{CustodyError, Description},
        parent::Event as Fate,
        pd::OWN,
    },
};
use rtcr::{
    child::Child,
    image::Given,
    information::{AccountInfo, Need, Stage},
    start::Program,
    stop::Stopped,
    storage::Pool,
    surroundings::Surroundings,
};

use super::{Answer, Answered, Desk, Order, Stored};
use crate::{
    archive::import::memory_for,
    keeper::{CUSTODY, Keeper},
    plan::Way,
    revive::Untaken,
    shelf::Kept,
    stop::Due,
};

/// Of a keeper.
pub struct Custody {
    pub desk: Arc<Desk>,
    /// The instance stands still.
    held: Option<Stopped<Shared>>,
    /// It has ended, and the component has not.
    is_put_away: bool,
}

impl Custody {
    pub const fn new(desk: Arc<Desk>) -> Self {
        Self { desk, held: None, is_put_away: false }
    }
}

impl Keeper {
    /// Waits until there is to be an instance, and makes it. None if this component is to exit before.
    pub(crate) fn wait_for_instance(&mut self, program: Program<'_>) -> Option<Child<Shared>> {
        let (machine, endpoint) = (self.env.platform(), self.post.settings.endpoint);
        let mut words = Buffer::new();
        loop {
            let mut received = machine.receive(endpoint, &mut words);
            // Nobody is there who could ask.
            while let Received::Request { .. } = received {
                received = machine.answer_and_receive(endpoint, &Reply::of(Status::Refused), &mut words);
            }
            while let Ok(Some(pending)) = self.env.signal().fetch(self.post.bell) {
                if pending.cookie == CUSTODY
                    && let Some(child) = self.first_order(program)
                {
                    return Some(child);
                }
                if !pending.more {
                    break;
                }
            }
            if self.post.stop.due() != Due::Nothing {
                return None;
            }
        }
    }

    /// Does what is to be done where there is no instance.
    fn first_order(&mut self, program: Program<'_>) -> Option<Child<Shared>> {
        let desk = Arc::clone(&self.custody.as_ref()?.desk);
        let order = desk.order()?;
        let (child, answer) = match order {
            Order::Describe => (None, Ok(Answer::Description(self.description(Need::default())))),
            Order::Accept(description) => (None, self.accept(&description).map(Answer::Room)),
            Order::Begin => match Child::start(self.up, &self.post.settings, program, &mut self.home) {
                Ok(child) => (Some(child), Ok(Answer::Done)),
                Err(error) => {
                    log::warn!("{} does not begin: {error}", self.name());
                    (None, Err(CustodyError::Failed))
                }
            },
            Order::Restore(stored) => match self.make_standing(program, *stored) {
                Ok(child) => (Some(child), Ok(Answer::Done)),
                Err(error) => (None, Err(error)),
            },
            Order::Hold | Order::End => (None, Ok(Answer::Done)),
            // There is nothing that could run.
            Order::Resume | Order::Take { .. } => (None, Err(CustodyError::State)),
        };
        desk.answer(answer);
        child
    }

    /// Does what is to be done with an instance; whether that was its end.
    pub(crate) fn next_order(&mut self, child: &mut Child<Shared>) -> bool {
        let Some(custody) = &mut self.custody else { return false };
        let desk = Arc::clone(&custody.desk);
        let Some(order) = desk.order() else { return false };
        let answer: Answered = match order {
            Order::Describe => match child.need(&mut self.home) {
                Ok(need) => Ok(Answer::Description(self.description(need))),
                Err(_) => Err(CustodyError::Failed),
            },
            Order::Take { stop } => self.take_for_others(child, stop),
            Order::Hold => self.hold(child),
            Order::Resume => {
                custody.held = None;
                Ok(Answer::Done)
            }
            Order::End => {
                // Its threads stand still until they end with it.
                core::mem::forget(custody.held.take());
                custody.is_put_away = true;
                desk.answer(Ok(Answer::Done));
                return true;
            }
            Order::Begin | Order::Accept(_) | Order::Restore(_) => Err(CustodyError::State),
        };
        desk.answer(answer);
        false
    }

    /// Whether an instance has ended because somebody wanted it put away; asked once.
    pub(crate) fn was_put_away(&mut self) -> bool {
        self.custody.as_mut().is_some_and(|custody| core::mem::take(&mut custody.is_put_away))
    }

    fn hold(&mut self, child: &Child<Shared>) -> Answered {
        let Some(custody) = &mut self.custody else { return Err(CustodyError::State) };
        if custody.held.is_none() {
            custody.held = Some(child.freeze().map_err(|_| CustodyError::Failed)?);
        }
        Ok(Answer::Done)
    }

    fn take_for_others(&mut self, child: &mut Child<Shared>, stop: bool) -> Answered {
        if let Some(custody) = &mut self.custody {
            // A checkpoint freezes it itself.
            custody.held = None;
        }
        self.tried += 1;
        let kept = self.take(child).map_err(|untaken| match untaken {
            Untaken::Busy(_) => CustodyError::Busy,
            Untaken::Failed(reason) => {
                log::warn!("{} is not checkpointed: {reason}", self.name());
                CustodyError::Failed
            }
        })?;
        if kept.checkpoint.information().stage == Stage::Booting {
            // Nobody could restore it directly. It goes on booting.
            return Err(CustodyError::Busy);
        }
        if stop {
            // It is below its keeper, so nothing of it has run since.
            self.hold(child)?;
        }
        self.tell_taken(&kept);
        let identity = self.identity_of(self.post.binaries.0);
        let Kept { checkpoint, pool, .. } = kept;
        Ok(Answer::Taken(Box::new(Stored { identity, checkpoint, pool })))
    }

    /// What the child is, and room for a checkpoint.
    fn description(&mut self, need: Need) -> Description {
        let settings = &self.post.settings;
        let module = self.post.binaries.0;
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Description {
            name: settings.name.try_into().unwrap_or_default(),
            module: module.try_into().unwrap_or_default(),
            fingerprint: self.home.fingerprint(module, OWN),
            slots: settings.slots,
            ram: settings.ram,
            caps: settings.caps,
            pages: need.pages,
            objects: count(need.objects),
            regions: count(need.regions),
            words: count(need.words),
            served: count(need.served),
        }
    }

    /// Whether a component like that could live here as this child, and room for its checkpoint.
    fn accept(&mut self, other: &Description) -> Result<Pool<Shared>, CustodyError> {
        let own = self.description(Need::default());
        if (&own.module, own.fingerprint) != (&other.module, other.fingerprint) {
            log::warn!("{} is another program here than there: {} and {}.", own.name, own.module, other.module);
            return Err(CustodyError::Program);
        }
        let account = self.env.pd().account(OWN).map_err(|_| CustodyError::Failed)?;
        let ram = account.ram.saturating_sub(account.ram_used);
        let need = Need {
            objects: other.objects as usize,
            regions: other.regions as usize,
            words: other.words as usize,
            served: other.served as usize,
            pages: other.pages,
        };
        // What it tells of itself comes from another node.
        let needed = u64::from(other.ram).saturating_add(memory_for(&need));
        let fits = own.slots == other.slots
            && u64::from(ram) >= needed
            && account.caps.saturating_sub(account.caps_used) >= other.caps;
        if !fits {
            log::warn!("{} needs {needed} bytes and {} capabilities, and there are not as many.", own.name, other.caps);
            return Err(CustodyError::Room);
        }
        Pool::new(self.up, 1, &need, need.pages.max(1)).map_err(|_| CustodyError::Room)
    }

    /// An instance of what has come, which stands still.
    fn make_standing(&mut self, program: Program<'_>, stored: Stored) -> Result<Child<Shared>, CustodyError> {
        self.forget_instance();
        self.restored += 1;
        let Stored { identity, checkpoint, pool } = stored;
        let settings = self.post.settings;
        let given = Given {
            name: &identity.name,
            module: self.post.binaries.0,
            fingerprint: self.identity_of(self.post.binaries.0).fingerprint,
            slots: settings.slots,
            account: AccountInfo { ram: self.post.most.0, caps: self.post.most.1 },
            priority: settings.priority,
        };
        let home = &self.home;
        given.admits(checkpoint.information(), |session| home.may_have(session)).map_err(|error| {
            log::warn!("What has come of {} is refused: {error}", identity.name);
            CustodyError::Image
        })?;
        let kept = Kept { number: self.restored, checkpoint, said: Default::default(), pool };
        let restored = self.restore(Way::Direct, program, &kept);
        let Kept { checkpoint, mut pool, .. } = kept;
        pool.discard(checkpoint);
        let (child, _) = restored.map_err(|error| {
            log::warn!("{} is not restored: {error}", self.name());
            CustodyError::Failed
        })?;
        // It is below its keeper, so nothing of it has run yet.
        self.hold(&child)?;
        Ok(child)
    }

    /// What an instance that is put away is told to its parents as, which is nothing.
    pub(crate) fn put_away() -> Box<Fate> {
        Box::new(Fate::Exited(0))
    }
}
