//! Threads that are found, again and again, in each state that a thread can be stopped in, for long enough that chance finds
//! them there: sent to, rung for, called or answered by others, and not run since.
//!
//! In each round *sender* sends to *taker* and *client* calls *quick*, who are above them and take their time; *caller* has
//! *busy* work, and calls *server*, which is below *busy* and gets to nothing meanwhile; *rival* calls it too. What is printed
//! are sums of what each was told, when all are done.
#![no_std]
#![no_main]
start::component!(construct);

extern crate alloc;

use alloc::sync::Arc;
use core::{
    hint::black_box,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
};

use base::{
    Env,
    platform::Received,
    rpc::{Body, Buffer, Slot},
    session::pd::{ANY, OWN},
    sync::Semaphore,
    thread::ThreadOptions,
};

use mixing::{Client, Mixing, Server};

const STACK: usize = 16 << 10;
/// Priorities, below that of the first thread.
const HIGH: u8 = 95;
const MIDDLE: u8 = 90;
const LOW: u8 = 80;

mod mixing {
    use base::interface;

    /// MIXING: something to do.
    #[interface(id = 1002)]
    pub trait Mixing {
        /// Mixes a number.
        #[operation(1)]
        fn mix(&mut self, number: u32) -> u32;
    }
}

/// Takes some 20 us.
fn mixed(number: u32) -> u32 {
    (0..2500).fold(number, |mix, step| (mix ^ black_box(step)).wrapping_mul(0x0100_0193).rotate_left(7))
}

/// Sends one word, without waiting for an answer. The framework has nothing of the kind.
fn send(to: Slot, word: u32) {
    // SAFETY: the registers are those of a system call, which touches no memory: a message of one word.
    unsafe {
        core::arch::asm!(
            "swi 0",
            in("r7") -3,
            inout("r0") to.0 => _,
            inout("r1") 1 => _,
            inout("r2") word => _,
            inout("r3") 0 => _,
            inout("r4") 0 => _,
            inout("r5") 0 => _,
        );
    }
}

/// Has *busy* work before it answers, so that who is below that does not notice the answer.
struct Quick(Arc<Hall>);

impl Mixing for Quick {
    fn mix(&mut self, number: u32) -> u32 {
        let mix = mixed(number);
        self.0.busy.release();
        mix
    }
}

/// Below all others.
struct Slow;

impl Mixing for Slow {
    fn mix(&mut self, number: u32) -> u32 {
        mixed(!number)
    }
}

struct Hall {
    busy: Semaphore,
    bells: [Semaphore; 4],
    done: Semaphore,
    sum: AtomicU32,
}

fn construct(env: &mut Env) {
    let env = *env;
    let new = || Semaphore::new(env, 0);
    let hall =
        Arc::new(Hall { busy: new(), bells: core::array::from_fn(|_| new()), done: new(), sum: AtomicU32::new(0) });
    let made = || env.endpoint().expect("the scenario gives enough capabilities");
    let (quick, slow) = (made(), made());
    let [of_quick, of_slow, for_rival] = [quick.client::<Client>(), slow.client(), slow.client()];
    let own = Arc::clone(&hall);
    spawn(env, "quick", HIGH, move || -> () { quick.serve(&mut Server(Quick(own))) });
    spawn(env, "server", LOW, move || -> () { slow.serve(&mut Server(Slow)) });
    let taken = env.pd().create_endpoint(ANY, OWN).expect("the scenario gives enough capabilities");
    let own = Arc::clone(&hall);
    spawn(env, "taker", HIGH, move || take(env, taken, &own));
    let own = Arc::clone(&hall);
    spawn(env, "busy", MIDDLE, move || {
        loop {
            own.busy.acquire();
            black_box(mixed(7));
        }
    });
    worker(env, &hall, 0, LOW, move |_, round| {
        send(taken, round);
        0
    });
    worker(env, &hall, 1, LOW, move |_, round| of_quick.mix(round).expect("it answers"));
    worker(env, &hall, 2, HIGH, move |hall, round| {
        hall.busy.release();
        of_slow.mix(round).expect("it answers")
    });
    worker(env, &hall, 3, HIGH, move |_, round| for_rival.mix(round ^ 0xff).expect("it answers"));

    for round in 1..=env.value("rounds").unwrap_or(50_u32) {
        hall.bells.iter().for_each(Semaphore::release);
        // Those of this thread's, and *taker*.
        (0..=hall.bells.len()).for_each(|_| hall.done.acquire());
        log::info!("round {round}: {:08x}", hall.sum.load(SeqCst));
    }
    env.exit(0)
}

fn spawn(env: Env, name: &str, priority: u8, main: impl FnOnce() + Send + 'static) {
    let options = ThreadOptions { name, priority: Some(priority), stack: STACK };
    env.spawn(&options, main).expect("the scenario gives enough memory");
}

/// A thread that does something each time that its bell is rung.
fn worker(env: Env, hall: &Arc<Hall>, number: usize, priority: u8, act: impl Fn(&Hall, u32) -> u32 + Send + 'static) {
    let hall = Arc::clone(hall);
    spawn(env, ["sender", "client", "caller", "rival"][number], priority, move || {
        for round in 1.. {
            hall.bells[number].acquire();
            // In whatever order they are done.
            hall.sum.fetch_add(act(&hall, round), SeqCst);
            hall.done.release();
        }
    });
}

/// Takes what is sent, and its time.
fn take(env: Env, endpoint: Slot, hall: &Hall) {
    let mut space = Buffer::new();
    loop {
        if let Received::Request { request, .. } = env.platform().receive(endpoint, &mut space)
            && let Body::Short(registers) = request.body
        {
            hall.sum.fetch_add(mixed(registers.all()[0]), SeqCst);
            hall.done.release();
        }
    }
}
