//! Decides what happens to its client: in each `every`th of its calls one of `kinds`, in turns. With `slow`, a call takes so many
//! microseconds then.
#![no_std]
#![no_main]
start::component!(construct);

extern crate alloc;

use alloc::{string::String, sync::Arc, vec::Vec};
use core::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use base::{Env, service::Opening, session::parent::Value};
use trouble::{KINDS, Server, Trouble};

#[path = "../trouble.rs"]
#[allow(dead_code, unused_imports)]
mod trouble;

struct Fate {
    env: Env,
    /// Of all sessions: what happens is no instance's own.
    calls: Arc<AtomicU32>,
    every: u32,
    kinds: Vec<u32>,
}

impl Trouble for Fate {
    fn next(&mut self) -> u32 {
        let calls = self.calls.fetch_add(1, Relaxed) + 1;
        if self.every == 0 || !calls.is_multiple_of(self.every) {
            return u32::MAX;
        }
        let kind = self.kinds[(calls / self.every - 1) as usize % self.kinds.len()];
        if KINDS[kind as usize] == "wait" {
            self.env.sleep(Duration::from_millis(30)).expect("there is a timer");
        }
        kind
    }
}

fn construct(env: &mut Env) {
    let env = *env;
    let every = env.value("every").unwrap_or(0u32);
    let kinds: Value = env.value("kinds").unwrap_or_default();
    let kinds = kinds.split(' ').filter_map(|name| KINDS.iter().position(|kind| *kind == name));
    let kinds: Vec<_> = kinds.map(|kind| kind as u32).collect();
    let calls = Arc::new(AtomicU32::new(0));
    let open = move |opening: &Opening<'_>| {
        log::info!("{} begins", String::from(opening.client));
        Ok(Server(Fate { env, calls: Arc::clone(&calls), every, kinds: kinds.clone() }))
    };
    env.serve("trouble", open).expect("nobody else offers it");
}
