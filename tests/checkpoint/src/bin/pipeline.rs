//! Threads in a row, each of which takes numbers from the one before and hands them on: queues of limited length.
#![no_std]
#![no_main]
start::component!(construct);

extern crate alloc;

use alloc::{collections::VecDeque, sync::Arc, vec::Vec};

use base::{
    Env,
    sync::{Mutex, Semaphore},
    thread::ThreadOptions,
};
use checkpoint_programs::{hash, steps};

const ROOM: usize = 4;
const STAGES: u32 = 3;
/// Numbers to a step.
const NUMBERS: u32 = 40;

/// A queue in which whoever puts waits for room, and whoever takes waits for something.
struct Queue {
    numbers: Mutex<VecDeque<u32>>,
    room: Semaphore,
    filled: Semaphore,
}

impl Queue {
    fn new(env: Env) -> Self {
        let numbers = Mutex::new(env, VecDeque::new());
        Self { numbers, room: Semaphore::new(env, ROOM as u32), filled: Semaphore::new(env, 0) }
    }

    fn put(&self, number: u32) {
        self.room.acquire();
        self.numbers.lock().push_back(number);
        self.filled.release();
    }

    fn take(&self) -> u32 {
        self.filled.acquire();
        let number = self.numbers.lock().pop_front().expect("the semaphore has counted it");
        self.room.release();
        number
    }
}

fn construct(env: &mut Env) {
    let env = *env;
    let queues: Vec<_> = (0..=STAGES).map(|_| Arc::new(Queue::new(env))).collect();
    let total = steps(&env).count() as u32 * NUMBERS;
    for (stage, pair) in (1..).zip(queues.windows(2)) {
        let [from, to] = [Arc::clone(&pair[0]), Arc::clone(&pair[1])];
        let work = move || {
            for _ in 0..total {
                to.put(from.take().wrapping_mul(31).wrapping_add(stage));
            }
        };
        env.spawn(&ThreadOptions { name: "stage", ..ThreadOptions::default() }, work).expect("there is memory");
    }
    let source = Arc::clone(&queues[0]);
    let feed = move || (0..total).for_each(|number| source.put(number));
    env.spawn(&ThreadOptions { name: "source", ..ThreadOptions::default() }, feed).expect("there is memory");

    let expected = |number: u32| (1..=STAGES).fold(number, |n, stage| n.wrapping_mul(31).wrapping_add(stage));
    let mut next = 0;
    for step in steps(&env) {
        let taken: Vec<_> = (0..NUMBERS).map(|_| queues[STAGES as usize].take()).collect();
        for number in &taken {
            assert_eq!(*number, expected(next), "number {next}");
            next += 1;
        }
        log::info!("step {step}: {next} numbers, {:08x}", hash(taken));
    }
    env.exit(0)
}
