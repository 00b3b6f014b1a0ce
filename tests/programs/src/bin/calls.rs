//! Threads that wait for each other in every way there is: calls that are received, not received yet, answered and not
//! noticed yet; a chain of two; signals, timeouts, page faults that the component itself cures, and pauses. What it prints
//! depends on all of that having happened once.
//!
//! In each round the first thread rings for the others and calls *front*, which calls *back*, which sleeps now and then while
//! it serves; *rival* calls *front* meanwhile; *low*, of lower priority, calls *back*; *toucher* touches a page that *pager*
//! attaches when it is told of the fault; *paused* counts unless it is paused.
#![no_std]
#![no_main]
start::component!(construct);

extern crate alloc;

use alloc::sync::Arc;
use core::{
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};

use base::{
    Env,
    endpoint::Endpoint,
    memory::{Dataspace, RegionMap},
    rpc::Slot,
    session::rm::Placement,
    signal::Signal,
    thread::{Thread, ThreadOptions},
};

use work::{Client, Server, Text, Work};

const PAGE: usize = 4096;
/// Stack of each thread.
const STACK: usize = 16 << 10;
/// Rounds, and pages that are touched.
const ROUNDS: u32 = 40;
/// Threads that ring when they are done with a round.
const BUSY: u32 = 3;
/// Priorities below that of the first thread.
const LOW: u8 = 90;
const LOWEST: u8 = 80;

mod work {
    use base::interface;

    /// What a thread says.
    pub type Text = heapless::String<100>;

    /// WORK: something to do.
    #[interface(id = 1001)]
    pub trait Work {
        /// Mixes a number.
        #[operation(1)]
        fn mix(&mut self, number: u32) -> u32;

        /// Says something of which registers hold only a part.
        #[operation(2, encoded)]
        fn say(&mut self, text: &str) -> Text;
    }
}

fn mixed(number: u32) -> u32 {
    (0..2000).fold(number, |mix, step| (mix ^ step).wrapping_mul(0x0100_0193).rotate_left(7))
}

/// Serves what *front* and *low* ask, and sleeps in every third request.
struct Back {
    env: Env,
    asked: Arc<AtomicU32>,
}

impl Back {
    fn work(&self) {
        if self.asked.fetch_add(1, SeqCst).is_multiple_of(3) {
            self.env.sleep(Duration::from_micros(300)).expect("TIMER wakes whoever sleeps");
        }
    }
}

impl Work for Back {
    fn mix(&mut self, number: u32) -> u32 {
        self.work();
        mixed(number)
    }

    fn say(&mut self, text: &str) -> Text {
        self.work();
        let mut said = Text::new();
        for letter in text.chars().rev() {
            said.push(letter).expect("it is as long");
        }
        said
    }
}

/// Asks *back*, and does something itself.
struct Front {
    back: Client,
    asked: Arc<AtomicU32>,
}

impl Work for Front {
    fn mix(&mut self, number: u32) -> u32 {
        self.asked.fetch_add(1, SeqCst);
        mixed(self.back.mix(mixed(number)).expect("it answers"))
    }

    fn say(&mut self, text: &str) -> Text {
        self.asked.fetch_add(1, SeqCst);
        self.back.say(text).expect("it answers")
    }
}

/// What all threads have.
#[derive(Clone)]
struct Hall {
    env: Env,
    front: Client,
    back: Client,
    done: Slot,
    sum: Arc<AtomicU32>,
}

fn construct(env: &mut Env) {
    let env = *env;
    let made = || env.endpoint().expect("the scenario gives enough capabilities");
    let (front, back) = (made(), made());
    let asked: [Arc<AtomicU32>; 2] = Default::default();
    let (tick, done) = (signal(env), signal(env));
    let hall =
        Hall { env, front: front.client(), back: back.client(), done: done.slot(), sum: Arc::new(AtomicU32::new(0)) };
    serve(env, "back", back, Server(Back { env, asked: Arc::clone(&asked[1]) }));
    serve(env, "front", front, Server(Front { back: hall.back, asked: Arc::clone(&asked[0]) }));
    let bells = [
        called(&hall, "rival", None, rival),
        called(&hall, "low", Some(LOW), low),
        called(&hall, "toucher", None, toucher(env)),
    ];
    let count = Arc::new(AtomicU32::new(0));
    let counts = Arc::clone(&count);
    let paused = spawn(env, "paused", Some(LOWEST), move || {
        loop {
            counts.fetch_add(1, SeqCst);
        }
    });
    log::info!("everybody is there");

    env.timer().periodic(tick.slot(), 1_000_000).expect("a period that TIMER knows");
    for round in 1..=ROUNDS {
        tick.wait();
        env.cpu().pause(paused.slot()).expect("it is there");
        let before = count.load(SeqCst);
        bells.iter().for_each(|&bell| env.signal().raise(bell).expect("its thread has made it"));
        let answer = hall.front.mix(round).expect("it answers");
        // Of lower priority, *low* has been answered by now and does not know.
        let mix = mixed(mixed(answer));
        gather(&done, BUSY);
        assert_eq!(count.load(SeqCst), before, "what is paused stands still");
        env.cpu().resume(paused.slot()).expect("it is paused");
        let [front, back] = [&asked[0], &asked[1]].map(|asked| asked.load(SeqCst));
        log::info!("round {round}: {mix:08x} {:08x}, asked {front} and {back} times", hall.sum.load(SeqCst));
    }
    assert_ne!(count.load(SeqCst), 0, "it has counted");
    env.exit(0)
}

fn signal(env: Env) -> Signal {
    env.own_signal().expect("the scenario gives enough capabilities")
}

/// Waits until it was raised that often.
fn gather(signal: &Signal, times: u32) {
    let mut missing = times;
    while missing > 0 {
        missing = missing.saturating_sub(signal.wait());
    }
}

fn spawn<T: Send + 'static>(
    env: Env,
    name: &str,
    priority: Option<u8>,
    main: impl FnOnce() -> T + Send + 'static,
) -> Thread<T> {
    env.spawn(&ThreadOptions { name, priority, stack: STACK }, main).expect("the scenario gives enough memory")
}

fn serve(env: Env, name: &str, endpoint: Endpoint, mut session: Server<impl Work + Send + 'static>) {
    spawn(env, name, None, move || -> () { endpoint.serve(&mut session) });
}

/// A thread that does something in each round, when the signal is raised that is returned.
fn called(
    hall: &Hall,
    name: &str,
    priority: Option<u8>,
    mut act: impl FnMut(&Hall, u32) -> u32 + Send + 'static,
) -> Slot {
    let (own, bell) = (hall.clone(), Arc::new(AtomicU32::new(0)));
    let place = Arc::clone(&bell);
    spawn(hall.env, name, priority, move || {
        let called = signal(own.env);
        place.store(called.slot().0, SeqCst);
        for round in 1..=ROUNDS {
            gather(&called, 1);
            let result = act(&own, round);
            // In whatever order they are done.
            own.sum.fetch_add(result, SeqCst);
            own.env.signal().raise(own.done).expect("the first thread has made it");
        }
    });
    while bell.load(SeqCst) == 0 {
        hall.env.sleep(Duration::from_micros(20)).expect("TIMER wakes whoever sleeps");
    }
    Slot(bell.load(SeqCst))
}

fn rival(hall: &Hall, round: u32) -> u32 {
    let mut text = Text::new();
    for word in 0..10 {
        core::fmt::write(&mut text, format_args!("{:08x} ", round ^ word)).expect("there is room");
    }
    let said = hall.front.say(&text).expect("it answers");
    assert!(said.chars().rev().eq(text.chars()), "{said} is not {text} the other way round");
    said.bytes().fold(round, |mix, byte| mix.rotate_left(5) ^ u32::from(byte))
}

fn low(hall: &Hall, round: u32) -> u32 {
    hall.back.mix(!round).expect("it answers")
}

/// Touches another page of a region map in each round; its faults are cured by a thread of their own.
fn toucher(env: Env) -> impl FnMut(&Hall, u32) -> u32 + Send + 'static {
    let size = (ROUNDS as usize + 1) * PAGE;
    let pages = env.allocate(size).expect("the scenario gives enough memory");
    let view = env.attach(&pages, Placement::ANYWHERE).expect("there is room");
    (0..=ROUNDS).for_each(|page| view.words()[page as usize * PAGE / 4].store(mixed(page), SeqCst));
    let map = env.region_map(size).expect("the scenario gives enough memory");
    let seen = env.attach(&map, Placement::ANYWHERE).expect("there is room");
    spawn(env, "pager", None, move || -> () { cure(env, &map, &pages) });
    move |_, round| {
        let word = seen.words()[round as usize * PAGE / 4].load(SeqCst);
        assert_eq!(word, mixed(round), "it is another page");
        word
    }
}

/// Attaches pages that are touched, after a while.
fn cure(env: Env, map: &RegionMap, pages: &Dataspace) -> ! {
    let fault = signal(env);
    env.rm().handle_faults(map.slot(), fault.slot()).expect("both are there");
    loop {
        fault.wait();
        while let Some(found) = env.rm().fault(map.slot()).expect("it is there") {
            env.sleep(Duration::from_micros(40)).expect("TIMER wakes whoever sleeps");
            let page = found.address & !(PAGE as u32 - 1);
            let there = Placement { address: Some(page), offset: page, size: PAGE as u32, ..Placement::ANYWHERE };
            map.attach(pages, there).expect("nothing is there").leak();
        }
    }
}
