//! Children that end, come back, and are asked to exit.

use super::*;
use crate::child::Quiet;
use std::sync::Arc;

const MS: u64 = 1_000_000;
const FAULT: Event = Event::Exited(9);

impl Home {
    /// Starts a child that can be started again.
    fn start_lasting(&self, name: &'static str, standing: Standing) {
        let mut family = self.family.lock().unwrap();
        let way = match &standing {
            Standing::Aside => Way::Core,
            Standing::Between(room) => Way::Own(room.endpoint),
        };
        let layout = Layout::new(Vec::leak(program()), 0x3000, 40).unwrap();
        let program = Program { dataspace: Slot(90), layout: Box::leak(Box::new(layout)) };
        let settings = settings(name, family.next());
        family.start_lasting(&settings, program, standing, move |_| way).unwrap();
    }

    fn lasting() -> (&'static Self, parent::Client<Link>, parent::Client<Link>) {
        let home = Self::new();
        home.start_lasting("server", Standing::Aside);
        home.start_lasting("client", Standing::Aside);
        (home, home.child(0), home.child(1))
    }

    fn family(&self) -> MutexGuard<'_, Family<Policy>> {
        self.family.lock().unwrap()
    }

    /// Asks the family; nothing is locked afterwards.
    fn is<R>(&self, ask: impl FnOnce(&mut Family<Policy>) -> R) -> R {
        ask(&mut self.family())
    }

    fn instances(&self, number: usize) -> u32 {
        self.is(|family| family.instances(number))
    }

    fn bring_up(&self, number: usize) -> bool {
        self.is(|family| family.bring_up(number))
    }

    fn has_ended(&self) -> bool {
        self.is(|family| family.policy.ended)
    }

    /// How often somebody was asked to exit since this was called last.
    fn raised(&self) -> usize {
        self.board.core().did.drain(..).filter(|what| what.starts_with("raised")).count()
    }

    fn has_rung(&self, bell: Slot) -> bool {
        self.board.core().rung.contains(&bell)
    }

    /// Time passes until the next timeout, and rings.
    fn pass(&self) -> u64 {
        let at = self.board.core().timeout.take().unwrap();
        self.board.core().now = at;
        self.ring(ALARM);
        at
    }

    /// The doorbell rings for a signal with that cookie.
    fn ring(&self, cookie: u32) {
        self.board.core().pending.push(cookie);
        self.family().rang(None);
    }

    fn events(&self) -> Vec<(String, Event)> {
        self.family().policy.events.drain(..).collect()
    }

    fn runs(&self, number: usize) -> bool {
        self.family().child(number).is_some()
    }
}

fn told(name: &str, event: Event) -> Vec<(String, Event)> {
    [(name.into(), event)].into()
}

#[test]
fn a_child_comes_back_after_a_while_and_its_clients_wait() {
    let (home, server, client) = Home::lasting();
    server.announce("echo").unwrap();
    let _ = client.open("echo", b"x");
    let task = server.task().unwrap().unwrap();
    server.done(task.session, true).unwrap();
    let slot = client.open("echo", b"x").unwrap();
    let session = home.at(1, slot).unwrap();
    home.family().policy.again = Some(20 * MS);
    let _ = server.exit(9);
    assert!(!home.runs(0) && !home.is(|family| family.is_empty()) && home.events().is_empty());
    // Its sessions stay, and new ones wait for the next instance.
    assert_eq!(home.at(1, slot), Some(session.clone()));
    assert_eq!(client.open("echo", b"y"), Err(CallError::Pending));
    assert_eq!(client.upgrade(slot, 1, 1), Err(CallError::PeerGone));
    assert_eq!(home.pass(), 20 * MS);
    assert!(home.runs(0));
    assert_eq!((home.instances(0), home.at(1, slot)), (2, Some(session)));
    server.announce("echo").unwrap();
    let tasks: Vec<_> = (0..2)
        .map(|_| {
            let task = server.task().unwrap().unwrap();
            server.done(task.session, true).unwrap();
            task.session
        })
        .collect();
    assert_eq!((tasks[0], server.task().unwrap()), (task.session, None));
    assert!(client.open("echo", b"y").is_ok());
    // Not again, and everybody is told.
    home.family().policy.again = None;
    let _ = server.exit(9);
    assert_eq!(home.events(), told("server", FAULT));
    assert_eq!(home.at(1, slot), Some(format!("use 11 {}", Grant::MAX_BADGE)));
    assert_eq!(client.open("echo", b"z"), Err(OpenError::Gone.into()));
}

#[test]
fn a_child_that_cannot_come_back_has_ended() {
    let (home, server, _) = Home::lasting();
    home.family().policy.again = Some(MS);
    let _ = server.exit(9);
    home.board.core().fails = Some("allocate");
    home.pass();
    let events = home.events();
    assert!(matches!(&events[..], [(_, Event::Failed(_)), (_, FAULT)]), "{events:?}");
    assert!(!home.runs(0));
}

#[test]
fn without_delay_and_without_a_clock_it_is_back_at_once() {
    let (home, server, _) = Home::lasting();
    home.family().policy.again = Some(0);
    let _ = server.exit(9);
    assert!(home.runs(0));
    home.family().policy.again = Some(1000 * MS);
    home.board.core().fails = Some("timer");
    let _ = server.exit(9);
    assert!(home.runs(0) && home.instances(0) == 3);
}

#[test]
fn between_it_comes_back_when_nothing_is_served_of_the_last_instance() {
    let home = Home::new();
    let room = Room::new(Window::new(1000, 100).unwrap(), Slot(999), slots::LOG).served_by(Slot(998));
    let (quiet, numbers): (Arc<Quiet>, _) = (room.quiet.clone().unwrap(), room.numbers.clone());
    home.start_lasting("server", Standing::Between(room));
    assert_eq!(numbers.claim(ANY), Ok(Slot(16)));
    home.family().policy.again = Some(0);
    let _ = home.child(0).exit(9);
    assert!(!home.runs(0) && home.has_rung(Slot(998)));
    // What is still served may take numbers; a ring for something else changes nothing.
    assert_eq!(numbers.claim(ANY), Ok(Slot(17)));
    home.ring(0);
    assert!(!home.runs(0) && !home.bring_up(0));
    let mut forgotten = 0;
    quiet.answer(home.board as Machine, || forgotten += 1);
    quiet.answer(home.board as Machine, || forgotten += 1);
    assert!(forgotten == 1 && home.has_rung(slots::DOORBELL));
    home.ring(0);
    assert!(home.runs(0));
    assert_eq!((home.pd(0), numbers.claim(ANY)), (Slot(1001), Ok(Slot(16))));
    // With a delay both are waited for.
    home.family().policy.again = Some(MS);
    let _ = home.child(0).exit(9);
    home.pass();
    assert!(!home.runs(0));
    quiet.answer(home.board as Machine, || ());
    home.ring(0);
    assert!(home.runs(0));
}

#[test]
fn a_child_is_asked_to_exit_and_does() {
    let (home, server, _) = Home::lasting();
    home.family().policy.again = Some(0);
    home.family().ask_to_exit(0);
    home.family().ask_to_exit(0);
    let asked: Vec<_> = home.board.core().did.drain(..).filter(|what| what.starts_with("raised")).collect();
    assert_eq!(asked, [format!("raised context {}", signal::EXIT)], "once");
    let _ = server.exit(7);
    assert_eq!((home.events(), home.runs(0)), (told("server", Event::Exited(7)), false), "and not started again");
    home.pass();
    assert!(home.events().is_empty());
}

#[test]
fn a_child_that_does_not_exit_is_ended() {
    let (home, _, _) = Home::lasting();
    home.family().policy.again = Some(0);
    home.family().ask_to_exit(0);
    home.board.core().now = MS;
    home.family().ask_to_exit(1);
    assert_eq!(home.pass(), 100 * MS);
    assert_eq!((home.events(), home.runs(0), home.runs(1)), (told("server", Event::Overdue), false, true));
    assert_eq!(home.pass(), 101 * MS);
    assert_eq!(home.events(), told("client", Event::Overdue));
    assert!(home.has_ended());
    let left: Vec<_> = home.board.core().known.values().cloned().collect();
    assert_eq!(left, [format!("context {ALARM}")]);
}

#[test]
fn one_that_cannot_be_asked_or_waits_to_come_back_ends_at_once() {
    let (home, _, client) = Home::lasting();
    home.family().policy.again = Some(MS);
    let _ = client.exit(9);
    home.board.core().fails = Some("context");
    home.family().ask_all_to_exit();
    let events = home.events();
    assert!(events.contains(&("server".into(), Event::Overdue)) && events.contains(&("client".into(), FAULT)));
    assert!(home.has_ended());
}

#[test]
fn children_stop_after_some_time_with_others_and_with_their_parent() {
    let home = Home::new();
    home.family().policy.stop_after = Some(("client".into(), 50 * MS));
    home.family().policy.stop_with = ["client".into()].into();
    home.start("server", Standing::Aside).unwrap();
    home.start("client", Standing::Aside).unwrap();
    home.start("third", Standing::Aside).unwrap();
    assert_eq!((home.raised(), home.pass(), home.raised()), (0, 50 * MS, 1));
    let _ = home.child(1).exit(0);
    // The server was to stop with it, the third was not.
    assert_eq!((home.events(), home.raised()), (told("client", Event::Exited(0)), 1));
    home.ring(signal::EXIT);
    assert_eq!(home.raised(), 1);
    let (_, _) = (home.child(0).exit(0), home.child(2).exit(0));
    assert!(home.has_ended());
}

#[test]
fn who_is_taken_down_is_not_started_until_it_is_brought_up() {
    let (home, server, _) = Home::lasting();
    home.family().policy.again = Some(MS);
    let _ = server.exit(9);
    home.family().take_down(0);
    home.pass();
    assert!(!home.runs(0));
    home.family().ask_to_exit(0);
    assert!(home.bring_up(0) && !home.bring_up(0));
    home.family().take_down(0);
    assert!(!home.runs(0) && home.events().is_empty() && home.bring_up(0));
    // It was asked as another instance.
    let _ = server.exit(9);
    home.pass();
    assert_eq!(home.instances(0), 4);
    home.family().end(0, Event::Overdue);
    assert!(!home.runs(0) && !home.is(|family| family.is_empty()));
}
