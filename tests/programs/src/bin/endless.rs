//! Loops for ever.
#![no_std]
#![no_main]
start::component!(construct);

use core::hint::black_box;

fn construct(_: &mut base::Env) {
    log::info!("about to loop");
    spin()
}

#[inline(never)]
fn spin() {
    let mut rounds = 0u32;
    loop {
        rounds = black_box(rounds.wrapping_add(1));
    }
}
