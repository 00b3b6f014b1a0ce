//! What a new instance must ask for, and what it is answered.

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
    information::Stage,
    restore::RestoreError,
    start::Program,
    statistics::Statistics,
    surroundings::{Event, Phase, Work},
    upstream::Upstream,
};
use support::*;

#[test]
fn another_bootstrap_is_refused_and_the_first_difference_named() {
    let world = world();
    let mut pool = pool(&world, 1);
    let with_pool = holding(&world);
    let player = started(&world);
    let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    drop(player);

    let other = |ask: &dyn Fn(&Player<'_, '_>)| {
        let player = Player::new(State::Replaying(start_replay(&world, &saved).unwrap()));
        ask(&player);
        let error = player.error().expect("it is refused");
        assert_eq!(holding(&world), with_pool, "nothing is left of it");
        error.to_string()
    };
    // A larger heap.
    let error = other(&|player| _ = player.pd().allocate(ANY, OWN, 0x3_0000, Memory::default()));
    assert_eq!(
        error,
        "it is another component: its request 0 is Pd.allocate(0, 1, 0x30000, 0), and was Pd.allocate(0, 1, 0x20000, 0)"
    );
    // Another order.
    let error = other(&|player| _ = player.log().write(b"hello\n"));
    assert_eq!(
        error,
        "it is another component: its request 0 is Log.write(\"hello\\n\"), and was Pd.allocate(0, 1, 0x20000, 0)"
    );
    // No bootstrap to speak of.
    let error = other(&|player| _ = player.pd().restore_thread());
    assert!(error.starts_with("it is another component: its request 0 is Pd.restore_thread(), and was"), "{error}");
    // It ends itself.
    let error = other(&|player| _ = player.parent().exit(1));
    assert!(error.starts_with("it is another component: its request 0 is Parent.exit(1), and was"), "{error}");
}

fn is_step(event: &Event) -> bool {
    matches!(event, Event::Begins(_) | Event::Phase(_) | Event::Ends(_))
}

#[test]
fn the_bootstrap_is_answered_with_the_same_words_and_says_nothing_twice() {
    let world = world();
    let mut pool = pool(&world, 1);
    let player = started(&world);
    let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    drop(player);
    assert_eq!(world.state().printed, b"booting\n");
    let (child, embedder) = replayed(&world, &saved).unwrap();
    assert_eq!(world.state().printed, b"booting\n");
    assert_eq!(child.journal(), &saved.information().journal);
    let answered = embedder.events.iter().filter(|event| matches!(event, Event::Answered { .. })).count();
    assert_eq!(answered as u32, child.journal().len());
    let steps: Vec<_> = embedder.events.iter().filter(|event| is_step(event)).copied().collect();
    let phases =
        [Phase::Freeze, Phase::Objects, Phase::Memory, Phase::Regions, Phase::Threads, Phase::Signals, Phase::Thaw];
    assert_eq!(steps[..phases.len()], phases.map(Event::Phase));
    assert_eq!(steps[phases.len()..], [Event::Ends(Work::Restore)]);
    let rest = embedder.events.iter().filter(|event| !matches!(event, Event::Answered { .. }) && !is_step(event));
    let rest: Vec<_> = rest.copied().collect();
    // 2 pages of data, 32 of heap; a stack that is as good as empty, and its page for messages.
    let expected = [
        Event::Barrier,
        Event::Objects { gone: 0, made: 0 },
        Event::Memory { pages: 34 },
        Event::Repair { bytes: 4096 },
        Event::Registers { threads: 1 },
        Event::Thawed,
    ];
    assert_eq!(rest, expected);
    let mut statistics = Statistics::default();
    embedder.events.iter().for_each(|event| statistics.note(event, || 0));
    assert_eq!(
        statistics.to_string(),
        "10 requests answered, 0 objects put right, 34 pages copied, 4096 bytes of stack repaired, 1 threads set"
    );
    assert_eq!(embedder.rung, [Slot(BASE + 4), Slot(BASE + 18)], "each doorbell rings once");
}

#[test]
fn a_checkpoint_from_before_the_barrier_is_its_journal() {
    let world = world();
    let mut pool = pool(&world, 3);
    let player = Player::live(start(&world));
    let heap = player.pd().allocate(ANY, OWN, 0x2_0000, Memory::default()).unwrap();
    let early = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    assert_eq!((early.information().stage, early.information().objects.len()), (Stage::Booting, 0));
    assert_eq!(early.pages().count, 0);
    let nothing = { Player::live(player.into_child()) };
    drop(nothing);

    assert_eq!(restored(&world, &early).map(drop).unwrap_err(), RestoreError::Booting);
    let player = Player::new(State::Replaying(start_replay(&world, &early).unwrap()));
    let again = player.pd().allocate(ANY, OWN, 0x2_0000, Memory::default()).unwrap();
    assert_eq!(again, heap);
    // From here on it lives, and boots on.
    player.rm().attach(slots::ADDRESS_SPACE, heap, Placement::at(0xd000_0000)).unwrap();
    player.pd().restore_thread().unwrap();
    player.with(|child, _| assert_eq!((child.stage(), child.journal().len()), (Stage::Running, 3)));

    // And its journal is whole: a later checkpoint restores too.
    let late = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    let seen = snapshot(&world);
    drop(player);
    let player = Player::new(State::Replaying(start_replay(&world, &late).unwrap()));
    player.pd().allocate(ANY, OWN, 0x2_0000, Memory::default()).unwrap();
    player.rm().attach(slots::ADDRESS_SPACE, heap, Placement::at(0xd000_0000)).unwrap();
    assert!(player.pd().restore_thread().is_err(), "the barrier is not answered");
    assert_same(&seen, &snapshot(&world));
}

/// Figure 7.1 of Himmelbauer's thesis: a dataspace that is not attached at the checkpoint, attached after the restore.
#[test]
fn what_is_detached_comes_back_too() {
    let world = world();
    let mut pool = pool(&world, 1);
    let player = started(&world);
    let (pd, rm) = (player.pd(), player.rm());
    let one = pd.allocate(ANY, OWN, 0x1000, Memory::default()).unwrap();
    let two = pd.allocate(ANY, OWN, 0x2000, Memory::default()).unwrap();
    let address = rm.attach(slots::ADDRESS_SPACE, two, Placement::ANYWHERE).unwrap();
    random::scribble(&world, 3);
    assert_eq!(rm.detach(slots::ADDRESS_SPACE, address).unwrap(), 0);
    assert_eq!(pd.free(one).unwrap(), 0);
    let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    let content = world.state().dataspace_mut(Slot(BASE + two.0)).unwrap().pages.clone();
    drop(player);
    for restore in WAYS {
        let player = Player::live(restore(&world, &saved).unwrap().0);
        assert_eq!(player.rm().attach(slots::ADDRESS_SPACE, two, Placement::ANYWHERE).unwrap(), address);
        assert_eq!(player.pd().allocate(ANY, OWN, 0x1000, Memory::default()).unwrap(), one, "its number is free again");
        assert_eq!(world.state().dataspace_mut(Slot(BASE + two.0)).unwrap().pages, content);
    }
}

#[test]
fn many_generations() {
    let world = world();
    let mut pool = pool(&world, 2);
    let with_pool = holding(&world);
    let player = started(&world);
    furnish(&world, &player);
    let mut saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    let mut seen = snapshot(&world);
    drop(player);
    for generation in 0..50 {
        let restore = WAYS[generation as usize % 3 % 2];
        let player = Player::live(restore(&world, &saved).unwrap().0);
        assert_same(&seen, &snapshot(&world));
        random::scribble(&world, generation + 10);
        let next = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
        pool.discard(std::mem::replace(&mut saved, next));
        seen = snapshot(&world);
    }
    assert_eq!(holding(&world), with_pool);
}

/// Nothing is right by accident: before the restore the old frames hold something else, and nothing lives any more.
#[test]
fn what_ends_is_overwritten_if_that_is_wanted() {
    let world = world();
    let mut pool = pool(&world, 1);
    let up = Upstream::new(&world);
    let pattern = up.pd().allocate(ANY, OWN, 32 * 4096, Memory::default()).unwrap();
    for page in &mut world.state().dataspace_mut(pattern).unwrap().pages {
        page.fill(0xde);
    }
    let with_pool = holding(&world);
    let player = started(&world);
    furnish(&world, &player);
    let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    let seen = snapshot(&world);
    world.state().asked.clear();
    // 2 + 32 + 6 pages that it begins with, 40 and 4 of its own.
    assert_eq!(player.into_child().wipe(pattern), Ok(84));
    assert!(!world.state().asked.contains(&(slots::CPU, 8)), "it does not run with that");
    assert_eq!(holding(&world), with_pool);
    for restore in WAYS {
        let (child, _) = restore(&world, &saved).unwrap();
        assert_same(&seen, &snapshot(&world));
        drop(child);
    }
}

#[test]
fn another_module_of_the_same_name_is_refused() {
    let world = world();
    let mut pool = pool(&world, 1);
    let player = started(&world);
    player.rom().open(ANY, "other").unwrap();
    let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    drop(player);
    world.state().modules.insert("other".into(), vec![8; 5001]);
    let name = rtcr::object::ModuleName::try_from("other").unwrap();
    assert_eq!(replayed(&world, &saved).map(drop).unwrap_err(), RestoreError::Module(name.clone()));
    assert_eq!(restored(&world, &saved).map(drop).unwrap_err(), RestoreError::Module(name));
}

/// Whatever it asks for: another program that asks for the same is noticed at the barrier.
#[test]
fn another_program_is_refused() {
    let world = world();
    let mut pool = pool(&world, 1);
    let with_pool = holding(&world);
    let player = started(&world);
    let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    drop(player);
    world.state().modules.insert("twin".into(), program());
    let file = program();
    let layout = Layout::new(&file, file.len() as u32, 40).unwrap();
    let program = Program { module: "twin", layout: &layout };
    let (up, mut embedder) = (Upstream::new(&world), Embedder::default());
    let replaying = Child::start_replay(up, &settings(), program, &saved, &mut embedder).unwrap();
    let player = Player::new(State::Replaying(replaying));
    bootstrap(&player);
    assert_eq!(player.error().unwrap().to_string(), "it is another component: its program is twin, and was program");
    assert_eq!(holding(&world), with_pool);
    let mut other = support::program();
    other.push(0);
    world.state().modules.insert("program".into(), other);
    let name = rtcr::object::ModuleName::try_from("program").unwrap();
    assert_eq!(replayed(&world, &saved).map(drop).unwrap_err(), RestoreError::Module(name));
}
