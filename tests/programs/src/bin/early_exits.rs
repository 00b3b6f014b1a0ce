//! What `early` does before the barrier, until it exits in the middle of it.
#![no_std]
#![no_main]
start::component!(early::construct, before: before);

#[path = "../early.rs"]
mod early;

fn before(env: &mut base::Env) {
    early::before(*env, early::Way::Exits);
}
