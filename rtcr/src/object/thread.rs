//! Threads.

use base::{
    rpc::{CallError, Slot, Transport},
    session::cpu::{Activity, CreateError, Registers, ThreadState},
};

use crate::{surroundings::CallInfo, table::Link, upstream::Upstream};

/// Name of a thread.
pub type ThreadName = heapless::String<32>;

/// A thread. Dropping it ends it.
pub struct Thread<T: Transport + Copy> {
    up: Upstream<T>,
    number: Slot,
    pub(crate) name: ThreadName,
    /// Its address space.
    pub(crate) map: Link,
    /// Address of its page for messages.
    pub(crate) buffer: u32,
    pub(crate) priority: u8,
    /// How often the component has paused it.
    pub(crate) paused: u32,
    /// What wakes it while it receives.
    pub(crate) bound: Option<Link>,
    pub(crate) started: bool,
}

/// What a [`Thread`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadInfo {
    /// Its name.
    pub name: ThreadName,
    /// Number of its address space.
    pub map: Option<u32>,
    /// Address of its page for messages.
    pub buffer: u32,
    /// Its priority.
    pub priority: u8,
    /// How often the component has paused it.
    pub paused: u32,
    /// Number of what wakes it while it receives.
    pub bound: Option<u32>,
    /// Whether it was ever started.
    pub started: bool,
    /// What it did.
    pub activity: Activity,
    /// Number of the thread that waits for its answer.
    pub owes: Option<u32>,
    /// The call to somebody else's service that it was in, or was to make again.
    pub call: Option<CallInfo>,
    /// Its registers.
    pub registers: Registers,
}

/// Place of the stack pointer among the registers.
const SP: usize = 1;

impl ThreadInfo {
    /// Its stack pointer.
    pub const fn sp(&self) -> u32 {
        self.registers[SP]
    }

    /// Where it stands, which is only known while it does.
    pub(crate) fn set_state(&mut self, state: &ThreadState) {
        (self.registers, self.activity) = (state.registers, state.activity);
        // What has ended is as if it had never been started.
        self.started &= state.activity != Activity::Inactive;
    }
}

impl<T: Transport + Copy> Thread<T> {
    /// A thread of `pd` in the address space that the parent knows as `space`, not started.
    ///
    /// # Errors
    /// Why there is none.
    pub fn create(
        up: Upstream<T>,
        at: Slot,
        pd: Slot,
        (map, space): (Link, Slot),
        (priority, buffer): (u8, u32),
        name: &str,
    ) -> Result<Self, CallError<CreateError>> {
        let kept = ThreadName::try_from(name).map_err(|_| CreateError::Name)?;
        let number = up.cpu().create(at, pd, space, priority, buffer, name)?;
        Ok(Self { up, number, name: kept, map, buffer, priority, paused: 0, bound: None, started: false })
    }

    /// The parent's number for it.
    pub const fn number(&self) -> Slot {
        self.number
    }

    /// What it is. Registers and activity are read where all stands still.
    pub fn info(&self, map: Option<u32>, bound: Option<u32>) -> ThreadInfo {
        ThreadInfo {
            name: self.name.clone(),
            map,
            buffer: self.buffer,
            priority: self.priority,
            paused: self.paused,
            bound,
            started: self.started,
            activity: Activity::Inactive,
            owes: None,
            call: None,
            registers: [0; 17],
        }
    }

    /// Whether it can become what a checkpoint says.
    pub fn suits(&self, map: Option<u32>, bound: Option<u32>, saved: &ThreadInfo) -> bool {
        let same_place = map == saved.map && self.buffer == saved.buffer && self.name == saved.name;
        // What was started cannot be as if it was not, nor what is bound be let loose.
        same_place && (!self.started || saved.started) && (self.bound.is_none() || bound == saved.bound)
    }
}

impl<T: Transport + Copy> Drop for Thread<T> {
    fn drop(&mut self) {
        self.up.destroy(self.number);
    }
}
