//! Sets up much before the barrier, and goes on with it after.
#![no_std]
#![no_main]
start::component!(early::construct, before: before);

#[path = "../early.rs"]
mod early;

fn before(env: &mut base::Env) {
    early::before(*env, early::Way::Same);
}
