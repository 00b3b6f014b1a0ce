//! Prints for ever.
#![no_std]
#![no_main]
start::component!(construct);

fn construct(env: &mut base::Env) {
    loop {
        env.log().print(&[b'\n'; 400]);
    }
}
