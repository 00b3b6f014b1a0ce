//! Sends requests of random bytes, lengths and operations to every session; none is obeyed, and all of them answer as before
//! afterwards.
#![no_std]
#![no_main]
start::component!(construct);

use base::{
    Env,
    env::slots,
    rpc::{Long, MAX_BYTES, MAX_WORDS, Operation, Selector, Slot, Status},
    session::{INTERFACES, pd::OWN},
};

/// Each session and the number of its interface.
const SESSIONS: [(Slot, u16); 8] = [
    (slots::PD, 1),
    (slots::LOG, 2),
    (slots::RM, 3),
    (slots::CPU, 4),
    (slots::ROM, 5),
    (slots::TIMER, 6),
    (slots::SIGNAL, 7),
    (slots::PARENT, 8),
];
/// Requests of each form to each session.
const ROUNDS: u32 = 200;

/// Marsaglia's generator of 32 bits (xorshift), so that every run sends the same.
struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        self.next() as usize % limit
    }
}

fn construct(env: &mut Env) {
    let before = env.pd().account(OWN);
    let mut random = Random(0x2545_f491);
    let mut sent = 0;
    for (session, id) in SESSIONS {
        let interface = INTERFACES.iter().find(|interface| interface.id == id).expect("each has one");
        for _ in 0..ROUNDS {
            let operation = &interface.operations[random.below(interface.operations.len())];
            let answer =
                |selector, request: Long<'_>| env.platform().call_long(session, selector, request, &mut []).status();
            let selector = Selector::new(operation.number, operation.idempotent);
            let noise = words(&mut random);

            // A number that no operation has.
            let number = (random.next() as u8).max(100);
            let unknown = Selector::new(number, random.next() & 1 == 0);
            assert_eq!(answer(unknown, Long::Words(&noise[..4])), Status::UnknownOperation);

            // Wrong about whether asking again does no more.
            let wrong = Selector::new(operation.number, !operation.idempotent);
            assert_eq!(answer(wrong, Long::Words(&[])), Status::Malformed, "{}", operation.name);

            // Bytes and words that mean nothing: every number in them is one that nobody has.
            sent += 2;
            if !is_tried(operation) {
                continue;
            }
            let status = if operation.encoded {
                let mut bytes = [0xff; MAX_BYTES];
                (5..MAX_BYTES).for_each(|at| bytes[at] = random.next() as u8);
                answer(selector, Long::Bytes(&bytes[..random.below(MAX_BYTES)]))
            } else {
                answer(selector, Long::Words(&noise[..random.below(MAX_WORDS)]))
            };
            assert!(is_refused(status, operation), "{} {}: {status:?}", interface.name, operation.name);
            sent += 1;
        }
    }
    assert_eq!(env.pd().account(OWN), before);
    log::info!("{sent} requests, none obeyed");
    env.exit(0)
}

/// Random words, none of which is a number of the component's.
fn words(random: &mut Random) -> [u32; MAX_WORDS] {
    [(); MAX_WORDS].map(|()| random.next() | 1 << 31)
}

/// Whether that is how a request ends that means nothing. One without arguments can be made by chance, and a session's
/// clock can be set to anything. Of several requests in one, the first means nothing, so none is done; that is what is told.
fn is_refused(status: Status, operation: &Operation) -> bool {
    match status {
        Status::Done => operation.arguments.is_empty() || ["set_offset", "several"].contains(&operation.name),
        Status::Foreign(_) | Status::PeerGone | Status::Interrupted => false,
        _ => true,
    }
}

/// Whether it is tried with random content: not what ends the component or prints it.
fn is_tried(operation: &Operation) -> bool {
    !operation.unanswered && (operation.name != "write" || !operation.encoded || operation.arguments.len() > 1)
}
