//! Life on a torus, whose generations are boxes in a list that grows and is cut.
#![no_std]
#![no_main]
start::component!(construct);

extern crate alloc;

use alloc::{boxed::Box, collections::VecDeque};

use base::Env;
use checkpoint_programs::{Random, hash, steps};

const SIZE: usize = 32;
const KEPT: usize = 10;

type Field = Box<[u32; SIZE]>;

fn is_alive(field: &Field, row: usize, column: usize) -> bool {
    field[row % SIZE] >> (column % SIZE) & 1 != 0
}

fn next(field: &Field) -> Field {
    let mut after = Field::new([0; SIZE]);
    for row in 0..SIZE {
        for column in 0..SIZE {
            let around = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2)];
            let neighbours = around
                .into_iter()
                .filter(|&(down, right)| is_alive(field, row + SIZE + down - 1, column + SIZE + right - 1));
            let lives = match neighbours.count() {
                3 => true,
                2 => is_alive(field, row, column),
                _ => false,
            };
            after[row] |= u32::from(lives) << column;
        }
    }
    after
}

fn construct(env: &mut Env) {
    let mut random = Random::new(7);
    let mut fields = VecDeque::from([Field::new(core::array::from_fn(|_| random.next()))]);
    for step in steps(env) {
        let field = next(fields.back().expect("one is kept"));
        fields.push_back(field);
        if fields.len() > KEPT {
            fields.pop_front();
        }
        let (alive, hash) = (fields.iter().flat_map(|field| field.iter()).map(|row| row.count_ones()).sum::<u32>(), {
            hash(fields.iter().flat_map(|field| field.iter().copied()))
        });
        log::info!("step {step}: {alive} cells in {} fields, {hash:08x}", fields.len());
    }
    env.exit(0)
}
