//! A child's requests, and what becomes of them at whoever serves its parent.

extern crate std;

use std::{
    boxed::Box,
    collections::BTreeMap,
    format,
    string::{String, ToString},
    sync::Mutex,
    vec::Vec,
};

use proptest::prelude::*;

use super::*;
use crate::{
    child::{Badge, Room, Window},
    env::slots,
    rpc::{
        Answer, Body, Buffer, CallError, Caller, Label, Long, MAX_WORDS, Registers, Request, Selector, Slot, Status,
        Transport,
    },
    session::{
        INTERFACES, cpu, pd,
        pd::{ANY, AllocateError, FreeError, Grant, InstallError, Memory, OWN},
        rm, rom, signal, timer,
    },
};

const BASE: u32 = 1000;
const SIZE: u32 = 100;

/// Whoever serves the parent: answers everything with one word, the number that was chosen, and remembers it.
#[derive(Default)]
struct Upstream {
    /// Session, operation and words of each request.
    asked: Mutex<Vec<(Slot, u8, Vec<u32>)>>,
    /// How it answers instead, by operation of PD.
    refuses: Mutex<BTreeMap<u8, Status>>,
}

impl Transport for Upstream {
    fn call(&self, to: Slot, selector: Selector, request: Registers) -> Answer {
        self.call_long(to, selector, Long::Words(request.words()), &mut [])
    }

    fn call_long(&self, to: Slot, selector: Selector, request: Long<'_>, _: &mut [u32]) -> Answer {
        let mut words = [0; MAX_WORDS];
        let length = request.write(&mut words).unwrap();
        self.asked.lock().unwrap().push((to, selector.operation(), words[..length].to_vec()));
        let status = self.refuses.lock().unwrap().get(&selector.operation()).copied().filter(|_| to == slots::PD);
        match status {
            Some(status) => Answer::unsent(status),
            None if selector == Selector::new(4, false) && to == slots::PD => {
                Answer::new(Status::Done.label(), 1, [0; 4])
            }
            // PD.account of a protection domain with 4096 bytes and 100 capabilities.
            None if selector.operation() == 7 && to == slots::PD => {
                Answer::new(Status::Done.label(), 4, [4096, 0, 100, 0])
            }
            // PD.create is encoded: both begin with the number, of two bytes.
            None if selector == Selector::new(9, false) && to == slots::PD => {
                Answer::new(Status::Done.label(), 2, [2, words[1] & 0xffff, 0, 0])
            }
            None if length == 0 || selector.operation() == 11 && to == slots::PD => {
                Answer::new(Status::Done.label(), 0, [0; 4])
            }
            None => Answer::new(Status::Done.label(), 1, [words[0], 0, 0, 0]),
        }
    }
}

/// The child's way to its parent: the slot says which session.
struct Child {
    ward: Mutex<Ward<&'static Upstream>>,
}

impl Transport for Child {
    fn call(&self, to: Slot, selector: Selector, request: Registers) -> Answer {
        self.call_long(to, selector, Long::Words(request.words()), &mut [0; MAX_WORDS])
    }

    fn call_long(&self, to: Slot, selector: Selector, request: Long<'_>, reply: &mut [u32]) -> Answer {
        let mut words = [0; MAX_WORDS];
        let length = request.write(&mut words).unwrap();
        let label = Label::received(Caller::default().label(selector).number());
        let interface = match to {
            slots::PD => pd::INTERFACE.id,
            slots::RM => rm::INTERFACE.id,
            slots::CPU => cpu::INTERFACE.id,
            slots::ROM => rom::INTERFACE.id,
            slots::TIMER => timer::INTERFACE.id,
            slots::SIGNAL => signal::INTERFACE.id,
            other => panic!("{other:?}"),
        };
        let (mut space, request) = (Buffer::new(), Request { label, body: Body::Long(&words[..length]) });
        let answered = self.ward.lock().unwrap().serve(Badge::first(0, interface), &request, &mut space).unwrap();
        let words = answered.body.words();
        let mut first = [0; 4];
        first.iter_mut().zip(words).for_each(|(to, word)| *to = *word);
        reply[..words.len().min(4)].copy_from_slice(&first[..words.len().min(4)]);
        Answer::new(answered.status.label(), words.len(), first)
    }
}

fn ward(upstream: &'static Upstream) -> Ward<&'static Upstream> {
    let room = Room::new(Window::new(BASE, SIZE).unwrap(), Slot(600), Slot(500));
    Ward::new(upstream, &room, 100, Some(Slot(501)))
}

fn child() -> (&'static Child, &'static Upstream) {
    let upstream: &'static Upstream = Box::leak(Box::default());
    (Box::leak(Box::new(Child { ward: Mutex::new(ward(upstream)) })), upstream)
}

fn asked(upstream: &Upstream) -> Vec<(u32, u8, Vec<u32>)> {
    upstream.asked.lock().unwrap().drain(..).map(|(slot, operation, words)| (slot.0, operation, words)).collect()
}

#[test]
fn what_a_child_makes_is_one_request_in_its_window_and_on_its_account() {
    let (child, upstream) = child();
    let pd = pd::Client::new(child, slots::PD);
    assert_eq!(pd.allocate(ANY, OWN, 4096, Memory::default()), Ok(Slot(16)));
    assert_eq!(asked(upstream), [(1, 2, [BASE + 16, BASE + 1, 4096, 0].into())]);
    assert_eq!(pd.allocate(Slot(18), OWN, 4096, Memory::default()), Ok(Slot(18)));
    assert_eq!(pd.allocate(ANY, OWN, 4096, Memory::default()), Ok(Slot(17)));
    assert_eq!(pd.allocate(ANY, OWN, 4096, Memory::default()), Ok(Slot(19)));
    asked(upstream);
    let refused = |at, account| pd.allocate(at, account, 4096, Memory::default());
    assert_eq!(refused(Slot(18), OWN), Err(AllocateError::Occupied.into()));
    assert_eq!(refused(Slot(4), OWN), Err(AllocateError::Occupied.into()));
    assert_eq!(refused(Slot(SIZE), OWN), Err(AllocateError::Range.into()));
    assert_eq!(refused(ANY, Slot(SIZE)), Err(AllocateError::Nothing.into()));
    assert_eq!(refused(ANY, ANY), Err(AllocateError::Nothing.into()));
    assert_eq!(asked(upstream), [], "what cannot be is not asked for");
    assert_eq!(pd.free(Slot(17)), Ok(0));
    assert_eq!(asked(upstream), [(1, 4, [BASE + 17].into())]);
    assert_eq!(pd.allocate(ANY, OWN, 4096, Memory::default()), Ok(Slot(17)), "the number is free again");
}

#[test]
fn a_number_is_free_again_when_nothing_was_made() {
    let (child, upstream) = child();
    let pd = pd::Client::new(child, slots::PD);
    upstream.refuses.lock().unwrap().insert(2, CallError::from(AllocateError::Ram).status());
    for _ in 0..2 * SIZE {
        assert_eq!(pd.allocate(ANY, OWN, 4096, Memory::default()), Err(AllocateError::Ram.into()));
    }
    upstream.refuses.lock().unwrap().clear();
    assert_eq!(pd.allocate(ANY, OWN, 4096, Memory::default()), Ok(Slot(16)));
}

#[test]
fn endpoints_lie_in_the_childs_own_space_too() {
    let (child, upstream) = child();
    let pd = pd::Client::new(child, slots::PD);
    assert_eq!(pd.create_notification(ANY, OWN), Ok(Slot(16)));
    let own = 1 << 28;
    let expected = [(1, 15, [BASE + 16, BASE + 1].into()), (1, 10, [BASE + 16, BASE + 1, 16, own].into())];
    assert_eq!(asked(upstream), expected);
    assert_eq!(pd.free(Slot(16)), Ok(0));
    assert_eq!(asked(upstream), [(1, 4, [BASE + 16].into()), (1, 11, [BASE + 1, 16].into())]);
    upstream.refuses.lock().unwrap().insert(10, CallError::from(InstallError::Caps).status());
    assert_eq!(pd.create_endpoint(ANY, OWN), Err(AllocateError::Caps.into()));
    upstream.refuses.lock().unwrap().clear();
    asked(upstream);
    assert_eq!(pd.create_endpoint(ANY, OWN), Ok(Slot(16)));
}

/// Whoever serves the parent gives the quota of a protection domain that is gone to the parent, as whose it is known there.
#[test]
fn the_quota_of_a_protection_domain_that_is_freed_is_its_makers() {
    let (child, upstream) = child();
    let pd = pd::Client::new(child, slots::PD);
    let made = pd.create(ANY, 40, "below").unwrap();
    asked(upstream);
    assert_eq!(pd.free(made), Ok(0));
    let outside = BASE + made.0;
    let expected = [(1, 7, [outside].into()), (1, 4, [outside].into()), (1, 8, [OWN.0, BASE + 1, 4096, 100].into())];
    assert_eq!(asked(upstream), expected);
}

#[test]
fn what_would_get_past_the_parent_is_refused() {
    let (child, upstream) = child();
    let (pd, cpu) = (pd::Client::new(child, slots::PD), cpu::Client::new(child, slots::CPU));
    assert_eq!(pd.connect(OWN, ANY, 6, "x"), Err(CallError::Refused));
    assert_eq!(cpu.handle_exceptions(OWN, Slot(20)), Err(CallError::Refused));
    assert_eq!(cpu.exception(OWN).unwrap_err(), CallError::Refused);
    assert_eq!(timer::Client::new(child, slots::TIMER).set_offset(1), Err(CallError::Refused));
    assert_eq!(pd.free(OWN), Err(FreeError::Nothing.into()));
    assert_eq!(cpu.create(ANY, OWN, slots::ADDRESS_SPACE, 101, 0, "x"), Err(cpu::CreateError::Priority.into()));
    assert_eq!(cpu.prioritize(slots::THREAD, 101), Err(cpu::ThreadError::Priority.into()));
    assert_eq!(pd.restore_thread(), Ok(()));
    assert_eq!(asked(upstream), []);
}

#[test]
fn what_a_child_installs_for_itself_has_numbers_of_its_own() {
    let (child, upstream) = child();
    let pd = pd::Client::new(child, slots::PD);
    let grant = Grant { badge: 77, ..Grant::USE };
    assert_eq!(pd.install(slots::ENDPOINT, OWN, ANY, grant), Ok(Slot(16)));
    // Under the parent's number for it, and in the child's own space.
    let expected: [(u32, u8, Vec<u32>); 2] =
        [(1, 10, [BASE + 11, 1, BASE + 16, 77].into()), (1, 10, [BASE + 11, BASE + 1, 16, 77].into())];
    assert_eq!(asked(upstream), expected);
    assert_eq!(pd.install(slots::ENDPOINT, OWN, Slot(16), grant), Err(InstallError::Occupied.into()));
    assert_eq!(pd.install(slots::ENDPOINT, OWN, Slot(SIZE), grant), Err(InstallError::Range.into()));
    assert_eq!(asked(upstream), [], "what cannot be is not asked for");
    upstream.refuses.lock().unwrap().insert(10, CallError::from(InstallError::Caps).status());
    assert_eq!(pd.install(slots::ENDPOINT, OWN, Slot(20), grant), Err(InstallError::Caps.into()));
    upstream.refuses.lock().unwrap().clear();
    assert_eq!(pd.install(slots::ENDPOINT, OWN, Slot(20), grant), Ok(Slot(20)), "the number is free again");
}

#[test]
fn a_child_can_be_a_parent() {
    let (child, upstream) = child();
    let pd = pd::Client::new(child, slots::PD);
    assert_eq!(pd.create(ANY, 64, "x"), Ok(Slot(16)));
    asked(upstream);
    pd.install(slots::ENDPOINT, Slot(16), Slot(10), Grant { badge: 77, ..Grant::USE }).unwrap();
    pd.transfer(OWN, Slot(16), 4096, 5).unwrap();
    // What the grandchild calls 30 becomes known to the child.
    assert_eq!(pd.share(Slot(16), Slot(30), OWN, ANY), Ok(Slot(17)));
    let expected: [(u32, u8, Vec<u32>); 3] = [
        (1, 10, [BASE + 11, BASE + 16, 10, 77].into()),
        (1, 8, [BASE + 1, BASE + 16, 4096, 5].into()),
        (1, 12, [BASE + 16, 30, 1, BASE + 17].into()),
    ];
    assert_eq!(asked(upstream), expected);
    for _ in 1..super::ward::MAX_PDS {
        pd.create(ANY, 64, "x").unwrap();
    }
    assert_eq!(pd.create(ANY, 64, "x"), Err(pd::CreateError::Exhausted.into()));
}

/// Which of an operation's words, as they go upstream, are numbers of the parent's: everything that is not a plain value.
fn numbers(interface: &str, operation: &str) -> &'static [usize] {
    match (interface, operation) {
        (
            "Pd",
            "allocate" | "copy" | "create_endpoint" | "create_notification" | "hang_up" | "transfer" | "install",
        ) => &[0, 1],
        ("Pd", "populate" | "free" | "describe" | "account" | "note") => &[0],
        ("Rm", "create" | "create_space" | "attach" | "handle_faults") => &[0, 1],
        ("Rm", _) => &[0],
        ("Cpu", "bind" | "handle_exceptions" | "link") => &[0, 1],
        ("Cpu", "create" | "read" | "write" | "exception" | "place") => &[],
        ("Cpu", _) => &[0],
        ("Timer", "once" | "periodic" | "cancel" | "remaining") => &[0],
        ("Signal", "create") => &[0, 1, 2],
        ("Signal", _) => &[0],
        _ => &[],
    }
}

fn any_request() -> impl Strategy<Value = (usize, u8, bool, Vec<u32>)> {
    let word = prop_oneof![4 => 0..2 * SIZE, 1 => BASE - 2..BASE + SIZE + 2, 1 => any::<u32>()];
    (0..INTERFACES.len(), 0u8..20, any::<bool>(), prop::collection::vec(word, 0..6))
}

proptest! {
    /// Whatever a child asks for, its parent never names anything that is not the child's.
    #[test]
    fn no_request_leaves_the_window(requests in prop::collection::vec(any_request(), 1..60)) {
        let upstream: &'static Upstream = Box::leak(Box::default());
        let mut ward = ward(upstream);
        for (interface, operation, idempotent, words) in requests {
            let interface = &INTERFACES[interface];
            let known = interface.operation(operation);
            let idempotent = known.map_or(idempotent, |known| known.idempotent);
            let label = Caller::default().label(Selector::new(operation, idempotent));
            let mut space = Buffer::new();
            let request = Request { label, body: Body::Long(&words) };
            let _ = ward.serve(Badge::first(0, interface.id), &request, &mut space);
            for (_, asked, words) in asked(upstream) {
                // Removal from the child's own space, of what it has freed, names a slot of it.
                if asked != operation || known.is_none_or(|known| known.name == "remove" || known.name == "share") {
                    continue;
                }
                let name: String = known.map(|known| known.name.to_string()).unwrap_or_default();
                for &at in numbers(interface.name, &name) {
                    let number = words[at];
                    let inside = (BASE + 1..BASE + SIZE).contains(&number);
                    let none = number == 0 && at == 1 && name.starts_with("handle");
                    prop_assert!(inside || none, "{}", format!("{} {name} {words:?}", interface.name));
                }
            }
        }
    }
}
