//! Exits with a code that nobody expects.
#![no_std]
#![no_main]
start::component!(construct);

fn construct(env: &mut base::Env) {
    env.exit(101)
}
