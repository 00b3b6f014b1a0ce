//! Prints for ever.
#![no_std]
#![no_main]
start::component!(construct);

fn construct(env: &mut base::Env) {
    loop {
        env.log().write(&[b'\n'; 400]);
    }
}
