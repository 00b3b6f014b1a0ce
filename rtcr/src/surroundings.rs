//! What the library asks of whoever embeds it.

use core::fmt;

use base::rpc::{Buffer, Reply, Request, Slot};

/// Whoever embeds the library. Only PARENT and ringing are its business in any case.
pub trait Surroundings {
    /// Answers a request for PARENT. None means that nobody is answered: the component has ended.
    fn parent<'s>(&mut self, request: &Request<'_>, space: &'s mut Buffer) -> Option<Reply<'s>>;

    /// Rings a notification, by the parent's number for it.
    fn ring(&mut self, doorbell: Slot);

    /// What is the content of a module known by? The same number for the same bytes; `dataspace` is the parent's number
    /// for it. Compared before a module's pages are taken for those of a checkpoint.
    fn fingerprint(&mut self, name: &str, dataspace: Slot) -> u64 {
        let _ = (name, dataspace);
        0
    }

    /// Something has been done, for traces and statistics.
    fn event(&mut self, event: Event) {
        let _ = event;
    }
}

/// What is told of checkpoints and restores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// All threads of the component stand still.
    Stopped {
        /// How many there are.
        threads: u32,
    },
    /// Pages were copied from the component to the storage.
    Saved {
        /// How many.
        pages: u32,
    },
    /// A request of the new instance was answered from the journal.
    Answered {
        /// The how-manieth, from 0.
        index: u32,
        /// The interface's number.
        interface: u16,
        /// The operation's number.
        operation: u8,
    },
    /// The new instance has reached the barrier.
    Barrier,
    /// What the checkpoint does not have is gone, what it has is there.
    Objects {
        /// How many went.
        gone: u32,
        /// How many came.
        made: u32,
    },
    /// Memory that is no stack has the checkpoint's content.
    Memory {
        /// How many pages were copied.
        pages: u32,
    },
    /// Stacks have the checkpoint's content, from their pointers' pages to their tops.
    Repair {
        /// How many bytes were copied.
        bytes: u32,
    },
    /// Threads have the checkpoint's registers.
    Registers {
        /// How many.
        threads: u32,
    },
    /// All threads go on.
    Thawed,
}

/// What has been done so far, for a line after each checkpoint and restore.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Pages that were copied to storages.
    pub saved: u32,
    /// Requests that were answered from journals.
    pub answered: u32,
    /// Objects that went or came in restores.
    pub objects: u32,
    /// Pages that were copied back and are no stack.
    pub pages: u32,
    /// Bytes of stacks that were copied back.
    pub repaired: u32,
    /// Threads that got registers.
    pub threads: u32,
}

impl Statistics {
    /// Counts what has been done.
    pub fn note(&mut self, event: &Event) {
        let (count, by) = match *event {
            Event::Saved { pages } => (&mut self.saved, pages),
            Event::Answered { .. } => (&mut self.answered, 1),
            Event::Objects { gone, made } => (&mut self.objects, gone + made),
            Event::Memory { pages } => (&mut self.pages, pages),
            Event::Repair { bytes } => (&mut self.repaired, bytes),
            Event::Registers { threads } => (&mut self.threads, threads),
            Event::Stopped { .. } | Event::Barrier | Event::Thawed => return,
        };
        *count = count.saturating_add(by);
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { saved, answered, objects, pages, repaired, threads } = self;
        match pages {
            0 => write!(f, "{saved} pages saved"),
            _ => write!(
                f,
                "{answered} requests answered, {objects} objects put right, {pages} pages copied, {repaired} bytes of stack \
                 repaired, {threads} threads set"
            ),
        }
    }
}
