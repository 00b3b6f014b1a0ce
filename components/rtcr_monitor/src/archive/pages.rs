//! The pages of a checkpoint where its storage has them: read when it is stored, written when it is loaded.

use alloc::boxed::Box;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use base::{
    Env,
    memory::{Attachment, MemoryError},
    session::{pd::PAGE, rm::Placement},
};
use rtcr::{
    image::{Page, PageSink, PageSource},
    storage::Pages,
};

const WORDS: usize = PAGE as usize / 4;

/// They are attached for as long as this is there, and are this component's own. One page at a time is looked at.
pub struct AttachedPages {
    /// A checkpoint from before the barrier has none.
    attached: Option<Attachment>,
    pages: Pages,
    /// What is looked at; in words, so that it is aligned.
    page: Box<[u32; WORDS]>,
    /// Of which page it is that is still to be written.
    unwritten: Option<u32>,
}

/// There is no such page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPage;

impl AttachedPages {
    /// Attaches them.
    ///
    /// # Errors
    /// They cannot be.
    pub fn new(env: Env, pages: Pages, writable: bool) -> Result<Self, MemoryError> {
        let placement = Placement { writable, ..Placement::ANYWHERE };
        let attached = match pages.count {
            0 => None,
            _ => Some(env.attach(&pages.dataspace, placement)?),
        };
        Ok(Self { attached, pages, page: Box::new([0; WORDS]), unwritten: None })
    }

    /// The page that was asked for last is written.
    ///
    /// # Errors
    /// There is none such.
    pub fn finish(&mut self) -> Result<(), NoPage> {
        if let Some(index) = self.unwritten.take() {
            let words = words(self.attached.as_ref(), self.pages, index)?;
            words.iter().zip(&*self.page).for_each(|(to, word)| to.store(*word, Relaxed));
        }
        Ok(())
    }
}

/// The words of a page.
fn words(attached: Option<&Attachment>, pages: Pages, index: u32) -> Result<&[AtomicU32], NoPage> {
    let page = Some(index).filter(|index| *index < pages.count).ok_or(NoPage)?;
    let first = (pages.first + page) as usize * WORDS;
    attached.and_then(|attached| attached.words().get(first..first + WORDS)).ok_or(NoPage)
}

impl PageSource for AttachedPages {
    type Error = NoPage;

    fn page(&mut self, index: u32) -> Result<&Page, NoPage> {
        let words = words(self.attached.as_ref(), self.pages, index)?;
        words.iter().zip(&mut *self.page).for_each(|(from, word)| *word = from.load(Relaxed));
        Ok(bytemuck::cast_ref(&*self.page))
    }
}

impl PageSink for AttachedPages {
    type Error = NoPage;

    fn room(&self) -> u32 {
        self.pages.count
    }

    fn page(&mut self, index: u32) -> Result<&mut Page, NoPage> {
        self.finish()?;
        self.unwritten = Some(index);
        Ok(bytemuck::cast_mut(&mut *self.page))
    }
}
