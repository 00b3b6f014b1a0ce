//! Recurses deeply: Ackermann's function, and a search with a frame full of numbers at each of its levels.
#![no_std]
#![no_main]
start::component!(construct);

use base::Env;
use checkpoint_programs::{Random, hash, steps};
use core::hint::black_box;

fn ackermann(m: u32, n: u32) -> u32 {
    match (m, n) {
        (0, n) => n + 1,
        (m, 0) => ackermann(m - 1, 1),
        (m, n) => ackermann(m - 1, ackermann(m, n - 1)),
    }
}

/// Goes down that many levels, and on its way up hashes what each has put on the stack.
#[inline(never)]
fn descend(level: u32, random: &mut Random) -> u32 {
    let mut frame = [0; 32];
    frame.iter_mut().for_each(|word| *word = random.next());
    let before = hash(black_box(frame));
    let below = if level == 0 { 0 } else { descend(level - 1, random) };
    assert_eq!(hash(black_box(frame)), before, "level {level} has changed");
    below.rotate_left(5) ^ before
}

fn construct(env: &mut Env) {
    for step in steps(env) {
        let levels = 10 + step % 40;
        let sum = descend(levels, &mut Random::new(step));
        log::info!("step {step}: A(2, {step}) = {}, {levels} levels, {sum:08x}", ackermann(2, black_box(step)));
    }
    env.exit(0)
}
