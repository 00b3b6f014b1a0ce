//! What `early` does, but for two requests in another order.
#![no_std]
#![no_main]
start::component!(early::construct, before: before);

#[path = "../early.rs"]
mod early;

fn before(env: &mut base::Env) {
    early::before(*env, early::Way::OtherOrder);
}
