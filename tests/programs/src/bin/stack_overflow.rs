//! Recurses until its stack ends, in the guard page.
#![no_std]
#![no_main]
start::component!(construct);

use core::hint::black_box;

fn construct(env: &mut base::Env) {
    env.exit(deeper(1))
}

#[inline(never)]
fn deeper(level: i32) -> i32 {
    let frame = black_box([level; 64]);
    match black_box(level) {
        i32::MAX => level,
        _ => deeper(level + 1) + frame[(level % 64) as usize],
    }
}
