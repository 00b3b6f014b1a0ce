//! From functional objects to a value.
//!
//! The child's thread here serves no request meanwhile, so what the table says does not change. It is written down while
//! the component still runs; only what changes by itself is left for when it is stopped.
//!
//! While it runs:
//! 1. Look whether something stands in the way.
//! 2. Finish what the component has begun to free. Ask the storage for room.
//! 3. Write down the journal, the quota and all objects.
//!
//! While it is stopped:
//! 4. Registers and activity of each thread.
//! 5. What is pending is fetched, and kept for the component too; then what remains of each timeout is asked for.
//! A timeout
//!    that fires in between is found out: what was raised before and remains is told once. Then the time.
//! 6. Pages are copied; of a stack, those from its pointer's page on.
//!
//! Nothing on the way asks for memory: a test with an allocator that panics proves it.

use core::fmt;

use base::{
    layout::STACK_AREA,
    rpc::{CallError, Never, Transport},
    session::{
        cpu::ThreadError,
        pd::{CopyError, LookupError, PAGE},
        signal::SignalError,
        timer::TimeoutError,
    },
};

use crate::{
    child::Child,
    information::{AccountInfo, Information, Need, Stage},
    object::{Info, Object, ObjectInfo, RegionMapInfo, ThreadInfo, Timeout, TimeoutInfo},
    obstacle::Obstacle,
    session::{collect, remaining},
    standing::Standing,
    stop::Stopped,
    storage::{Pages, Place, Shortage, Storage},
    surroundings::{Event, Phase, Surroundings, Work},
    upstream::Copies,
};

/// What a component was at some instant. It refers to nothing that lives; the content of memory is in the storage.
#[derive(Debug)]
pub struct Checkpoint {
    place: Place,
}

impl Checkpoint {
    /// What is known, but for the content of memory.
    pub const fn information(&self) -> &Information {
        &self.place.information
    }

    /// Where the content of memory is.
    pub const fn pages(&self) -> Pages {
        self.place.pages
    }

    /// One that was read from an image ([`Reader::read`](crate::image::Reader::read)) into room that was reserved for it.
    pub const fn of_image(place: Place) -> Self {
        Self { place }
    }

    /// The room that it takes, to be given back.
    pub fn into_place(self) -> Place {
        self.place
    }
}

/// Why there is no checkpoint. The component runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckpointError {
    /// Something stands in the way.
    Obstacle(Obstacle),
    /// The storage has not enough room.
    Storage(Shortage),
    /// What the component has is not told.
    Lookup(CallError<LookupError>),
    /// It does not stop, or a thread cannot be read.
    Thread(CallError<ThreadError>),
    /// The time is not told.
    Time(CallError<Never>),
    /// What is pending is not told.
    Signal(CallError<SignalError>),
    /// What remains of a timeout is not told.
    Timeout(CallError<TimeoutError>),
    /// A page was not copied.
    Copy(CallError<CopyError>),
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Obstacle(obstacle) => obstacle.fmt(f),
            Self::Storage(Shortage { needed, available }) => {
                write!(f, "the storage is too small: needed {needed:?}, available {available:?}")
            }
            other => write!(f, "it failed: {other:?}"),
        }
    }
}

impl core::error::Error for CheckpointError {}

impl<T: Transport + Copy> Child<T> {
    /// Writes down what the component is, between two of its requests.
    ///
    /// # Errors
    /// There is no checkpoint, and the component runs on.
    pub fn checkpoint<S: Storage + ?Sized, P: Surroundings + ?Sized>(
        &mut self,
        storage: &mut S,
        surroundings: &mut P,
    ) -> Result<Checkpoint, CheckpointError> {
        surroundings.event(Event::Begins(Work::Checkpoint));
        let checkpoint = self.try_checkpoint(storage, surroundings);
        surroundings.event(Event::Ends(Work::Checkpoint));
        checkpoint
    }

    fn try_checkpoint<S: Storage + ?Sized, P: Surroundings + ?Sized>(
        &mut self,
        storage: &mut S,
        surroundings: &mut P,
    ) -> Result<Checkpoint, CheckpointError> {
        surroundings.event(Event::Phase(Phase::Information));
        if self.stage == Stage::Running {
            let mut first = None;
            self.obstacles(surroundings, |found| first = first.take().or(Some(found).filter(Obstacle::prevents)));
            if let Some(obstacle) = first {
                return Err(CheckpointError::Obstacle(obstacle));
            }
        } else if self.journal.has_overflown() {
            return Err(CheckpointError::Obstacle(Obstacle::Journal));
        }
        let need = self.need(surroundings).map_err(CheckpointError::Lookup)?;
        let mut place = storage.reserve(&need).map_err(CheckpointError::Storage)?;
        match self.write_down(&mut place, surroundings) {
            Ok(()) => Ok(Checkpoint { place }),
            Err(error) => {
                place.information.calls().for_each(|(_, call)| surroundings.forget_call(call));
                storage.release(place);
                Err(error)
            }
        }
    }

    /// How much room a checkpoint needs now. Of stacks, all pages are counted.
    ///
    /// # Errors
    /// The parent's own parent does not tell.
    pub fn need<P: Surroundings + ?Sized>(&mut self, surroundings: &mut P) -> Result<Need, CallError<LookupError>> {
        let mut need = Need { words: self.journal.words(), ..Need::default() };
        if self.stage == Stage::Booting {
            return Ok(need);
        }
        self.finish_endings();
        need.served = surroundings.sessions_served();
        let mut next = 0;
        while let Some(number) = self.table.next(next) {
            next = number + 1;
            match self.table.get_mut(number) {
                None | Some(Object::First { .. } | Object::Service) => continue,
                Some(Object::RamDataspace(dataspace)) => {
                    dataspace.count_pages()?;
                    need.pages += dataspace.pages;
                }
                Some(Object::RegionMap(map)) => need.regions += map.regions.len(),
                Some(_) => {}
            }
            need.objects += 1;
        }
        Ok(need)
    }

    /// What the component has begun to free goes at once, but for the number: the component is told at its next step that
    /// nothing is left.
    fn finish_endings(&mut self) {
        let mut next = 0;
        while let Some(number) = self.table.next(next) {
            next = number + 1;
            if self.table.get(number).is_some_and(|object| object.is_ending()) {
                drop(self.table.take(number));
                self.table.insert(number, Object::Remnant);
            }
        }
    }

    fn write_down<P: Surroundings + ?Sized>(
        &mut self,
        place: &mut Place,
        surroundings: &mut P,
    ) -> Result<(), CheckpointError> {
        let (information, pages) = (&mut place.information, place.pages);
        information.clear();
        information.stage = self.stage;
        information.slots = self.table.slots();
        information.journal.copy_from(&self.journal);
        let account = self.up.pd().account(self.pd.number).map_err(CheckpointError::Lookup)?;
        information.account = AccountInfo { ram: account.ram, caps: account.caps };
        if self.stage == Stage::Booting {
            return Ok(());
        }
        self.write_objects(information);
        // Like objects, it changes by the component's requests only.
        surroundings.write_served(&mut information.served);
        information.asking = surroundings.asking();

        surroundings.event(Event::Phase(Phase::Freeze));
        let stopped = Stopped::freeze(self.up, self.pd.number).map_err(CheckpointError::Thread)?;
        surroundings.event(Event::Stopped { threads: stopped.threads() });
        let written = self.write_standing(information, pages, surroundings, &stopped);
        // Also after what becomes no checkpoint.
        surroundings.event(Event::Phase(Phase::Thaw));
        drop(stopped);
        surroundings.event(Event::Thawed);
        written
    }

    /// What changes by itself while the component runs.
    fn write_standing<P: Surroundings + ?Sized>(
        &mut self,
        information: &mut Information,
        pages: Pages,
        surroundings: &mut P,
        stopped: &Stopped<T>,
    ) -> Result<(), CheckpointError> {
        surroundings.event(Event::Phase(Phase::Registers));
        self.read_threads(information, surroundings, stopped)?;
        surroundings.event(Event::Phase(Phase::Signals));
        self.read_signals(information, stopped)?;
        // After what remains of timeouts: so no wait ends before its time, not by a microsecond.
        information.clock = self.now().map_err(CheckpointError::Time)?;
        surroundings.event(Event::Time { now: information.clock.wrapping_sub(self.offset) });
        surroundings.event(Event::Phase(Phase::Pages));
        let saved = self.copy_pages(information, pages, stopped)?;
        surroundings.event(Event::Saved { pages: saved });
        Ok(())
    }

    /// Everything that does not change while no request is served.
    fn write_objects(&self, information: &mut Information) {
        let mut stored = 0;
        let Information { objects, regions, .. } = information;
        for (number, object) in self.table.iter() {
            let table = &self.table;
            let info = match object {
                Object::First { .. } | Object::Service => continue,
                Object::RamDataspace(dataspace) => {
                    let mut info = dataspace.info();
                    info.stored = stored;
                    stored += info.pages;
                    Info::RamDataspace(info)
                }
                Object::RomDataspace(module) => Info::RomDataspace(module.info()),
                Object::RegionMap(map) => {
                    let first = regions.len() as u32;
                    regions.extend(
                        map.regions.iter().map(|(&address, region)| region.info(address, table.number_of(region.what))),
                    );
                    let count = map.regions.len() as u32;
                    let handler = map.handler.and_then(|handler| table.number_of(handler));
                    Info::RegionMap(RegionMapInfo { kind: map.kind, first, count, handler })
                }
                Object::Thread(thread) => {
                    let bound = thread.bound.and_then(|bound| table.number_of(bound));
                    Info::Thread(thread.info(table.number_of(thread.map), bound))
                }
                Object::SignalContext(context) => Info::SignalContext(context.info(table.number_of(context.doorbell))),
                Object::Endpoint(_) => Info::Endpoint,
                Object::Notification(_) => Info::Notification,
                Object::Remnant => Info::Remnant,
                Object::Session(session) => Info::Session(session.info()),
                Object::SharedDataspace(shared) => Info::SharedDataspace(shared.info()),
            };
            objects.push(ObjectInfo { number, info });
        }
    }

    fn read_threads<P: Surroundings + ?Sized>(
        &self,
        information: &mut Information,
        surroundings: &mut P,
        _: &Stopped<T>,
    ) -> Result<(), CheckpointError> {
        let mut standing = Standing::new();
        for ObjectInfo { number, info } in &mut information.objects {
            let Info::Thread(info) = info else { continue };
            let state = self.up.cpu().read(self.table.outward(*number)).map_err(CheckpointError::Thread)?;
            info.set_state(&state);
            // Answered since it was looked for, it would be kept by nobody.
            info.call = self.call_of(info.buffer, surroundings).filter(|&call| surroundings.keep_call(call));
            standing.note(*number, &state);
        }
        let mut stands = standing.iter();
        for place in 0..information.objects.len() {
            let ObjectInfo { info: Info::Thread(info), .. } = &mut information.objects[place] else { continue };
            let Some(stand) = stands.next() else { break };
            if let Some(obstacle) = self.thread_obstacle(&info.name, stand, (&standing, info.call)) {
                return Err(CheckpointError::Obstacle(obstacle));
            }
            info.owes = standing.creditor(stand);
            let Some((stack, skipped)) = stack_of(self, info) else { continue };
            let Some(stack) = information.place(stack) else { continue };
            if let Info::RamDataspace(dataspace) = &mut information.objects[stack].info {
                // Of two threads on one stack, the one that needs more of it counts.
                dataspace.skipped = if dataspace.stack { dataspace.skipped.min(skipped) } else { skipped };
                dataspace.stack = true;
            }
        }
        Ok(())
    }

    fn read_signals(&mut self, information: &mut Information, _: &Stopped<T>) -> Result<(), CheckpointError> {
        self.collect_all(information)?;
        // A timeout of which nothing remains has fired, perhaps after everything was fetched.
        let mut has_fired = false;
        for ObjectInfo { number, info } in &mut information.objects {
            let (Info::SignalContext(info), Some(Object::SignalContext(context))) = (info, self.table.get(*number))
            else {
                continue;
            };
            info.pending = context.raised;
            let remains = remaining(context).map_err(CheckpointError::Timeout)?;
            info.timeout = match (context.timeout, remains) {
                (Some(Timeout::Periodic { period } | Timeout::InBeat { period, .. }), Some(remaining)) => {
                    Some(TimeoutInfo { remaining, period: Some(period) })
                }
                (Some(Timeout::Once), Some(remaining)) => Some(TimeoutInfo { remaining, period: None }),
                _ => None,
            };
            has_fired |= context.timeout == Some(Timeout::Once) && remains.is_none();
        }
        if !has_fired {
            return Ok(());
        }
        self.collect_all(information)?;
        for ObjectInfo { number, info } in &mut information.objects {
            if let (Info::SignalContext(info), Some(Object::SignalContext(context))) =
                (info, self.table.get_mut(*number))
                && context.timeout == Some(Timeout::Once)
                && info.timeout.is_none()
            {
                (info.pending, context.timeout) = (context.raised, None);
            }
        }
        Ok(())
    }

    fn collect_all(&mut self, information: &Information) -> Result<(), CheckpointError> {
        for object in information.objects.iter().filter(|object| object.info == Info::Notification) {
            // Most threads' own notifications are rung by other threads only.
            let bell = self.table.get(object.number).and_then(|object| object.notification().ok());
            if bell.is_none_or(|bell| bell.contexts == 0) {
                continue;
            }
            collect(self, object.number).map_err(CheckpointError::Signal)?;
        }
        Ok(())
    }

    fn copy_pages(&self, information: &Information, storage: Pages, _: &Stopped<T>) -> Result<u32, CheckpointError> {
        let mut copied = 0;
        let mut copies = Copies::new(self.up);
        for ObjectInfo { number, info } in &information.objects {
            let Info::RamDataspace(info) = info else { continue };
            let live = (self.table.outward(*number), info.skipped);
            let saved = (storage.dataspace, storage.first + info.stored + info.skipped);
            copies.copy(saved, live, info.saved()).map_err(CheckpointError::Copy)?;
            copied += info.saved();
        }
        copies.finish().map_err(CheckpointError::Copy)?;
        Ok(copied)
    }
}

/// The dataspace that is nothing but a thread's stack and page for messages, and how many pages at its beginning lie
/// wholly below the stack pointer.
///
/// A stack is known by its place: the region in the stack area that holds the thread's page for messages. If the stack
/// pointer is outside, or the dataspace shows elsewhere too, all of it is state.
fn stack_of<T: Transport + Copy>(child: &Child<T>, thread: &ThreadInfo) -> Option<(u32, u32)> {
    let Some(Object::RegionMap(map)) = child.table.get(thread.map?) else { return None };
    let (start, region) = map.region_at(thread.buffer)?;
    let Some(Object::RamDataspace(dataspace)) = child.table.follow(region.what) else { return None };
    let end = start.checked_add(region.size)?;
    let alone = dataspace.attached == 1 && region.offset == 0 && region.size == dataspace.size;
    if !alone || !STACK_AREA.contains(&start) || end > STACK_AREA.end {
        return None;
    }
    // A stack that is empty, or nearly, has its pointer at the page for messages.
    let sp = thread.sp();
    let inside = (start..=thread.buffer).contains(&sp) && thread.started;
    Some((region.what.number, if inside { (sp - start) / PAGE } else { 0 }))
}
