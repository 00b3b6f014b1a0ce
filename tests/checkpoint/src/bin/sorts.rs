//! Sorts the same numbers in three ways, one of them recursive, and finds the same order.
#![no_std]
#![no_main]
start::component!(construct);

extern crate alloc;

use alloc::{collections::BinaryHeap, vec::Vec};

use base::Env;
use checkpoint_programs::{Random, hash, steps};

const COUNT: usize = 3000;

fn quick(numbers: &mut [u32]) {
    let [.., pivot] = *numbers else { return };
    let mut end = 0;
    for place in 0..numbers.len() - 1 {
        if numbers[place] < pivot {
            numbers.swap(place, end);
            end += 1;
        }
    }
    let last = numbers.len() - 1;
    numbers.swap(end, last);
    let (left, right) = numbers.split_at_mut(end);
    quick(left);
    quick(&mut right[1..]);
}

fn merged(numbers: &[u32]) -> Vec<u32> {
    if numbers.len() < 2 {
        return numbers.to_vec();
    }
    let (left, right) = numbers.split_at(numbers.len() / 2);
    let (left, right) = (merged(left), merged(right));
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    let mut all = Vec::with_capacity(numbers.len());
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let smaller = if first <= second { left.next() } else { right.next() };
        all.extend(smaller);
    }
    all.extend(left);
    all.extend(right);
    all
}

fn construct(env: &mut Env) {
    for step in steps(env) {
        let mut random = Random::new(step);
        let numbers: Vec<u32> = (0..COUNT).map(|_| random.next()).collect();
        let mut quickly = numbers.clone();
        quick(&mut quickly);
        let merged = merged(&numbers);
        let heaped = BinaryHeap::from(numbers).into_sorted_vec();
        assert!(quickly.is_sorted(), "not in order");
        assert!(quickly == merged && merged == heaped, "three orders");
        log::info!("step {step}: {COUNT} numbers in order, {:08x}", hash(quickly));
    }
    env.exit(0)
}
