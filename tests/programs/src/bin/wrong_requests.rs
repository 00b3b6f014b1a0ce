//! Sends requests that make no sense to LOG and PD; each is refused and nothing else happens.
#![no_std]
#![no_main]
start::component!(construct);

use base::{
    env::{LOG, PD},
    rpc::{MAX_WORDS, Status, Transport},
    session,
};

fn construct(env: &mut base::Env) {
    let refused = |slot, operation, words: &[u32]| start::Kernel.call(slot, operation, words, &mut []).0;
    let all = [u32::MAX; MAX_WORDS];
    for operation in [0, 2, 7, 0x7fff, 0xf_ffff] {
        for length in [0, 1, 4, 5, MAX_WORDS] {
            assert_eq!(refused(LOG, operation, &all[..length]), Status::UnknownOperation);
            assert_eq!(refused(PD, operation, &all[..length]), Status::UnknownOperation);
        }
    }
    for words in [&[][..], &[1], &[8, 0], &all] {
        assert_eq!(refused(LOG, session::log::WRITE, words), Status::Malformed);
    }
    assert_eq!(refused(PD, session::pd::EXIT, &[]), Status::Malformed);
    log::info!("all refused");
    env.exit(0)
}
