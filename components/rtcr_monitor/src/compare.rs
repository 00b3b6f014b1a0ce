//! Both ways of restoring, held against each other where they happen.
//!
//! If the plan wants it, each restore is made twice, in both ways, and a checkpoint is taken of each new instance before an
//! instruction of it has run: it is below its keeper. The first instance is ended and overwritten; the second one goes on, if
//! all three checkpoints say the same: memory, registers, numbers, accounts.

use alloc::{boxed::Box, format, string::String};
use core::sync::atomic::Ordering::Relaxed;

use base::{
    Env,
    memory::{Attachment, Dataspace, MemoryError},
    rpc::{CallError, Shared},
    session::{
        pd::{Account, CopyError, CopyPages, MAX_COPY, PAGE},
        rm::Placement,
    },
};
use rtcr::{
    checkpoint::Checkpoint,
    child::Child,
    compare::compare,
    image::{Page, PageSource},
    information::Stage,
    start::Program,
    storage::{Pages, Pool},
    surroundings::Surroundings,
};

use crate::{
    keeper::{Keeper, Restored},
    plan::Way,
    revive::NotRestored,
    shelf::Kept,
};

/// Nanoseconds that what is due may be apart: setting up a new instance's timeouts takes less.
const APART: u64 = 10_000_000;

/// What a new instance is before it runs.
struct Seen {
    pool: Pool<Shared>,
    checkpoint: Checkpoint,
    account: Account,
}

impl Keeper {
    /// Restores the child, and looks whether it would be the same if it were restored in the other way, if that is wanted.
    pub(crate) fn restore_and_compare(&mut self, program: Program<'_>, kept: &Kept) -> Result<Restored, NotRestored> {
        // What had not passed its barrier can only be replayed.
        if !self.plan.compare || kept.checkpoint.information().stage == Stage::Booting {
            return self.restore(self.plan.way, program, kept);
        }
        let other = match self.plan.way {
            Way::Replay => Way::Direct,
            Way::Direct => Way::Replay,
        };
        let (mut first, _) = self.restore_by(other, program, kept)?;
        let one = self.see(&mut first)?;
        // It never runs.
        let wiped = first.wipe(self.post.pattern);
        let same =
            wiped.map_err(|error| NotRestored::Differs(format!("it is not overwritten: {error:?}"))).and_then(|_| {
                let (mut second, answer) = self.restore(self.plan.way, program, kept)?;
                let two = self.see(&mut second)?;
                let same = self.hold_against(kept, (other, &one), &two);
                self.forget(two);
                same.map(|()| (second, answer))
            });
        self.forget(one);
        same
    }

    /// What an instance is, before it runs.
    fn see(&mut self, child: &mut Child<Shared>) -> Result<Seen, NotRestored> {
        let failed = |what: &dyn core::fmt::Debug| NotRestored::Differs(format!("it cannot be compared: {what:?}"));
        let need = child.need(&mut self.home).map_err(|error| failed(&error))?;
        let mut pool = Pool::new(self.up, 1, &need, need.pages.max(1)).map_err(|error| failed(&error))?;
        let checkpoint = child.checkpoint(&mut pool, &mut self.home).map_err(|error| failed(&error))?;
        let account = self.env.pd().account(child.number()).map_err(|error| failed(&error))?;
        Ok(Seen { pool, checkpoint, account })
    }

    fn forget(&mut self, Seen { mut pool, checkpoint, .. }: Seen) {
        checkpoint.information().calls().for_each(|(_, call)| self.home.forget_call(call));
        pool.discard(checkpoint);
    }

    fn hold_against(&self, kept: &Kept, (way, one): (Way, &Seen), two: &Seen) -> Result<(), NotRestored> {
        let differs = |this: &str, that: &dyn core::fmt::Display, what: &dyn core::fmt::Display| {
            NotRestored::Differs(format!("{this} it is not what it is {that}: {what}"))
        };
        let own = self.plan.way;
        let pairs = [
            (format!("restored {way}"), String::from("in the checkpoint"), (&one.checkpoint, &kept.checkpoint)),
            (format!("restored {own}"), format!("restored {way}"), (&two.checkpoint, &one.checkpoint)),
        ];
        for (this, that, (left, right)) in pairs {
            if let Some(difference) = self.compare(left, right)? {
                return Err(differs(&this, &that, &difference));
            }
        }
        if one.account != two.account {
            let accounts = format!("{:?} and {:?}", two.account, one.account);
            return Err(differs(&format!("restored {own}"), &format_args!("restored {way}"), &accounts));
        }
        let information = two.checkpoint.information();
        log::info!(
            "{} is the same restored directly and by replay: {} objects, {} pages, {} requests.",
            self.name(),
            information.objects.len(),
            two.checkpoint.pages().count,
            information.journal.len(),
        );
        Ok(())
    }

    fn compare(&self, one: &Checkpoint, other: &Checkpoint) -> Result<Option<rtcr::compare::Difference>, NotRestored> {
        let failed = |error| NotRestored::Differs(format!("its memory cannot be seen: {error:?}"));
        let (mut pages, mut other_pages) = (
            Window::new(self.env, one.pages()).map_err(failed)?,
            Window::new(self.env, other.pages()).map_err(failed)?,
        );
        compare((one.information(), &mut pages), (other.information(), &mut other_pages), APART)
            .map_err(|error| NotRestored::Differs(format!("its memory cannot be copied: {error:?}")))
    }
}

/// The pages of a checkpoint, some of which are copied to where they can be read: storage is in frames too large to show a
/// part of it.
struct Window {
    env: Env,
    saved: Pages,
    copied: (Dataspace, Attachment),
    /// The first page that is copied.
    first: Option<u32>,
    page: Box<Page>,
}

impl Window {
    fn new(env: Env, saved: Pages) -> Result<Self, MemoryError> {
        let room = env.allocate((MAX_COPY * PAGE) as usize)?;
        let attached = env.attach(&room, Placement::ANYWHERE)?;
        Ok(Self { env, saved, copied: (room, attached), first: None, page: Box::new([0; PAGE as usize]) })
    }

    fn copy_from(&mut self, first: u32) -> Result<(), CallError<CopyError>> {
        let count = (self.saved.count.saturating_sub(first)).min(MAX_COPY);
        let src = u16::try_from(self.saved.first + first).map_err(|_| CopyError::Range)?;
        let mut done = 0;
        while done < count {
            let pages = CopyPages { dst: done as u16, src: src + done as u16, count: count - done };
            match self.env.pd().copy(self.copied.0.slot(), self.saved.dataspace, pages)? {
                0 => return Err(CopyError::Range.into()),
                copied => done += copied,
            }
        }
        self.first = Some(first);
        Ok(())
    }
}

impl PageSource for Window {
    type Error = CallError<CopyError>;

    fn page(&mut self, index: u32) -> Result<&Page, Self::Error> {
        let first = index - index % MAX_COPY;
        if self.first != Some(first) {
            self.copy_from(first)?;
        }
        let words = self.copied.1.words().iter().skip(((index - first) * (PAGE / 4)) as usize);
        for (bytes, word) in self.page.chunks_exact_mut(4).zip(words) {
            bytes.copy_from_slice(&word.load(Relaxed).to_le_bytes());
        }
        Ok(&self.page)
    }
}
