//! What `early` does, and one request more before the barrier.
#![no_std]
#![no_main]
start::component!(early::construct, before: before);

#[path = "../early.rs"]
mod early;

fn before(env: &mut base::Env) {
    early::before(*env, early::Way::More);
}
