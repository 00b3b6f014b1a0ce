//! Snapshot, change, restore, snapshot: equal. Snapshot, change, snapshot: different. By replay and directly.

mod support;

use base::{
    env::slots,
    executable::Layout,
    rpc::Slot,
    session::{
        pd::{ANY, Memory, OWN},
        rm::Placement,
    },
};
use rtcr::{
    child::Child,
    start::{Program, Settings, numbers},
    upstream::Upstream,
};
use support::{random::scribble, world::World, *};

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

/// Several components under one parent, each with its own numbers; checkpoints of both in one storage.
#[test]
fn one_of_two() {
    let world = world();
    let mut pool = pool(&world, 4);
    let with_pool = holding(&world);
    let one = started(&world);
    furnish(&world, &one);

    let other_settings = Settings { base: BASE + 500, number: 4, ..settings() };
    let file = program();
    let layout = Layout::new(&file, file.len() as u32, 40).unwrap();
    let up = Upstream::new(&world);
    let program = Program { module: "program", layout: &layout };
    let other = Player::live(Child::start(up, &other_settings, program, &mut Embedder::default()).unwrap());
    bootstrap(&other);
    let look = || world.state().snapshot(BASE + 500, numbers(SLOTS));
    let before = look();

    let saved = one.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    let seen = snapshot(&world);
    let saved_other = other.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    drop(one);
    assert_same(&before, &look());
    // What one was, made where the other one's numbers are, and the other way round.
    drop(other);
    let (child, _) = restored(&world, &saved_other).unwrap();
    let swapped = Child::restore_directly(up, &other_settings, &saved, &mut Embedder::default()).unwrap();
    let badgeless = |mut snapshot: support::snapshot::Snapshot| {
        snapshot.space.values_mut().for_each(|(_, badge)| *badge = 0);
        snapshot
    };
    assert_same(&badgeless(before), &badgeless(snapshot(&world)));
    assert_same(&badgeless(seen), &badgeless(look()));
    drop((child, swapped));
    assert_eq!(holding(&world), with_pool);
}
