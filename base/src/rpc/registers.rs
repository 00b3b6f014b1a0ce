//! Values as words that travel in registers.

use core::fmt;

use super::{FAST_WORDS, Never, Slot};

/// Up to [`FAST_WORDS`] words.
#[derive(Clone, Copy)]
pub struct Registers {
    /// At most `FAST_WORDS`.
    length: usize,
    /// Those beyond the length mean nothing.
    words: [u32; FAST_WORDS],
}

impl Registers {
    /// None.
    pub const EMPTY: Self = Self { length: 0, words: [0; FAST_WORDS] };

    /// The words of a value.
    #[inline(always)]
    pub fn of<T: Words>(value: T) -> Self {
        const { assert!(T::WORDS <= FAST_WORDS, "a value of more than four words does not travel in registers") }
        let mut registers = Self::EMPTY;
        value.put(&mut registers);
        registers
    }

    /// The first `length` of what arrived in registers; none if there would be more.
    #[inline(always)]
    pub const fn received(length: usize, words: [u32; FAST_WORDS]) -> Option<Self> {
        if length <= FAST_WORDS { Some(Self { length, words }) } else { None }
    }

    /// The same words; none if they are too many.
    pub fn from_slice(words: &[u32]) -> Option<Self> {
        let mut registers = Self { length: words.len(), ..Self::EMPTY };
        registers.words.get_mut(..words.len())?.copy_from_slice(words);
        Some(registers)
    }

    /// The value whose words these are, exactly; none if there are too few or too many, or if it has no such value.
    #[inline(always)]
    pub fn value<T: Words>(self) -> Option<T> {
        if self.length != T::WORDS {
            return None;
        }
        T::take(&mut Reader { registers: self, next: 0 })
    }

    /// How many there are.
    #[inline(always)]
    pub const fn length(&self) -> usize {
        self.length
    }

    /// The words that there are.
    #[inline(always)]
    pub fn words(&self) -> &[u32] {
        &self.words[..self.length.min(FAST_WORDS)]
    }

    /// All registers; those beyond the length mean nothing.
    #[inline(always)]
    pub const fn all(&self) -> [u32; FAST_WORDS] {
        self.words
    }

    /// One more word. One beyond the fourth is lost, which [`Registers::of`] has excluded.
    #[inline(always)]
    pub fn push(&mut self, word: u32) {
        if let Some(place) = self.words.get_mut(self.length) {
            *place = word;
            self.length += 1;
        }
    }
}

impl PartialEq for Registers {
    fn eq(&self, other: &Self) -> bool {
        self.words() == other.words()
    }
}

impl Eq for Registers {}

impl fmt::Debug for Registers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.words()).finish()
    }
}

/// Takes words one after the other.
#[derive(Debug)]
pub struct Reader {
    registers: Registers,
    next: usize,
}

impl Reader {
    /// The next word; none after the last.
    #[inline(always)]
    pub fn word(&mut self) -> Option<u32> {
        if self.next >= self.registers.length {
            return None;
        }
        let word = self.registers.words.get(self.next).copied();
        self.next += 1;
        word
    }
}

/// A value that is a fixed number of words.
///
/// Newtypes, small structs and enums without fields get it by [`#[derive(Words)]`](derive@crate::Words). There is one
/// way to write a value: words that no value gives are refused.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a fixed number of words",
    label = "does not travel in registers",
    note = "derive `base::Words` for it, or mark the operation `encoded`"
)]
pub trait Words: Sized {
    /// How many.
    const WORDS: usize;

    /// Puts exactly that many.
    fn put(self, to: &mut Registers);

    /// Takes exactly that many; none if there is no such value.
    fn take(from: &mut Reader) -> Option<Self>;
}

/// Integers of at most a word are a word.
macro_rules! one_word {
    ($($type:ty)*) => { $(
        impl Words for $type {
            const WORDS: usize = 1;

            #[inline(always)]
            fn put(self, to: &mut Registers) {
                // Sign-extended, so that a negative number has one form only.
                to.push(self as u32);
            }

            #[inline(always)]
            fn take(from: &mut Reader) -> Option<Self> {
                let word = from.word()?;
                let value = word as Self;
                (value as u32 == word).then_some(value)
            }
        }
    )* };
}

one_word! { u8 u16 u32 i8 i16 i32 }

/// Integers of two words, the lower one first.
macro_rules! two_words {
    ($($type:ty)*) => { $(
        impl Words for $type {
            const WORDS: usize = 2;

            #[inline(always)]
            fn put(self, to: &mut Registers) {
                to.push(self as u32);
                to.push((self >> 32) as u32);
            }

            #[inline(always)]
            fn take(from: &mut Reader) -> Option<Self> {
                let low = u64::from(from.word()?);
                Some((u64::from(from.word()?) << 32 | low) as Self)
            }
        }
    )* };
}

two_words! { u64 i64 }

/// 0 or 1.
impl Words for bool {
    const WORDS: usize = 1;

    #[inline(always)]
    fn put(self, to: &mut Registers) {
        to.push(self.into());
    }

    #[inline(always)]
    fn take(from: &mut Reader) -> Option<Self> {
        match from.word()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Words for Slot {
    const WORDS: usize = 1;

    #[inline(always)]
    fn put(self, to: &mut Registers) {
        to.push(self.0);
    }

    #[inline(always)]
    fn take(from: &mut Reader) -> Option<Self> {
        from.word().map(Self)
    }
}

/// 1 and the value, or 0 and as many zeros.
impl<T: Words> Words for Option<T> {
    const WORDS: usize = 1 + T::WORDS;

    #[inline(always)]
    fn put(self, to: &mut Registers) {
        to.push(self.is_some().into());
        match self {
            Some(value) => value.put(to),
            None => (0..T::WORDS).for_each(|_| to.push(0)),
        }
    }

    #[inline(always)]
    fn take(from: &mut Reader) -> Option<Self> {
        if bool::take(from)? {
            return T::take(from).map(Some);
        }
        for _ in 0..T::WORDS {
            if from.word()? != 0 {
                return None;
            }
        }
        Some(None)
    }
}

impl Words for Never {
    const WORDS: usize = 0;

    #[inline(always)]
    fn put(self, _: &mut Registers) {
        match self {}
    }

    #[inline(always)]
    fn take(_: &mut Reader) -> Option<Self> {
        None
    }
}

impl<const N: usize> Words for [u32; N] {
    const WORDS: usize = N;

    #[inline(always)]
    fn put(self, to: &mut Registers) {
        self.into_iter().for_each(|word| to.push(word));
    }

    #[inline(always)]
    fn take(from: &mut Reader) -> Option<Self> {
        let mut words = [0; N];
        for word in &mut words {
            *word = from.word()?;
        }
        Some(words)
    }
}

macro_rules! tuples {
    ($($($name:ident)*;)*) => { $(
        impl<$($name: Words),*> Words for ($($name,)*) {
            const WORDS: usize = 0 $(+ $name::WORDS)*;

            #[inline(always)]
            #[allow(non_snake_case, unused_variables)]
            fn put(self, to: &mut Registers) {
                let ($($name,)*) = self;
                $($name.put(to);)*
            }

            #[inline(always)]
            #[allow(unused_variables)]
            fn take(from: &mut Reader) -> Option<Self> {
                Some(($($name::take(from)?,)*))
            }
        }
    )* };
}

tuples! { ; A; A B; A B C; A B C D; }
