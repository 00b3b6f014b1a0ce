//! Quota, numbers, what is asked of others, and what was done before the barrier.

use alloc::{boxed::Box, vec::Vec};
use core::{
    fmt::Write,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};

use base::{
    Env,
    endpoint::Endpoint,
    rpc::{CallError, Slot},
    session::{
        log::Writer,
        pd::{ANY, AllocateError, Memory, OWN},
    },
};

use super::{ENOUGH, PAGE, Step, allocated, attached, check, fill, word};

/// Nothing is left of its memory, in each round but for a moment.
pub fn quota_exhausted(env: Env) -> Step {
    // What its heap needs later is asked for before.
    let mut all = Vec::with_capacity(400);
    let exhaust = move || {
        while let Ok(page) = env.allocate(PAGE) {
            all.push(page);
            assert!(all.len() < 400, "the scenario gives too much");
        }
        let found = all.len();
        // Another round's line needs nothing, and neither does sleeping.
        all.truncate(found - found / 3);
        found as u32
    };
    // The first sleep and the first fill cost something themselves.
    env.sleep(Duration::from_micros(10)).expect("TIMER wakes whoever sleeps");
    let mut exhaust = exhaust;
    let first = exhaust();
    Box::new(move |round| {
        assert_eq!(exhaust(), first, "as many pages as ever");
        env.sleep(Duration::from_micros(50)).expect("TIMER wakes whoever sleeps");
        word(round, 0)
    })
}

/// No capability is left.
pub fn caps_exhausted(env: Env) -> Step {
    env.sleep(Duration::from_micros(10)).expect("TIMER wakes whoever sleeps");
    let mut all = Vec::with_capacity(500);
    while let Ok(number) = env.pd().create_endpoint(ANY, OWN) {
        all.push(number);
        assert!(all.len() < 500, "the scenario gives too much");
    }
    let count = all.len();
    Box::new(move |round| {
        let one = env.pd().create_endpoint(ANY, OWN);
        assert!(one.is_err(), "none is left");
        let free = all[round as usize % count];
        while env.pd().free(free).expect("it is there") > 0 {}
        assert_eq!(env.pd().create_endpoint(ANY, OWN), Ok(free), "the number that is free");
        free.0 ^ count as u32
    })
}

/// It has asked its parent for more, and has it.
pub fn quota_raised(env: Env) -> Step {
    let before = env.pd().account(OWN).expect("that is its own");
    env.parent().request(64 << 10, 10).expect("the scenario allows it");
    let after = env.pd().account(OWN).expect("that is its own");
    assert!(after.ram > before.ram && after.caps > before.caps, "it has more");
    Box::new(move |round| {
        let now = env.pd().account(OWN).expect("that is its own");
        assert_eq!((now.ram, now.caps), (after.ram, after.caps), "what it was given is its own");
        word(round, 0)
    })
}

/// Some numbers in the middle are free, and are taken first.
pub fn number_holes(env: Env) -> Step {
    let mut all: Vec<_> = (0..30).map(|_| Some(env.endpoint().expect(ENOUGH))).collect();
    all.iter_mut().skip(1).step_by(3).for_each(|it| *it = None);
    let numbers =
        |all: &[Option<Endpoint>]| all.iter().flatten().fold(0_u32, |sum, it| sum.rotate_left(3) ^ it.slot().0);
    Box::new(move |round| {
        let place = round as usize % 30;
        match &mut all[place] {
            taken @ Some(_) => *taken = None,
            free => *free = Some(env.endpoint().expect(ENOUGH)),
        }
        numbers(&all)
    })
}

/// What it uses, it is told to use.
pub fn account(env: Env) -> Step {
    let mut pages = Vec::with_capacity(64);
    env.sleep(Duration::from_micros(10)).expect("TIMER wakes whoever sleeps");
    let before = env.pd().account(OWN).expect("that is its own");
    Box::new(move |round| {
        pages.push(allocated(env, 1));
        let now = env.pd().account(OWN).expect("that is its own");
        assert_eq!(now.caps_used - before.caps_used, round);
        (now.ram_used - before.ram_used) ^ now.ram ^ now.caps
    })
}

/// What is not supported is refused, and does no harm.
pub fn refused(env: Env) -> Step {
    Box::new(move |round| {
        assert_eq!(env.pd().create(ANY, 64, "none"), Err(CallError::Refused));
        assert_eq!(env.pd().allocate(Slot(1), OWN, 4096, Memory::default()).map_err(|_| ()), Err(()));
        assert!(matches!(env.allocate(0), Err(CallError::Error(AllocateError::Size))));
        word(round, 0)
    })
}

/// What its parent tells is the same.
pub fn parent_asked(env: Env) -> Step {
    let steps = env.value::<u32>("steps");
    Box::new(move |round| {
        assert_eq!(env.value::<u32>("steps"), steps);
        assert_eq!(env.name().as_str(), "parent_asked");
        word(round, 0)
    })
}

/// Lines that are written in pieces, with time between them.
pub fn half_lines(env: Env) -> Step {
    Box::new(move |round| {
        let client = env.log();
        let mut writer = Writer::new(&client);
        for piece in 0..3 {
            write!(writer, "piece {piece} of {round}, ").expect("it never fails");
            env.sleep(Duration::from_micros(40)).expect("TIMER wakes whoever sleeps");
        }
        writer.write_str("that is all\n").expect("it never fails");
        word(round, 0)
    })
}

/// What was made before the barrier: its number and its address.
static EARLY: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];

/// Before the barrier, for [`before_barrier`] alone.
pub fn before(env: Env) {
    if env.name().as_str() != "before_barrier" {
        return;
    }
    let [goes, stays] = [(); 2].map(|()| allocated(env, 2));
    drop(attached(env, &goes));
    let seen = attached(env, &stays);
    drop(goes);
    fill(seen.words(), 0);
    EARLY[0].store(stays.leak().0, SeqCst);
    EARLY[1].store(seen.address(), SeqCst);
    seen.leak();
}

/// It has what was made before the barrier, under the same number and at the same address.
pub fn before_barrier(env: Env) -> Step {
    let [number, address] = EARLY.each_ref().map(|it| it.load(SeqCst));
    // Seen once more, since the first view went with what was done before.
    let again = attached_again(env, Slot(number));
    check(again, 0);
    Box::new(move |round| {
        check(again, round - 1);
        fill(again, round);
        number ^ address
    })
}

fn attached_again(env: Env, number: Slot) -> &'static [AtomicU32] {
    env.attach(&number, base::session::rm::Placement::ANYWHERE).expect("there is room").leak()
}
