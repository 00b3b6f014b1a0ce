//! Adds up what its clients tell it, and takes `serve_for` microseconds for each call. With `die_at`, it ends in that call.
#![no_std]
#![no_main]
start::component!(construct);

use core::time::Duration;

use base::{Env, service::Opening};
use tally::{Server, Tally};

#[path = "../tally.rs"]
#[allow(dead_code, unused_imports)]
mod tally;

struct Sum {
    env: Env,
    sum: u32,
    calls: u32,
    serve_for: Duration,
    die_at: u32,
}

impl Sum {
    fn serve(&mut self) {
        self.calls += 1;
        if !self.serve_for.is_zero() {
            self.env.sleep(self.serve_for).expect("there is a timer");
        }
        if self.calls == self.die_at {
            self.env.exit(1);
        }
    }
}

impl Tally for Sum {
    fn add(&mut self, number: u32) -> u32 {
        self.serve();
        self.sum += number;
        self.sum
    }

    fn sum(&mut self) -> u32 {
        self.serve();
        self.sum
    }
}

impl Drop for Sum {
    fn drop(&mut self) {
        log::info!("{} calls, {} in all", self.calls, self.sum);
    }
}

fn construct(env: &mut Env) {
    let env = *env;
    let serve_for = Duration::from_micros(env.value("serve_for").unwrap_or(0u32).into());
    let die_at = env.value("die_at").unwrap_or(0u32);
    let open = move |opening: &Opening<'_>| {
        log::info!("{} begins", opening.client);
        Ok(Server(Sum { env, sum: 0, calls: 0, serve_for, die_at }))
    };
    env.serve("tally", open).expect("nobody else offers it");
}
