//! A server that ends while it serves every second call: by a fault or a panic, as `end` says, or by its own parent's end.
#![no_std]
#![no_main]
start::component!(construct);

use base::{
    Env,
    session::{echo, parent::Value},
};

struct Service(Env);

impl echo::Echo for Service {
    fn nothing(&mut self) {}

    fn words(&mut self, words: [u32; 4]) -> [u32; 4] {
        if words[0] % 2 == 1 {
            return words;
        }
        match self.0.value::<Value>("end").as_deref() {
            // SAFETY: none: this is the mistake that the program is for.
            Some("fault") => unsafe { core::ptr::null_mut::<u32>().write_volatile(1) },
            Some("exit") => self.0.exit(7),
            // SAFETY: none: likewise.
            _ => unsafe { core::arch::asm!("udf #0") },
        }
        words
    }

    fn bytes(&mut self, bytes: &[u8]) -> u32 {
        bytes.len() as u32
    }

    fn message(&mut self, _: &str) -> heapless::String<400> {
        heapless::String::new()
    }

    fn figure(&mut self, _: &str, _: u64) {}
}

fn construct(env: &mut Env) {
    let env = *env;
    env.serve("fragile", move |_| Ok(echo::Server(Service(env)))).expect("nobody else offers it");
}
