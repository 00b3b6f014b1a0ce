//! Does a bit of everything, for ever, so that it can be killed at any of it: `server` offers a service, all others use it,
//! ask core for memory, have signals pending and threads running. `interval` is how long a server takes at most, in
//! microseconds.
#![no_std]
#![no_main]
start::component!(construct);

use core::time::Duration;

use base::{
    Env,
    rpc::CallError,
    session::{echo, rm::Placement},
    thread::ThreadOptions,
};

/// A session of the server's.
struct Service(Env);

impl echo::Echo for Service {
    fn nothing(&mut self) {}

    fn words(&mut self, words: [u32; 4]) -> [u32; 4] {
        // Long enough to be killed at, and through core.
        (0..words[0] % 64).for_each(|_| _ = self.0.timer().now());
        words
    }

    fn bytes(&mut self, bytes: &[u8]) -> u32 {
        bytes.len() as u32
    }

    fn message(&mut self, message: &str) -> heapless::String<400> {
        message.try_into().unwrap_or_default()
    }

    fn figure(&mut self, _: &str, _: u64) {}
}

fn construct(env: &mut Env) {
    let env = *env;
    if env.name() == "server" {
        let ticks = env.on_signal(|_| ()).expect("a signal");
        env.timer().periodic(ticks.slot(), 20_000).expect("a period");
        env.serve("victim", move |_| Ok(echo::Server(Service(env)))).expect("nobody else offers it");
        return;
    }
    let pending = env.on_signal(|_| ()).expect("a signal");
    env.timer().periodic(pending.slot(), 30_000).expect("a period");
    loop {
        // Refused only if the server is gone for good.
        let Ok(session) = env.open::<echo::Client>("victim", b"") else { env.exit(1) };
        for round in 0.. {
            let memory = env.allocate(64 << 10).expect("the scenario gives enough");
            let region = env.attach(&memory, Placement::ANYWHERE).expect("there is room");
            region.words()[round % 64].fetch_add(1, core::sync::atomic::Ordering::Relaxed);
            env.signal().raise(pending.slot()).expect("it is there");
            match session.words([round as u32, 2, 3, 4]) {
                Ok(words) => assert_eq!(words, [round as u32, 2, 3, 4]),
                // The server was killed; a new one has this session as well.
                Err(CallError::PeerGone | CallError::Refused) => {}
                Err(error) => panic!("{error:?}"),
            }
            drop(region);
            drop(memory);
            if round % 4 == 0 {
                let options = ThreadOptions::default();
                let thread = env.spawn(&options, move || env.sleep(Duration::from_micros(5)).is_ok());
                assert!(thread.expect("the scenario gives enough").join());
            }
            if round % 8 == 7 {
                // A new session now and then.
                break;
            }
        }
    }
}
