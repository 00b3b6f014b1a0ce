//! Measures what requests and memory cost a component, and tells the host.
//!
//! The component does not know who serves its sessions, so the same program measures core and every parent that stands
//! between; the scenario's value `way` says which, for the figures' names. With `memory = 1` it measures
//! dataspaces too.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod memory;
mod meter;
mod requests;

use alloc::string::String;

use base::Env;

use self::meter::Meter;

/// Called once, with everything that the component has.
pub fn construct(env: &mut Env) {
    let echo = env.open("echo", b"").expect("whoever serves PD serves ECHO");
    let way = env.value::<String>("way").expect("the scenario names the way");
    let meter = Meter::new(*env, &echo);
    requests::measure(&meter, &way);
    if env.value("memory") == Some(1) {
        memory::measure(&meter);
    }
    log::info!("measured");
    env.exit(0)
}
