//! A component that asks for anything with any words: it is answered, nobody panics, and nothing is left over; and what it
//! has become can be checkpointed and restored like any other.

mod support;

use base::rpc::{Body, Buffer, Label, Request, Selector, Sequence, Status, ThreadNumber};
use proptest::prelude::*;
use support::*;

/// Words that mean something now and then.
fn word() -> impl Strategy<Value = u32> {
    prop_oneof![
        4 => 0..30u32,
        2 => (0..40u32).prop_map(|pages| pages << 12),
        1 => (0..8u32).prop_map(|flags| 0x1000_0000 | flags),
        1 => any::<u32>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_request_is_answered(
        requests in prop::collection::vec(
            (1..12u16, 1..18u8, any::<bool>(), prop::collection::vec(word(), 0..6)), 0..200)
    ) {
        let world = world();
        let mut pool = pool(&world, 1);
        let with_pool = holding(&world);
        let player = started(&world);
        for (interface, operation, idempotent, words) in &requests {
            // Time does not pass by asking, and how the first thread ends is another matter.
            if (*interface, *operation) == (4, 14) {
                continue;
            }
            let selector = Selector::new(*operation, *idempotent);
            let label = Label::new(selector, ThreadNumber::FIRST, Sequence::FIRST);
            let request = Request { label, body: Body::Long(words) };
            let reply = player.with(|child, embedder| {
                child.serve(*interface, &request, &mut Buffer::new(), embedder).map(|reply| reply.status)
            });
            prop_assert!(!matches!(reply, Some(Status::Foreign(_) | Status::PeerGone)));
        }
        let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
        let seen = snapshot(&world);
        drop(player);
        prop_assert_eq!(&holding(&world), &with_pool);
        for restore in WAYS {
            let (child, _) = restore(&world, &saved).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(seen.difference(&snapshot(&world)), None);
            drop(child);
            prop_assert_eq!(&holding(&world), &with_pool);
        }
    }
}
