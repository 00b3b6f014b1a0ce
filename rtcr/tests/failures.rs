//! Whichever request to the parent's own parent fails, in a checkpoint or a restore: nothing is left over, the component
//! runs on or its checkpoint is kept, and the next try succeeds.

mod support;

use base::session::pd::OWN;
use rtcr::{information::AccountInfo, restore::Lack, start::Settings, upstream::Upstream};
use support::{world::World, *};

/// The `k`-th request from now on fails.
fn fail(world: &World, k: usize) {
    let mut state = world.state();
    state.fails_at = Some(state.calls + k);
}

/// Whether a request has failed; none does any more.
fn has_failed(world: &World) -> bool {
    let mut state = world.state();
    let fails_at = state.fails_at.take();
    fails_at.is_some_and(|at| state.calls >= at)
}

#[test]
fn in_a_checkpoint() {
    let mut k = 0;
    let mut failures = 0;
    loop {
        k += 1;
        let world = world();
        let mut pool = pool(&world, 2);
        let with_pool = holding(&world);
        let player = started(&world);
        furnish(&world, &player);
        let before = snapshot(&world);
        fail(&world, k);
        let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder));
        if !has_failed(&world) {
            break;
        }
        failures += usize::from(saved.is_err());
        assert_same(&before, &snapshot(&world));
        // What was fetched before it failed is still told to the component, and is in the next checkpoint.
        let saved = match saved {
            Ok(saved) => saved,
            Err(_) => player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap(),
        };
        let pending = player.signal().fetch(base::env::slots::DOORBELL).unwrap().unwrap();
        assert_eq!((pending.cookie, pending.count), (5, 1));
        let now = saved.information().objects.iter().filter_map(|object| match &object.info {
            rtcr::object::Info::SignalContext(context) => Some(context.pending),
            _ => None,
        });
        // The one of the bootstrap too.
        assert_eq!(now.sum::<u32>(), 2);
        drop(player);
        assert_eq!(holding(&world), with_pool);
        let (child, _) = restored(&world, &saved).unwrap();
        assert_same(&before, &snapshot(&world));
        drop(child);
        assert_eq!(holding(&world), with_pool);
    }
    assert!(failures > 15, "only {failures} requests of a checkpoint could fail");
}

fn in_a_restore(restore: Restore, at_least: usize) {
    let world = world();
    let mut pool = pool(&world, 2);
    let with_pool = holding(&world);
    let player = started(&world);
    furnish(&world, &player);
    let before = snapshot(&world);
    let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    drop(player);
    let mut failures = 0;
    world.state().asked.clear();
    for k in 1.. {
        fail(&world, k);
        let found = restore(&world, &saved);
        let (failed, refused) = (has_failed(&world), found.is_err());
        assert!(failed || !refused, "it fails although nothing has");
        failures += usize::from(refused);
        let thawed = world.state().asked.drain(..).any(|asked| asked == (base::env::slots::CPU, 8));
        assert_eq!(thawed, !refused, "what is half restored never runs");
        if found.is_ok() {
            assert_same(&before, &snapshot(&world));
        }
        drop(found);
        assert_eq!(holding(&world), with_pool, "after request {k} has failed");
        if !failed {
            break;
        }
        let (child, _) = restore(&world, &saved).unwrap();
        assert_same(&before, &snapshot(&world));
        drop(child);
        world.state().asked.clear();
    }
    assert!(failures > at_least, "only {failures} requests of a restore could fail");
}

#[test]
fn in_a_replay() {
    in_a_restore(replayed, 50);
}

#[test]
fn in_a_direct_restore() {
    in_a_restore(restored, 50);
}

#[test]
fn a_parent_without_quota_for_a_new_instance() {
    let world = world();
    let mut pool = pool(&world, 2);
    let player = started(&world);
    let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    drop(player);
    let with_pool = holding(&world);
    let take = |ram: u32| world.state().domains.get_mut(&world::HOLDER).unwrap().account.ram = ram;
    let all = with_pool.0.ram;
    take(with_pool.0.ram_used + 100_000);
    for restore in WAYS {
        let error = restore(&world, &saved).map(drop).unwrap_err();
        assert!(matches!(error, rtcr::restore::RestoreError::Start(rtcr::start::StartError::Transfer(_))), "{error}");
    }
    take(all);
    assert_eq!(holding(&world), with_pool);
    assert!(replayed(&world, &saved).is_ok() && restored(&world, &saved).is_ok());
}

/// Before the component that makes room is ended: it is untouched, and what is missing is named.
#[test]
fn what_a_restore_lacks_is_named_while_the_component_still_runs() {
    let world = world();
    let mut pool = pool(&world, 2);
    let player = started(&world);
    furnish(&world, &player);
    let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    let (before, with_both) = (snapshot(&world), holding(&world));
    let AccountInfo { ram, caps } = saved.information().account;
    let nothing = AccountInfo::default();
    let ask = |module: &str, reserve| {
        let found = player.with(|child, _| child.makes_room(&saved, &settings(), module, reserve));
        assert_same(&before, &snapshot(&world));
        found
    };
    assert_eq!(ask("program", nothing), Ok(()));
    let account = with_both.0;
    let available = (account.ram - account.ram_used + ram, account.caps - account.caps_used + caps);
    // What the component gives back is enough by itself, and not by a byte or a capability less.
    let spare = AccountInfo { ram: available.0 - ram, caps: available.1 - caps };
    assert_eq!(ask("program", spare), Ok(()));
    let reserve = AccountInfo { ram: spare.ram + 1, ..spare };
    assert_eq!(ask("program", reserve), Err(Lack::Ram { needed: ram, available: ram - 1 }));
    let reserve = AccountInfo { caps: spare.caps + 1, ..spare };
    assert_eq!(ask("program", reserve), Err(Lack::Caps { needed: caps, available: caps - 1 }));
    let error = ask("nobody", nothing).unwrap_err();
    assert_eq!(error.to_string(), "the module nobody cannot be had: Error(Nothing)");
    // A module that it has open.
    let module = world.state().modules.remove("other").unwrap();
    assert!(matches!(ask("program", nothing), Err(Lack::Module(name, _)) if name == "other"));
    world.state().modules.insert("other".into(), module);
    let other = Settings { slots: SLOTS * 2, ..settings() };
    let found = player.with(|child, _| child.makes_room(&saved, &other, "program", nothing));
    assert_eq!(found, Err(Lack::Slots { saved: SLOTS, given: SLOTS * 2 }));
    assert_eq!(holding(&world), with_both);
}

/// What the component was given before its barrier it has from the first instruction, and nobody else can take it.
#[test]
fn a_new_instance_has_its_quota_from_the_beginning() {
    let world = world();
    let mut pool = pool(&world, 2);
    let player = started(&world);
    let number = player.with(|child, _| child.number());
    let up = Upstream::new(&world);
    up.pd().transfer(OWN, number, 0x10_0000, 10).unwrap();
    let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    drop(player);
    let replaying = start_replay(&world, &saved).unwrap();
    let account = up.pd().account(replaying.child().number()).unwrap();
    let AccountInfo { ram, caps } = saved.information().account;
    assert_eq!((account.ram, account.caps), (ram, caps));
    assert_eq!((ram, caps), (settings().ram + 0x10_0000, settings().caps + 10));
}
