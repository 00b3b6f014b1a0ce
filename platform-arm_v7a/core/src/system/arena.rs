//! Objects of one kind, found by identifiers that outlive them harmlessly.

use alloc::vec::Vec;
use core::{fmt, hash, marker::PhantomData};

/// Names an object of an [`Arena`]. After the object is gone it names nothing, also when its place is used again.
pub struct Id<T> {
    index: u32,
    generation: u32,
    kind: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// The first object that is ever put into an arena.
    pub const FIRST: Self = Self { index: 0, generation: 0, kind: PhantomData };

    /// Its place, which no other living object of the arena has.
    pub const fn index(self) -> u32 {
        self.index
    }
}

/// Objects of one kind. Everything costs the same, however many there are; memory grows in steps of the heap's own.
pub struct Arena<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
    most: u32,
    /// The place of the next object that goes is lost.
    #[cfg(feature = "losses")]
    loses: bool,
}

struct Place<T> {
    generation: u32,
    object: Option<T>,
}

impl<T> Arena<T> {
    /// Room for at most that many objects, taken at once, so that nothing is moved later.
    pub fn new(most: u32) -> Self {
        Self {
            places: Vec::with_capacity(most as usize),
            free: Vec::with_capacity(most as usize),
            most,
            #[cfg(feature = "losses")]
            loses: false,
        }
    }

    /// One more object; none if there is no place for it.
    pub fn insert(&mut self, object: T) -> Option<Id<T>> {
        let index = match self.free.pop() {
            Some(index) => index,
            None if self.places.len() < self.most as usize => {
                self.places.push(Place { generation: 0, object: None });
                self.places.len() as u32 - 1
            }
            None => return None,
        };
        let place = &mut self.places[index as usize];
        place.object = Some(object);
        Some(Id { index, generation: place.generation, kind: PhantomData })
    }

    /// Takes an object out.
    pub fn remove(&mut self, id: Id<T>) -> Option<T> {
        let place = self.places.get_mut(id.index as usize).filter(|place| place.generation == id.generation)?;
        let object = place.object.take()?;
        place.generation = place.generation.wrapping_add(1);
        #[cfg(feature = "losses")]
        if core::mem::take(&mut self.loses) {
            return Some(object);
        }
        self.free.push(id.index);
        Some(object)
    }

    /// The place of the next object that goes is lost, so that a census is seen to notice it.
    #[cfg(feature = "losses")]
    pub fn lose(&mut self) {
        self.loses = true;
    }

    /// An object.
    #[inline]
    pub fn get(&self, id: Id<T>) -> Option<&T> {
        let place = self.places.get(id.index as usize)?;
        if place.generation == id.generation { place.object.as_ref() } else { None }
    }

    /// An object, to be changed.
    #[inline]
    pub fn get_mut(&mut self, id: Id<T>) -> Option<&mut T> {
        let place = self.places.get_mut(id.index as usize)?;
        if place.generation == id.generation { place.object.as_mut() } else { None }
    }

    /// The object in a place, with its identifier.
    #[inline]
    pub fn at(&self, index: u32) -> Option<(Id<T>, &T)> {
        let place = self.places.get(index as usize)?;
        let id = Id { index, generation: place.generation, kind: PhantomData };
        place.object.as_ref().map(|object| (id, object))
    }

    /// All objects, in the order of their places.
    pub fn iter(&self) -> impl Iterator<Item = (Id<T>, &T)> {
        (0..self.places.len() as u32).filter_map(|index| self.at(index))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.index, self.generation) == (other.index, other.generation)
    }
}

impl<T> Eq for Id<T> {}

impl<T> hash::Hash for Id<T> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        (self.index, self.generation).hash(state);
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.index, self.generation)
    }
}
