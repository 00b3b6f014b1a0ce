//! Random numbers for key exchanges.
//!
//! There is no source of true ones on this machine. They come from a cipher (ChaCha20) whose key is this node's private key, mixed
//! with the scenario's seed: who does not know the private key cannot guess them. But the same seed gives the same numbers in each run,
//! so two runs of both nodes with the same seed make the same sessions, and what was recorded of one could be played back in the other. On real boards the
//! seed is to come from a hardware source.

use alloc::boxed::Box;

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use snow::{
    Error,
    params::{CipherChoice, DHChoice, HashChoice},
    resolvers::{CryptoResolver, DefaultResolver},
    types::{Cipher, Dh, Hash, Random},
};

use crate::channel::Key;

/// The algorithms of the crate, with our random numbers.
pub struct Seeded {
    key: Key,
    seed: u64,
    stream: u64,
}

impl Seeded {
    /// Of the session with that number.
    pub const fn new(key: Key, seed: u64, stream: u64) -> Self {
        Self { key, seed, stream }
    }
}

struct Numbers(ChaCha20Rng);

impl Random for Numbers {
    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Error> {
        self.0.fill_bytes(to);
        Ok(())
    }
}

impl CryptoResolver for Seeded {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        let mut key = self.key;
        key.iter_mut().zip(self.seed.to_le_bytes()).for_each(|(byte, seed)| *byte ^= seed);
        let mut numbers = ChaCha20Rng::from_seed(key);
        numbers.set_stream(self.stream);
        Some(Box::new(Numbers(numbers)))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        DefaultResolver.resolve_dh(choice)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        DefaultResolver.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        DefaultResolver.resolve_cipher(choice)
    }
}
