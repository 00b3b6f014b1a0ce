//! CPU: threads.

use serde::{Deserialize, Serialize};

use crate::{ErrorCode, interface, rpc::Slot};

/// CPU: threads.
///
/// Numbers are those of the caller's space; `Slot(1)` is the caller's own protection domain. A thread is *paused* by whoever
/// asks for it, and goes on when it was resumed as often; *frozen* threads are those of a whole protection domain. Both
/// leave calls in flight alone.
#[interface(id = 4)]
pub trait Cpu {
    /// A thread of `pd`, not started. `buffer` is the address, in the address space `map`, of a page of its own for
    /// messages, which must be mapped; it cannot be detached while the thread exists.
    #[operation(1, encoded)]
    fn create(
        &mut self,
        at: Slot,
        pd: Slot,
        map: Slot,
        priority: u8,
        buffer: u32,
        name: &str,
    ) -> Result<Slot, CreateError>;

    /// Lets a thread run from `pc` on with that stack pointer and one argument.
    #[operation(2)]
    fn start(&mut self, thread: Slot, pc: u32, sp: u32, argument: u32) -> Result<(), ThreadError>;

    /// A thread stops.
    #[operation(3)]
    fn pause(&mut self, thread: Slot) -> Result<(), ThreadError>;

    /// A thread goes on, if it was resumed as often as it was paused.
    #[operation(4)]
    fn resume(&mut self, thread: Slot) -> Result<(), ThreadError>;

    /// Registers of a thread, and what it does. It should be paused or frozen.
    #[operation(5, idempotent, encoded)]
    fn read(&mut self, thread: Slot) -> Result<ThreadState, ThreadError>;

    /// Sets the registers of a thread. With `cancel`, a call or wait that it is in is given up, and it will run from `pc`.
    #[operation(6, encoded)]
    fn write(&mut self, thread: Slot, registers: Registers, cancel: bool) -> Result<(), ThreadError>;

    /// All threads of `pd` stop at once; tells how many there are. Counted, like pausing.
    #[operation(7)]
    fn freeze(&mut self, pd: Slot) -> Result<u32, ThreadError>;

    /// The threads of `pd` go on, if it was thawed as often as it was frozen.
    #[operation(8)]
    fn thaw(&mut self, pd: Slot) -> Result<u32, ThreadError>;

    /// Exceptions of threads of `pd`, and page faults that no region map's handler takes, raise this signal from now on.
    #[operation(9)]
    fn handle_exceptions(&mut self, pd: Slot, context: Slot) -> Result<(), ThreadError>;

    /// The oldest exception of a thread of `pd` that nobody has asked for yet. The thread stays stopped.
    #[operation(10, encoded)]
    fn exception(&mut self, pd: Slot) -> Result<Option<Exception>, ThreadError>;

    /// A notification that rings while the thread receives at an endpoint wakes it.
    #[operation(11)]
    fn bind(&mut self, thread: Slot, notification: Slot) -> Result<(), ThreadError>;

    /// Where a thread is.
    #[operation(12, idempotent, encoded)]
    fn place(&mut self, thread: Slot) -> Result<Place, ThreadError>;

    /// Changes the priority.
    #[operation(13)]
    fn prioritize(&mut self, thread: Slot, priority: u8) -> Result<(), ThreadError>;

    /// Ends a thread. Those who wait for its answer are told that their peer is gone.
    #[operation(14)]
    fn destroy(&mut self, thread: Slot) -> Result<(), ThreadError>;

    /// The `client` waits for the answer of the `server` from now on, as if it had called and the other had received that;
    /// nothing else of them runs. They are threads of one protection domain, which is frozen, and wait for nothing; the server
    /// owes nobody an answer. The client's registers are those of a call, and stay; the server's mean nothing afterwards, but its
    /// message buffer stays.
    #[operation(15)]
    fn link(&mut self, server: Slot, client: Slot) -> Result<(), LinkError>;
}

/// Registers of a thread, in the order of seL4's user context: pc, sp, cpsr, r0, r1, r8 to r12, r2 to r7, lr.
pub type Registers = [u32; 17];

/// What is known of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadState {
    /// Its registers.
    pub registers: Registers,
    /// What it does.
    pub activity: Activity,
    /// How often it was paused and not resumed.
    pub paused: u32,
    /// Its priority.
    pub priority: u8,
    /// What tells it from the other threads of its protection domain.
    pub thread: u32,
    /// Who waits for its answer.
    pub owes: Debt,
}

/// Whom a thread owes an answer: one at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Debt {
    /// Nobody.
    Nobody,
    /// That thread of the same protection domain.
    Thread(u32),
    /// Somebody outside of the protection domain.
    Outside,
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activity {
    /// It was never started, or has ended.
    Inactive,
    /// It runs, or would if the processor were free and nobody had stopped it.
    Running,
    /// It calls or sends, and nobody has received it yet.
    Sending {
        /// With this badge.
        badge: u32,
    },
    /// It has called and waits for the answer.
    Calling,
    /// It waits for a request.
    Receiving,
    /// It waits for somebody to ring.
    Waiting,
    /// It has faulted.
    Faulted,
}

/// A thread that cannot go on by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// Its number in its protection domain, in the order of creation.
    pub thread: u32,
    /// Its name.
    pub name: heapless::String<32>,
    /// Why.
    pub cause: Cause,
    /// Where.
    pub place: Place,
}

/// Most return addresses in a backtrace.
pub const MAX_BACKTRACE: usize = 24;
/// Most threads of a protection domain.
pub const MAX_THREADS: usize = 64;
/// Largest priority of a component's thread.
pub const MAX_PRIORITY: u8 = 250;

/// Where a thread was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Program counter.
    pub pc: u32,
    /// Stack pointer.
    pub sp: u32,
    /// Link register.
    pub lr: u32,
    /// Return addresses, innermost first, found by frame pointer.
    pub backtrace: heapless::Vec<u32, MAX_BACKTRACE>,
}

/// What a thread did that it may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// Touched memory that is not there or not its to touch so.
    Memory {
        /// The address.
        address: u32,
        /// What it wanted.
        access: Access,
        /// The fault status register (ARM ARM B4.1.51).
        status: u32,
    },
    /// Used a capability that is not there.
    Capability {
        /// The slot.
        slot: u32,
    },
    /// Made a system call that the kernel does not know.
    SystemCall {
        /// Its number.
        number: u32,
    },
    /// Ran an instruction that does not exist or is not allowed.
    Instruction {
        /// Exception number of the kernel.
        number: u32,
        /// Its code.
        code: u32,
    },
    /// None: the component itself sent something to the endpoint on which the kernel reports its faults.
    Forged {
        /// The label of what it sent.
        label: u32,
    },
    /// A fault that this version does not know.
    Unknown {
        /// The label of the fault message.
        label: u32,
    },
}

/// What an access was to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Access {
    /// Read data.
    Read,
    /// Write data.
    Write,
    /// Fetch an instruction.
    Execute,
}

/// Why no thread was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum CreateError {
    /// There is nothing under this number.
    Nothing = 1,
    /// There is something else under this number.
    Kind = 2,
    /// The protection domain would exceed its memory.
    Ram = 3,
    /// The protection domain would exceed its capabilities.
    Caps = 4,
    /// The number is taken.
    Occupied = 5,
    /// The number is beyond the caller's space, or its space is full.
    Range = 6,
    /// There is no more room.
    Exhausted = 8,
    /// An empty name, or one that is too long or not printable.
    Name = 12,
    /// The priority is 0 or above [`MAX_PRIORITY`], or above that of the caller's first thread.
    Priority = 18,
    /// No page is mapped at the buffer's address, or another thread has it.
    Buffer = 19,
    /// A protection domain has at most 64 threads.
    Threads = 20,
}

/// Why nothing happened to a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum ThreadError {
    /// There is nothing under this number.
    Nothing = 1,
    /// There is something else under this number.
    Kind = 2,
    /// It was started already, or not yet; it was not paused or frozen; it is bound.
    State = 21,
    /// The priority is 0 or above [`MAX_PRIORITY`], or above that of the caller's first thread.
    Priority = 18,
}

/// Why no thread waits for another's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum LinkError {
    /// There is nothing under one of these numbers.
    Nothing = 1,
    /// There is something else under one of them.
    Kind = 2,
    /// There is no more room.
    Exhausted = 8,
    /// Their protection domain is not frozen; they are not two of one, in one address space; one of them waits for something;
    /// or the server owes an answer.
    State = 21,
    /// The client's registers are not those of a call, or no instruction that makes one is there.
    Call = 27,
    /// They did not meet; neither waits for anything.
    Missed = 28,
}
