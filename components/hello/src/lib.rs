//! The smallest component: greets and exits.
#![no_std]
#![forbid(unsafe_code)]

use base::Env;

/// Called once, with everything that the component has.
pub fn construct(env: &mut Env) {
    log::info!("Hello from a component of its own on seL4.");
    env.exit(0)
}
