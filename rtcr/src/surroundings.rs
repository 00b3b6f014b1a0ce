//! What the library asks of whoever embeds it.

use base::rpc::{Buffer, Reply, Request, Slot};

/// Whoever embeds the library. Only PARENT and ringing are its business in any case.
pub trait Surroundings {
    /// Answers a request for PARENT. None means that nobody is answered: the component has ended.
    fn parent<'s>(&mut self, request: &Request<'_>, space: &'s mut Buffer) -> Option<Reply<'s>>;

    /// Rings a notification, by the parent's number for it.
    fn ring(&mut self, doorbell: Slot);

    /// What is the content of a module known by? The same number for the same bytes; `dataspace` is the parent's number for
    /// it. Compared before a module's pages are taken for those of a checkpoint.
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
