//! Sends requests that make no sense to LOG and PD; each is refused and nothing else happens.
#![no_std]
#![no_main]
start::component!(construct);

use base::{
    env::{LOG, PD},
    rpc::{Call, Long, MAX_WORDS, Selector, Slot, Status, Transport},
    session::{log as log_session, pd},
};

fn answer(slot: Slot, selector: Selector, words: &[u32]) -> Status {
    start::Kernel.call_long(slot, selector, Long::Words(words), &mut []).status()
}

fn construct(env: &mut base::Env) {
    let all = [u32::MAX; MAX_WORDS];
    for operation in [0, 3, 7, 0xff] {
        for length in [0, 1, 4, 5, MAX_WORDS] {
            for idempotent in [false, true] {
                let selector = Selector::new(operation, idempotent);
                assert_eq!(answer(LOG, selector, &all[..length]), Status::UnknownOperation);
                assert_eq!(answer(PD, selector, &all[..length]), Status::UnknownOperation);
            }
        }
    }
    let (write, exit) = (log_session::call::Write::SELECTOR, pd::call::Exit::SELECTOR);
    // Lengths that lie, a payload without bytes, one with something behind it.
    for words in [&[1][..], &[8, 0], &[0], &[1, 0x100], &[u32::MAX, 0], &all] {
        assert_eq!(answer(LOG, write, words), Status::Malformed);
    }
    for words in [&[][..], &[1, 2], &all[..5], &all] {
        assert_eq!(answer(PD, exit, words), Status::Malformed);
    }
    // Neither is idempotent.
    for (slot, selector, words) in [(LOG, write, &[][..]), (PD, exit, &[0])] {
        assert_eq!(answer(slot, Selector::new(selector.operation(), true), words), Status::Malformed);
    }
    // More words than a message can have are not even sent.
    assert_eq!(answer(LOG, write, &[1; MAX_WORDS + 1]), Status::TooLong);
    // An empty text is no mistake.
    assert_eq!(answer(LOG, write, &[]), Status::Done);
    log::info!("all refused");
    env.exit(0)
}
