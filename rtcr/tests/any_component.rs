//! Whatever a component has asked for, in whatever order: its checkpoint restores, by replay and directly, to the same
//! state, and nothing is left over.

mod support;

use proptest::prelude::*;
use rtcr::{checkpoint::Checkpoint, compare, information::Information, object::Info};
use support::{
    image::pages,
    random::{Act, act, perform, scribble},
    world::World,
    *,
};

/// The same at another time.
fn timeless(information: &Information) -> Information {
    Information { clock: 0, ..information.clone() }
}

/// The bytes that a checkpoint has saved.
fn content(world: &World, saved: &Checkpoint) -> Vec<u8> {
    let (mut state, storage) = (world.state(), saved.pages());
    let pages = &state.dataspace_mut(storage.dataspace).expect("the pool is there").pages;
    let memory = saved.information().objects.iter().filter_map(|object| match &object.info {
        Info::RamDataspace(info) => Some((storage.first + info.stored + info.skipped, info.saved())),
        _ => None,
    });
    memory
        .flat_map(|(first, count)| {
            pages[first as usize..][..count as usize].iter().flat_map(|page| page.iter().copied())
        })
        .collect()
}

fn difference(world: &World, one: &Checkpoint, other: &Checkpoint) -> Option<String> {
    let (pages, other_pages) = (pages(world, one), pages(world, other));
    let (one, other) = ((one.information(), &mut &pages), (other.information(), &mut &other_pages));
    let Ok(found) = compare::compare(one, other, u64::MAX);
    found.map(|found| found.to_string())
}

fn any_component(forgets: bool, first: &[Act], then: &[Act], more: &[Act]) -> Result<(), TestCaseError> {
    let world = world();
    world.state().forgets_regions = forgets;
    let mut pool = pool(&world, 4);
    let with_pool = holding(&world);
    let player = started(&world);
    first.iter().for_each(|act| perform(&world, &player, act));
    let before = snapshot(&world);
    let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    let seen = snapshot(&world);
    if !before.has_ending() {
        prop_assert_eq!(before.difference(&seen), None, "a checkpoint changes nothing");
    }
    then.iter().for_each(|act| perform(&world, &player, act));
    // What has changed is seen from outside, and by another checkpoint; a byte of every page always does.
    scribble(&world, 1);
    let one = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    let (at_one, content_of_one) = (snapshot(&world), content(&world, &one));
    scribble(&world, 2);
    let two = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    prop_assert!(at_one.difference(&snapshot(&world)).is_some(), "a change is seen");
    prop_assert!(content_of_one != content(&world, &two), "and saved");
    prop_assert!(difference(&world, &one, &two).is_some(), "and found");
    prop_assert_eq!(&content_of_one, &content(&world, &one), "what was saved stays");
    if timeless(one.information()) == timeless(saved.information()) && content_of_one == content(&world, &saved) {
        prop_assert_eq!(at_one.difference(&seen), None, "checkpoints are equal only if components are");
    }
    pool.discard(one);
    pool.discard(two);
    drop(player);
    prop_assert_eq!(&holding(&world), &with_pool);

    for directly in [false, true] {
        let restored = if directly { restored(&world, &saved) } else { replayed(&world, &saved) };
        let (mut child, mut embedder) =
            restored.map_err(|error| TestCaseError::fail(format!("{directly}: {error}")))?;
        prop_assert_eq!(seen.difference(&snapshot(&world)), None, "directly {}", directly);
        let again = child.checkpoint(&mut pool, &mut embedder).unwrap();
        prop_assert_eq!(timeless(again.information()), timeless(saved.information()), "directly {}", directly);
        // Not only does it look the same: a checkpoint of it is the same to the byte, whichever way it was restored.
        prop_assert!(contents(&world, &again) == contents(&world, &saved), "directly {}", directly);
        prop_assert_eq!(difference(&world, &again, &saved), None, "directly {}", directly);

        // It is a component like any other, and its checkpoints are too.
        let player = Player::live(child);
        player.lock().1 = embedder;
        more.iter().for_each(|act| perform(&world, &player, act));
        let next = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
        // Afterwards: a tick of a beat that has come is fetched, and the next one asked for.
        let later = snapshot(&world);
        drop(player);
        prop_assert_eq!(&holding(&world), &with_pool);
        let (child, _) = replayed(&world, &next).map_err(|error| TestCaseError::fail(format!("next: {error}")))?;
        prop_assert_eq!(later.difference(&snapshot(&world)), None, "directly {}, next generation", directly);
        drop(child);
        prop_assert_eq!(&holding(&world), &with_pool);
        pool.discard(again);
        pool.discard(next);
    }
    Ok(())
}

/// `PROPTEST_CASES`, or as many as take a few seconds.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(150)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, max_shrink_iters: 3000, ..ProptestConfig::default() })]

    #[test]
    fn comes_back_as_it_was(
        forgets in any::<bool>(),
        first in prop::collection::vec(act(), 0..60),
        then in prop::collection::vec(act(), 0..20),
        more in prop::collection::vec(act(), 0..20),
    ) {
        any_component(forgets, &first, &then, &more)?;
    }
}
