//! Threads: how they are made, started, stopped, looked at and ended.
//!
//! Two reasons stop a thread, each counted: it was *paused*, or its protection domain was *frozen*. It runs while there is
//! neither. Stopping is moving it to a domain that the kernel does not schedule: what it waits for still reaches it.

use alloc::vec::Vec;

use base::{
    queue::Queue,
    session::cpu::{Activity, Cause, CreateError, MAX_PRIORITY, Place, Registers, ThreadError, ThreadState},
};
use sel4::{
    Cap, CapData, Guard, ObjectKind, Priority, Tcb, UserContext, boot,
    thread::{MessageBuffer, Space, ThreadInfo},
};

use super::{Context, Domain, Id, Known, NotificationObject, RegionMap, Source, System, domain::Quota};
use crate::place;

/// Most threads.
pub const MAX_THREADS: u32 = 1 << 10;
/// Most threads of one protection domain.
pub const MAX_OF_DOMAIN: usize = 64;
/// What a thread takes, in bytes.
const SIZE: u64 = 1 << ObjectKind::Tcb.memory_bits();
/// Longest name in bytes.
const MAX_NAME: usize = 32;
/// The domain that the kernel schedules.
const RUNNING: u8 = 0;
/// One that it does not.
const STOPPED: u8 = 1;
/// User mode, ARM state, interrupts on.
const USER_MODE: u32 = 0x10;

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
    priority: u8,
    paused: u32,
    started: bool,
    bound: Option<Id<NotificationObject>>,
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
    frozen: u32,
    /// Those with exceptions that nobody has asked for.
    pub(super) exceptions: Queue,
    /// What exceptions raise.
    pub(super) handler: Option<Id<Context>>,
}

impl Thread {
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
    fn count(&self) -> u32 {
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
        let name = name.try_into().map_err(|_| CreateError::Name)?;
        let owner = self.domains.get_mut(domain).ok_or(CreateError::Nothing)?;
        let number = owner.threads.number().ok_or(CreateError::Threads)?;
        owner.account.charge(SIZE, 1).map_err(|quota| match quota {
            Quota::Ram => CreateError::Ram,
            Quota::Caps => CreateError::Caps,
        })?;
        let (slots, slot_bits, frozen) = (owner.slots, owner.slot_bits, owner.threads.frozen > 0);
        let made = self.make_thread(
            map,
            buffer,
            |address_space| Space {
                fault_endpoint: base::env::slots::FAULT.0,
                root: slots,
                root_data: Guard::filling(slot_bits).map_or(CapData::None, CapData::Guard),
                address_space,
            },
            priority,
        );
        let thread = made.map(|cap| Thread {
            domain,
            place: 0,
            number: number as u32,
            name,
            cap,
            map,
            buffer,
            priority,
            paused: 0,
            started: false,
            bound: None,
            trouble: Trouble::None,
            kernel: 0,
        });
        let id = match thread {
            Ok(mut thread) => {
                if frozen {
                    set_running(thread.cap, false);
                }
                thread.kernel = info(thread.cap).map_or(0, |info| info.thread);
                let (cap, kernel) = (thread.cap, thread.kernel);
                match self.threads.insert(thread) {
                    Some(id) => {
                        self.by_kernel.insert(kernel, id);
                        Ok(id)
                    }
                    None => {
                        self.unmake_thread(cap, map, buffer);
                        Err(CreateError::Exhausted)
                    }
                }
            }
            Err(error) => Err(error),
        };
        let Some(owner) = self.domains.get_mut(domain) else { return Err(CreateError::Nothing) };
        match id {
            Ok(id) => {
                if number == owner.threads.list.len() {
                    owner.threads.list.push(None);
                }
                owner.threads.list[number] = Some(id);
                self.own(domain, Known::Thread(id));
            }
            Err(_) => owner.account.refund(SIZE, 1),
        }
        id
    }

    fn make_thread(
        &mut self,
        map: Id<RegionMap>,
        address: u32,
        space: impl FnOnce(Cap<sel4::PageDirectory>) -> Space,
        priority: u8,
    ) -> Result<Cap<Tcb>, CreateError> {
        let cap = self.resources.make::<Tcb>().map_err(|_| CreateError::Exhausted)?;
        let Some((directory, frame)) = self.pin_buffer(map, address) else {
            // SAFETY: it has never run.
            unsafe { self.resources.unmake(cap) };
            return Err(CreateError::Buffer);
        };
        let buffer = MessageBuffer { address, frame };
        // SAFETY: the thread runs in an address space of its own, in which core has no references.
        let configured = unsafe { cap.configure(space(directory), Priority::new(priority), Some(buffer)) };
        configured.map(|()| cap).map_err(|_| {
            // The kernel refuses device memory for messages.
            self.unmake_thread(cap, map, address);
            CreateError::Buffer
        })
    }

    fn unmake_thread(&mut self, cap: Cap<Tcb>, map: Id<RegionMap>, buffer: u32) {
        // SAFETY: components do without their threads; nothing of core relies on them.
        unsafe { self.resources.unmake(cap) };
        self.unpin_buffer(map, buffer);
    }

    /// Lets a new thread run.
    ///
    /// # Errors
    /// `State`: it was started already.
    pub fn start_thread(&mut self, id: Id<Thread>, pc: u32, sp: u32, argument: u32) -> Result<(), ThreadError> {
        let thread = self.threads.get_mut(id).filter(|thread| !thread.started).ok_or(ThreadError::State)?;
        let registers = UserContext { pc, sp, cpsr: USER_MODE, r0: argument, ..UserContext::default() };
        // SAFETY: an address space in which core has no references; what a component runs is its own business.
        unsafe { thread.cap.write_registers(true, &registers) }.map_err(|_| ThreadError::State)?;
        thread.started = true;
        Ok(())
    }

    /// Stops a thread once more.
    ///
    /// # Errors
    /// `Nothing`; `State`: it was paused four billion times.
    pub fn pause_thread(&mut self, id: Id<Thread>) -> Result<(), ThreadError> {
        let thread = self.threads.get_mut(id).ok_or(ThreadError::Nothing)?;
        thread.paused = thread.paused.checked_add(1).ok_or(ThreadError::State)?;
        set_running(thread.cap, false);
        Ok(())
    }

    /// Takes one pause back.
    ///
    /// # Errors
    /// `State`: it is not paused.
    pub fn resume_thread(&mut self, id: Id<Thread>) -> Result<(), ThreadError> {
        let thread = self.threads.get_mut(id).ok_or(ThreadError::Nothing)?;
        thread.paused = thread.paused.checked_sub(1).ok_or(ThreadError::State)?;
        let frozen = self.domains.get(thread.domain).is_some_and(|domain| domain.threads.frozen > 0);
        if thread.paused == 0 && !frozen {
            set_running(thread.cap, true);
        }
        Ok(())
    }

    /// Stops all threads of a protection domain once more; tells how many there are. 0.5 us for each.
    ///
    /// # Errors
    /// `Nothing`; `State`: it was frozen four billion times.
    pub fn freeze(&mut self, id: Id<Domain>) -> Result<u32, ThreadError> {
        let threads = &mut self.domains.get_mut(id).ok_or(ThreadError::Nothing)?.threads;
        threads.frozen = threads.frozen.checked_add(1).ok_or(ThreadError::State)?;
        if threads.frozen == 1 {
            let all = threads.iter().filter_map(|id| self.threads.get(id));
            all.filter(|thread| thread.paused == 0).for_each(|thread| set_running(thread.cap, false));
        }
        Ok(threads.count())
    }

    /// Takes one freeze back; tells how many threads there are.
    ///
    /// # Errors
    /// `State`: it is not frozen.
    pub fn thaw(&mut self, id: Id<Domain>) -> Result<u32, ThreadError> {
        let threads = &mut self.domains.get_mut(id).ok_or(ThreadError::Nothing)?.threads;
        threads.frozen = threads.frozen.checked_sub(1).ok_or(ThreadError::State)?;
        if threads.frozen == 0 {
            let all = threads.iter().filter_map(|id| self.threads.get(id));
            all.filter(|thread| thread.paused == 0).for_each(|thread| set_running(thread.cap, true));
        }
        Ok(threads.count())
    }

    /// Registers of a thread, and what it does.
    ///
    /// # Errors
    /// `Nothing`.
    pub fn read_thread(&self, id: Id<Thread>) -> Result<ThreadState, ThreadError> {
        let thread = self.threads.get(id).ok_or(ThreadError::Nothing)?;
        let (registers, info) = thread.cap.read_registers_and_info(false).map_err(|_| ThreadError::Nothing)?;
        let activity = self.activity(thread, info);
        Ok(ThreadState { registers: registers.to_words(), activity, paused: thread.paused, priority: thread.priority })
    }

    fn activity(&self, thread: &Thread, info: Option<ThreadInfo>) -> Activity {
        use sel4::ThreadState as State;
        let Some(info) = info.filter(|_| thread.trouble == Trouble::None) else { return Activity::Faulted };
        let fault = Source::Fault { domain: thread.domain.index(), thread: 0 }.badge();
        match info.state {
            State::Inactive | State::Idle => Activity::Inactive,
            State::Running | State::Restart => Activity::Running,
            State::BlockedOnReceive => Activity::Receiving,
            State::BlockedOnNotification => Activity::Waiting,
            State::BlockedOnReply => Activity::Calling,
            // Its fault has not been received. A component that badges an endpoint of its own alike deceives itself.
            State::BlockedOnSend if fault.is_some_and(|fault| fault.number() == info.badge) => Activity::Faulted,
            State::BlockedOnSend => Activity::Sending { badge: info.badge },
        }
    }

    /// Sets the registers of a thread. With `cancel` it gives up what it is in, a fault included, and runs from there.
    ///
    /// # Errors
    /// `Nothing`.
    pub fn write_thread(&mut self, id: Id<Thread>, registers: Registers, cancel: bool) -> Result<(), ThreadError> {
        if cancel {
            self.forget_trouble(id);
        }
        let thread = self.threads.get_mut(id).ok_or(ThreadError::Nothing)?;
        // SAFETY: as when it is started.
        unsafe { thread.cap.write_registers(cancel, &UserContext::from_words(registers)) }
            .map_err(|_| ThreadError::Nothing)?;
        thread.started |= cancel;
        Ok(())
    }

    /// Where a thread is: up to 24 frames, each two words of its memory.
    ///
    /// # Errors
    /// `Nothing`.
    pub fn thread_place(&self, id: Id<Thread>) -> Result<Place, ThreadError> {
        let thread = self.threads.get(id).ok_or(ThreadError::Nothing)?;
        let registers = thread.cap.read_registers(false).map_err(|_| ThreadError::Nothing)?;
        let UserContext { pc, sp, lr, r11, .. } = registers;
        Ok(place::place(pc, sp, lr, r11, |address| self.word(thread.map, address)))
    }

    /// Changes the priority of a thread.
    ///
    /// # Errors
    /// `Priority`, `Nothing`.
    pub fn prioritize_thread(&mut self, id: Id<Thread>, priority: u8) -> Result<(), ThreadError> {
        if !(1..=MAX_PRIORITY).contains(&priority) {
            return Err(ThreadError::Priority);
        }
        let thread = self.threads.get_mut(id).ok_or(ThreadError::Nothing)?;
        thread.cap.set_priority(priority).map_err(|_| ThreadError::Priority)?;
        thread.priority = priority;
        Ok(())
    }

    /// The notification wakes the thread when it receives.
    ///
    /// # Errors
    /// `State`: one of the two is bound to another, or somebody waits for the notification.
    pub fn bind_thread(&mut self, id: Id<Thread>, notification: Id<NotificationObject>) -> Result<(), ThreadError> {
        let object = self.notifications.get(notification).ok_or(ThreadError::Nothing)?.cap;
        let thread = self.threads.get_mut(id).ok_or(ThreadError::Nothing)?;
        if let Some(bound) = thread.bound
            && self.notifications.get(bound).is_some()
        {
            return Err(ThreadError::State);
        }
        thread.cap.bind_notification(object).map_err(|_| ThreadError::State)?;
        thread.bound = Some(notification);
        Ok(())
    }

    /// Ends a thread. Whoever waits for its answer is told that it is gone.
    pub fn destroy_thread(&mut self, id: Id<Thread>) {
        self.forget_trouble(id);
        self.hang_up_thread(id);
        self.disown_thread(id);
        let Some(thread) = self.threads.remove(id) else { return };
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

    /// The thread of highest priority that has or would have the processor, and where it is. For the end of a run: looks at
    /// all threads.
    pub fn running_thread(&self) -> Option<(&str, Place)> {
        use sel4::ThreadState as State;
        let ready = self.threads.iter().filter(|(_, thread)| {
            let runs = self.domains.get(thread.domain).is_some_and(|domain| domain.threads.frozen == 0);
            let state = info(thread.cap).map(|info| info.state);
            runs && thread.paused == 0 && matches!(state, Some(State::Running | State::Restart))
        });
        let (id, thread) = ready.max_by_key(|(_, thread)| thread.priority)?;
        let domain = self.domains.get(thread.domain)?;
        Some((&domain.name, self.thread_place(id).ok()?))
    }
}

/// What the kernel tells of a thread; none on one that does not.
pub(super) fn info(thread: Cap<Tcb>) -> Option<ThreadInfo> {
    thread.read_registers_and_info(false).ok()?.1
}

/// Lets the kernel schedule a thread, or not.
fn set_running(thread: Cap<Tcb>, running: bool) {
    // Both capabilities are core's own, and the domains exist, so this cannot fail.
    let _ = boot::DOMAIN.set(if running { RUNNING } else { STOPPED }, thread);
}
