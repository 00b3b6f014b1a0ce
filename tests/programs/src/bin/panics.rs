//! Panics, in a function of its own.
#![no_std]
#![no_main]
start::component!(construct);

use core::hint::black_box;

fn construct(env: &mut base::Env) {
    env.exit(divide(black_box(7), black_box(0)))
}

#[inline(never)]
fn divide(a: i32, b: i32) -> i32 {
    a / b
}
