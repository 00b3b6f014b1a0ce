//! Tells its parent when it constructs itself: the value that it asks for is called so. Then it waits.
#![no_std]
#![no_main]
start::component!(construct);

use core::fmt::Write;

fn construct(env: &mut base::Env) {
    let now = env.timer().now().unwrap_or(0);
    let mut key = heapless::String::<20>::new();
    // Every number fits.
    let _ = write!(key, "{now}");
    let _ = env.parent().value(&key);
}
