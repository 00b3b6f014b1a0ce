//! Core's sessions, and the parent's, on a machine in memory: as much of them as a component notices.

use super::world::{Context, Dataspace, Map, Object, Region, Timeout, World};
use crate::{
    layout,
    rpc::{CallError, Slot},
    session::{
        cpu, log, parent, pd,
        pd::{AT_ONCE, PAGE},
        rm, rom, signal, timer,
    },
};
use std::vec::Vec;

/// What an object costs at least.
const OVERHEAD: u32 = 64;

enum Shortage {
    Ram,
    Caps,
    Occupied,
}

impl World {
    /// Makes something, under that number or any.
    fn add(&mut self, at: Slot, bytes: u32, object: Object) -> Result<Slot, Shortage> {
        if at != pd::ANY && self.objects.contains_key(&at) {
            return Err(Shortage::Occupied);
        }
        let account = &mut self.account;
        if account.caps_used == account.caps {
            return Err(Shortage::Caps);
        }
        if account.ram - account.ram_used < bytes + OVERHEAD {
            return Err(Shortage::Ram);
        }
        account.caps_used += 1;
        account.ram_used += bytes + OVERHEAD;
        let at = if at == pd::ANY { self.free_number() } else { at };
        self.objects.insert(at, object);
        Ok(at)
    }

    fn take(&mut self, number: Slot, bytes: u32) {
        self.objects.remove(&number);
        self.account.caps_used -= 1;
        self.account.ram_used -= bytes + OVERHEAD;
    }
}

/// The three errors by which nothing is made are called the same everywhere.
macro_rules! shortage {
    ($($error:ty)*) => { $(
        impl From<Shortage> for $error {
            fn from(shortage: Shortage) -> Self {
                match shortage {
                    Shortage::Ram => Self::Ram,
                    Shortage::Caps => Self::Caps,
                    Shortage::Occupied => Self::Occupied,
                }
            }
        }
    )* };
}

shortage! { pd::AllocateError rm::CreateError cpu::CreateError signal::CreateError }

impl pd::Pd for World {
    fn several(&mut self, requests: &[u8]) -> u32 {
        crate::session::several::of_pd(self, requests)
    }

    fn restore_thread(&mut self) {}

    fn allocate(&mut self, at: Slot, _: Slot, size: u32, memory: pd::Memory) -> Result<Slot, pd::AllocateError> {
        if size == 0 || size.div_ceil(PAGE) > pd::MAX_PAGES {
            return Err(pd::AllocateError::Size);
        }
        let size = size.next_multiple_of(PAGE);
        // Nothing is made that could not be kept.
        if self.account.ram - self.account.ram_used < size + OVERHEAD {
            return Err(pd::AllocateError::Ram);
        }
        Ok(self.add(at, size, Object::Dataspace(Dataspace::begun(size, memory)))?)
    }

    fn populate(&mut self, dataspace: Slot) -> Result<u32, pd::AllocateError> {
        match self.objects.get_mut(&dataspace) {
            Some(Object::Dataspace(dataspace)) => Ok(dataspace.populate()),
            Some(_) => Err(pd::AllocateError::Kind),
            None => Err(pd::AllocateError::Nothing),
        }
    }

    fn free(&mut self, number: Slot) -> Result<u32, pd::FreeError> {
        let bytes = match self.objects.get_mut(&number) {
            None => return Err(pd::FreeError::Nothing),
            Some(Object::Dataspace(dataspace)) if dataspace.own => {
                let left = dataspace.freeing.unwrap_or(dataspace.populated).saturating_sub(AT_ONCE);
                dataspace.freeing = Some(left);
                if left > 0 {
                    return Ok(left);
                }
                dataspace.bytes()
            }
            Some(Object::Map(_) | Object::Endpoint | Object::Notification { .. }) => 0,
            Some(_) => return Err(pd::FreeError::Kind),
        };
        self.take(number, bytes);
        Ok(0)
    }

    fn describe(&mut self, dataspace: Slot) -> Result<pd::Description, pd::LookupError> {
        match self.objects.get(&dataspace) {
            Some(Object::Dataspace(dataspace)) => Ok(pd::Description {
                size: dataspace.bytes(),
                memory: dataspace.memory,
                writable: dataspace.writable,
                pages: dataspace.populated,
            }),
            Some(_) => Err(pd::LookupError::Kind),
            None => Err(pd::LookupError::Nothing),
        }
    }

    fn copy(&mut self, dst: Slot, src: Slot, pages: pd::CopyPages) -> Result<u32, pd::CopyError> {
        let words = |number, first: u16| match self.objects.get(&number) {
            Some(Object::Dataspace(dataspace)) => {
                let first = usize::from(first) * (PAGE as usize / 4);
                let count = (pages.count * (PAGE / 4)) as usize;
                dataspace.words.get(first..first + count).ok_or(pd::CopyError::Range)
            }
            Some(_) => Err(pd::CopyError::Kind),
            None => Err(pd::CopyError::Nothing),
        };
        for (dst, src) in words(dst, pages.dst)?.iter().zip(words(src, pages.src)?) {
            dst.store(src.load(core::sync::atomic::Ordering::SeqCst), core::sync::atomic::Ordering::SeqCst);
        }
        Ok(pages.count)
    }

    fn account(&mut self, pd: Slot) -> Result<pd::Account, pd::LookupError> {
        if pd == pd::OWN { Ok(self.account) } else { Err(pd::LookupError::Nothing) }
    }

    fn transfer(&mut self, _: Slot, _: Slot, _: u32, _: u32) -> Result<(), pd::TransferError> {
        Err(pd::TransferError::Unrelated)
    }

    fn create(&mut self, _: Slot, _: u32, _: &str) -> Result<Slot, pd::CreateError> {
        Err(pd::CreateError::Exhausted)
    }

    fn install(&mut self, _: Slot, _: Slot, _: Slot, _: pd::Grant) -> Result<Slot, pd::InstallError> {
        Err(pd::InstallError::Kind)
    }

    fn remove(&mut self, _: Slot, slot: Slot) -> Result<(), pd::InstallError> {
        self.objects.remove(&slot).map(|_| ()).ok_or(pd::InstallError::Nothing)
    }

    fn share(&mut self, _: Slot, _: Slot, _: Slot, _: Slot) -> Result<Slot, pd::InstallError> {
        Err(pd::InstallError::Kind)
    }

    fn connect(&mut self, _: Slot, _: Slot, _: u16, _: &str) -> Result<Slot, pd::InstallError> {
        Err(pd::InstallError::Service)
    }

    fn create_endpoint(&mut self, at: Slot, _: Slot) -> Result<Slot, pd::AllocateError> {
        Ok(self.add(at, 0, Object::Endpoint)?)
    }

    fn create_notification(&mut self, at: Slot, _: Slot) -> Result<Slot, pd::AllocateError> {
        Ok(self.add(at, 0, Object::Notification { rung: false })?)
    }

    fn hang_up(&mut self, _: Slot, _: Slot) -> Result<u32, pd::LookupError> {
        Ok(0)
    }

    fn trace_kind(&mut self, _: &str) -> Result<u32, pd::TraceError> {
        Err(pd::TraceError::Off)
    }

    fn note(&mut self, _: Slot, _: pd::Note) -> Result<(), pd::TraceError> {
        Err(pd::TraceError::Off)
    }
}

impl log::Log for World {
    fn write(&mut self, text: &[u8]) {
        self.printed.extend(text);
    }
}

impl rm::Rm for World {
    fn several(&mut self, requests: &[u8]) -> u32 {
        crate::session::several::of_rm(self, requests)
    }

    fn create(&mut self, at: Slot, _: Slot, size: u32) -> Result<Slot, rm::CreateError> {
        Ok(self.add(at, 0, Object::Map(Map { size, regions: Default::default() }))?)
    }

    fn create_space(&mut self, _: Slot, _: Slot) -> Result<Slot, rm::CreateError> {
        Err(rm::CreateError::Exhausted)
    }

    fn attach(&mut self, map: Slot, dataspace: Slot, placement: rm::Placement) -> Result<u32, rm::AttachError> {
        let whole = match self.objects.get(&dataspace) {
            Some(Object::Dataspace(found)) if placement.writable && !found.writable => {
                return Err(rm::AttachError::ReadOnly);
            }
            Some(Object::Dataspace(found)) => found.bytes(),
            Some(Object::Map(found)) => found.size,
            Some(_) => return Err(rm::AttachError::Kind),
            None => return Err(rm::AttachError::Nothing),
        };
        let rest = whole.checked_sub(placement.offset).ok_or(rm::AttachError::Range)?;
        let size = if placement.size == 0 { rest } else { placement.size };
        if size > rest || size == 0 {
            return Err(rm::AttachError::Range);
        }
        let is_space = map == crate::env::slots::ADDRESS_SPACE;
        let Some(Object::Map(Map { size: limit, regions })) = self.objects.get_mut(&map) else {
            return Err(rm::AttachError::Kind);
        };
        let taken = |at: u32| {
            let before = regions.range(..=at).next_back().is_some_and(|(start, region)| start + region.size > at);
            before || regions.range(at..at + size).next().is_some()
        };
        let address = match placement.address {
            Some(address) => address,
            None => {
                let mut address = if is_space { layout::ANYWHERE.start } else { 0 };
                while taken(address) {
                    address += PAGE;
                }
                address
            }
        };
        if address.checked_add(size).is_none_or(|end| end > *limit) {
            return Err(rm::AttachError::Range);
        }
        if taken(address) {
            return Err(rm::AttachError::Occupied);
        }
        let mapped = (size / PAGE).min(AT_ONCE);
        regions.insert(address, Region { dataspace, offset: placement.offset, size, mapped });
        Ok(address)
    }

    fn map(&mut self, map: Slot, address: u32) -> Result<u32, rm::AttachError> {
        let Some(Object::Map(Map { regions, .. })) = self.objects.get_mut(&map) else {
            return Err(rm::AttachError::Kind);
        };
        let region = regions.get_mut(&address).ok_or(rm::AttachError::Nothing)?;
        region.mapped = (region.mapped + AT_ONCE).min(region.size / PAGE);
        Ok(region.size / PAGE - region.mapped)
    }

    fn detach(&mut self, map: Slot, address: u32) -> Result<u32, rm::DetachError> {
        let Some(Object::Map(Map { regions, .. })) = self.objects.get_mut(&map) else {
            return Err(rm::DetachError::Kind);
        };
        let region = regions.get_mut(&address).ok_or(rm::DetachError::Nothing)?;
        region.mapped = region.mapped.saturating_sub(AT_ONCE);
        let left = region.mapped;
        if left == 0 {
            regions.remove(&address);
        }
        Ok(left)
    }

    fn handle_faults(&mut self, _: Slot, _: Slot) -> Result<(), rm::DetachError> {
        Ok(())
    }

    fn fault(&mut self, _: Slot) -> Result<Option<rm::PageFault>, rm::DetachError> {
        Ok(None)
    }
}

impl cpu::Cpu for World {
    fn create(
        &mut self,
        at: Slot,
        _: Slot,
        map: Slot,
        priority: u8,
        buffer: u32,
        _: &str,
    ) -> Result<Slot, cpu::CreateError> {
        if self.memory(map, buffer).is_none() {
            return Err(cpu::CreateError::Buffer);
        }
        if priority == 0 || priority > 100 {
            return Err(cpu::CreateError::Priority);
        }
        Ok(self.add(at, 0, Object::Thread { priority })?)
    }

    fn start(&mut self, thread: Slot, _: u32, _: u32, argument: u32) -> Result<(), cpu::ThreadError> {
        self.thread(thread)?;
        self.started.push(argument);
        Ok(())
    }

    fn pause(&mut self, thread: Slot) -> Result<(), cpu::ThreadError> {
        self.thread(thread).map(|_| ())
    }

    fn resume(&mut self, thread: Slot) -> Result<(), cpu::ThreadError> {
        self.thread(thread).map(|_| ())
    }

    fn read(&mut self, thread: Slot) -> Result<cpu::ThreadState, cpu::ThreadError> {
        let priority = self.thread(thread)?;
        Ok(cpu::ThreadState {
            registers: [0; 17],
            activity: cpu::Activity::Running,
            paused: 0,
            priority,
            thread: thread.0,
            owes: cpu::Debt::Nobody,
        })
    }

    fn write(&mut self, thread: Slot, _: cpu::Registers, _: bool) -> Result<(), cpu::ThreadError> {
        self.thread(thread).map(|_| ())
    }

    fn freeze(&mut self, _: Slot) -> Result<u32, cpu::ThreadError> {
        Ok(0)
    }

    fn thaw(&mut self, _: Slot) -> Result<u32, cpu::ThreadError> {
        Ok(0)
    }

    fn handle_exceptions(&mut self, _: Slot, _: Slot) -> Result<(), cpu::ThreadError> {
        Ok(())
    }

    fn exception(&mut self, _: Slot) -> Result<Option<cpu::Exception>, cpu::ThreadError> {
        Ok(None)
    }

    fn link(&mut self, server: Slot, client: Slot) -> Result<(), cpu::LinkError> {
        // No thread runs here, so none is in a call.
        for thread in [server, client] {
            self.thread(thread).map_err(|_| cpu::LinkError::Nothing)?;
        }
        Err(cpu::LinkError::Call)
    }

    fn bind(&mut self, thread: Slot, _: Slot) -> Result<(), cpu::ThreadError> {
        self.thread(thread).map(|_| ())
    }

    fn place(&mut self, thread: Slot) -> Result<cpu::Place, cpu::ThreadError> {
        self.thread(thread).map(|_| cpu::Place::default())
    }

    fn prioritize(&mut self, thread: Slot, _: u8) -> Result<(), cpu::ThreadError> {
        self.thread(thread).map(|_| ())
    }

    fn destroy(&mut self, thread: Slot) -> Result<(), cpu::ThreadError> {
        self.thread(thread)?;
        self.take(thread, 0);
        Ok(())
    }
}

impl World {
    fn thread(&self, thread: Slot) -> Result<u8, cpu::ThreadError> {
        match self.objects.get(&thread) {
            Some(Object::Thread { priority }) => Ok(*priority),
            Some(_) => Err(cpu::ThreadError::Kind),
            None => Err(cpu::ThreadError::Nothing),
        }
    }

    fn context(&mut self, context: Slot) -> Option<&mut Context> {
        match self.objects.get_mut(&context) {
            Some(Object::Context(context)) => Some(context),
            _ => None,
        }
    }

    fn set_timeout(&mut self, context: Slot, after: u64, period: Option<u64>) -> Result<(), timer::TimeoutError> {
        let at = self.now.checked_add(after).ok_or(timer::TimeoutError::Time)?;
        self.context(context).ok_or(timer::TimeoutError::Kind)?.timeout = Some(Timeout { at, period });
        Ok(())
    }
}

impl rom::Rom for World {
    fn open(&mut self, at: Slot, name: &str) -> Result<Slot, rom::OpenError> {
        let bytes = self.modules.get(name).ok_or(rom::OpenError::Nothing)?;
        let size = (bytes.len() as u32).max(1).next_multiple_of(PAGE);
        let dataspace = Dataspace { writable: false, own: false, ..Dataspace::new(size) };
        for (word, bytes) in dataspace.words.iter().zip(bytes.chunks(4)) {
            let mut four = [0; 4];
            four[..bytes.len()].copy_from_slice(bytes);
            word.store(u32::from_le_bytes(four), core::sync::atomic::Ordering::SeqCst);
        }
        let at = if at == pd::ANY { self.free_number() } else { at };
        self.objects.insert(at, Object::Dataspace(dataspace));
        Ok(at)
    }

    fn size(&mut self, name: &str) -> Result<u32, rom::OpenError> {
        self.modules.get(name).map(|bytes| bytes.len() as u32).ok_or(rom::OpenError::Nothing)
    }
}

impl timer::Timer for World {
    fn now(&mut self) -> u64 {
        self.now
    }

    fn once(&mut self, context: Slot, after: u64) -> Result<(), timer::TimeoutError> {
        self.set_timeout(context, after, None)
    }

    fn periodic(&mut self, context: Slot, period: u64) -> Result<(), timer::TimeoutError> {
        if period < timer::SHORTEST_PERIOD {
            return Err(timer::TimeoutError::Time);
        }
        self.set_timeout(context, period, Some(period))
    }

    fn cancel(&mut self, context: Slot) -> Result<Option<u64>, timer::TimeoutError> {
        let left = self.remaining(context)?;
        self.context(context).ok_or(timer::TimeoutError::Kind)?.timeout = None;
        Ok(left)
    }

    fn remaining(&mut self, context: Slot) -> Result<Option<u64>, timer::TimeoutError> {
        let now = self.now;
        let timeout = self.context(context).ok_or(timer::TimeoutError::Kind)?.timeout;
        Ok(timeout.map(|timeout| timeout.at.saturating_sub(now)))
    }

    fn set_offset(&mut self, _: u64) {}
}

impl signal::Signal for World {
    fn create(&mut self, at: Slot, _: Slot, doorbell: Slot, cookie: u32) -> Result<Slot, signal::CreateError> {
        match self.objects.get(&doorbell) {
            Some(Object::Notification { .. }) => {}
            Some(_) => return Err(signal::CreateError::Kind),
            None => return Err(signal::CreateError::Nothing),
        }
        Ok(self.add(at, 0, Object::Context(Context { doorbell, cookie, count: 0, timeout: None }))?)
    }

    fn raise(&mut self, context: Slot) -> Result<(), signal::SignalError> {
        if self.raise(context) { Ok(()) } else { Err(signal::SignalError::Kind) }
    }

    fn fetch(&mut self, doorbell: Slot) -> Result<Option<signal::Pending>, signal::SignalError> {
        Ok(self.fetch(doorbell))
    }

    fn destroy(&mut self, context: Slot) -> Result<(), signal::SignalError> {
        self.context(context).ok_or(signal::SignalError::Kind)?;
        self.take(context, 0);
        Ok(())
    }
}

/// Text as it travels; what is too long for it is cut to nothing.
fn text<const N: usize>(text: &str) -> heapless::String<N> {
    text.parse().unwrap_or_default()
}

impl parent::Parent for World {
    fn exit(&mut self, code: i32) {
        self.ended = Some(Some(code));
    }

    fn panicked(&mut self) {
        self.ended = Some(None);
    }

    fn name(&mut self) -> parent::Name {
        text(&self.name)
    }

    fn value(&mut self, key: &str) -> Option<parent::Value> {
        self.values.get(key).map(|value| text(value))
    }

    fn open(&mut self, service: &str, _: &[u8]) -> Result<Slot, CallError<parent::OpenError>> {
        let service = self.services.get_mut(service).ok_or(parent::OpenError::Service)?;
        if service.pending > 0 {
            service.pending -= 1;
            self.ring(crate::env::slots::DOORBELL);
            return Err(CallError::Pending);
        }
        Ok(service.slot)
    }

    fn close(&mut self, session: Slot) -> Result<(), CallError<parent::SessionError>> {
        self.closed.push(session);
        Ok(())
    }

    fn upgrade(&mut self, _: Slot, _: u32, _: u32) -> Result<(), CallError<parent::SessionError>> {
        Ok(())
    }

    fn request(&mut self, ram: u32, caps: u32) -> Result<(), CallError<parent::RequestError>> {
        let left = |reserve: u32, asked| reserve.checked_sub(asked).ok_or(parent::RequestError::Denied);
        (self.reserve.ram, self.reserve.caps) = (left(self.reserve.ram, ram)?, left(self.reserve.caps, caps)?);
        self.account.ram += ram;
        self.account.caps += caps;
        Ok(())
    }

    fn announce(&mut self, service: &str) -> Result<(), parent::AnnounceError> {
        if self.announced.iter().any(|known| known == service) {
            return Err(parent::AnnounceError::Occupied);
        }
        self.announced.push(service.into());
        Ok(())
    }

    fn task(&mut self) -> Option<parent::Task> {
        self.tasks.front().cloned()
    }

    fn done(&mut self, session: u32, accepted: bool) -> Result<(), parent::SessionError> {
        let place = self.tasks.iter().position(|task| task.session == session);
        self.tasks.remove(place.ok_or(parent::SessionError::Nothing)?);
        self.done.insert(session, accepted);
        Ok(())
    }

    fn hand_over(&mut self, session: u32, number: Slot, writable: bool) -> Result<u32, parent::SessionError> {
        self.handed_over.push((session, number, writable));
        Ok(self.handed_over.len() as u32 - 1)
    }

    fn serve_at(&mut self, _: u32, _: Slot) -> Result<(), parent::SessionError> {
        Err(parent::SessionError::Nothing)
    }

    fn lend(&mut self, _: Slot, context: Slot) -> Result<u32, parent::SessionError> {
        match self.objects.get(&context) {
            Some(Object::Context(_)) => Ok(context.0),
            _ => Err(parent::SessionError::Kind),
        }
    }

    /// One machine has one component: what a client of a test lends is the component's own, by its number.
    fn borrow(&mut self, _: u32, handle: u32, _: Slot) -> Result<Slot, parent::RedeemError> {
        match self.objects.get(&Slot(handle)) {
            Some(Object::Context(_)) => Ok(Slot(handle)),
            _ => Err(parent::RedeemError::Nothing),
        }
    }

    fn redeem(&mut self, _: Slot, handle: u32, at: Slot) -> Result<Slot, parent::RedeemError> {
        let handed: Vec<_> = self.handed_over.clone();
        let (_, number, writable) = handed.get(handle as usize).ok_or(parent::RedeemError::Nothing)?;
        let Some(Object::Dataspace(dataspace)) = self.objects.get(number) else {
            return Err(parent::RedeemError::Nothing);
        };
        let shared = Dataspace { words: dataspace.words, writable: *writable, own: false, freeing: None, ..*dataspace };
        let at = if at == pd::ANY { self.free_number() } else { at };
        self.objects.insert(at, Object::Dataspace(shared));
        Ok(at)
    }

    fn report(&mut self, _: &str, _: parent::Event) -> Result<(), parent::ReportError> {
        Ok(())
    }
}
