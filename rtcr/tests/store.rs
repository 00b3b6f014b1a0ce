//! The store of images: the newest complete image wins after a cut at any moment, and old ones stay until then.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rtcr::{
    image::{Sink, Source},
    store::{Announced, Kept, MAX_IMAGES, Medium, MemoryMedium, OpenError, PutError, Store},
};

const PAGE: usize = 4096;
/// Superblock and records.
const HEAD: usize = 3 * PAGE;

fn medium(pages: usize) -> MemoryMedium {
    MemoryMedium { bytes: vec![0; HEAD + pages * PAGE] }
}

/// Bytes that tell whose they are.
fn content(seed: u32, length: usize) -> Vec<u8> {
    (0..length as u32).map(|at| (seed.wrapping_mul(2_654_435_761).wrapping_add(at * at) >> 7) as u8).collect()
}

fn put<M: Medium>(
    store: &mut Store<M>,
    name: &str,
    number: u32,
    bytes: &[u8],
    keep: usize,
) -> Result<Kept, PutError<M::Error>> {
    let announced = Announced { name, number, length: bytes.len() as u64, keep };
    store.put(announced, |sink| bytes.chunks(1000).try_for_each(|chunk| sink.write(chunk)))
}

fn get<M: Medium<Error: core::fmt::Debug>>(store: &mut Store<M>, image: &Kept) -> Vec<u8> {
    let (mut source, mut bytes, mut part) = (store.read(image), Vec::new(), [0; 700]);
    loop {
        match source.read(&mut part).unwrap() {
            0 => return bytes,
            count => bytes.extend_from_slice(&part[..count]),
        }
    }
}

/// What can go wrong with a medium at one of its operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    /// It is cut off: what was not flushed is there, or is not, or in part.
    Cut,
    /// It fails once, and part of what was to be written is there.
    Fails,
}

/// A medium that fails.
#[derive(Debug)]
struct Fragile {
    there: Vec<u8>,
    /// Written and not flushed.
    pending: Vec<(usize, Vec<u8>)>,
    /// Operations until it goes wrong.
    left: usize,
    /// It has gone wrong.
    over: bool,
    wrong: Wrong,
    /// What decides which part is there.
    luck: u64,
    done: usize,
}

impl Fragile {
    fn new(there: Vec<u8>, left: usize, wrong: Wrong, luck: u64) -> Self {
        Self { there, pending: Vec::new(), left, over: false, wrong, luck, done: 0 }
    }

    fn random(&mut self) -> usize {
        self.luck ^= self.luck << 13;
        self.luck ^= self.luck >> 7;
        self.luck ^= self.luck << 17;
        self.luck as usize
    }

    /// Counts an operation; tells whether it is the first that goes wrong, and whether it works.
    fn goes_wrong(&mut self) -> (bool, bool) {
        self.done += 1;
        self.left = self.left.saturating_sub(1);
        let now = self.left == 0 && !core::mem::replace(&mut self.over, self.left == 0);
        (now, now || self.over && self.wrong == Wrong::Cut)
    }

    /// Which part of so many bytes is there: from one place on, up to one, all or nothing.
    fn part(&mut self, length: usize) -> core::ops::Range<usize> {
        let (from, to) = (self.random() % (length + 1), self.random() % (length + 1));
        match self.random() % 4 {
            0 => 0..0,
            1 => 0..length,
            2 => 0..to,
            _ => from..length,
        }
    }

    /// What is there after a cut.
    fn after_cut(mut self) -> Vec<u8> {
        for (at, bytes) in core::mem::take(&mut self.pending) {
            let range = self.part(bytes.len());
            self.there[at + range.start..at + range.end].copy_from_slice(&bytes[range]);
        }
        self.there
    }
}

impl Medium for Fragile {
    type Error = Wrong;

    fn size(&self) -> u64 {
        self.there.len() as u64
    }

    fn read(&mut self, at: u64, to: &mut [u8]) -> Result<(), Wrong> {
        let mut all = self.there.clone();
        self.pending.iter().for_each(|(at, bytes)| all[*at..at + bytes.len()].copy_from_slice(bytes));
        to.copy_from_slice(&all[at as usize..at as usize + to.len()]);
        Ok(())
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> Result<(), Wrong> {
        match (self.goes_wrong(), self.wrong) {
            ((_, false), _) => self.pending.push((at as usize, bytes.to_vec())),
            // In the middle of it.
            ((true, _), Wrong::Cut) => {
                self.pending.push((at as usize, bytes.to_vec()));
                return Err(self.wrong);
            }
            ((true, _), Wrong::Fails) => {
                let range = self.part(bytes.len());
                self.pending.push((at as usize + range.start, bytes[range].to_vec()));
                return Err(self.wrong);
            }
            _ => return Err(self.wrong),
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Wrong> {
        if self.goes_wrong().1 {
            return Err(self.wrong);
        }
        for (at, bytes) in core::mem::take(&mut self.pending) {
            self.there[at..at + bytes.len()].copy_from_slice(&bytes);
        }
        Ok(())
    }
}

#[test]
fn what_was_put_is_there_in_the_next_run() {
    let mut store = Store::open_or_format(medium(16)).unwrap();
    let (one, two) = (content(1, 5000), content(2, 9000));
    put(&mut store, "one", 7, &one, 1).unwrap();
    put(&mut store, "two", 3, &two, 1).unwrap();
    let mut store = Store::open(store.into_medium()).unwrap();
    let (first, second) = (store.newest("one").unwrap(), store.newest("two").unwrap());
    assert_eq!((first.number, second.number, second.sequence), (7, 3, 2));
    assert_eq!((get(&mut store, &first), get(&mut store, &second)), (one, two));
    assert_eq!(store.newest("three"), None);
}

#[test]
fn so_many_are_kept_and_the_newest_comes_first() {
    let mut store = Store::format(medium(16)).unwrap();
    for number in 1..=5 {
        put(&mut store, "it", number, &content(number, 100), 3).unwrap();
    }
    put(&mut store, "other", 1, &content(9, 100), 1).unwrap();
    let numbers: Vec<_> = store.images().iter().map(|image| (image.name.to_string(), image.number)).collect();
    let expected = [("other", 1), ("it", 5), ("it", 4), ("it", 3)].map(|(name, number)| (name.to_string(), number));
    assert_eq!(numbers, expected);
}

#[test]
fn a_full_store_gives_up_what_is_superseded_and_nothing_else() {
    let mut store = Store::format(medium(6)).unwrap();
    put(&mut store, "a", 1, &content(1, 2 * PAGE), 2).unwrap();
    put(&mut store, "a", 2, &content(2, 2 * PAGE), 2).unwrap();
    put(&mut store, "b", 1, &content(3, 2 * PAGE), 2).unwrap();
    // The older image of a's goes.
    put(&mut store, "b", 2, &content(4, 2 * PAGE), 2).unwrap();
    assert_eq!(store.images().iter().map(|image| image.number).collect::<Vec<_>>(), [2, 1, 2]);
    let before = store.images();
    // Nothing goes in vain.
    let refused = put(&mut store, "c", 1, &content(5, 3 * PAGE), 1);
    assert_eq!(refused, Err(PutError::Full { needed: 3 * PAGE as u64, available: 2 * PAGE as u64 }));
    assert_eq!(store.images(), before);
    put(&mut store, "c", 1, &content(5, 2 * PAGE), 1).unwrap();
    let full = put(&mut store, "d", 1, &content(6, 1), 1);
    assert_eq!(full, Err(PutError::Full { needed: 1, available: 0 }));
    assert_eq!(store.images().len(), 3);
}

#[test]
fn places_end_as_room_does() {
    let mut store = Store::format(medium(100)).unwrap();
    for number in 0..MAX_IMAGES {
        put(&mut store, &format!("c{number}"), 1, &[1], 1).unwrap();
    }
    assert_eq!(put(&mut store, "more", 1, &[1], 1), Err(PutError::Places));
    assert_eq!(put(&mut store, "c0", 2, &[1], 1), Err(PutError::Places));
    assert_eq!(store.newest("c0").unwrap().number, 1);
    assert_eq!(put(&mut store, &"n".repeat(33), 1, &[1], 1), Err(PutError::Name));
}

#[test]
fn an_image_of_another_length_is_not_there() {
    let mut store = Store::format(medium(8)).unwrap();
    put(&mut store, "it", 1, &[1, 2, 3], 1).unwrap();
    for bytes in [&[1, 2][..], &[1, 2, 3, 4]] {
        let announced = Announced { name: "it", number: 2, length: 3, keep: 1 };
        let put = store.put(announced, |sink| sink.write(bytes));
        assert_eq!(put, Err(PutError::Length));
    }
    assert_eq!(store.images().len(), 1);
}

#[test]
fn a_store_that_is_not_known_or_damaged_is_left_as_it_is() {
    let mut store = Store::format(medium(8)).unwrap();
    put(&mut store, "it", 1, &[1, 2, 3], 1).unwrap();
    let whole = store.into_medium().bytes;
    for byte in 0..28 {
        let mut bytes = whole.clone();
        bytes[byte] ^= 1;
        let mut medium = MemoryMedium { bytes };
        let before = medium.clone();
        assert_eq!(Store::open_or_format(&mut medium).err(), Some(OpenError::Damaged), "byte {byte}");
        assert_eq!(medium, before);
    }
    let with = |at: usize, value: &[u8]| {
        let mut bytes = whole.clone();
        bytes[at..at + value.len()].copy_from_slice(value);
        let checksum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&bytes[..24]);
        bytes[24..28].copy_from_slice(&checksum.to_le_bytes());
        Store::open_or_format(MemoryMedium { bytes }).err()
    };
    assert_eq!(with(8, &[2]), Some(OpenError::Version { major: 2, minor: 0 }));
    assert_eq!(with(10, &[1]), Some(OpenError::Version { major: 1, minor: 1 }));
    assert_eq!(with(12, &[65]), Some(OpenError::Version { major: 1, minor: 0 }));
    let larger = whole.len() as u64 + 1;
    assert_eq!(with(16, &larger.to_le_bytes()), Some(OpenError::Size { told: larger, medium: larger - 1 }));
    assert_eq!(with(16, &0u64.to_le_bytes()), Some(OpenError::Size { told: 0, medium: larger - 1 }));
    assert_eq!(Store::open(MemoryMedium { bytes: vec![] }).err(), Some(OpenError::Absent));
    assert!(matches!(Store::format(MemoryMedium { bytes: vec![0; HEAD - 1] }), Err(OpenError::Size { .. })));
}

#[test]
fn a_record_with_any_byte_changed_is_none_or_one_within_the_store() {
    let mut store = Store::format(medium(8)).unwrap();
    put(&mut store, "it", 1, &content(1, 5000), 1).unwrap();
    let whole = store.into_medium().bytes;
    for byte in PAGE..PAGE + 128 {
        for fixed in [false, true] {
            for value in [whole[byte] ^ 1, whole[byte] ^ 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[byte] = value;
                if fixed {
                    let checksum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&bytes[PAGE + 4..PAGE + 128]);
                    bytes[PAGE..PAGE + 4].copy_from_slice(&checksum.to_le_bytes());
                }
                let size = bytes.len() as u64;
                let mut store = Store::open(MemoryMedium { bytes }).unwrap();
                for image in store.images() {
                    assert!(image.offset >= HEAD as u64 && image.offset + image.length <= size, "byte {byte}");
                    assert_eq!(get(&mut store, &image).len() as u64, image.length);
                }
                // Whatever that was, another image can be stored, unless the numbers have ended.
                match put(&mut store, "new", 1, &content(3, 100), 1) {
                    Ok(image) => assert_eq!(get(&mut store, &image), content(3, 100)),
                    Err(error) => assert!(matches!(error, PutError::Sequence | PutError::Full { .. }), "{error:?}"),
                }
            }
        }
    }
}

/// A step of somebody who uses a store.
#[derive(Clone, Debug)]
struct Step {
    name: u8,
    pages: usize,
    keep: usize,
}

fn step() -> impl Strategy<Value = Step> {
    (0u8..3, 0usize..4, 1usize..3).prop_map(|(name, pages, keep)| Step { name, pages, keep })
}

/// What must be there of a component: this image, or any of those that were begun after it.
type Expected = BTreeMap<String, (u32, Vec<u32>)>;

/// Does all steps until the medium does not work any more; returns what must be there.
fn drive(medium: &mut Fragile, steps: &[Step]) -> Expected {
    let mut expected = Expected::new();
    let Ok(mut store) = Store::open_or_format(medium) else { return expected };
    for (number, Step { name, pages, keep }) in (1..).zip(steps) {
        let name = format!("c{name}");
        match put(&mut store, &name, number, &content(number, pages * PAGE + 100), *keep) {
            Ok(_) => _ = expected.insert(name, (number, Vec::new())),
            // Nothing was written of it.
            Err(PutError::Full { .. } | PutError::Places) => {}
            Err(PutError::Medium(Wrong::Fails)) => {
                // It may be there all the same after a restart; here it is not.
                expected.entry(name.clone()).or_default().1.push(number);
                assert_ne!(store.newest(&name).map(|image| image.number), Some(number));
            }
            Err(PutError::Medium(Wrong::Cut)) => {
                expected.entry(name).or_default().1.push(number);
                return expected;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    // In this run too.
    for (name, (number, _)) in expected.iter().filter(|(_, (number, _))| *number > 0) {
        let image = store.newest(name).unwrap();
        assert_eq!(image.number, *number);
        check(&mut store, &image);
    }
    expected
}

fn check<M: Medium<Error: core::fmt::Debug>>(store: &mut Store<M>, image: &Kept) {
    assert_eq!(get(store, image), content(image.number, image.length as usize), "{image:?}");
}

fn what_must_be_there_is(there: Vec<u8>, expected: &Expected) {
    let mut store = Store::open_or_format(MemoryMedium { bytes: there }).unwrap();
    for image in store.images() {
        check(&mut store, &image);
    }
    for (name, (number, begun)) in expected {
        let found = store.newest(name).map_or(0, |image| image.number);
        assert!(found == *number || begun.contains(&found), "{name}: {found}, not {number} or {begun:?}");
    }
    // It can be gone on with.
    let before = store.images();
    match put(&mut store, "next", 99, &content(99, 10), 1) {
        Ok(image) => check(&mut store, &image),
        Err(error) => assert!(matches!(error, PutError::Full { .. }), "{error:?}"),
    }
    for (number, name) in before.iter().map(|image| (image.number, &image.name)) {
        let newest = before.iter().find(|image| image.name == *name).unwrap();
        assert!(newest.number != number || store.newest(name).as_ref() == Some(newest));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Cut at every single operation of a run, in the middle of what is written too.
    #[test]
    fn the_newest_complete_image_wins_after_a_cut_at_any_moment(
        steps in prop::collection::vec(step(), 1..8),
        pages in 4usize..12,
        luck in 1u64..,
        garbage in any::<bool>(),
    ) {
        let before = match garbage {
            true => content(77, HEAD + pages * PAGE),
            false => vec![0; HEAD + pages * PAGE],
        };
        let mut whole = Fragile::new(before.clone(), usize::MAX, Wrong::Cut, luck);
        drive(&mut whole, &steps);
        for left in 1..=whole.done {
            let mut medium = Fragile::new(before.clone(), left, Wrong::Cut, luck.wrapping_add(left as u64) | 1);
            let expected = drive(&mut medium, &steps);
            what_must_be_there_is(medium.after_cut(), &expected);
        }
    }

    /// One operation fails, at every single one, and the run goes on; then it is cut off.
    #[test]
    fn a_medium_that_fails_in_the_middle_loses_nothing(
        steps in prop::collection::vec(step(), 1..8),
        pages in 4usize..12,
        luck in 1u64..,
    ) {
        let before = Store::format(medium(pages)).unwrap().into_medium().bytes;
        let mut whole = Fragile::new(before.clone(), usize::MAX, Wrong::Cut, luck);
        drive(&mut whole, &steps);
        for left in 1..=whole.done {
            let mut medium = Fragile::new(before.clone(), left, Wrong::Fails, luck.wrapping_add(left as u64) | 1);
            let expected = drive(&mut medium, &steps);
            what_must_be_there_is(medium.after_cut(), &expected);
        }
    }
}
