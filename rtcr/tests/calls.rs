//! Calls between threads of one component: they wait for each other after a restore as they did before.

mod support;

use base::{
    env::slots,
    rpc::{CallError, Slot},
    session::{
        cpu::{Activity, LinkError},
        pd::{self, Memory},
        rm::Placement,
    },
};
use rtcr::{
    checkpoint::{Checkpoint, CheckpointError},
    object::{Info, ThreadName},
    obstacle::Obstacle,
    restore::RestoreError,
    storage::Pool,
};
use support::{
    world::{STRANGER, World},
    *,
};

/// A thread whose stack is the n-th.
fn thread(player: &Player<'_, '_>, n: u32, name: &str) -> Slot {
    let (pd, rm, cpu) = (player.pd(), player.rm(), player.cpu());
    let base = 0x0c10_0000 + n * 0x10_0000;
    let stack = pd.allocate(pd::ANY, pd::OWN, 4 * 4096, Memory::default()).unwrap();
    rm.attach(slots::ADDRESS_SPACE, stack, Placement::at(base)).unwrap();
    let thread = cpu.create(pd::ANY, pd::OWN, slots::ADDRESS_SPACE, 90, base + 0x3000, name).unwrap();
    cpu.start(thread, 0x0100_0040, base + 0x2000, n).unwrap();
    thread
}

/// `client` is in a call that `server` has received.
fn call(world: &World, client: Slot, server: Slot) {
    let mut state = world.state();
    let id = state.table[&(BASE + client.0)];
    state.thread_mut(Slot(BASE + client.0)).unwrap().activity = Activity::Calling;
    state.thread_mut(Slot(BASE + server.0)).unwrap().owes = Some(id);
}

/// A component with threads that wait for each other: the first for the last one made, that for the one made before, and
/// so on; and two more.
fn furnished<'w>(world: &'w World, player: &Player<'w, '_>) -> Vec<Slot> {
    let threads: Vec<Slot> = (1..6).map(|n| thread(player, n, &format!("thread{n}"))).collect();
    call(world, slots::THREAD, threads[2]);
    call(world, threads[2], threads[1]);
    call(world, threads[1], threads[0]);
    call(world, threads[3], threads[4]);
    threads
}

fn saved<'w>(player: &Player<'w, '_>, pool: &mut Pool<&'w World>) -> Checkpoint {
    player.with(|child, embedder| child.checkpoint(pool, embedder)).unwrap()
}

#[test]
fn who_waited_for_whom_does_again() {
    let world = world();
    let mut pool = pool(&world, 2);
    let player = started(&world);
    let threads = furnished(&world, &player);
    let mut found = Vec::new();
    player.with(|child, embedder| child.obstacles(embedder, |obstacle| found.push(obstacle)));
    assert_eq!(found, [], "nothing is in the way");
    let checkpoint = saved(&player, &mut pool);
    let owes = |thread: Slot| match checkpoint.information().object(thread.0) {
        Some(Info::Thread(info)) => info.owes,
        _ => panic!("it is a thread"),
    };
    assert_eq!(
        threads.iter().map(|&thread| owes(thread)).collect::<Vec<_>>(),
        [Some(threads[1].0), Some(threads[2].0), Some(slots::THREAD.0), None, Some(threads[3].0)]
    );
    let seen = snapshot(&world);
    drop(player);
    for restore in WAYS {
        let (mut child, mut embedder) = restore(&world, &checkpoint).unwrap();
        assert_same(&seen, &snapshot(&world));
        let again = child.checkpoint(&mut pool, &mut embedder).unwrap();
        assert_eq!(again.information(), checkpoint.information());
        assert!(contents(&world, &again) == contents(&world, &checkpoint));
        pool.discard(again);
    }
}

#[test]
fn the_component_sees_its_own_numbers() {
    let world = world();
    let player = started(&world);
    let threads = furnished(&world, &player);
    let state = player.cpu().read(threads[4]).unwrap();
    assert_eq!((state.thread, state.owes), (threads[4].0, base::session::cpu::Debt::Thread(threads[3].0)));
    assert_eq!(player.cpu().link(threads[4], threads[3]), Err(CallError::Refused));
}

#[test]
fn what_cannot_be_linked_is_told_and_nothing_is_left() {
    let world = world();
    let mut pool = pool(&world, 1);
    let player = started(&world);
    furnished(&world, &player);
    let checkpoint = saved(&player, &mut pool);
    drop(player);
    let before = holding(&world);
    for restore in WAYS {
        world.state().links = false;
        let error = restore(&world, &checkpoint).map(drop).unwrap_err();
        assert_eq!(error, RestoreError::Link(CallError::Error(LinkError::Missed)));
        assert_eq!(holding(&world), before);
        world.state().links = true;
        drop(restore(&world, &checkpoint).unwrap());
        assert_eq!(holding(&world), before);
    }
}

#[test]
fn a_thread_in_two_calls_at_once_is_no_matter_and_one_that_serves_a_stranger_is() {
    let world = world();
    let mut pool = pool(&world, 2);
    let player = started(&world);
    let threads = furnished(&world, &player);
    let check = |pool: &mut Pool<_>| player.with(|child, embedder| child.checkpoint(pool, embedder));
    // It waits for an answer and owes one to somebody else.
    world.state().thread_mut(Slot(BASE + threads[4].0)).unwrap().owes = Some(STRANGER);
    let named = |name: &str| ThreadName::try_from(name).unwrap();
    // Nobody owes the fourth an answer any more.
    let error = check(&mut pool).unwrap_err();
    assert_eq!(error, CheckpointError::Obstacle(Obstacle::Calling(named("thread4"))));
    world.state().thread_mut(Slot(BASE + threads[3].0)).unwrap().activity = Activity::Running;
    let error = check(&mut pool).unwrap_err();
    assert_eq!(error, CheckpointError::Obstacle(Obstacle::Serving(named("thread5"))));
    world.state().thread_mut(Slot(BASE + threads[4].0)).unwrap().owes = None;
    assert!(check(&mut pool).is_ok());
}
