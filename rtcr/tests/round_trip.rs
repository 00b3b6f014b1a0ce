//! Snapshot, change, restore, snapshot: equal. Snapshot, change, snapshot: different. By replay and directly.

mod support;

use base::{
    env::slots,
    rpc::Slot,
    session::{
        pd::{ANY, Memory, OWN},
        rm::Placement,
    },
};
use support::{random::scribble, world::World, *};

/// Something of everything.
fn furnish(world: &World, player: &Player<'_, '_>) {
    let (pd, rm) = (player.pd(), player.rm());
    let memory = pd.allocate(ANY, OWN, 40 * 4096, Memory::default()).unwrap();
    assert_eq!(pd.populate(memory).unwrap(), 0);
    let address = rm.attach(slots::ADDRESS_SPACE, memory, Placement::ANYWHERE).unwrap();
    assert_eq!(rm.map(slots::ADDRESS_SPACE, address).unwrap(), 0);
    let managed = rm.create(ANY, OWN, 0x8000).unwrap();
    let placement =
        Placement { address: Some(0x2000), offset: 0x1000, size: 0x2000, writable: false, executable: false };
    rm.attach(managed, memory, placement).unwrap();
    rm.attach(slots::ADDRESS_SPACE, managed, Placement::at(0x2000_0000)).unwrap();
    let module = player.rom().open(ANY, "other").unwrap();
    rm.attach(slots::ADDRESS_SPACE, module, Placement { writable: false, ..Placement::ANYWHERE }).unwrap();
    let bell = pd.create_notification(Slot(40), OWN).unwrap();
    pd.create_endpoint(ANY, OWN).unwrap();
    let context = player.signal().create(ANY, OWN, bell, 0xc00c1e).unwrap();
    rm.handle_faults(managed, context).unwrap();
    player.timer().periodic(context, 1_000_000).unwrap();
    let once = player.signal().create(ANY, OWN, slots::DOORBELL, 5).unwrap();
    player.timer().once(once, 777_000).unwrap();
    player.signal().raise(once).unwrap();
    let stack = pd.allocate(ANY, OWN, 4 * 4096, Memory::default()).unwrap();
    rm.attach(slots::ADDRESS_SPACE, stack, Placement::at(0x0c1f_c000)).unwrap();
    let thread = player.cpu().create(ANY, OWN, slots::ADDRESS_SPACE, 90, 0x0c1f_f000, "second").unwrap();
    player.cpu().bind(thread, bell).unwrap();
    player.cpu().start(thread, 0x0100_0040, 0x0c1f_e800, 9).unwrap();
    player.cpu().pause(thread).unwrap();
    scribble(world, 1);
    world.state().advance(100_000);
}

fn change(world: &World, player: &Player<'_, '_>) {
    let (pd, rm) = (player.pd(), player.rm());
    scribble(world, 99);
    let memory = pd.allocate(ANY, OWN, 0x3000, Memory::default()).unwrap();
    rm.attach(slots::ADDRESS_SPACE, memory, Placement::ANYWHERE).unwrap();
    rm.detach(slots::ADDRESS_SPACE, 0x2000_0000).unwrap();
    // The number of the first dataspace, whose regions stay.
    while pd.free(Slot(16)).is_ok_and(|left| left > 0) {}
    player.cpu().resume(Slot(27)).unwrap_or(());
    world.state().advance(3_000_000);
}

fn round_trip(directly: bool) {
    let world = world();
    let before = holding(&world);
    let mut pool = pool(&world, 3);
    let with_pool = holding(&world);
    let player = started(&world);
    furnish(&world, &player);
    let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    let (first, clock) = (snapshot(&world), player.timer().now().unwrap());
    change(&world, &player);
    let second = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    let changed = snapshot(&world);
    assert!(first.difference(&changed).is_some());
    drop(player);
    assert_eq!(holding(&world), with_pool, "what ends leaves nothing behind");

    for (saved, seen, clock) in
        [(&saved, &first, Some(clock)), (&second, &changed, None), (&saved, &first, Some(clock))]
    {
        let (mut child, mut embedder) =
            if directly { restored(&world, saved).unwrap() } else { replayed(&world, saved).unwrap() };
        assert_same(seen, &snapshot(&world));
        let again = child.checkpoint(&mut pool, &mut embedder).unwrap();
        let ignored_clock =
            rtcr::information::Information { clock: saved.information().clock, ..again.information().clone() };
        assert_eq!(&ignored_clock, saved.information());
        pool.discard(again);
        let player = Player::live(child);
        if let Some(clock) = clock {
            assert_eq!(player.timer().now().unwrap(), clock, "the component's time goes on from where it was");
        }
        drop(player);
        assert_eq!(holding(&world), with_pool);
    }
    pool.discard(saved);
    pool.discard(second);
    drop(pool);
    assert_eq!(holding(&world), before);
}

#[test]
fn by_replay() {
    round_trip(false);
}

#[test]
fn directly() {
    round_trip(true);
}
