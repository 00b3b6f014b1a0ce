//! Checkpoints of what is the same are the same, and what they differ in is named.

mod support;

use base::{
    env::slots,
    session::pd::{self, Memory},
};
use rtcr::{
    checkpoint::Checkpoint,
    compare::{self, Difference, Place, compare},
    image::{MemoryPages, Page},
    information::Information,
    object::{Info, SignalContextInfo, ThreadInfo, TimeoutInfo},
    storage::Pool,
};
use support::{image::pages, world::World, *};

/// Longer than anything takes here that is not waited for.
const APART: u64 = 1000;

type Saved = (Information, MemoryPages);

fn saved(world: &World, checkpoint: &Checkpoint) -> Saved {
    (checkpoint.information().clone(), pages(world, checkpoint))
}

fn difference(one: &Saved, other: &Saved) -> Option<Difference> {
    let (mut pages, mut other_pages) = (&one.1, &other.1);
    let Ok(found) = compare((&one.0, &mut pages), (&other.0, &mut other_pages), APART);
    found
}

/// A component with something of everything.
fn furnished(world: &World) -> (Player<'_, 'static>, Pool<&World>, Checkpoint) {
    let player = started(world);
    let mut pool = pool(world, 4);
    furnish(world, &player);
    let checkpoint = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    (player, pool, checkpoint)
}

#[test]
fn what_is_restored_is_the_same_either_way() {
    let world = world();
    let (player, mut pool, checkpoint) = furnished(&world);
    let first = saved(&world, &checkpoint);
    drop(player);
    let restored = WAYS.map(|restore| {
        let (mut child, mut embedder) = restore(&world, &checkpoint).unwrap();
        let again = child.checkpoint(&mut pool, &mut embedder).unwrap();
        drop(child);
        let again_saved = saved(&world, &again);
        pool.discard(again);
        again_saved
    });
    assert_eq!(difference(&first, &restored[0]), None);
    assert_eq!(difference(&restored[0], &restored[1]), None);
}

/// What `change` makes of a checkpoint's information is found there.
fn finds(change: impl Fn(&mut Information), place: Place, field: &str) {
    let world = world();
    let (_player, _pool, checkpoint) = furnished(&world);
    let one = checkpoint.information().clone();
    let mut other = one.clone();
    change(&mut other);
    assert_ne!(one, other);
    for found in [compare::information(&one, &other, APART), compare::information(&other, &one, APART)] {
        let found = found.unwrap_or_else(|| panic!("{place}, {field}: not found"));
        assert_eq!((found.place, found.field), (place, field), "{found}");
    }
}

/// The number of the last object that is one of those.
fn last(information: &Information, is_one: impl Fn(&Info) -> bool) -> u32 {
    information.objects.iter().rev().find(|object| is_one(&object.info)).unwrap().number
}

/// Changes the last one that can be changed like that.
fn with(information: &mut Information, change: impl Fn(&mut Info) -> bool) {
    assert!(information.objects.iter_mut().rev().any(|object| change(&mut object.info)));
}

fn number_of(is_one: impl Fn(&Info) -> bool) -> u32 {
    let world = world();
    let (_player, _pool, checkpoint) = furnished(&world);
    last(checkpoint.information(), is_one)
}

#[test]
fn what_differs_is_named() {
    finds(|it| it.account.ram += 4096, Place::Component, "quota");
    finds(|it| it.slots += 1, Place::Component, "numbers");
    finds(|it| it.served.services.truncate(1), Place::Component, "services");
    finds(|it| it.served.sessions[1] = 5, Place::Component, "sessions of its services");
    finds(|it| it.asking = 0, Place::Component, "threads that ask for a checkpoint");
    finds(|it| it.clock += APART + 1, Place::Component, "clock");
    let thread = number_of(|info| matches!(info, Info::Thread(_)));
    let change = |change: fn(&mut ThreadInfo)| {
        move |it: &mut Information| {
            with(it, |info| match info {
                Info::Thread(info) => {
                    change(info);
                    true
                }
                _ => false,
            });
        }
    };
    finds(change(|it| it.registers[16] ^= 1), Place::Object(thread), "lr");
    finds(change(|it| it.registers[1] -= 4), Place::Object(thread), "sp");
    finds(change(|it| it.paused += 1), Place::Object(thread), "paused");
    finds(change(|it| it.priority -= 1), Place::Object(thread), "priority");
    finds(change(|it| it.owes = Some(slots::THREAD.0)), Place::Object(thread), "whom it owes an answer");
    let session = number_of(|info| matches!(info, Info::Session(_)));
    let close = |it: &mut Information| it.objects.retain(|object| object.number != session);
    finds(close, Place::Object(session), "what it is");
    let endpoint = number_of(|info| *info == Info::Endpoint);
    let replace = |it: &mut Information| {
        it.objects.iter_mut().find(|object| object.number == endpoint).unwrap().info = Info::Notification;
    };
    finds(replace, Place::Object(endpoint), "what it is");
    let map = number_of(|info| matches!(info, Info::RegionMap(_)));
    let managed = |it: &mut Information| it.regions.last_mut().unwrap().writable ^= true;
    let region = Place::Region { map, address: 0x2000 };
    if map != slots::ADDRESS_SPACE.0 {
        finds(managed, region, "writable");
    }
}

#[test]
fn a_request_of_the_bootstrap_that_differs_is_named() {
    let world = world();
    let (one, other) = (Player::live(start(&world)), &mut pool(&world, 2));
    bootstrap(&one);
    let before = one.with(|child, embedder| child.checkpoint(other, embedder)).unwrap();
    drop(one);
    let two = Player::live(start(&world));
    two.pd().allocate(pd::ANY, pd::OWN, 0x2_0000, Memory::default()).unwrap();
    two.pd().restore_thread().unwrap();
    let after = two.with(|child, embedder| child.checkpoint(other, embedder)).unwrap();
    let found = compare::information(before.information(), after.information(), u64::MAX).unwrap();
    assert_eq!((found.place, found.field), (Place::Request(1), "in the journal"), "{found}");
}

#[test]
fn a_byte_that_differs_is_named_and_none_below_a_stack_pointer() {
    let world = world();
    let (player, _pool, checkpoint) = furnished(&world);
    let one = saved(&world, &checkpoint);
    drop(player);
    let memory = one.0.objects.iter().filter_map(|object| match &object.info {
        Info::RamDataspace(info) => Some((object.number, *info)),
        _ => None,
    });
    let mut stacks = 0;
    for (number, info) in memory {
        for page in 0..info.pages {
            let mut other = one.clone();
            let mut changed: Page = *other.1.get(info.stored + page);
            changed[0xabc] ^= 0x10;
            changed[0xfff] ^= 0x01;
            other.1.set(info.stored + page, &changed);
            let place = Place::Page { dataspace: number, page, offset: 0xabc };
            let expected = (page >= info.skipped).then_some(place);
            assert_eq!(difference(&one, &other).map(|found| found.place), expected);
            stacks += u32::from(page < info.skipped);
        }
    }
    assert!(stacks > 0, "something lies below a stack pointer");
}

/// Two contexts that ring the same, at these times of the components.
fn agree(one: (u64, u32, Option<TimeoutInfo>), other: (u64, u32, Option<TimeoutInfo>)) -> bool {
    let world = world();
    let (_player, _pool, checkpoint) = furnished(&world);
    let at = |(clock, pending, timeout): (u64, u32, Option<TimeoutInfo>)| {
        let mut information = checkpoint.information().clone();
        information.clock = clock;
        for object in &mut information.objects {
            if let Info::SignalContext(context) = &mut object.info {
                *context = SignalContextInfo { pending, timeout, ..*context };
            }
        }
        information
    };
    // The clocks themselves are far apart, and other contexts are alike.
    match compare::information(&at(one), &at(other), APART) {
        None => true,
        Some(found) => {
            assert!(["pending and timeout", "clock"].contains(&found.field), "{found}");
            false
        }
    }
}

#[test]
fn what_was_due_in_between_has_been_raised() {
    let once = |remaining| Some(TimeoutInfo { remaining, period: None });
    let beat = |remaining| Some(TimeoutInfo { remaining, period: Some(300) });
    // It goes on, and may be late.
    assert!(agree((5000, 0, once(10_000)), (5100, 0, once(9_900))));
    assert!(agree((5000, 0, once(10_000)), (5100, 0, once(10_100))));
    assert!(!agree((5000, 0, once(10_000)), (5100, 0, once(12_000))));
    assert!(!agree((5000, 0, once(10_000)), (5100, 1, once(9_900))));
    assert!(!agree((5000, 0, once(10_000)), (5100, 0, None)));
    assert!(!agree((5000, 0, once(10_000)), (5100, 1, None)), "it was not due");
    // It has fired.
    assert!(agree((5000, 2, once(50)), (5100, 3, None)));
    assert!(agree((5100, 3, None), (5000, 2, once(50))));
    assert!(!agree((5000, 2, once(50)), (5100, 2, None)), "it is lost");
    // A beat goes on.
    assert!(agree((5000, 0, beat(100)), (5900, 3, beat(100))));
    assert!(!agree((5000, 0, beat(100)), (5050, 9, beat(50))));
    assert!(!agree((5000, 0, beat(100)), (5050, 0, once(50))));
}
