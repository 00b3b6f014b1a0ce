//! What a component's machine does for it, besides carrying requests: the seam between this framework and a kernel.

use crate::rpc::{Buffer, Reply, Request, Slot, ThreadNumber, Transport};

/// The machine of a component: there is one, for as long as the component runs.
pub type Machine = &'static dyn Platform;

/// What a platform does for the component that runs on it.
pub trait Platform: Transport {
    /// Waits until a notification has been rung since it was last waited for. May return for nothing.
    fn wait(&self, doorbell: Slot);

    /// Rings a notification.
    fn ring(&self, doorbell: Slot);

    /// Waits for a request at an endpoint, or for a ring of the notification that is bound to the calling thread. The words
    /// of a long request are put into `space`.
    fn receive<'a>(&self, endpoint: Slot, space: &'a mut Buffer) -> Received<'a>;

    /// Answers the request that this thread received last, then does as `receive` does, without anything in between.
    fn answer_and_receive<'a>(&self, endpoint: Slot, reply: &Reply<'_>, space: &'a mut Buffer) -> Received<'a>;

    /// The calling thread's number, as its message buffer's mark says.
    fn thread(&self) -> ThreadNumber;

    /// Where a new thread begins. It calls `base::thread::begin` with the word that it was started with.
    fn thread_entry(&self) -> u32;

    /// What the last bytes of a thread's message buffer page must hold, and where, so that its requests are told apart:
    /// offset in the page, and the word.
    fn thread_mark(&self, number: ThreadNumber) -> (u32, u32);

    /// Where the byte at an address of the component's address space is. A machine on which components run says: there.
    fn memory(&self, address: u32) -> *mut u8;

    /// Number of the processor in ELF files (`e_machine`).
    fn elf_machine(&self) -> u16;
}

/// What a thread has waited for.
#[derive(Debug)]
pub enum Received<'a> {
    /// The bound notification has rung, or nothing has happened.
    Ring,
    /// Somebody asks.
    Request {
        /// Of the capability that was called.
        badge: u32,
        /// What.
        request: Request<'a>,
    },
}
