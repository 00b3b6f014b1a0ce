//! What happens while a component is stopped, what stands in the way of stopping it, and what it notices.

mod support;

use base::{
    env::slots,
    rpc::{CallError, Slot, Transport},
    session::{
        cpu, pd,
        pd::{ANY, OWN},
        rm::Placement,
        signal::{self, Pending},
        timer,
    },
};
use rtcr::{
    checkpoint::CheckpointError,
    information::Need,
    object::{Info, ThreadName},
    obstacle::Obstacle,
    storage::{Pool, Storage},
    upstream::Upstream,
};
use support::{
    world::{Kind, STRANGER},
    *,
};

#[test]
fn while_it_is_stopped_it_is_only_read_and_copied() {
    let world = world();
    let mut pool = pool(&world, 1);
    let player = started(&world);
    furnish(&world, &player);
    world.state().asked.clear();
    player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    let asked = world.state().asked.clone();
    let frozen = asked.iter().position(|asked| *asked == (slots::CPU, 7)).unwrap();
    let thawed = asked.iter().position(|asked| *asked == (slots::CPU, 8)).unwrap();
    assert_eq!(thawed, asked.len() - 1, "nothing follows");
    let allowed =
        [(slots::CPU, 5), (slots::PD, 6), (slots::PD, 19), (slots::TIMER, 1), (slots::TIMER, 5), (slots::SIGNAL, 3)];
    for asked in &asked[frozen + 1..thawed] {
        assert!(allowed.contains(asked), "{asked:?} while it is stopped");
    }
    // Two of three notifications have contexts, and two of three contexts timeouts.
    let count = |what: (Slot, u8)| asked[frozen..].iter().filter(|asked| **asked == what).count();
    assert_eq!((count((slots::SIGNAL, 3)), count((slots::TIMER, 5)), count((slots::TIMER, 1))), (3, 2, 1));
    // 2 + 32 + 40 pages, and stacks of 2 and 1 pages above their pointers: at most 32 pages a request, and what is less goes
    // together.
    let copies = |operation| asked.iter().filter(|asked| **asked == (slots::PD, operation)).count();
    assert_eq!((copies(6), copies(19)), (1 + 2, 1));
}

#[test]
fn of_a_stack_nothing_below_its_pointer_is_kept() {
    let world = world();
    let mut pool = pool(&world, 2);
    let player = started(&world);
    let set_sp = |sp: u32| {
        let mut state = world.state();
        let id = state.table[&(BASE + slots::THREAD.0)];
        let Kind::Thread(thread) = &mut state.objects.get_mut(&id).unwrap().kind else { panic!("it is a thread") };
        thread.registers[1] = sp;
    };
    let mut stack = |sp: u32| {
        set_sp(sp);
        let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
        let found = saved.information().objects.iter().find_map(|object| match &object.info {
            Info::RamDataspace(info) if info.stack => Some((info.skipped, info.saved())),
            _ => None,
        });
        pool.discard(saved);
        found.unwrap()
    };
    // Five pages of stack, and one for messages.
    let top = 0x0c0f_f000;
    assert_eq!(stack(top), (5, 1));
    assert_eq!(stack(top - 4), (4, 2));
    assert_eq!(stack(top - 0x1000), (4, 2));
    assert_eq!(stack(top - 0x1004), (3, 3));
    assert_eq!(stack(top - 0x5000), (0, 6));
    assert_eq!(stack(top - 0x5004), (0, 6), "outside: all of it");
    assert_eq!(stack(0x2000_0000), (0, 6));
}

#[test]
fn a_stack_that_shows_elsewhere_is_memory_like_any_other() {
    let world = world();
    let mut pool = pool(&world, 2);
    let player = started(&world);
    let (pd, rm) = (player.pd(), player.rm());
    let stack = pd.allocate(ANY, OWN, 4 * 4096, pd::Memory::default()).unwrap();
    rm.attach(slots::ADDRESS_SPACE, stack, Placement::at(0x0c1f_c000)).unwrap();
    let thread = player.cpu().create(ANY, OWN, slots::ADDRESS_SPACE, 90, 0x0c1f_f000, "second").unwrap();
    player.cpu().start(thread, 0, 0x0c1f_f000, 0).unwrap();
    let mut skipped = || {
        let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
        let Some(Info::RamDataspace(info)) = saved.information().object(stack.0).cloned() else {
            panic!("it is there")
        };
        pool.discard(saved);
        info.skipped
    };
    assert_eq!(skipped(), 3);
    let elsewhere = rm.attach(slots::ADDRESS_SPACE, stack, Placement::ANYWHERE).unwrap();
    assert_eq!(skipped(), 0);
    assert_eq!(rm.detach(slots::ADDRESS_SPACE, elsewhere).unwrap(), 0);
    assert_eq!(skipped(), 3);
    // In a region map that goes, with what is in it.
    let map = rm.create(ANY, OWN, 0x4000).unwrap();
    rm.attach(map, stack, Placement::ANYWHERE).unwrap();
    assert_eq!(skipped(), 0);
    assert_eq!(pd.free(map).unwrap(), 0);
    assert_eq!(skipped(), 3);
    player.cpu().destroy(thread).unwrap();
    assert_eq!(skipped(), 0, "without its thread it is no stack");
}

#[test]
fn storage_that_is_too_small_stops_nothing() {
    let world = world();
    let player = started(&world);
    player.lock().1.served.sessions = vec![1, 2];
    let needed = player.with(|child, embedder| child.need(embedder)).unwrap();
    assert_eq!(needed.served, 2);
    assert_eq!(needed.pages, 2 + 32 + 6);
    let up = Upstream::new(&world);
    let small = [
        (Need { objects: needed.objects - 1, ..needed }, 40),
        (Need { regions: needed.regions - 1, ..needed }, 40),
        (Need { words: needed.words - 1, ..needed }, 40),
        (Need { served: needed.served - 1, ..needed }, 40),
        (needed, 39),
    ];
    for (room, pages) in small {
        let mut pool = Pool::new(up, 1, &room, pages).unwrap();
        world.state().asked.clear();
        let refused = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap_err();
        let CheckpointError::Storage(shortage) = refused else { panic!("{refused}") };
        assert_eq!((shortage.needed, shortage.available.covers(&needed)), (needed, false));
        assert!(!world.state().asked.contains(&(slots::CPU, 7)), "it was not stopped");
    }
    let mut pool = Pool::new(up, 1, &needed, 40).unwrap();
    let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    assert!(player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).is_err(), "it is full");
    pool.discard(saved);
    assert!(player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).is_ok());
}

#[test]
fn room_that_is_given_back_in_any_order_is_whole_again() {
    let world = world();
    let mut pool = Pool::new(Upstream::new(&world), 4, &Need::default(), 100).unwrap();
    let need = |pages| Need { pages, ..Need::default() };
    let mut places: Vec<_> = (0..4).map(|_| pool.reserve(&need(25)).unwrap()).collect();
    assert!(pool.reserve(&need(0)).is_err(), "four are all");
    for at in [2, 0, 1, 0] {
        pool.release(places.remove(at));
    }
    let whole = pool.reserve(&need(100)).unwrap();
    assert_eq!((whole.pages.first, pool.reserve(&need(1)).unwrap_err().available.pages), (0, 0));
    assert!(pool.reserve(&need(0)).is_ok());
}

#[test]
fn a_call_that_was_received_elsewhere_stands_in_the_way() {
    let world = world();
    let mut pool = pool(&world, 1);
    let player = started(&world);
    let set = |activity: cpu::Activity, owes| {
        let mut state = world.state();
        let thread = state.thread_mut(Slot(BASE + slots::THREAD.0)).unwrap();
        (thread.activity, thread.owes) = (activity, owes);
    };
    let name = ThreadName::try_from("child").unwrap();
    for (activity, owes, expected) in [
        (cpu::Activity::Calling, None, Obstacle::Calling(name.clone())),
        (cpu::Activity::Faulted, None, Obstacle::Faulted(name.clone())),
        (cpu::Activity::Running, Some(STRANGER), Obstacle::Serving(name.clone())),
        (cpu::Activity::Waiting, Some(STRANGER), Obstacle::Serving(name.clone())),
    ] {
        set(activity, owes);
        let mut found = Vec::new();
        player.with(|child, embedder| child.obstacles(embedder, |obstacle| found.push(obstacle)));
        assert_eq!(found, std::slice::from_ref(&expected));
        let error = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap_err();
        assert_eq!(error, CheckpointError::Obstacle(expected));
        assert_eq!(snapshot(&world).frozen, 0, "it runs on");
    }
    for activity in
        [cpu::Activity::Running, cpu::Activity::Sending { badge: 7 }, cpu::Activity::Receiving, cpu::Activity::Waiting]
    {
        set(activity, None);
        let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
        pool.discard(saved);
    }
}

#[test]
fn what_is_not_supported_is_refused_and_told_of() {
    let world = world();
    let player = started(&world);
    assert_eq!(player.pd().create(ANY, 16, "grandchild"), Err(CallError::Refused));
    assert_eq!(player.pd().create(ANY, 16, "grandchild"), Err(CallError::Refused));
    assert_eq!(player.cpu().freeze(OWN), Err(CallError::Refused));
    assert_eq!(player.timer().set_offset(7), Err(CallError::Refused));
    assert!(player.parent().announce("service").is_err());
    let told: Vec<String> =
        player.with(|child, _| child.refusals().iter().map(|refusal| refusal.to_string()).collect());
    let expected = [
        "Pd.create was refused 2 times",
        "Cpu.freeze was refused 1 times",
        "Timer.set_offset was refused 1 times",
        "Parent.announce was refused 1 times",
    ];
    assert_eq!(told, expected);
    // Other protection domains than its own cannot even be named.
    assert_eq!(player.pd().account(Slot(2)), Err(CallError::Error(pd::LookupError::Kind)));
    assert_eq!(player.pd().account(Slot(900)), Err(CallError::Error(pd::LookupError::Nothing)));
    // Private numbers are nobody's.
    assert_eq!(player.pd().free(Slot(SLOTS)), Err(CallError::Error(pd::FreeError::Nothing)));
    assert_eq!(player.pd().describe(Slot(SLOTS)), Err(CallError::Error(pd::LookupError::Nothing)));
    // Nor does the parent's priority count for the component.
    let too_high = player.cpu().prioritize(slots::THREAD, PRIORITY + 1);
    assert_eq!(too_high, Err(CallError::Error(cpu::ThreadError::Priority)));
}

#[test]
fn signals_are_told_once_whether_checkpoints_lie_between_or_not() {
    let world = world();
    let mut pool = pool(&world, 4);
    let player = started(&world);
    let (signal, bell) = (player.signal(), slots::DOORBELL);
    let contexts: Vec<Slot> = (0..4).map(|cookie| signal.create(ANY, OWN, bell, 100 + cookie).unwrap()).collect();
    let fetch = || signal.fetch(bell).unwrap().map(|Pending { cookie, count, .. }| (cookie, count));
    let checkpoint = |pool: &mut Pool<_>| player.with(|child, embedder| child.checkpoint(pool, embedder)).unwrap();
    for context in [2, 0, 2, 1, 3] {
        signal.raise(contexts[context]).unwrap();
    }
    let saved = checkpoint(&mut pool);
    let between = checkpoint(&mut pool);
    pool.discard(between);
    signal.raise(contexts[0]).unwrap();
    // One that waits ends, and is not told of.
    signal.destroy(contexts[1]).unwrap();
    let between = checkpoint(&mut pool);
    pool.discard(between);
    assert_eq!([fetch(), fetch(), fetch(), fetch()], [Some((102, 2)), Some((100, 2)), Some((103, 1)), None]);
    drop(player);

    for restore in WAYS {
        let player = Player::live(restore(&world, &saved).unwrap().0);
        let mut found = Vec::new();
        while let Some(pending) = player.signal().fetch(bell).unwrap() {
            found.push((pending.cookie, pending.count));
        }
        assert_eq!(found, [(100, 1), (101, 1), (102, 2), (103, 1)]);
        player.signal().raise(contexts[3]).unwrap();
        assert_eq!(player.signal().fetch(bell).unwrap().map(|pending| pending.cookie), Some(103));
    }
}

#[test]
fn a_component_is_asked_to_exit_by_its_doorbell_and_a_new_instance_again() {
    let world = world();
    let mut pool = pool(&world, 1);
    let player = started(&world);
    let fetch = |player: &Player| player.signal().fetch(slots::DOORBELL).unwrap().map(|pending| pending.cookie);
    let other = player.signal().create(ANY, OWN, slots::DOORBELL, 5).unwrap();
    player.signal().raise(other).unwrap();
    player.with(|child, embedder| child.ask_to_exit(embedder));
    let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    assert_eq!([fetch(&player), fetch(&player), fetch(&player)], [Some(signal::EXIT), Some(5), None]);
    drop(player);
    for restore in WAYS {
        // It is the parent's to ask, so it is in no checkpoint.
        let player = Player::live(restore(&world, &saved).unwrap().0);
        assert_eq!([fetch(&player), fetch(&player)], [Some(5), None]);
        player.with(|child, embedder| child.ask_to_exit(embedder));
        assert_eq!([fetch(&player), fetch(&player)], [Some(signal::EXIT), None]);
    }
}

#[test]
fn timeouts_run_for_what_remained_and_a_beat_is_kept() {
    let world = world();
    let mut pool = pool(&world, 1);
    let player = started(&world);
    let bell = slots::DOORBELL;
    let once = player.signal().create(ANY, OWN, bell, 1).unwrap();
    let beat = player.signal().create(ANY, OWN, bell, 2).unwrap();
    player.timer().once(once, 500_000).unwrap();
    player.timer().periodic(beat, 100_000).unwrap();
    world.state().advance(130_000);
    let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    let start = player.timer().now().unwrap();
    drop(player);
    world.state().advance(123_456_789);

    for restore in WAYS {
        let player = Player::live(restore(&world, &saved).unwrap().0);
        let timer = player.timer();
        let fetch = || player.signal().fetch(bell).unwrap().map(|pending| (pending.cookie, pending.count));
        assert_eq!(timer.now().unwrap(), start);
        assert_eq!((timer.remaining(once).unwrap(), timer.remaining(beat).unwrap()), (Some(370_000), Some(70_000)));
        assert_eq!((fetch(), fetch()), (Some((2, 1)), None), "the tick that was not fetched");
        world.state().advance(69_999);
        assert_eq!(fetch(), None);
        world.state().advance(1);
        assert_eq!(timer.remaining(beat).unwrap(), Some(100_000));
        assert_eq!((fetch(), fetch()), (Some((2, 1)), None));
        world.state().advance(250_000);
        assert_eq!((fetch(), fetch()), (Some((2, 2)), None), "no tick is lost by whoever is late");
        assert_eq!((timer.remaining(once).unwrap(), timer.remaining(beat).unwrap()), (Some(50_000), Some(50_000)));
        assert_eq!(timer.cancel(beat).unwrap(), Some(50_000));
        world.state().advance(1_000_000);
        assert_eq!((fetch(), fetch()), (Some((1, 1)), None));
        assert_eq!(timer.remaining(beat).unwrap(), None);
        assert_eq!(timer.remaining(Slot(1)), Err(CallError::Error(timer::TimeoutError::Kind)));
    }
}

/// Time passes while a component stands still, and while it is restored. A wait may end a little late for that, but never
/// before its time.
#[test]
fn no_wait_ends_before_its_time() {
    let world = world();
    let mut pool = pool(&world, 1);
    let player = started(&world);
    let contexts: Vec<Slot> =
        (0..5).map(|cookie| player.signal().create(ANY, OWN, slots::DOORBELL, cookie).unwrap()).collect();
    for &context in &contexts {
        player.timer().once(context, 5_000_000).unwrap();
    }
    let due = player.timer().now().unwrap() + 5_000_000;
    world.state().advance(1_000_000);
    world.state().pace = 1_000;
    let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    world.state().pace = 0;
    drop(player);
    world.state().advance(123_456_789);
    for restore in WAYS {
        world.state().pace = 1_000;
        let child = restore(&world, &saved).unwrap().0;
        world.state().pace = 0;
        let player = Player::live(child);
        for &context in &contexts {
            let now_due = player.timer().now().unwrap() + player.timer().remaining(context).unwrap().unwrap();
            assert!((due..due + 100_000).contains(&now_due), "{due} {now_due}");
        }
    }
}

#[test]
fn freeing_costs_the_same_however_many_there_are() {
    let cost = |count: u32| {
        let world = world();
        let player = started(&world);
        let bells: Vec<Slot> = (0..count).map(|_| player.pd().create_notification(ANY, OWN).unwrap()).collect();
        let before = world.state().calls;
        assert_eq!(player.pd().free(bells[0]).unwrap(), 0);
        let after = world.state().calls;
        assert_eq!(player.pd().create_notification(ANY, OWN).unwrap(), bells[0]);
        after - before
    };
    assert_eq!(cost(2), cost(20));
}

/// Whoever wants to embed it needs no more than a transport that can be copied.
#[test]
fn a_component_can_be_handed_from_thread_to_thread() {
    fn is_send<T: Send>() {}
    fn any<T: Transport + Copy + Send>() {
        is_send::<rtcr::child::Child<T>>();
        is_send::<rtcr::storage::Pool<T>>();
        is_send::<rtcr::checkpoint::Checkpoint>();
    }
    any::<&world::World>();
}
