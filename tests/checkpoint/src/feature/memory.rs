//! Kinds of memory.

use alloc::{boxed::Box, collections::BTreeMap, format, string::String, vec::Vec};
use core::{
    hint::black_box,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};

use base::{
    Env,
    session::pd::{Cache, CopyPages, FrameSize, Memory},
};
use checkpoint_programs::{Random, hash};

use super::{ENOUGH, PAGE, Step, allocated, attached, check, fill, refilled, word};

fn of(env: Env, size: usize, memory: Memory) -> Step {
    refilled(attached(env, &env.allocate_as(size, memory).map(leaked).expect(ENOUGH)))
}

/// It stays for ever.
fn leaked(dataspace: base::memory::Dataspace) -> base::rpc::Slot {
    dataspace.leak()
}

pub fn cached(env: Env) -> Step {
    of(env, 5 * PAGE, Memory { cache: Cache::Cached, largest: FrameSize::Small })
}

pub fn uncached(env: Env) -> Step {
    of(env, 5 * PAGE, Memory { cache: Cache::Uncached, largest: FrameSize::Small })
}

pub fn frames_64k(env: Env) -> Step {
    of(env, 128 << 10, Memory { cache: Cache::Cached, largest: FrameSize::Large })
}

pub fn frames_1m(env: Env) -> Step {
    of(env, 1 << 20, Memory { cache: Cache::Cached, largest: FrameSize::Section })
}

pub fn frames_16m(env: Env) -> Step {
    of(env, 16 << 20, Memory { cache: Cache::Cached, largest: FrameSize::SuperSection })
}

/// A section, a large page and three small ones.
pub fn frames_mixed(env: Env) -> Step {
    of(env, (1 << 20) + (64 << 10) + 3 * PAGE, Memory { cache: Cache::Cached, largest: FrameSize::Section })
}

/// More than one operation makes or maps.
pub fn many_pages(env: Env) -> Step {
    of(env, 150 * PAGE, Memory::default())
}

/// One more dataspace in each round.
pub fn grows(env: Env) -> Step {
    let mut all: Vec<&[AtomicU32]> = Vec::new();
    Box::new(move |round| {
        all.iter().zip(1..).for_each(|(words, mark)| check(words, mark));
        let words = attached(env, &leaked(allocated(env, 1))).leak();
        fill(words, round);
        all.push(words);
        word(round, all.len())
    })
}

/// One less in each round.
pub fn shrinks(env: Env) -> Step {
    let mut all: Vec<_> = (0..70)
        .map(|mark| {
            let dataspace = allocated(env, 1);
            let attachment = attached(env, &dataspace);
            fill(attachment.words(), mark);
            (attachment, dataspace)
        })
        .collect();
    Box::new(move |round| {
        all.iter().zip(0..).for_each(|((attachment, _), mark)| check(attachment.words(), mark));
        all.pop();
        word(round, all.len())
    })
}

/// Pages go round from dataspace to dataspace, copied by whoever serves PD.
pub fn copies(env: Env) -> Step {
    let all: [_; 3] = core::array::from_fn(|_| allocated(env, 2));
    let seen = all.each_ref().map(|dataspace| attached(env, dataspace));
    let [first, second, third] = &seen;
    [first, second, third].into_iter().zip(0..).for_each(|(it, mark)| it.words()[5].store(mark, SeqCst));
    Box::new(move |round| {
        let copy = |to: usize, from: usize| {
            let pages = CopyPages { dst: 0, src: 0, count: 2 };
            env.pd().copy(all[to].slot(), all[from].slot(), pages).expect("both are there");
        };
        let (one, other) = (round as usize % 3, (round as usize + 1) % 3);
        let expected = seen[other].words()[5].load(SeqCst);
        copy(one, other);
        assert_eq!(seen[one].words()[5].load(SeqCst), expected);
        seen[other].words()[5].store(round, SeqCst);
        seen.iter().fold(round, |sum, it| sum.rotate_left(7) ^ it.words()[5].load(SeqCst))
    })
}

/// A module, which is not the component's memory.
pub fn module(env: Env) -> Step {
    let module = env.rom_module("scenario").expect("every image has one");
    let summed = move || module.bytes().iter().fold(7_u32, |sum, byte| sum.rotate_left(3) ^ u32::from(*byte));
    let before = summed();
    Box::new(move |round| {
        assert_eq!(summed(), before, "a module does not change");
        word(round, 0)
    })
}

/// Texts and lists come and go by chance.
pub fn heap_churn(_: Env) -> Step {
    let (mut random, mut tree) = (Random::new(3), BTreeMap::<u32, String>::new());
    Box::new(move |_| {
        for _ in 0..60 {
            let (key, length) = (random.below(50), random.below(700) as usize);
            match random.below(3) {
                0 => drop(tree.remove(&key)),
                _ => drop(tree.insert(key, format!("{key:>length$}"))),
            }
        }
        assert!(tree.iter().all(|(key, text)| text.trim_start().parse() == Ok(*key)), "a text has changed");
        hash(tree.iter().map(|(key, text)| key ^ text.len() as u32))
    })
}

/// Boxes that refer to each other, and are linked otherwise in each round.
pub fn pointers(_: Env) -> Step {
    struct Link {
        number: u32,
        next: Option<Box<Link>>,
    }
    let mut list: Option<Box<Link>> = None;
    for number in 0..40 {
        list = Some(Box::new(Link { number, next: list }));
    }
    Box::new(move |round| {
        // It is turned round, link by link.
        let (mut left, mut turned) = (list.take(), None);
        while let Some(mut link) = left {
            left = core::mem::replace(&mut link.next, turned);
            link.number += round;
            turned = Some(link);
        }
        list = turned;
        let mut numbers = Vec::new();
        let mut at = &list;
        while let Some(link) = at {
            numbers.push(link.number);
            at = &link.next;
        }
        assert_eq!(numbers.len(), 40);
        hash(numbers)
    })
}

/// Data segments: what begins with something, and what begins with nothing.
pub fn statics(_: Env) -> Step {
    static DATA: [AtomicU32; 3] = [const { AtomicU32::new(0x1234_5678) }; 3];
    static ZERO: [AtomicU32; 1500] = [const { AtomicU32::new(0) }; 1500];
    Box::new(|round| {
        for (place, word) in DATA.iter().chain(&ZERO).enumerate() {
            word.fetch_add(round ^ place as u32, SeqCst);
        }
        hash(DATA.iter().chain(&ZERO).map(|word| word.load(SeqCst)))
    })
}

/// Most of a stack is in use while it sleeps.
pub fn stack_full(env: Env) -> Step {
    Box::new(move |round| {
        let mut numbers = [0_u32; 8000];
        numbers.iter_mut().enumerate().for_each(|(place, number)| *number = word(round, place));
        env.sleep(Duration::from_micros(90)).expect("TIMER wakes whoever sleeps");
        assert!(black_box(&numbers).iter().enumerate().all(|(place, number)| *number == word(round, place)));
        hash(numbers)
    })
}

/// It sleeps at the bottom of a deep recursion.
pub fn recursion_deep(env: Env) -> Step {
    #[inline(never)]
    fn descend(env: Env, level: u32, round: u32) -> u32 {
        let frame = black_box([word(round, level as usize); 16]);
        let below = match level {
            0 => {
                env.sleep(Duration::from_micros(60)).expect("TIMER wakes whoever sleeps");
                0
            }
            _ => descend(env, level - 1, round),
        };
        assert!(black_box(frame).iter().all(|found| *found == word(round, level as usize)), "level {level}");
        below.rotate_left(5) ^ frame[0]
    }
    Box::new(move |round| descend(env, 100 + round, round))
}
