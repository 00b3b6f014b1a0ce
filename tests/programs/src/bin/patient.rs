//! Waits ten seconds: one thread for a signal, another in a call whose server sleeps as long.
#![no_std]
#![no_main]
start::component!(construct);

use core::time::Duration;

use base::{Env, thread::ThreadOptions};
use bed::{Bed, Client, Server};

const LONG: Duration = Duration::from_secs(10);

mod bed {
    use base::interface;

    /// BED: somebody who takes their time.
    #[interface(id = 1002)]
    pub trait Bed {
        /// Answers after ten seconds.
        #[operation(1)]
        fn rest(&mut self);
    }
}

struct Sleeper(Env);

impl Bed for Sleeper {
    fn rest(&mut self) {
        self.0.sleep(LONG).expect("TIMER wakes whoever sleeps");
    }
}

fn construct(env: &mut Env) {
    let env = *env;
    let endpoint = env.endpoint().expect("the scenario gives enough capabilities");
    let bed: Client = endpoint.client();
    let options = |name| ThreadOptions { name, stack: 16 << 10, ..ThreadOptions::default() };
    env.spawn(&options("host"), move || -> () { endpoint.serve(&mut Server(Sleeper(env))) }).expect("there is memory");
    let signal = env.spawn(&options("signal"), move || took(env, || env.sleep(LONG).expect("TIMER wakes it")));
    let answer = took(env, || bed.rest().expect("it answers in the end"));
    let signal = signal.expect("there is memory").join();
    log::info!("The answer came after {answer} ms, the signal after {signal} ms.");
    env.exit(0)
}

/// How many milliseconds something takes.
fn took(env: Env, what: impl FnOnce()) -> u64 {
    let now = || env.timer().now().expect("TIMER tells the time");
    let begun = now();
    what();
    (now() - begun) / 1_000_000
}
