//! Threads, and what they wait for.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{
    hint::black_box,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};

use base::{
    Env,
    rpc::Slot,
    sync::{Mutex, Semaphore},
    thread::{Thread, ThreadOptions},
};

use super::{ENOUGH, Step, word};
use calls::{Client, Server, Work};

mod calls {
    use base::interface;

    /// WORK: something to do.
    #[interface(id = 1003)]
    pub trait Work {
        /// Mixes a number.
        #[operation(1)]
        fn mix(&mut self, number: u32) -> u32;
    }
}

fn spawn<T: Send + 'static>(
    env: Env,
    name: &str,
    priority: Option<u8>,
    main: impl FnOnce() -> T + Send + 'static,
) -> Thread<T> {
    env.spawn(&ThreadOptions { name, priority, stack: 8 << 10 }, main).expect(ENOUGH)
}

fn nap(env: Env, micros: u64) {
    env.sleep(Duration::from_micros(micros)).expect("TIMER wakes whoever sleeps");
}

/// Threads that each do something when they are told to, and say when they have.
struct Team {
    bells: Vec<Semaphore>,
    done: Semaphore,
    sum: AtomicU32,
}

impl Team {
    fn new(env: Env, count: usize) -> Arc<Self> {
        let bells = (0..count).map(|_| Semaphore::new(env, 0)).collect();
        Arc::new(Self { bells, done: Semaphore::new(env, 0), sum: AtomicU32::new(0) })
    }

    fn member(
        self: &Arc<Self>,
        env: Env,
        number: usize,
        priority: Option<u8>,
        act: impl Fn(u32) -> u32 + Send + 'static,
    ) {
        let team = Arc::clone(self);
        spawn(env, "member", priority, move || {
            for round in 1.. {
                team.bells[number].acquire();
                // In whatever order they are done.
                team.sum.fetch_add(act(round), SeqCst);
                team.done.release();
            }
        });
    }

    fn round(&self) -> u32 {
        self.bells.iter().for_each(Semaphore::release);
        self.bells.iter().for_each(|_| self.done.acquire());
        self.sum.load(SeqCst)
    }
}

/// A thread that waits for a signal.
pub fn thread_waits(env: Env) -> Step {
    let (bell, count) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (place, counts) = (Arc::clone(&bell), Arc::clone(&count));
    spawn(env, "waits", None, move || {
        let signal = env.own_signal().expect(ENOUGH);
        place.store(signal.slot().0, SeqCst);
        loop {
            counts.fetch_add(signal.wait(), SeqCst);
        }
    });
    while bell.load(SeqCst) == 0 {
        nap(env, 20);
    }
    Box::new(move |round| {
        env.signal().raise(Slot(bell.load(SeqCst))).expect("it is there");
        while count.load(SeqCst) < round {
            nap(env, 10);
        }
        assert_eq!(count.load(SeqCst), round, "it was raised once");
        word(round, 0)
    })
}

/// Two dozen threads.
pub fn threads_many(env: Env) -> Step {
    let team = Team::new(env, 24);
    (0..24).for_each(|number| team.member(env, number, None, move |round| word(round, number)));
    Box::new(move |_| team.round())
}

/// Counts for ever, unless it is paused.
fn counter(env: Env) -> (Thread<()>, Arc<AtomicU32>) {
    let count = Arc::new(AtomicU32::new(0));
    let counts = Arc::clone(&count);
    let count_on = move || {
        loop {
            counts.fetch_add(1, SeqCst);
        }
    };
    (spawn(env, "counter", Some(50), count_on), count)
}

/// It stands still, and goes on for a moment in each round.
pub fn thread_paused(env: Env) -> Step {
    let (thread, count) = counter(env);
    env.cpu().pause(thread.slot()).expect("it is there");
    Box::new(move |round| {
        let before = count.load(SeqCst);
        nap(env, 40);
        assert_eq!(count.load(SeqCst), before, "it is paused");
        env.cpu().resume(thread.slot()).expect("it is paused");
        nap(env, 40);
        env.cpu().pause(thread.slot()).expect("it is there");
        word(round, 0)
    })
}

/// Paused twice, it does not go on when it was resumed once.
pub fn thread_paused_twice(env: Env) -> Step {
    let (thread, count) = counter(env);
    let slot = thread.slot();
    (0..2).for_each(|_| env.cpu().pause(slot).expect("it is there"));
    core::mem::forget(thread);
    Box::new(move |round| {
        env.cpu().resume(slot).expect("it is paused");
        let before = count.load(SeqCst);
        nap(env, 40);
        assert_eq!(count.load(SeqCst), before, "it is still paused");
        env.cpu().pause(slot).expect("it is there");
        word(round, 0)
    })
}

/// Who is above another comes first.
pub fn priorities(env: Env) -> Step {
    let order = Arc::new(Mutex::new(env, Vec::new()));
    let team = Team::new(env, 3);
    for (number, priority) in [(0, 60), (1, 80), (2, 70)] {
        let order = Arc::clone(&order);
        team.member(env, number, Some(priority), move |_| {
            order.lock().push(priority);
            0
        });
    }
    Box::new(move |round| {
        // All of them are below this one, so none runs before all are called.
        team.round();
        let found = core::mem::take(&mut *order.lock());
        assert_eq!(found, [80, 70, 60], "by priority");
        word(round, found.len())
    })
}

/// A thread gets another priority in each round, which decides who comes first.
pub fn priority_changes(env: Env) -> Step {
    let order = Arc::new(Mutex::new(env, Vec::new()));
    let bells: Arc<[Semaphore; 2]> = Arc::new(core::array::from_fn(|_| Semaphore::new(env, 0)));
    let done = Arc::new(Semaphore::new(env, 0));
    let threads: Vec<_> = (0..2_usize)
        .map(|number| {
            let (order, bells, done) = (Arc::clone(&order), Arc::clone(&bells), Arc::clone(&done));
            spawn(env, "ranked", Some(60), move || -> () {
                loop {
                    bells[number].acquire();
                    order.lock().push(number);
                    done.release();
                }
            })
        })
        .collect();
    Box::new(move |round| {
        let first = round as usize % 2;
        env.cpu().prioritize(threads[first].slot(), 80).expect("it is below this one's");
        env.cpu().prioritize(threads[1 - first].slot(), 70).expect("it is below this one's");
        bells[1 - first].release();
        bells[first].release();
        (0..2).for_each(|_| done.acquire());
        assert_eq!(core::mem::take(&mut *order.lock()), [first, 1 - first], "by priority");
        word(round, first)
    })
}

/// In each round a thread comes, and one goes.
pub fn threads_end(env: Env) -> Step {
    let mut last: Option<Thread<u32>> = None;
    Box::new(move |round| {
        let before = last.take().map_or(0, Thread::join);
        last = Some(spawn(env, "passing", None, move || {
            nap(env, 30);
            word(round, 1)
        }));
        assert!(round == 1 || before == word(round - 1, 1), "it has returned something else");
        before
    })
}

/// The first thread waits for another one's end.
pub fn thread_joined(env: Env) -> Step {
    Box::new(move |round| {
        let slow = spawn(env, "slow", None, move || {
            nap(env, 150);
            word(round, 2)
        });
        slow.join()
    })
}

/// Each wants what the others have.
pub fn mutex_contended(env: Env) -> Step {
    let (team, sum) = (Team::new(env, 5), Arc::new(Mutex::new(env, (0_u32, 0_u32))));
    for number in 0..5 {
        let sum = Arc::clone(&sum);
        team.member(env, number, None, move |round| {
            let mut both = sum.lock();
            both.0 = both.0.wrapping_add(word(round, number));
            // Asleep with the lock taken.
            nap(env, 15);
            both.1 = both.1.wrapping_add(word(round, number));
            0
        });
    }
    Box::new(move |_| {
        team.round();
        let both = sum.lock();
        assert_eq!(both.0, both.1, "somebody was between");
        both.0
    })
}

/// Takes its time.
struct Slow(Env, u64);

impl Work for Slow {
    fn mix(&mut self, number: u32) -> u32 {
        nap(self.0, self.1);
        word(number, 6)
    }
}

/// Asks another one.
struct Between(Client);

impl Work for Between {
    fn mix(&mut self, number: u32) -> u32 {
        word(self.0.mix(number).expect("it answers"), 7)
    }
}

/// A thread that serves; the others call it by the client.
fn server<W: Work + Send + 'static>(env: Env, name: &'static str, work: W) -> Client {
    let endpoint = env.endpoint().expect(ENOUGH);
    let client = endpoint.client();
    spawn(env, name, None, move || -> () { endpoint.serve(&mut Server(work)) });
    client
}

/// The first thread is in a call that another one has received, most of the time.
pub fn call_in_flight(env: Env) -> Step {
    let slow = server(env, "slow", Slow(env, 150));
    Box::new(move |round| slow.mix(round).expect("it answers"))
}

/// Some are in calls that nobody has received yet.
pub fn calls_queued(env: Env) -> Step {
    let slow = server(env, "slow", Slow(env, 40));
    let team = Team::new(env, 4);
    (0..4).for_each(|number| {
        team.member(env, number, None, move |round| slow.mix(round * 4 + number as u32).expect("it answers"));
    });
    Box::new(move |_| team.round())
}

/// Who is called calls another one, and that another.
pub fn calls_chained(env: Env) -> Step {
    let slow = server(env, "slow", Slow(env, 120));
    let between = server(env, "between", Between(slow));
    let first = server(env, "first", Between(between));
    Box::new(move |round| first.mix(round).expect("it answers"))
}

/// It computes, and asks for nothing.
pub fn computes(_: Env) -> Step {
    Box::new(|round| (0..60_000).fold(round, |mix, step| (mix ^ black_box(step)).wrapping_mul(0x0100_0193)))
}
