//! Prints a line without its end and exits.
#![no_std]
#![no_main]
start::component!(construct);

fn construct(env: &mut base::Env) {
    env.log().print(b"the last words");
    env.exit(0)
}
