//! Sends requests that make no sense: operations that nobody has, words too few and too many, lengths that lie. Each is
//! refused and nothing else happens.
#![no_std]
#![no_main]
start::component!(construct);

use base::{
    env::slots,
    rpc::{Call, Long, MAX_WORDS, Selector, Slot, Status, Transport},
    session::{log as log_session, parent, timer},
};

/// Every session that a component has.
const SESSIONS: [Slot; 8] =
    [slots::PD, slots::LOG, slots::RM, slots::CPU, slots::ROM, slots::TIMER, slots::SIGNAL, slots::PARENT];

fn answer(slot: Slot, selector: Selector, words: &[u32]) -> Status {
    start::Kernel.call_long(slot, selector, Long::Words(words), &mut []).status()
}

fn construct(env: &mut base::Env) {
    let all = [u32::MAX; MAX_WORDS];
    for session in SESSIONS {
        for operation in [0, 100, 0xff] {
            for length in [0, 1, 4, 5, MAX_WORDS] {
                for idempotent in [false, true] {
                    let selector = Selector::new(operation, idempotent);
                    let status = answer(session, selector, &all[..length]);
                    assert_eq!(status, Status::UnknownOperation, "{session:?} {selector:?} {length}");
                }
            }
        }
    }
    let write = log_session::call::Write::SELECTOR;
    let (exit, once) = (parent::call::Exit::SELECTOR, timer::call::Once::SELECTOR);
    // Lengths that lie, a payload without bytes, one with something behind it.
    for words in [&[1][..], &[8, 0], &[0], &[1, 0x100], &[u32::MAX, 0], &all] {
        assert_eq!(answer(slots::LOG, write, words), Status::Malformed);
    }
    for words in [&[][..], &[1, 2], &all[..5], &all] {
        assert_eq!(answer(slots::PARENT, exit, words), Status::Malformed);
    }
    for words in [&[][..], &[1], &[1, 2], &[1, 2, 3, 4], &all] {
        assert_eq!(answer(slots::TIMER, once, words), Status::Malformed);
    }
    // None is idempotent.
    for (session, selector, words) in
        [(slots::LOG, write, &[][..]), (slots::PARENT, exit, &[0]), (slots::TIMER, once, &[60, 0, 0])]
    {
        assert_eq!(answer(session, Selector::new(selector.operation(), true), words), Status::Malformed);
    }
    // More words than a message can have are not even sent.
    assert_eq!(answer(slots::LOG, write, &[1; MAX_WORDS + 1]), Status::TooLong);
    // A doorbell is no session: the kernel answers, in its own words.
    assert!(matches!(answer(slots::DOORBELL, write, &[]), Status::Foreign(_)));
    // An empty text is no mistake.
    assert_eq!(answer(slots::LOG, write, &[]), Status::Done);
    log::info!("all refused");
    env.exit(0)
}
