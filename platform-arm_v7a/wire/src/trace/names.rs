//! Names that have numbers.

use core::{
    str,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use super::MAX_NAME;

/// Room for a name, filled up with zeros.
type Name = [AtomicU32; MAX_NAME / 4];

/// Up to `SIZE` names, of which each has one number, from 1 on. As for the [`Ring`](super::Ring), one thread writes.
#[derive(Debug)]
pub struct Names<const SIZE: usize> {
    names: [Name; SIZE],
    count: AtomicU32,
}

impl<const SIZE: usize> Names<SIZE> {
    /// None.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self { names: [const { [const { AtomicU32::new(0) }; MAX_NAME / 4] }; SIZE], count: AtomicU32::new(0) }
    }

    /// The number of a name, which gets one if it has none; 0 if there is no room. Compares with all there are.
    pub fn number(&self, name: &str) -> u8 {
        let words = to_words(name);
        let count = self.count.load(Relaxed) as usize;
        let known = self.names.iter().take(count).position(|known| load(known) == words);
        if let Some(known) = known {
            return known as u8 + 1;
        }
        let Some(free) = self.names.get(count).filter(|_| count < u8::MAX.into()) else { return 0 };
        free.iter().zip(words).for_each(|(to, word)| to.store(word, Relaxed));
        self.count.store(count as u32 + 1, Relaxed);
        count as u8 + 1
    }

    /// How many there are.
    pub fn count(&self) -> u8 {
        self.count.load(Relaxed) as u8
    }

    /// The name of a number, written to `space`; empty if there is none.
    pub fn get<'a>(&self, number: u8, space: &'a mut [u8; MAX_NAME]) -> &'a str {
        let name = usize::from(number).checked_sub(1).and_then(|index| self.names.get(index));
        let Some(name) = name else { return "" };
        for (bytes, word) in space.chunks_exact_mut(4).zip(load(name)) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        let length = space.iter().position(|&byte| byte == 0).unwrap_or(MAX_NAME);
        str::from_utf8(&space[..length]).unwrap_or("")
    }
}

fn load(name: &Name) -> [u32; MAX_NAME / 4] {
    name.each_ref().map(|word| word.load(Relaxed))
}

fn to_words(name: &str) -> [u32; MAX_NAME / 4] {
    let mut bytes = [0; MAX_NAME];
    let length = name.floor_char_boundary(MAX_NAME);
    bytes[..length].copy_from_slice(&name.as_bytes()[..length]);
    let mut words = [0; MAX_NAME / 4];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_one_number() {
        let names = Names::<3>::new();
        let numbers = ["a", "bc", "a", "", "bc", "too many", "a"].map(|name| names.number(name));
        assert_eq!(numbers, [1, 2, 1, 3, 2, 0, 1]);
        let mut space = [0; MAX_NAME];
        assert_eq!([1, 2, 3, 0, 4].map(|number| names.get(number, &mut space).to_owned()), ["a", "bc", "", "", ""]);
        assert_eq!(names.count(), 3);
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let names = Names::<300>::new();
        let long = format!("{}ü", "x".repeat(MAX_NAME - 1));
        let number = names.number(&long);
        assert_eq!(names.get(number, &mut [0; MAX_NAME]), "x".repeat(MAX_NAME - 1));
        let numbers: Vec<_> = (0..300).map(|index| names.number(&format!("n{index}"))).collect();
        assert_eq!((numbers[253], numbers[254], names.count()), (255, 0, 255));
    }
}
