//! How children end, come back, and are asked to exit.
//!
//! A child's end is its parent's to know and to decide upon: it is told to whoever asks ([`ChildPolicy::event`]), or another
//! instance follows, at once or after a while ([`ChildPolicy::again`]). A parent asks a child to exit by a signal at the
//! child's doorbell, which does not wait; the child has so long to obey ([`ChildPolicy::grace`]), and is ended then.
//!
//! At most one thing is planned for a child: that it is asked while it runs, that it is ended once it was asked, that it is
//! started while it does not run. Looking at all children when the time has come is fine: they are few.

use alloc::{string::String, vec::Vec};

use super::{Child, ChildPolicy, Dead, Family, Life, Room, family::shortened, start::Standing};
use crate::{
    child::Way,
    env::slots,
    rpc::Slot,
    session::{
        parent::Event,
        pd::{ANY, Access, Grant, OWN},
        signal, timer,
    },
};

/// Cookie of the signal that something is planned for now; no child's number.
pub(super) const ALARM: u32 = signal::EXIT - 1;

/// What is planned for a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// In nanoseconds.
    pub at: u64,
    pub what: What,
}

/// What can be planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Another instance begins.
    Start,
    /// It is asked to exit.
    Ask,
    /// It was asked, and its time is over.
    End,
}

impl<P: ChildPolicy> Family<P> {
    /// Asks a child to exit, unless it was asked before. It has the time to do so that the policy gives it; then it is ended
    /// with [`Event::Overdue`]. It is not started again, however it ends.
    pub fn ask_to_exit(&mut self, number: usize) {
        let Some(member) = self.members.get_mut(number) else { return };
        if core::mem::replace(&mut member.asked, true) {
            return;
        }
        member.plan = None;
        match (&mut member.child, member.absent.take()) {
            (Some(child), _) => {
                if child.ask_to_exit().is_err() {
                    // One that cannot be asked cannot obey.
                    return self.ended(number, Event::Overdue);
                }
                let grace = self.policy.grace(&member.name);
                self.plan(number, grace, What::End);
            }
            (None, Some(event)) => self.gone(number, event),
            (None, None) => {}
        }
    }

    /// Asks all children to exit, as this component was asked itself.
    pub fn ask_all_to_exit(&mut self) {
        (0..self.members.len()).for_each(|number| self.ask_to_exit(number));
    }

    /// Those who are to stop when others have ended are asked, if those have.
    fn ask_companions(&mut self) {
        for number in 0..self.members.len() {
            let member = &self.members[number];
            let others = self.policy.stop_with(&member.name);
            let is_there =
                |name: &String| self.members.iter().any(|other| other.name == name.as_str() && other.is_there());
            if member.child.is_some() && !member.asked && !others.is_empty() && !others.iter().any(is_there) {
                self.ask_to_exit(number);
            }
        }
    }

    /// A child has ended. Nothing is left of the instance but what siblings have of it, and either another one follows, or
    /// they are told.
    pub(super) fn ended(&mut self, number: usize, event: Event) {
        let Some(member) = self.members.get_mut(number) else { return };
        let (name, Some(child)) = (member.name.clone(), member.child.take()) else { return };
        member.plan = None;
        let (can_return, born) = (member.recipe.is_some() && !member.asked, member.born);
        let delay = if can_return {
            let now = self.now();
            self.policy.again(&name, &event, Life { now, lived: now.saturating_sub(born) })
        } else {
            None
        };
        self.take_apart(number, child);
        let Some(delay) = delay else { return self.gone(number, event) };
        // What it asks for next is asked by another instance.
        self.members[number].absent = Some(event);
        let servers = self.book.restarts(number);
        servers.into_iter().for_each(|server| self.ring(server));
        match delay {
            0 => self.come_back(number),
            delay => self.plan(number, delay, What::Start),
        }
    }

    /// A child has ended for good.
    fn gone(&mut self, number: usize, event: Event) {
        let name = self.members[number].name.clone();
        let (servers, dead) = self.book.ended(number);
        for Dead { client, slot } in dead {
            self.bury(client, slot);
        }
        self.free_endpoint(self.members[number].endpoint);
        servers.into_iter().for_each(|server| self.ring(server));
        self.policy.event(&name, event);
        self.ask_companions();
        if self.is_empty() {
            self.policy.all_ended();
        }
    }

    /// A child ends. First those who wait for an answer of it are told, while it is known who they are.
    pub(super) fn take_apart(&mut self, number: usize, child: Child) {
        while let Ok(1..) = self.pd().hang_up(child.endpoint(), child.number()) {}
        drop(child);
        self.members[number].waits_upward = false;
        self.close_upward(|upward| upward.member == number);
        let machine = self.machine;
        match self.members[number].room.as_ref().map(|room| &room.quiet) {
            Some(Some(quiet)) => {
                quiet.ask(machine);
                self.members[number].is_settled = false;
            }
            Some(None) => self.vacate(number),
            None => {}
        }
    }

    /// The doorbell has rung, perhaps because no thread serves anything more of children that have ended.
    pub(super) fn settle(&mut self) {
        for number in 0..self.members.len() {
            let member = &mut self.members[number];
            let is_quiet = |room: &Room| room.quiet.as_ref().is_none_or(|quiet| quiet.is_there());
            if !member.is_settled && member.room.as_ref().is_none_or(is_quiet) {
                member.is_settled = true;
                let waits = member.absent.is_some() && member.plan.is_none();
                self.vacate(number);
                if waits {
                    self.come_back(number);
                }
            }
        }
    }

    /// Everything that a child knew is given up: what it had made for itself is gone with it, what remains are protection
    /// domains below it, modules and sessions.
    fn vacate(&self, number: usize) {
        let Some(room) = &self.members[number].room else { return };
        let pd = self.pd();
        let used: Vec<Slot> = room.numbers.used(slots::FIRST_FREE.0).collect();
        for own in used {
            if let Some(outside) = room.window.outward(own) {
                while let Ok(1..) = pd.free(outside) {}
                // What is not freed like this is known here only by having been shared, opened or installed; or it is nothing.
                let _ = pd.remove(OWN, outside);
            }
            room.numbers.give(own);
        }
    }

    /// It is time for another instance of a child. Where a thread still serves what the last one has asked for, it begins
    /// when that is over.
    fn come_back(&mut self, number: usize) {
        if !self.members[number].is_settled {
            return;
        }
        let Some(event) = self.members[number].absent.take() else { return };
        if !self.start_again(number) {
            self.gone(number, event);
        }
    }

    /// One more instance of a child that was [started to last](Self::start_lasting) and does not run; tells whether it does now.
    /// A parent that stands between can do so only when its other threads have run since the last one has ended.
    pub fn bring_up(&mut self, number: usize) -> bool {
        let Some(member) = self.members.get_mut(number) else { return false };
        if member.child.is_some() || !member.is_settled {
            return false;
        }
        (member.absent, member.plan, member.asked) = (None, None, false);
        self.start_again(number)
    }

    fn start_again(&mut self, number: usize) -> bool {
        let Some(member) = self.members.get(number) else { return false };
        let Some(recipe) = &member.recipe else { return false };
        let standing = member.room.clone().map_or(Standing::Aside, Standing::Between);
        let (endpoint, own) = (member.endpoint, Way::Own(slots::ENDPOINT));
        let started =
            Child::start(self.machine, &recipe.settings, recipe.program, &standing, endpoint, own, &recipe.way);
        match started {
            Ok(child) => {
                self.members[number].child = Some(child);
                self.begun(number);
                true
            }
            Err(error) => {
                let name = self.members[number].name.clone();
                self.policy.event(&name, Event::Failed(shortened(&error)));
                false
            }
        }
    }

    /// An instance of a child has been made.
    pub(super) fn begun(&mut self, number: usize) {
        let name = self.members[number].name.clone();
        let stop_after = self.policy.stop_after(&name);
        let lasts = self.members[number].recipe.is_some();
        let now = if stop_after.is_some() || lasts { self.now() } else { 0 };
        let member = &mut self.members[number];
        member.instances += 1;
        member.born = now;
        if let Some(after) = stop_after {
            self.plan(number, after, What::Ask);
        }
    }

    /// Ends a child, whatever it is at, so that it can be [brought up](Self::bring_up) again; what siblings have of it stays.
    pub fn take_down(&mut self, number: usize) {
        let Some(member) = self.members.get_mut(number) else { return };
        (member.absent, member.plan) = (None, None);
        if let Some(child) = member.child.take() {
            self.take_apart(number, child);
            let servers = self.book.restarts(number);
            servers.into_iter().for_each(|server| self.ring(server));
        }
    }

    /// A client's session is dead: from now on requests are answered "peer gone" here. Nothing runs in between, since clients
    /// are below this thread's priority.
    fn bury(&self, client: usize, slot: Option<Slot>) {
        let Some(child) = self.child(client) else { return };
        if let Some(slot) = slot {
            let pd = self.pd();
            // If the second fails the slot is empty, and a request faults: no better answer is to be had.
            let _ = pd.remove(child.number(), slot);
            let grant = Grant { access: Access::Use, badge: super::family::GONE };
            let _ = pd.install(slots::ENDPOINT, child.number(), slot, grant);
        }
        child.ring();
    }

    /// Plans something for a child, in so many nanoseconds.
    fn plan(&mut self, number: usize, after: u64, what: What) {
        let at = self.now().saturating_add(after);
        self.members[number].plan = Some(Plan { at, what });
        self.wake();
    }

    /// Has the doorbell rung when the next thing is planned for. Without a clock everything is planned for now.
    fn wake(&mut self) {
        let Some(next) = self.members.iter().filter_map(|member| Some(member.plan?.at)).min() else { return };
        if self.alarm == ANY {
            let alarm = signal::Client::new(self.machine, slots::SIGNAL).create(ANY, OWN, slots::DOORBELL, ALARM);
            self.alarm = alarm.unwrap_or(ANY);
        }
        let after = next.saturating_sub(self.now());
        if self.timer().once(self.alarm, after).is_err() {
            self.happen(u64::MAX);
        }
    }

    /// The time has come for what is planned until now.
    pub(super) fn alarm(&mut self) {
        let now = self.now();
        self.happen(now);
        self.wake();
    }

    fn happen(&mut self, until: u64) {
        for number in 0..self.members.len() {
            match self.members[number].plan.take_if(|plan| plan.at <= until) {
                Some(Plan { what: What::Start, .. }) => self.come_back(number),
                Some(Plan { what: What::Ask, .. }) => self.ask_to_exit(number),
                Some(Plan { what: What::End, .. }) => self.ended(number, Event::Overdue),
                None => {}
            }
        }
    }

    /// Nanoseconds; 0 where there is no clock.
    fn now(&self) -> u64 {
        self.timer().now().unwrap_or(0)
    }

    fn timer(&self) -> timer::Client {
        timer::Client::new(self.machine, slots::TIMER)
    }
}
