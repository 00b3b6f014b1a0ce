//! Which number of the component is which functional object.
//!
//! Looking up and taking out cost the same however many objects there are. Numbers are used again, so references between
//! objects also hold a serial number: what was freed is found to be gone without anybody searching for references to it.

use alloc::{boxed::Box, vec::Vec};

use base::{
    env::slots,
    rpc::{Slot, Transport},
    session::{
        cpu, parent, pd,
        pd::{ANY, OWN},
        rm, rom, signal, timer,
    },
};

use crate::object::Object;

/// Numbers behind the component's own, for what belongs to it and has no number there: its program and first stack.
pub const PRIVATE: u32 = 32;

/// The objects of a component.
pub struct Table<T: Transport + Copy> {
    entries: Vec<Option<Box<Entry<T>>>>,
    /// Which of the component's numbers are in use, a bit each.
    used: Vec<u32>,
    /// No word before that one has a free number.
    lowest: usize,
    slots: u32,
    base: u32,
    last_serial: u64,
    count: usize,
}

struct Entry<T: Transport + Copy> {
    serial: u64,
    object: Object<T>,
}

/// A reference to an object that may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub number: u32,
    serial: u64,
}

impl Link {
    /// A reference to what is gone: serial numbers begin with 1.
    pub(crate) const NOTHING: Self = Self { number: 0, serial: 0 };
}

/// Why there is no object of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// There is nothing under this number.
    Nothing,
    /// There is something else under this number.
    Kind,
}

/// Why a number cannot be used for something new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The number is taken.
    Occupied,
    /// The number is beyond the component's space, or its space is full.
    Range,
}

macro_rules! missing {
    ($($error:ty)*) => { $(
        impl From<Missing> for $error {
            fn from(missing: Missing) -> Self {
                match missing {
                    Missing::Nothing => Self::Nothing,
                    Missing::Kind => Self::Kind,
                }
            }
        }
    )* };
}

macro_rules! taken {
    ($($error:ty)*) => { $(
        impl From<Taken> for $error {
            fn from(taken: Taken) -> Self {
                match taken {
                    Taken::Occupied => Self::Occupied,
                    Taken::Range => Self::Range,
                }
            }
        }
    )* };
}

missing! { pd::AllocateError pd::FreeError pd::LookupError pd::CopyError pd::InstallError rm::CreateError rm::AttachError
rm::DetachError cpu::CreateError cpu::ThreadError signal::CreateError signal::SignalError timer::TimeoutError
parent::SessionError }
taken! { pd::AllocateError rm::CreateError cpu::CreateError signal::CreateError rom::OpenError }

impl<T: Transport + Copy> Table<T> {
    /// An empty table for a component with so many numbers, of which number 0 would be the parent's number `base`.
    pub fn new(base: u32, slots: u32) -> Self {
        let mut entries = Vec::new();
        entries.resize_with((slots + PRIVATE) as usize, || None);
        let mut table = Self {
            entries,
            used: alloc::vec![0; slots.div_ceil(32) as usize],
            lowest: 0,
            slots,
            base,
            last_serial: 0,
            count: 0,
        };
        (0..slots::FIRST_FREE.0).for_each(|number| table.mark(number, true));
        table
    }

    fn mark(&mut self, number: u32, is_used: bool) {
        let index = (number / 32) as usize;
        // Private numbers are not marked.
        if let Some(word) = self.used.get_mut(index).filter(|_| number < self.slots) {
            let bit = 1 << (number % 32);
            if is_used {
                *word |= bit;
            } else {
                *word &= !bit;
                self.lowest = self.lowest.min(index);
            }
        }
    }

    /// The lowest number that is free. Words that are full are looked at once, until something in them is freed.
    fn lowest(&mut self) -> Option<u32> {
        while *self.used.get(self.lowest)? == u32::MAX {
            self.lowest += 1;
        }
        let number = self.lowest as u32 * 32 + self.used.get(self.lowest)?.trailing_ones();
        (number < self.slots).then_some(number)
    }

    /// How many numbers the component has.
    pub const fn slots(&self) -> u32 {
        self.slots
    }

    /// How many objects there are.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no object.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The parent's number for that one.
    #[inline]
    pub const fn outward(&self, number: u32) -> Slot {
        Slot(self.base + number)
    }

    /// The parent's number for the component's protection domain.
    #[inline]
    pub const fn pd(&self) -> Slot {
        self.outward(OWN.0)
    }

    /// The component's number for one of the parent's.
    pub const fn inward(&self, outside: Slot) -> Option<u32> {
        match outside.0.checked_sub(self.base) {
            Some(number) if number < self.slots + PRIVATE => Some(number),
            _ => None,
        }
    }

    /// The number for something new that the component wants at `at`.
    ///
    /// # Errors
    /// It is taken, or not the component's.
    pub fn place(&mut self, at: Slot) -> Result<u32, Taken> {
        match at {
            ANY => self.lowest().ok_or(Taken::Range),
            Slot(number) if number >= self.slots => Err(Taken::Range),
            Slot(number) if self.entries[number as usize].is_some() || number < slots::FIRST_FREE.0 => {
                Err(Taken::Occupied)
            }
            Slot(number) => Ok(number),
        }
    }

    /// A free number that the component does not have.
    pub fn place_private(&self) -> Option<u32> {
        (self.slots..self.slots + PRIVATE).find(|&number| self.entries[number as usize].is_none())
    }

    /// Something new, under a number that is free.
    pub fn insert(&mut self, number: u32, object: Object<T>) -> Link {
        self.last_serial += 1;
        if let Object::SignalContext(context) = &object
            && let Some(Object::Notification(bell)) = self.follow_mut(context.doorbell)
        {
            bell.contexts += 1;
        }
        let entry = Box::new(Entry { serial: self.last_serial, object });
        if let Some(place) = self.entries.get_mut(number as usize) {
            self.count += usize::from(place.replace(entry).is_none());
            self.mark(number, true);
        }
        Link { number, serial: self.last_serial }
    }

    /// Takes out what is under a number.
    pub fn take(&mut self, number: u32) -> Option<Object<T>> {
        let entry = self.entries.get_mut(number as usize)?.take()?;
        if number >= slots::FIRST_FREE.0 {
            self.mark(number, false);
        }
        self.count -= 1;
        match &entry.object {
            // Its regions go with it.
            Object::RegionMap(map) => {
                for region in map.regions.values() {
                    if let Some(Object::RamDataspace(dataspace)) = self.follow_mut(region.what) {
                        dataspace.attached -= 1;
                    }
                }
            }
            Object::SignalContext(context) => {
                if let Some(Object::Notification(bell)) = self.follow_mut(context.doorbell) {
                    bell.contexts -= 1;
                }
            }
            _ => {}
        }
        Some(entry.object)
    }

    /// What the component calls `number`.
    pub fn named(&self, Slot(number): Slot) -> Result<&Object<T>, Missing> {
        self.get(number).filter(|_| number < self.slots).ok_or(Missing::Nothing)
    }

    /// What the component calls `number`.
    pub fn named_mut(&mut self, Slot(number): Slot) -> Result<&mut Object<T>, Missing> {
        let visible = number < self.slots;
        self.get_mut(number).filter(|_| visible).ok_or(Missing::Nothing)
    }

    /// What is under a number, the component's or a private one.
    pub fn get(&self, number: u32) -> Option<&Object<T>> {
        self.entries.get(number as usize)?.as_ref().map(|entry| &entry.object)
    }

    /// What is under a number, the component's or a private one.
    pub fn get_mut(&mut self, number: u32) -> Option<&mut Object<T>> {
        self.entries.get_mut(number as usize)?.as_mut().map(|entry| &mut entry.object)
    }

    /// A reference to what is under a number.
    pub fn link(&self, number: u32) -> Option<Link> {
        let entry = self.entries.get(number as usize)?.as_ref()?;
        Some(Link { number, serial: entry.serial })
    }

    /// What a reference is to, unless it is gone.
    pub fn follow(&self, link: Link) -> Option<&Object<T>> {
        let entry = self.entries.get(link.number as usize)?.as_ref()?;
        (entry.serial == link.serial).then_some(&entry.object)
    }

    /// What a reference is to, unless it is gone.
    pub fn follow_mut(&mut self, link: Link) -> Option<&mut Object<T>> {
        let entry = self.entries.get_mut(link.number as usize)?.as_mut()?;
        (entry.serial == link.serial).then_some(&mut entry.object)
    }

    /// The number of what a reference is to, unless it is gone or going.
    pub fn number_of(&self, link: Link) -> Option<u32> {
        self.follow(link).filter(|object| !object.is_ending()).map(|_| link.number)
    }

    /// The first number from `number` on under which there is something. Thirty-two numbers under which nothing is are
    /// passed over at once.
    pub fn next(&self, mut number: u32) -> Option<u32> {
        while number < self.slots {
            let word = self.used.get((number / 32) as usize)? >> (number % 32);
            if word == 0 {
                // The private ones begin in the middle of a word.
                number = ((number | 31) + 1).min(self.slots);
                continue;
            }
            number += word.trailing_zeros();
            // The first numbers are marked, also where there is nothing.
            if self.get(number).is_some() {
                return Some(number);
            }
            number += 1;
        }
        (number.max(self.slots)..self.slots + PRIVATE).find(|&number| self.get(number).is_some())
    }

    /// All objects, by their numbers. Looks at all there is, so it is nothing for a single request.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Object<T>)> {
        let numbers = core::iter::successors(self.next(0), |&number| self.next(number + 1));
        numbers.filter_map(|number| Some((number, self.get(number)?)))
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use base::rpc::{Answer, Long, Registers, Selector};

    #[derive(Clone, Copy)]
    struct Nobody;

    impl Transport for Nobody {
        fn call(&self, _: Slot, _: Selector, _: Registers) -> Answer {
            unreachable!("nothing is asked")
        }

        fn call_long(&self, _: Slot, _: Selector, _: Long<'_>, _: &mut [u32]) -> Answer {
            unreachable!("nothing is asked")
        }
    }

    #[test]
    fn the_lowest_free_number_is_given_and_what_is_gone_is_not_found() {
        let mut table = Table::<Nobody>::new(1000, 70);
        for expected in 16..70 {
            assert_eq!(table.place(ANY), Ok(expected));
            table.insert(expected, Object::Remnant);
        }
        assert_eq!(table.place(ANY), Err(Taken::Range));
        table.insert(75, Object::Remnant);
        assert!(table.iter().map(|(number, _)| number).eq((16..70).chain([75])));
        drop(table.take(75));
        let mut sparse = Table::<Nobody>::new(1000, 70);
        for number in [3, 17, 70] {
            sparse.insert(number, Object::Remnant);
        }
        assert!(sparse.iter().map(|(number, _)| number).eq([3, 17, 70]));
        assert_eq!((table.place(Slot(20)), table.place(Slot(70))), (Err(Taken::Occupied), Err(Taken::Range)));
        assert_eq!(table.place_private(), Some(70));
        let link = table.link(40).unwrap();
        assert!(table.follow(link).is_some());
        assert!(table.take(60).is_some() && table.take(40).is_some() && table.take(40).is_none());
        assert_eq!((table.place(ANY), table.len()), (Ok(40), 52));
        assert_eq!((table.next(39), table.next(40), table.next(70)), (Some(39), Some(41), None));
        table.insert(40, Object::Remnant);
        assert!(table.follow(link).is_none(), "it is another object under the same number");
        assert_eq!(table.place(ANY), Ok(60));
        assert_eq!((table.outward(1), table.inward(Slot(1001)), table.inward(Slot(999))), (Slot(1001), Some(1), None));
    }
}
