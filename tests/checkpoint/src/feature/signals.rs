//! Signals, timeouts and the time.

use alloc::{boxed::Box, collections::BTreeMap, sync::Arc, vec::Vec};
use core::{
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};

use base::{
    Env,
    rpc::Slot,
    session::pd::{ANY, OWN},
    signal::Signal,
    thread::ThreadOptions,
};

use super::{ENOUGH, Step, word};

fn nap(env: Env, micros: u64) {
    env.sleep(Duration::from_micros(micros)).expect("TIMER wakes whoever sleeps");
}

/// A doorbell of nobody's: what it rings for is fetched when the test wants.
fn bell(env: Env) -> Slot {
    env.pd().create_notification(ANY, OWN).expect(ENOUGH)
}

fn context(env: Env, bell: Slot, cookie: u32) -> Slot {
    env.signal().create(ANY, OWN, bell, cookie).expect(ENOUGH)
}

/// What is pending at a doorbell, how often of each cookie. That there may be more says nothing: in a restored instance what
/// was raised before comes first, and who has it to give does not look further.
fn fetched(env: Env, bell: Slot) -> BTreeMap<u32, u32> {
    let mut all = BTreeMap::new();
    while let Some(pending) = env.signal().fetch(bell).expect("it is there") {
        *all.entry(pending.cookie).or_default() += pending.count;
    }
    all
}

/// Raised, and not fetched for a while.
pub fn signal_pending(env: Env) -> Step {
    let bell = bell(env);
    let context = context(env, bell, 77);
    Box::new(move |round| {
        (0..round).for_each(|_| env.signal().raise(context).expect("it is there"));
        nap(env, 100);
        let pending = fetched(env, bell);
        assert_eq!(pending, BTreeMap::from([(77, round)]));
        pending[&77]
    })
}

/// Many at one doorbell, pending in the order in which they were raised, some of them fetched.
pub fn signals_in_order(env: Env) -> Step {
    let bell = bell(env);
    let contexts: Vec<_> = (0..12).map(|cookie| context(env, bell, cookie)).collect();
    Box::new(move |round| {
        let order = |place: u32| (place * 5 + round) % 12;
        (0..12).for_each(|place| env.signal().raise(contexts[order(place) as usize]).expect("it is there"));
        // Some of it is fetched at once, the rest later, in whatever order.
        let mut all = BTreeMap::new();
        for _ in 0..5 {
            let pending = env.signal().fetch(bell).expect("it is there").expect("it was raised");
            *all.entry(pending.cookie).or_default() += pending.count;
        }
        nap(env, 100);
        fetched(env, bell).into_iter().for_each(|(cookie, count)| *all.entry(cookie).or_default() += count);
        assert_eq!(all, (0..12).map(|cookie| (cookie, 1)).collect(), "each once");
        word(round, 12)
    })
}

/// Of a context that is gone, nothing is pending.
pub fn signals_given_up(env: Env) -> Step {
    let bell = bell(env);
    Box::new(move |round| {
        let (stays, goes) = (context(env, bell, 1), context(env, bell, 2));
        [stays, goes].into_iter().for_each(|context| env.signal().raise(context).expect("it is there"));
        nap(env, 40);
        env.signal().destroy(goes).expect("it is there");
        nap(env, 40);
        assert_eq!(fetched(env, bell), BTreeMap::from([(1, 1)]));
        env.signal().destroy(stays).expect("it is there");
        word(round, 2)
    })
}

fn now(env: Env) -> u64 {
    env.timer().now().expect("there is a clock")
}

fn signal(env: Env) -> Signal {
    env.own_signal().expect(ENOUGH)
}

/// Runs in a thread of its own, since a signal belongs to the thread that waits for it.
fn in_a_thread(env: Env, mut act: impl FnMut(u32) -> u32 + Send + 'static) -> Step {
    let (wanted, done) = (base::sync::Semaphore::new(env, 0), base::sync::Semaphore::new(env, 0));
    let shared = Arc::new((wanted, done, AtomicU32::new(0)));
    let own = Arc::clone(&shared);
    let main = move || {
        for round in 1.. {
            own.0.acquire();
            own.2.store(act(round), SeqCst);
            own.1.release();
        }
    };
    env.spawn(&ThreadOptions { name: "timed", priority: None, stack: 8 << 10 }, main).expect(ENOUGH);
    Box::new(move |_| {
        shared.0.release();
        shared.1.acquire();
        shared.2.load(SeqCst)
    })
}

/// How long a wait takes, at least and at most: others may be in the way.
const LATE: u64 = 50_000_000;

/// A timeout fires once, not before its time and not much later.
pub fn one_shot(env: Env) -> Step {
    in_a_thread(env, move |round| {
        let (signal, time) = (signal(env), 170_000 + u64::from(round) * 1000);
        let before = now(env);
        env.timer().once(signal.slot(), time).expect("a time that TIMER knows");
        assert_eq!(signal.wait(), 1);
        let took = now(env) - before;
        assert!((time..time + LATE).contains(&took), "{took} ns instead of {time}");
        nap(env, 20);
        assert_eq!(env.timer().remaining(signal.slot()), Ok(None), "it fires once");
        word(round, 0)
    })
}

/// Ticks come in their beat; none is lost.
pub fn periodic(env: Env) -> Step {
    const PERIOD: u64 = 50_000;
    let mut beat = None;
    let mut ticks = 0_u64;
    in_a_thread(env, move |round| {
        let (slot, begun) = *beat.get_or_insert_with(|| {
            let (bell, before) = (bell(env), now(env));
            let context = context(env, bell, 5);
            env.timer().periodic(context, PERIOD).expect("a period that TIMER knows");
            (bell, (before, now(env)))
        });
        nap(env, 130);
        let due = (now(env) - begun.1) / PERIOD;
        ticks += fetched(env, slot).values().copied().map(u64::from).sum::<u64>();
        let most = (now(env) - begun.0) / PERIOD;
        assert!(ticks + 1 >= due && ticks <= most + 1, "{ticks} ticks, and {due} to {most} were due");
        word(round, 0)
    })
}

/// What is cancelled does not fire; what remained is told.
pub fn timer_cancelled(env: Env) -> Step {
    let bell = bell(env);
    let context = context(env, bell, 9);
    Box::new(move |round| {
        env.timer().once(context, 900_000_000).expect("a time that TIMER knows");
        nap(env, 60);
        let left = env.timer().cancel(context).expect("it is there").expect("it has not fired");
        assert!((800_000_000..900_000_000).contains(&left), "{left} ns were left");
        assert_eq!(env.signal().fetch(bell), Ok(None));
        word(round, 9)
    })
}

/// Time goes on, and does not jump.
pub fn clock(env: Env) -> Step {
    let mut last = now(env);
    Box::new(move |round| {
        for _ in 0..20 {
            let next = now(env);
            assert!(next > last, "it goes on");
            assert!(next - last < LATE, "it has jumped by {} ns", next - last);
            last = next;
        }
        word(round, 0)
    })
}

/// Threads sleep for different times at once.
pub fn sleepers(env: Env) -> Step {
    let count: Arc<[AtomicU32; 4]> = Arc::default();
    for number in 0..4_u32 {
        let count = Arc::clone(&count);
        let sleep = move || {
            loop {
                let (before, time) = (now(env), u64::from(40 + number * 35));
                nap(env, time);
                let took = now(env) - before;
                assert!((time * 1000..time * 1000 + LATE).contains(&took), "{took} ns instead of {time} us");
                count[number as usize].fetch_add(1, SeqCst);
            }
        };
        env.spawn(&ThreadOptions { name: "sleeper", priority: None, stack: 8 << 10 }, sleep).expect(ENOUGH);
    }
    Box::new(move |round| {
        let before: Vec<_> = count.iter().map(|count| count.load(SeqCst)).collect();
        // Others may be in the way for a while.
        let went_on = || (0..4).all(|number: usize| count[number].load(SeqCst) > before[number]);
        let naps = (0..200).find(|_| {
            nap(env, 200);
            went_on()
        });
        assert!(naps.is_some(), "one sleeps on");
        word(round, 4)
    })
}

/// Long after its construction, it does what signals ask for.
pub fn late_handler(env: Env) -> Step {
    let raised = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&raised);
    let other = env.on_signal(move |times| _ = count.fetch_add(times, SeqCst)).expect(ENOUGH);
    // It stays until it is removed.
    let slot = other.slot();
    Box::new(move |round| {
        // By now, that of the round before was handled.
        assert_eq!(raised.load(SeqCst), round - 1);
        env.signal().raise(slot).expect("it is there");
        word(round, 0)
    })
}
