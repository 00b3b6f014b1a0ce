//! Threads: how they are made and ended.

use alloc::vec::Vec;

use base::{
    env::slots,
    queue::Queue,
    session::cpu::{Cause, CreateError, MAX_PRIORITY, MAX_THREADS as MAX_OF_DOMAIN},
};
use sel4::{
    Cap, CapData, Guard, ObjectKind, Priority, Tcb,
    thread::{MessageBuffer, Space},
};
use wire::trace::Event;

use super::{
    Context, Domain, Id, Known, NotificationObject, RegionMap, System, control::set_running, domain::Quota, look::info,
};
use crate::trace;

/// Most threads.
pub const MAX_THREADS: u32 = 1 << 10;
/// What a thread takes, in bytes.
const SIZE: u64 = 1 << ObjectKind::Tcb.memory_bits();
/// Longest name in bytes.
const MAX_NAME: usize = 32;

/// A thread.
pub struct Thread {
    /// Whose it is, who has also paid for it.
    pub domain: Id<Domain>,
    /// Where it is in the list of what that account has paid for.
    pub place: u32,
    /// Its number in its protection domain.
    pub number: u32,
    /// What it is called.
    pub name: heapless::String<MAX_NAME>,
    /// Core's own capability.
    pub cap: Cap<Tcb>,
    /// Its address space.
    pub map: Id<RegionMap>,
    /// Where the page for its messages is mapped there.
    buffer: u32,
    pub(super) priority: u8,
    pub(super) paused: u32,
    pub(super) started: bool,
    pub(super) bound: Option<Id<NotificationObject>>,
    /// What keeps it from going on by itself.
    pub(super) trouble: Trouble,
    /// The kernel's address of it; 0 on a kernel that does not tell.
    kernel: u32,
}

/// What keeps a thread from going on by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing.
    None,
    /// It touched a page, and waits in a region map until something is attached there.
    Page,
    /// It did what it may not.
    Exception(Cause),
}

/// What a protection domain keeps of its threads.
#[derive(Default)]
pub struct Threads {
    /// By their numbers.
    list: Vec<Option<Id<Thread>>>,
    /// How often it was frozen and not thawed.
    pub(super) frozen: u32,
    /// Those with exceptions that nobody has asked for.
    pub(super) exceptions: Queue,
    /// What exceptions raise.
    pub(super) handler: Option<Id<Context>>,
}

impl Thread {
    /// Its address space.
    pub const fn map(&self) -> Id<RegionMap> {
        self.map
    }

    /// The address of its page for messages.
    pub const fn buffer(&self) -> u32 {
        self.buffer
    }

    /// Its priority.
    pub const fn priority(&self) -> u8 {
        self.priority
    }
}

impl Threads {
    /// All there are, by their numbers.
    pub fn iter(&self) -> impl Iterator<Item = Id<Thread>> + '_ {
        self.list.iter().copied().flatten()
    }

    /// The first one, if it is still there.
    pub fn first(&self) -> Option<Id<Thread>> {
        self.list.first().copied().flatten()
    }

    /// How many there are.
    pub(super) fn count(&self) -> u32 {
        self.iter().count() as u32
    }

    /// The lowest number that no thread has.
    fn number(&self) -> Option<usize> {
        let free = self.list.iter().position(Option::is_none).unwrap_or(self.list.len());
        (free < MAX_OF_DOMAIN).then_some(free)
    }
}

impl System {
    /// A thread of a protection domain in the address space `map`, not started. Its messages lie in the page at `buffer`.
    ///
    /// # Errors
    /// See [`CreateError`]; nothing has been made.
    pub fn create_thread(
        &mut self,
        domain: Id<Domain>,
        map: Id<RegionMap>,
        priority: u8,
        buffer: u32,
        name: &str,
    ) -> Result<Id<Thread>, CreateError> {
        if !(1..=MAX_PRIORITY).contains(&priority) {
            return Err(CreateError::Priority);
        }
        let called = name;
        let name = name.try_into().map_err(|_| CreateError::Name)?;
        let owner = self.domains.get_mut(domain).ok_or(CreateError::Nothing)?;
        let number = owner.threads.number().ok_or(CreateError::Threads)?;
        owner.account.charge(SIZE, 1).map_err(|quota| match quota {
            Quota::Ram => CreateError::Ram,
            Quota::Caps => CreateError::Caps,
        })?;
        let thread = Thread {
            domain,
            place: 0,
            number: number as u32,
            name,
            cap: Cap::NULL,
            map,
            buffer,
            priority,
            paused: 0,
            started: false,
            bound: None,
            trouble: Trouble::None,
            kernel: 0,
        };
        let made = self.make_thread(thread);
        let owner = self.domains.get_mut(domain).ok_or(CreateError::Nothing)?;
        match made {
            Ok(id) => {
                if number == owner.threads.list.len() {
                    owner.threads.list.push(None);
                }
                owner.threads.list[number] = Some(id);
                self.own(domain, Known::Thread(id));
                let (thread, name) = (number as u8, trace::name(called));
                self.trace(domain, Event::ThreadMade { thread, name, priority });
            }
            Err(_) => owner.account.refund(SIZE, 1),
        }
        made
    }

    /// The kernel's part of a thread; its `cap` and `kernel` are filled in.
    fn make_thread(&mut self, mut thread: Thread) -> Result<Id<Thread>, CreateError> {
        let owner = self.domains.get(thread.domain).ok_or(CreateError::Nothing)?;
        let (root, slot_bits, frozen) = (owner.slots, owner.slot_bits, owner.threads.frozen > 0);
        let cap = self.resources.make::<Tcb>().map_err(|_| CreateError::Exhausted)?;
        let Some((address_space, frame)) = self.pin_buffer(thread.map, thread.buffer) else {
            // SAFETY: it has never run.
            unsafe { self.resources.unmake(cap) };
            return Err(CreateError::Buffer);
        };
        let space = Space {
            fault_endpoint: slots::FAULT.0,
            root,
            root_data: Guard::filling(slot_bits).map_or(CapData::None, CapData::Guard),
            address_space,
        };
        let buffer = MessageBuffer { address: thread.buffer, frame };
        let (map, address) = (thread.map, thread.buffer);
        // SAFETY: the thread runs in an address space of its own, in which core has no references.
        if unsafe { cap.configure(space, Priority::new(thread.priority), Some(buffer)) }.is_err() {
            // The kernel refuses device memory for messages.
            self.unmake_thread(cap, map, address);
            return Err(CreateError::Buffer);
        }
        if frozen {
            set_running(cap, false);
        }
        let kernel = info(cap).map_or(0, |info| info.thread);
        (thread.cap, thread.kernel) = (cap, kernel);
        let Some(id) = self.threads.insert(thread) else {
            self.unmake_thread(cap, map, address);
            return Err(CreateError::Exhausted);
        };
        self.by_kernel.insert(kernel, id);
        Ok(id)
    }

    fn unmake_thread(&mut self, cap: Cap<Tcb>, map: Id<RegionMap>, buffer: u32) {
        // SAFETY: components do without their threads; nothing of core relies on them.
        unsafe { self.resources.unmake(cap) };
        self.unpin_buffer(map, buffer);
    }

    /// Ends a thread. Whoever waits for its answer is told that it is gone.
    pub fn destroy_thread(&mut self, id: Id<Thread>) {
        self.forget_trouble(id);
        self.hang_up_thread(id);
        self.disown_thread(id);
        let Some(thread) = self.threads.remove(id) else { return };
        self.trace(thread.domain, Event::ThreadEnded { thread: thread.number as u8 });
        self.by_kernel.remove(&thread.kernel);
        self.unmake_thread(thread.cap, thread.map, thread.buffer);
    }

    fn disown_thread(&mut self, id: Id<Thread>) {
        let Some(&Thread { domain, number, .. }) = self.threads.get(id) else { return };
        self.disown(domain, Known::Thread(id));
        let Some(owner) = self.domains.get_mut(domain) else { return };
        owner.account.refund(SIZE, 1);
        if let Some(entry) = owner.threads.list.get_mut(number as usize) {
            *entry = None;
        }
    }
}
