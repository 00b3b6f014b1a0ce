//! Compresses a text by what it repeats (LZ77), and gets the same text back.
#![no_std]
#![no_main]
start::component!(construct);

extern crate alloc;

use alloc::{collections::BTreeMap, vec::Vec};

use base::Env;
use checkpoint_programs::{Random, hash, steps};

const LENGTH: usize = 8000;
const SHORTEST: usize = 4;
const LONGEST: usize = 250;
const WORDS: [&str; 8] = ["sheep ", "counts ", "the ", "jump ", "over ", "a ", "fence ", "again, "];

/// A byte, or a distance back and a length.
enum Token {
    Byte(u8),
    Copy(u16, u8),
}

fn text(seed: u32) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut text = Vec::new();
    while text.len() < LENGTH {
        text.extend_from_slice(WORDS[random.below(8) as usize].as_bytes());
    }
    text
}

fn compressed(text: &[u8]) -> Vec<Token> {
    let mut seen = BTreeMap::<[u8; SHORTEST], usize>::new();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let key = text[at..].first_chunk::<SHORTEST>().copied();
        let before = key.and_then(|key| seen.insert(key, at));
        let length = before.map_or(0, |before| {
            let same = text[at..].iter().zip(&text[before..]).take(LONGEST);
            same.take_while(|(new, old)| new == old).count()
        });
        match before {
            Some(before) if length >= SHORTEST => {
                tokens.push(Token::Copy((at - before) as u16, length as u8));
                at += length;
            }
            _ => {
                tokens.push(Token::Byte(text[at]));
                at += 1;
            }
        }
    }
    tokens
}

fn expanded(tokens: &[Token]) -> Vec<u8> {
    let mut text = Vec::new();
    for token in tokens {
        match *token {
            Token::Byte(byte) => text.push(byte),
            Token::Copy(back, length) => {
                for _ in 0..length {
                    text.push(text[text.len() - usize::from(back)]);
                }
            }
        }
    }
    text
}

fn construct(env: &mut Env) {
    for step in steps(env) {
        let text = text(step);
        let tokens = compressed(&text);
        assert!(expanded(&tokens) == text, "something else comes out");
        let hash = hash(text.iter().map(|&byte| byte.into()));
        log::info!("step {step}: {} bytes are {} tokens, {hash:08x}", text.len(), tokens.len());
    }
    env.exit(0)
}
