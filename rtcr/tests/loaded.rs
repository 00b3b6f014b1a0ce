//! Images that come from elsewhere, on their way to a component: each byte changed, with the checksums made right. What comes out
//! is refused, is not restored, or is the component that the image tells of; and in the end nothing is left.

mod support;

use base::session::cpu::Activity;
use rtcr::{
    checkpoint::Checkpoint,
    image::{Given, Identity, Image, Page, PageSink, Reader, Refused},
    information::{AccountInfo, Information},
    object::{Info, ObjectInfo, RamDataspaceInfo, SessionInfo},
    storage::{Pages, Pool, Storage},
};
use support::{
    image::{bytes::*, *},
    world::World,
    *,
};

/// The pages of a storage in the world.
struct Stored<'w> {
    world: &'w World,
    pages: Pages,
    page: Page,
    index: Option<u32>,
}

impl Stored<'_> {
    fn finish(&mut self) {
        let Some(index) = self.index.take() else { return };
        let mut state = self.world.state();
        let dataspace = state.dataspace_mut(self.pages.dataspace).unwrap();
        dataspace.pages[(self.pages.first + index) as usize][..].copy_from_slice(&self.page);
    }
}

impl PageSink for Stored<'_> {
    type Error = u32;

    fn room(&self) -> u32 {
        self.pages.count
    }

    fn page(&mut self, index: u32) -> Result<&mut Page, u32> {
        self.finish();
        self.index = Some(index);
        Ok(&mut self.page)
    }
}

fn given() -> Given<'static> {
    let Identity { fingerprint, .. } = identity();
    let settings = settings();
    let account = AccountInfo { ram: settings.ram, caps: settings.caps };
    let (slots, priority) = (settings.slots, settings.priority);
    Given { name: "child", module: "program", fingerprint, slots, account, priority }
}

/// What becomes of some bytes.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    NoImage,
    Refused,
    NotRestored,
    Restored,
}

/// What is known, but for the time, which passes, and what follows from
/// registers and sizes: where stacks end, what threads do, how many pages are there.
fn plain(checkpoint: &Checkpoint) -> Information {
    let mut information = Information { clock: 0, ..checkpoint.information().clone() };
    for ObjectInfo { info, .. } in &mut information.objects {
        match info {
            Info::RamDataspace(info) => {
                *info = RamDataspaceInfo { pages: 0, skipped: 0, stack: false, stored: 0, ..*info }
            }
            // What it does follows from its registers, once it was started.
            Info::Thread(info) if info.started => info.activity = Activity::Running,
            _ => {}
        }
    }
    information
}

/// Loads bytes as a parent does, and restores what they are.
fn load(world: &World, pool: &mut Pool<&World>, bytes: &[u8]) -> Outcome {
    let Ok(reader) = Reader::open(bytes) else { return Outcome::NoImage };
    if given().admits_beginning(&reader.identity(), &reader.need()).is_err() {
        return Outcome::Refused;
    }
    // Of that the parent has not enough; it is not asked for before.
    let Ok(mut place) = pool.reserve(&reader.need()) else { return Outcome::Refused };
    let mut pages = Stored { world, pages: place.pages, page: [0; 4096], index: None };
    if reader.read(&mut place.information, &mut pages).is_err() {
        pool.release(place);
        return Outcome::NoImage;
    }
    pages.finish();
    if given().admits(&place.information, |session| session.number < 100).is_err() {
        pool.release(place);
        return Outcome::Refused;
    }
    let saved = Checkpoint::of_image(place);
    let outcome = match restored(world, &saved) {
        Err(_) => Outcome::NotRestored,
        Ok((mut child, mut embedder)) => {
            let again = child.checkpoint(pool, &mut embedder);
            if let Ok(again) = again {
                let (one, two) = (plain(&again), plain(&saved));
                one.objects.iter().zip(&two.objects).for_each(|(one, two)| assert_eq!(one, two));
                assert_eq!(one, two);
                for ((one, pages), (two, others)) in contents(world, &again).iter().zip(&contents(world, &saved)) {
                    // Where as much is saved; a stack's pointer and sizes of pieces say how much.
                    if pages.len() == others.len() && pages != others {
                        let place = pages.iter().zip(others).position(|(one, other)| one != other);
                        panic!("page {place:?} of {} of {one}, {two}", pages.len());
                    }
                }
                pool.discard(again);
            }
            Outcome::Restored
        }
    };
    pool.discard(saved);
    outcome
}

fn made() -> Image {
    let world = world();
    let player = started(&world);
    furnish(&world, &player);
    image(&world, &player)
}

#[test]
fn each_byte_changed_makes_no_other_component() {
    let bytes = made().encode().unwrap();
    let world = world();
    let mut pool = pool(&world, 2);
    let before = holding(&world);
    assert_eq!(load(&world, &mut pool, &bytes), Outcome::Restored);
    assert_eq!(holding(&world), before);
    let contents = parts(&bytes).last().unwrap().1.start;
    let mut counts = [0; 4];
    for place in 0..contents {
        for change in [1, 4, 0x80, 0xff] {
            let mut bad = bytes.clone();
            bad[place] ^= change;
            mend(&mut bad);
            let outcome = load(&world, &mut pool, &bad);
            assert_eq!(holding(&world), before, "byte {place} changed by {change}: {outcome:?}");
            counts[outcome as usize] += 1;
        }
    }
    // There was something of everything, or this shows less than it says.
    assert!(counts.iter().all(|count| *count > 20), "{counts:?}");
}

/// What is told of an image that was changed.
fn refused(change: impl FnOnce(&mut Image)) -> Option<Refused> {
    let mut image = made();
    change(&mut image);
    let Image { identity, information, pages, .. } = image;
    let image = Image::new(identity, information, pages).unwrap();
    let bytes = image.encode().unwrap();
    let reader = Reader::open(&bytes[..]).unwrap();
    let beginning = given().admits_beginning(&reader.identity(), &reader.need());
    let known = ["known"];
    let may_have = |session: &SessionInfo| known.contains(&session.service.as_str());
    beginning.and_then(|()| given().admits(&image.information, may_have)).err()
}

#[test]
fn an_image_grants_nothing() {
    let session = |number, service: &str, seat| {
        let info = SessionInfo { service: service.try_into().unwrap(), argument: Default::default(), number: seat };
        ObjectInfo { number, info: Info::Session(info) }
    };
    let add = |image: &mut Image, object: ObjectInfo| {
        let objects = &mut image.information.objects;
        objects.retain(|other| !matches!(other.info, Info::Session(_) | Info::SharedDataspace(_)));
        let place = objects.partition_point(|other| other.number < object.number);
        objects.insert(place, object);
    };
    let free = |image: &Image| (40..).find(|number| image.information.object(*number).is_none()).unwrap();
    let Given { account, priority, .. } = given();
    let other: rtcr::object::ThreadName = "other".try_into().unwrap();
    assert_eq!(refused(|image| image.identity.name = other.clone()), Some(Refused::Component { saved: other.clone() }));
    let ram = account.ram + 4096;
    let expected = Some(Refused::Ram { saved: ram, given: account.ram });
    assert_eq!(refused(|image| image.information.account.ram = ram), expected);
    let expected = Some(Refused::Caps { saved: account.caps + 1, given: account.caps });
    assert_eq!(refused(|image| image.information.account.caps = account.caps + 1), expected);
    let is_too_high = |refused: Option<Refused>| matches!(refused, Some(Refused::Priority { saved, given, .. }) if saved == priority + 1 && given == priority);
    assert!(is_too_high(refused(|image| {
        let thread = |object: &mut ObjectInfo| {
            if let Info::Thread(thread) = &mut object.info {
                thread.priority = priority + 1;
            }
        };
        image.information.objects.iter_mut().for_each(thread);
    })));
    let mut at = 0;
    let unknown = refused(|image| {
        at = free(image);
        add(image, session(at, "unknown", 1));
    });
    assert_eq!(unknown, Some(Refused::Session { number: at }));
}
