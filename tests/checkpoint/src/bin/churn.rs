//! Allocates and frees without an end in sight: texts, trees and lists that grow and shrink by chance.
#![no_std]
#![no_main]
start::component!(construct);

extern crate alloc;

use alloc::{
    collections::{BTreeMap, VecDeque},
    format,
    string::String,
    vec::Vec,
};

use base::Env;
use checkpoint_programs::{Random, hash, steps};

const CHANGES: u32 = 300;
const KEYS: u32 = 200;

fn construct(env: &mut Env) {
    let mut random = Random::new(1);
    let mut tree = BTreeMap::<u32, String>::new();
    let mut lists = VecDeque::<Vec<u32>>::new();
    for step in steps(env) {
        for _ in 0..CHANGES {
            let (key, length) = (random.below(KEYS), random.below(2000) as usize);
            match random.below(4) {
                0 => drop(tree.remove(&key)),
                1 => drop(tree.insert(key, format!("{key:>length$}"))),
                2 => lists.push_back((0..length as u32).collect()),
                _ => drop(lists.pop_front()),
            }
        }
        let is_whole = |(key, text): (&u32, &String)| text.trim_start().parse() == Ok(*key);
        assert!(tree.iter().all(is_whole), "a text has changed");
        let is_counted = |list: &Vec<u32>| list.iter().zip(0..).all(|(word, place)| *word == place);
        assert!(lists.iter().all(is_counted), "a list has changed");
        let bytes: usize = tree.values().map(String::len).sum();
        let words: usize = lists.iter().map(Vec::len).sum();
        log::info!("step {step}: {bytes} bytes, {words} words, {:08x}", hash(tree.keys().copied()));
    }
    env.exit(0)
}
