//! What a keeper does when its child crashes: what the [policy](crate::policy) says.
//!
//! A child crashes when it faults, panics, exits with another code than 0, or runs and asks for nothing for too long.

use alloc::{boxed::Box, format, string::String};
use core::{fmt, time::Duration};

use base::{
    child::Known,
    rpc::Shared,
    session::{
        cpu::{Cause, Exception},
        parent::{self, Crash, Event as Fate},
    },
};
use rtcr::{child::Child, surroundings::Surroundings};

use crate::{
    keeper::{Keeper, Next, Restored, failed},
    policy::{Limits, Remedy, Verdict},
    pulse::{LOOKS, Pulse},
};

/// What a component did that it may not, for people.
pub struct Deed(pub Cause);

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Cause::Memory { address, access, .. } => write!(f, "{access:?} of {address:#010x}"),
            other => write!(f, "{other:x?}"),
        }
    }
}

/// A crash, for people, of the component of that name.
struct Told<'a>(&'a str, &'a Crash);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name, crash) = self;
        match crash {
            Crash::Faulted(cause, place) => write!(f, "{name} faulted at {:#010x}: {}", place.pc, Deed(*cause)),
            Crash::Panicked(_) => write!(f, "{name} panicked"),
            Crash::Exited(code) => write!(f, "{name} exited with {code}"),
            Crash::Silent(time, place) => {
                let (whole, part) = (time / 1000, time % 1000 / 100);
                write!(f, "{name} has asked for nothing for {whole}.{part} ms, and runs at {:#010x}", place.pc)
            }
            Crash::Unrestored => write!(f, "{name} is not there"),
        }
    }
}

/// How a child has crashed that became that; none if it has ended well.
pub fn crash_of(fate: &Fate) -> Option<Crash> {
    match fate {
        Fate::Faulted(cause, place) => Some(Crash::Faulted(*cause, place.clone())),
        Fate::Panicked(place) => Some(Crash::Panicked(place.clone())),
        Fate::Exited(code) if *code != 0 => Some(Crash::Exited(*code)),
        _ => None,
    }
}

impl Keeper {
    /// The child has done what it may not.
    pub(crate) fn faulted(&mut self, child: Child<Shared>, exception: Exception, next: Next<'_>) -> Ended {
        let Exception { cause, place, .. } = exception;
        self.over(child, Fate::Faulted(cause, place), next)
    }

    /// The child has ended like that: what it is now, if it is not over with it.
    pub(crate) fn over(&mut self, child: Child<Shared>, fate: Fate, next: Next<'_>) -> Ended {
        self.look_back(&child);
        match crash_of(&fate) {
            Some(crash) => self.recover(child, crash, fate, next),
            None => Err(Box::new(fate)),
        }
    }

    /// The child has crashed. One that was asked to exit is over, however it ends.
    fn recover(&mut self, child: Child<Shared>, crash: Crash, fate: Fate, next: Next<'_>) -> Ended {
        if self.plan.limits.recoveries == 0 || self.post.stop.was_asked() {
            return Err(Box::new(fate));
        }
        // Whatever it runs at next, it is not this instance.
        self.home.pace.lower();
        drop(child);
        let now = self.home.now();
        let alive = if matches!(crash, Crash::Silent(..)) { self.pulse.alive() } else { now };
        let mut verdict = self.recovery.crashed(now, alive, self.shelf.numbers());
        let mut crash = crash;
        loop {
            self.throw_away(verdict.useless);
            self.tell_crash(&crash, verdict);
            let tried = match verdict.remedy {
                Remedy::GiveUp => {
                    self.home.pace.raise();
                    return Err(Box::new(fate));
                }
                Remedy::Restore(number) => self.go_back_to(number, next),
                Remedy::Start => self.begin_anew(next),
            };
            let Err(error) = tried else { return tried };
            log::warn!("{} is not recovered: {error}", self.name(), error = Reason(&error));
            crash = Crash::Unrestored;
            verdict = self.recovery.failed(self.home.now(), self.shelf.numbers());
        }
    }

    /// There is no room for what the child says: a checkpoint makes room.
    pub(crate) fn make_room(&mut self, child: &mut Child<Shared>) {
        if self.checkpoint(child).is_err() {
            self.home.give_out();
        }
    }

    fn throw_away(&mut self, useless: Option<u32>) {
        let home = &mut self.home;
        if let Some(number) = useless {
            self.shelf.throw_away(number, |old| {
                old.information().calls().for_each(|(_, call)| home.forget_call(call));
            });
        }
    }

    /// The parent of this component hears of it, and people do.
    fn tell_crash(&mut self, crash: &Crash, Verdict { useless, remedy }: Verdict) {
        let (name, Limits { recoveries, window, .. }) = (self.name(), self.plan.limits);
        let count = self.recovery.count();
        let within = match window {
            0 => String::new(),
            window => format!(" within {} us", window / 1000),
        };
        let (then, told) = match remedy {
            Remedy::Restore(number) => {
                (format!("it goes back to checkpoint {number}"), parent::Remedy::Restored(number))
            }
            Remedy::Start => ("it starts from its beginning".into(), parent::Remedy::Started),
            Remedy::GiveUp => {
                let times = if recoveries == 1 { "once".into() } else { format!("{recoveries} times") };
                (format!("it was recovered {times}{within}, and is given up"), parent::Remedy::GivenUp)
            }
        };
        let said = self.home.output.last().map(|line| format!(", having said last: {}", line.escape_ascii()));
        let said = if matches!(crash, Crash::Panicked(_)) { said.unwrap_or_default() } else { String::new() };
        let useless =
            useless.map(|number| format!("; checkpoint {number} is thrown away, since it led to this at once"));
        let number = match (remedy, window) {
            (Remedy::GiveUp, _) => String::new(),
            (_, 0) => format!(" (recovery {count} of {recoveries})"),
            _ => format!(" (recovery {count})"),
        };
        let told_to = if remedy == Remedy::GiveUp { log::Level::Warn } else { log::Level::Info };
        log::log!(told_to, "{}{said}{}; {then}{number}.", Told(name, crash), useless.unwrap_or_default());
        self.home.report(Fate::Crashed { crash: crash.clone(), remedy: told, recoveries: count });
    }

    /// The checkpoint of that number is restored.
    fn go_back_to(&mut self, number: u32, next: Next<'_>) -> Ended {
        let program = next.map_err(|reason| failed(&reason))?;
        let found = self.shelf.place_of(number).and_then(|place| Some((place, self.shelf.take(place)?)));
        let Some((place, saved)) = found else { return Err(failed(&"its checkpoint is not there")) };
        let restored = self.go_back(program, place, saved)?;
        self.wake_on_probation(self.plan.every);
        Ok(restored)
    }

    /// An instance begins where the first one did.
    fn begin_anew(&mut self, next: Next<'_>) -> Ended {
        let program = next.map_err(|reason| failed(&reason))?;
        self.restored += 1;
        self.forget_instance();
        self.recovery.goes_on(None, self.home.now());
        self.home.wishes.goes_back_to(0);
        self.home.takes_back(None);
        let child =
            Child::start(self.up, &self.post.settings, program, &mut self.home).map_err(|error| failed(&error))?;
        // It has no sessions, and offers none.
        self.home.keep_only(&mut core::iter::empty());
        self.home.goes_back(&Known::default(), 0);
        self.home.has(self.post.settings.ram, self.post.settings.caps);
        log::info!("A new {} starts.", self.name());
        self.wake_on_probation(self.plan.after);
        self.listen_from_now();
        Ok((child, None))
    }

    /// For the next checkpoint: not before it is known that the instance does not crash at once, so that no checkpoint of one that
    /// does takes the place of a good one.
    fn wake_on_probation(&self, after: Duration) {
        if self.tried < self.plan.instants() {
            self.wake_after(after.max(Duration::from_nanos(self.plan.limits.soon)));
        }
    }

    /// How many requests the child has made, here and at its services.
    pub(crate) fn requests(&self) -> u32 {
        self.requests.wrapping_add(self.home.seats.requests())
    }

    /// An instance begins or goes on: it is alive now.
    pub(crate) fn listen_from_now(&mut self) {
        if !self.plan.heartbeat.is_zero() {
            self.pulse = Pulse::begins(self.requests(), self.home.now());
            self.listen_again();
        }
    }

    fn listen_again(&self) {
        let nanoseconds = u64::try_from(self.plan.heartbeat.as_nanos()).unwrap_or(u64::MAX);
        if let Err(error) = self.env.timer().once(self.post.beats, nanoseconds / u64::from(LOOKS)) {
            log::error!("{} is not looked after: there is no timeout: {error:?}", self.name());
        }
    }

    /// Looks for signs of life of the child: how it has crashed, if it has stopped answering.
    pub(crate) fn listen(&mut self, child: &Child<Shared>) -> Option<Crash> {
        let (now, requests) = (self.home.now(), self.requests());
        let mut runs = None;
        let is_silent = self.pulse.look(now, requests, || {
            runs = child.running();
            runs.is_some()
        });
        if !is_silent {
            self.listen_again();
            return None;
        }
        let place = runs.and_then(|thread| self.env.cpu().place(thread).ok()).unwrap_or_default();
        let time = now.saturating_sub(self.pulse.alive()) / 1000;
        Some(Crash::Silent(u32::try_from(time).unwrap_or(u32::MAX), place))
    }

    /// The child runs and asks for nothing any more.
    pub(crate) fn silent(&mut self, child: Child<Shared>, crash: Crash, next: Next<'_>) -> Ended {
        self.look_back(&child);
        let fate = *failed(&Told("it", &crash));
        if self.plan.limits.recoveries == 0 {
            log::warn!("{}; it is given up.", Told(self.name(), &crash));
        }
        self.recover(child, crash, fate, next)
    }

    /// Whether a checkpoint would be one of a child that has asked for nothing since the last one and runs: if it has stopped
    /// answering, it would be worth nothing, and take the place of a good one.
    pub(crate) fn is_suspicious(&self, child: &Child<Shared>) -> bool {
        let is_looked_after = !self.plan.heartbeat.is_zero() && self.busy == 0;
        is_looked_after && self.at_checkpoint == self.requests() && child.running().is_some()
    }
}

/// What a child is that has ended: another instance, or nothing any more.
pub(crate) type Ended = Result<Restored, Box<Fate>>;

/// Why a child failed, for people.
struct Reason<'a>(&'a Fate);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Fate::Failed(reason) => f.write_str(reason),
            other => write!(f, "{other:?}"),
        }
    }
}
