//! Checkpoints as bytes and back; and bytes that are none.

mod support;

use base::{child::Known, env::slots, session::pd};
use proptest::prelude::*;
use rtcr::{
    image::{
        ARM, Fault, Image, ObjectFault, PageFault, ReadError, Reader, RegionFault, Section, Sink, Source, TABLE,
        VERSION, WriteError, write,
    },
    information::{Information, Need, Stage},
    object::{Info, SignalContextInfo, ThreadInfo, TimeoutInfo},
};
use support::{
    image::{bytes::*, *},
    random::{Act, act, perform},
    *,
};

/// `PROPTEST_CASES`, or so many.
fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}

fn config(usual: u32) -> ProptestConfig {
    ProptestConfig {
        cases: cases(usual),
        failure_persistence: None,
        max_shrink_iters: 500,
        ..ProptestConfig::default()
    }
}

/// A component with something of everything, and two pages that are not zero.
fn small() -> Image {
    let Image { identity, information, mut pages, header } = large();
    let saved = header.entry(Section::Contents).unwrap().length / 4096;
    let last = Reader::open(&large().encode().unwrap()[..]).unwrap().need().pages;
    let full: Vec<u32> = (0..last).filter(|&page| pages.get(page).iter().any(|&byte| byte != 0)).collect();
    assert_eq!(full.len() as u64, saved);
    full[2..].iter().for_each(|&page| pages.set(page, &[0; 4096]));
    Image::new(identity, information, pages).unwrap()
}

/// Everything, scribbled over.
fn large() -> Image {
    let world = world();
    let player = started(&world);
    furnish(&world, &player);
    image(&world, &player)
}

fn round_trip(acts: &[Act]) -> Result<(), TestCaseError> {
    let world = world();
    let player = started(&world);
    acts.iter().for_each(|act| perform(&world, &player, act));
    let made = image(&world, &player);
    let bytes = made.encode().map_err(|fault| TestCaseError::fail(format!("{fault}")))?;
    prop_assert_eq!(bytes.len() as u64, made.header.length);
    let read = Image::decode(&bytes, &ENOUGH).map_err(|fault| TestCaseError::fail(format!("{fault}")))?;
    prop_assert!(read == made, "what is read is what was written");
    prop_assert!(read.encode().unwrap() == bytes, "and is written the same again");
    Ok(())
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn any_component_comes_back_from_its_image(acts in prop::collection::vec(act(), 0..60)) {
        round_trip(&acts)?;
    }
}

proptest! {
    #![proptest_config(config(1000))]

    /// A few bytes of an image changed, inserted or removed, with the checksums made right.
    #[test]
    fn nothing_hostile_gets_through(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..8u8), 1..6),
        mended in any::<bool>(),
    ) {
        thread_local!(static BYTES: Vec<u8> = small().encode().unwrap());
        let mut bytes = BYTES.with(Clone::clone);
        // Mostly in front of the contents, where every byte means something.
        let head = parts(&bytes).last().unwrap().1.start;
        for (place, byte, how) in changes {
            let place = place.index(if how == 7 { bytes.len() } else { head.min(bytes.len()) });
            match how {
                0 => bytes.insert(place, byte),
                1 => _ = bytes.remove(place),
                2 => bytes[place] = bytes[place].wrapping_add(1),
                3 => bytes[place] ^= 0x80,
                4 => bytes[place] = 0xff,
                _ => bytes[place] = byte,
            }
        }
        _ = if mended { fuzz_behind_checksum(&bytes) } else { fuzz(&bytes) };
    }

    #[test]
    fn no_bytes_at_all_are_trusted(mut bytes in prop::collection::vec(any::<u8>(), 0..400), start in any::<bool>()) {
        if start && bytes.len() > 16 {
            bytes[..14].copy_from_slice(&small_header()[..14]);
            bytes[15] = 0;
        }
        prop_assert!(fuzz(&bytes).is_err() && fuzz_behind_checksum(&bytes).is_err());
    }
}

fn small_header() -> [u8; 16] {
    thread_local!(static HEADER: [u8; 16] = small().encode().unwrap()[..16].try_into().unwrap());
    HEADER.with(|header| *header)
}

#[test]
fn a_component_before_its_barrier() {
    let world = world();
    let player = Player::live(start(&world));
    let _ = player.log().write(b"half way");
    let made = image(&world, &player);
    assert_eq!((made.information.stage, made.information.journal.len()), (Stage::Booting, 1));
    assert_eq!(kept("booting-1.0.rtcr", &made), made);
}

#[test]
fn each_byte_changed() {
    let made = small();
    let bytes = made.encode().unwrap();
    let contents = parts(&bytes).last().unwrap().1.start;
    let mut taken = 0;
    // Content of pages means nothing to the format: there, one change of some bytes is enough; all, if there is time.
    let step = if std::env::var_os("PROPTEST_CASES").is_some() { 1 } else { 61 };
    for place in (0..contents).chain((contents..bytes.len()).step_by(step)) {
        let changes: &[u8] = if place < contents { &[1, 2, 4, 8, 16, 32, 64, 128, 0xff] } else { &[0x41] };
        for change in changes {
            let mut bad = bytes.clone();
            bad[place] ^= *change;
            let fault = Image::decode(&bad, &ENOUGH).expect_err("it is damaged");
            assert!(!fault.to_string().is_empty());
            let Ok(image) = fuzz_behind_checksum(&bad) else { continue };
            taken += 1;
            // What is read then is what is written there, or all that is not known here is left out.
            if image.header.version > VERSION {
                assert_eq!((&image.information, &image.pages), (&made.information, &made.pages));
            } else if image == made {
                assert!(
                    (20..24).contains(&place)
                        || parts(&bytes).iter().any(|(entry, _)| (entry + 4..entry + 8).contains(&place))
                );
            }
        }
    }
    assert!(taken > 0, "checksums were made right");
}

#[test]
fn too_short_and_too_long() {
    let mut bytes = small().encode().unwrap();
    let contents = parts(&bytes).last().unwrap().1.start;
    for length in (0..=contents).chain((contents..bytes.len()).step_by(19)) {
        assert_eq!(Image::decode(&bytes[..length], &ENOUGH), Err(Fault::Truncated), "{length}");
    }
    bytes.push(0);
    assert_eq!(Image::decode(&bytes, &ENOUGH), Err(Fault::Surplus));
}

#[test]
fn other_versions_and_architectures() {
    let bytes = small().encode().unwrap();
    let changed = |place: usize, to: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[place..place + to.len()].copy_from_slice(to);
        mend(&mut bytes);
        Image::decode(&bytes, &ENOUGH).map(|_| ())
    };
    assert_eq!(changed(8, &[2, 0, 3, 0]), Err(Fault::Version { major: 2, minor: 3 }));
    assert_eq!(changed(8, &[0, 0]), Err(Fault::Version { major: 0, minor: VERSION.minor }));
    assert_eq!(changed(10, &[9, 0]), Ok(()), "what is only newer may have nothing new");
    assert_eq!(changed(12, &[183, 0]), Err(Fault::Architecture(183)));
    assert_eq!(changed(16, &[0, 0x40]), Err(Fault::PageSize(0x4000)));
    assert_eq!(changed(14, &[0, 0]), Err(Fault::Sections(0)));
    assert_eq!(changed(14, &[33, 0]), Err(Fault::Sections(33)));
    assert_eq!(changed(0, b"RTCR"), Err(Fault::Magic));
    let length = bytes.len() as u64;
    let told = Fault::Length { told: length + 1, made: Some(length) };
    assert_eq!(changed(24, &(length + 1).to_le_bytes()), Err(told));
    let sum = changed(32 + 8, &u64::MAX.to_le_bytes());
    assert_eq!(sum, Err(Fault::Length { told: length, made: None }));
    assert_eq!(changed(32, &[2, 0]), Err(Fault::SectionOrder(2)));
    assert_eq!(changed(34, &[0, 0]), Err(Fault::SectionFlags(1)));
    assert_eq!(changed(34, &[3, 0]), Err(Fault::SectionFlags(1)));
}

/// With a section more.
fn with_section(bytes: &[u8], minor: u8, kind: u16, required: bool, body: &[u8]) -> Vec<u8> {
    let parts = parts(bytes);
    let place =
        parts.iter().take_while(|(entry, _)| bytes[*entry] as u16 | (bytes[entry + 1] as u16) << 8 < kind).count();
    let (entry, at) = (32 + 16 * place, parts.get(place).map_or(bytes.len(), |(_, body)| body.start));
    let directory = [&kind.to_le_bytes()[..], &[required.into(), 0, 0, 0, 0, 0], &(body.len() as u64).to_le_bytes()];
    let mut made = [&bytes[..entry], &directory.concat(), &bytes[entry..at], body, &bytes[at..]].concat();
    (made[10], made[14]) = (minor, made[14] + 1);
    let length = made.len() as u64;
    made[24..32].copy_from_slice(&length.to_le_bytes());
    mend(&mut made);
    made
}

#[test]
fn sections_that_are_not_known() {
    let made = small();
    let bytes = made.encode().unwrap();
    for kind in [0, 8, 0x60, 0x101] {
        let body = vec![kind as u8; 10_000];
        let newer = Image::decode(&with_section(&bytes, 1, kind, false, &body), &ENOUGH).unwrap();
        assert_eq!((newer.information, newer.pages), (made.information.clone(), made.pages.clone()));
        let needed = with_section(&bytes, 1, kind, true, &body);
        assert_eq!(Image::decode(&needed, &ENOUGH), Err(Fault::Unknown(kind)));
        let not_newer = with_section(&bytes, 0, kind, false, &body);
        assert_eq!(Image::decode(&not_newer, &ENOUGH), Err(Fault::Unknown(kind)));
        let mut damaged = with_section(&bytes, 1, kind, false, &body);
        let at = parts(&damaged).iter().find(|(_, part)| part.len() == body.len()).unwrap().1.start;
        damaged[at + 5000] ^= 1;
        assert_eq!(Image::decode(&damaged, &ENOUGH), Err(Fault::UnknownChecksum(kind)));
    }
}

#[test]
fn what_is_damaged_is_named() {
    let bytes = large().encode().unwrap();
    for ((_, body), known) in parts(&bytes).into_iter().zip(TABLE) {
        for place in [body.start, body.start + body.len() / 2, body.end - 1] {
            let mut bad = bytes.clone();
            bad[place] ^= 0x55;
            assert_eq!(Image::decode(&bad, &ENOUGH), Err(Fault::Checksum(known.section)), "{}", known.name);
        }
    }
}

#[test]
fn more_than_there_is_room_for() {
    let made = small();
    let bytes = made.encode().unwrap();
    let needed = Reader::open(&bytes[..]).unwrap().need();
    assert!(Image::decode(&bytes, &needed).is_ok());
    let less = [
        Need { objects: needed.objects - 1, ..needed },
        Need { regions: needed.regions - 1, ..needed },
        Need { words: needed.words - 1, ..needed },
        Need { served: needed.served - 1, ..needed },
        Need { pages: needed.pages - 1, ..needed },
    ];
    for available in less {
        assert_eq!(Image::decode(&bytes, &available), Err(Fault::Room { needed, available }));
    }
    // The reader looks at what it is given itself.
    let mut information = Information::with_room(&Need { regions: 1, ..needed });
    let available = Need { pages: 7, ..information.room() };
    let mut pages = rtcr::image::MemoryPages::new(7);
    let read = Reader::open(&bytes[..]).unwrap().read(&mut information, &mut pages);
    assert_eq!(read, Err(ReadError::Fault(Fault::Room { needed, available })));
}

/// A source that gives little at a time, and fails in the end.
struct Trickle<'a> {
    bytes: &'a [u8],
    fails: bool,
}

impl Source for Trickle<'_> {
    type Error = &'static str;

    fn read(&mut self, to: &mut [u8]) -> Result<usize, &'static str> {
        if self.fails && self.bytes.is_empty() {
            return Err("cut");
        }
        let count = to.len().min(3);
        self.bytes.read(&mut to[..count]).map_err(|never| match never {})
    }
}

#[test]
fn sources_that_are_slow_or_fail() {
    let made = small();
    let bytes = made.encode().unwrap();
    let read = |bytes, fails| -> Result<_, ReadError<&'static str>> {
        let reader = Reader::open(Trickle { bytes, fails })?;
        let mut information = Information::with_room(&reader.need());
        let mut pages = rtcr::image::MemoryPages::new(reader.need().pages);
        let read = reader.read(&mut information, &mut pages);
        if read.is_err() {
            assert_eq!(information, Information::default(), "nothing is left of what failed");
        }
        read.map(|_| (information, pages))
    };
    assert_eq!(read(&bytes, true), Ok((made.information, made.pages)));
    for length in (0..bytes.len()).step_by(37) {
        assert_eq!(read(&bytes[..length], true), Err(ReadError::Source("cut")));
        assert_eq!(read(&bytes[..length], false), Err(ReadError::Fault(Fault::Truncated)));
    }
}

/// A sink that takes so many bytes.
struct Small {
    room: usize,
    longest: usize,
}

impl Sink for Small {
    type Error = usize;

    fn write(&mut self, bytes: &[u8]) -> Result<(), usize> {
        self.longest = self.longest.max(bytes.len());
        self.room = self.room.checked_sub(bytes.len()).ok_or(bytes.len())?;
        Ok(())
    }
}

/// Pages that cannot be seen, or change.
struct Pages<'a> {
    image: &'a Image,
    left: u32,
    then: Then,
    page: rtcr::image::Page,
}

#[derive(Clone, Copy)]
enum Then {
    Fail,
    Zero,
    Other,
}

impl rtcr::image::PageSource for Pages<'_> {
    type Error = u32;

    fn page(&mut self, index: u32) -> Result<&rtcr::image::Page, u32> {
        self.page = *self.image.pages.get(index);
        if self.left == 0 {
            match self.then {
                Then::Fail => return Err(index),
                Then::Zero => self.page.fill(0),
                Then::Other => self.page[17] ^= 1,
            }
        }
        self.left = self.left.saturating_sub(1);
        Ok(&self.page)
    }
}

#[test]
fn sinks_and_pages_that_fail() {
    let made = large();
    let length = made.header.length as usize;
    let pages = |left, then| Pages { image: &made, left, then, page: [0; 4096] };
    let write = |room, mut pages: Pages<'_>| {
        let mut sink = Small { room, longest: 0 };
        let written = write(&made.information, &made.identity, &mut pages, &mut sink);
        (written, sink.longest, u32::MAX - pages.left)
    };
    let (written, longest, asked) = write(length, pages(u32::MAX, Then::Fail));
    assert_eq!(written.as_ref(), Ok(&made.header));
    assert!(longest <= 4096, "never more than a page");
    for room in (0..length).step_by(997) {
        assert!(matches!(write(room, pages(u32::MAX, Then::Fail)).0, Err(WriteError::Sink(_))));
    }
    for left in 0..asked {
        assert!(matches!(write(length, pages(left, Then::Fail)).0, Err(WriteError::Pages(_))));
    }
    // Between the two looks.
    let changed = write(length, pages(asked / 2, Then::Zero)).0.unwrap_err();
    assert!(matches!(changed, WriteError::Fault(Fault::Page { fault: PageFault::Changed, .. })), "{changed}");
    assert!(matches!(write(length, pages(asked / 2, Then::Other)).0, Err(WriteError::Fault(_))));
}

/// What the first object of a kind is, to be changed.
macro_rules! first {
    ($information:expr, $kind:ident, $number:expr) => {
        $information
            .objects
            .iter_mut()
            .filter(|o| matches!(o.info, Info::$kind(_)))
            .nth($number)
            .and_then(|object| match &mut object.info {
                Info::$kind(info) => Some((object.number, info)),
                _ => None,
            })
            .unwrap()
    };
}

fn thread(information: &mut Information, which: usize) -> (u32, &mut ThreadInfo) {
    first!(information, Thread, which)
}

fn context(information: &mut Information) -> (u32, &mut SignalContextInfo) {
    first!(information, SignalContext, 1)
}

/// Whether information that was changed is refused, by whoever writes and by whoever reads.
fn refused(change: impl FnOnce(&mut Information) -> Fault) {
    let Image { identity, mut information, pages, .. } = large();
    let fault = change(&mut information);
    assert_eq!(Image::new(identity, information, pages).map(|image| image.header), Err(fault));
}

#[test]
fn no_component_is_like_that() {
    use Fault::Object;
    let thread_fault = |which, fault, change: fn(&mut ThreadInfo)| {
        refused(|information| {
            let (number, thread) = thread(information, which);
            change(thread);
            Object(number, fault)
        });
    };
    thread_fault(1, ObjectFault::Priority, |thread| thread.priority = 0);
    thread_fault(1, ObjectFault::Priority, |thread| thread.priority = 251);
    thread_fault(1, ObjectFault::Name, |thread| thread.name.clear());
    thread_fault(1, ObjectFault::Name, |thread| thread.name.push('\n').unwrap());
    thread_fault(1, ObjectFault::Address, |thread| thread.buffer += 4);
    thread_fault(1, ObjectFault::Reference(63), |thread| thread.bound = Some(63));
    thread_fault(1, ObjectFault::Reference(4), |thread| thread.map = Some(4));
    thread_fault(0, ObjectFault::Reference(12), |thread| thread.owes = Some(12));
    thread_fault(0, ObjectFault::Circle, |thread| thread.owes = Some(slots::THREAD.0));
    refused(|information| {
        let (one, other) = (thread(information, 0).0, thread(information, 1).0);
        thread(information, 0).1.owes = Some(other);
        thread(information, 1).1.owes = Some(one);
        Object(one, ObjectFault::Circle)
    });
    let timeout_fault = |remaining, period| {
        refused(|information| {
            let (number, context) = context(information);
            context.timeout = Some(TimeoutInfo { remaining, period });
            Object(number, ObjectFault::Timeout)
        });
    };
    timeout_fault(5, Some(0));
    timeout_fault(5, Some(u64::MAX));
    timeout_fault(u64::MAX, None);
    refused(|information| {
        let (number, context) = context(information);
        context.doorbell = Some(12);
        Object(number, ObjectFault::Reference(12))
    });

    refused(|information| {
        information.objects.swap(2, 3);
        Object(information.objects[3].number, ObjectFault::Order)
    });
    refused(|information| {
        information.objects[1].number = information.objects[0].number;
        Object(information.objects[0].number, ObjectFault::Order)
    });
    for number in [0, slots::PD.0, slots::ENDPOINT.0, slots::FAULT.0] {
        refused(|information| {
            information.objects[0].number = number;
            Object(number, ObjectFault::Number)
        });
    }
    refused(|information| {
        let end = information.slots + 32;
        information.objects.last_mut().unwrap().number = end;
        Object(end, ObjectFault::Number)
    });
    refused(|information| {
        information.slots = u32::MAX;
        Fault::Slots(u32::MAX)
    });
    refused(|information| {
        information.stage = Stage::Booting;
        Fault::Booting
    });
    for change in [
        |served: &mut Known| served.services.push(served.services[0].clone()),
        |served: &mut Known| served.services[1].clear(),
        |served: &mut Known| served.sessions.push(900),
        |served: &mut Known| served.sessions[0] = 0,
    ] {
        refused(|information| {
            change(&mut information.served);
            Fault::Served
        });
    }
    refused(|information| {
        information.account.ram = 4096;
        Fault::Quota
    });
    refused(|information| {
        let (_, module) = first!(information, RomDataspace, 1);
        module.fingerprint += 1;
        Fault::Program
    });

    let size_fault = |change: fn(&mut rtcr::object::RamDataspaceInfo)| {
        refused(|information| {
            let (number, memory) = first!(information, RamDataspace, 0);
            change(memory);
            Object(number, ObjectFault::Size)
        });
    };
    size_fault(|memory| memory.size += 1);
    size_fault(|memory| memory.size = 0);
    size_fault(|memory| memory.size = (pd::MAX_PAGES + 1).wrapping_mul(4096));
    size_fault(|memory| memory.size = 4096);
    size_fault(|memory| memory.skipped = 1);
    refused(|information| {
        let (number, memory) = first!(information, RamDataspace, 1);
        memory.stored += 1;
        Object(number, ObjectFault::Place)
    });
    refused(|information| {
        let (number, map) = first!(information, RegionMap, 1);
        map.first -= 1;
        Object(number, ObjectFault::Place)
    });
}

#[test]
fn no_regions_are_like_that() {
    let fault = |fault, change: fn(&mut [rtcr::object::RegionInfo])| {
        refused(|information| {
            let (map, info) = first!(information, RegionMap, 0);
            let (first, count) = (info.first as usize, info.count as usize);
            let regions = &mut information.regions[first..first + count];
            change(regions);
            Fault::Region { map, address: regions[1].address, fault }
        });
    };
    fault(RegionFault::Alignment, |regions| regions[1].address += 1);
    fault(RegionFault::Alignment, |regions| regions[1].size = 0);
    fault(RegionFault::Alignment, |regions| regions[1].offset = 5);
    fault(RegionFault::Overlap, |regions| regions[1].address = regions[0].address);
    fault(RegionFault::Range, |regions| regions[1].address = 0xffff_f000);
    fault(RegionFault::Range, |regions| regions[1].size = 0xffff_f000);
    fault(RegionFault::Size, |regions| regions[1].offset = 0x10_0000);
    fault(RegionFault::Size, |regions| regions[1].offset = 0xffff_f000);
    fault(RegionFault::Reference, |regions| regions[1].what = Some(4));
    fault(RegionFault::WritableCode, |regions| (regions[1].writable, regions[1].executable) = (true, true));
    refused(|information| {
        let (managed, info) = first!(information, RegionMap, 1);
        let first = info.first as usize;
        information.regions[first].what = Some(managed);
        information.regions[first].offset = 0;
        Fault::Object(managed, ObjectFault::Circle)
    });
}

/// What is kept in the tree of an image, which comes out the same.
fn kept(name: &str, made: &Image) -> Image {
    let path = format!("{}/tests/images/{name}", env!("CARGO_MANIFEST_DIR"));
    let bytes = made.encode().unwrap();
    if std::env::var_os("RTCR_BLESS").is_some() {
        std::fs::write(&path, &bytes).unwrap();
    }
    let kept = std::fs::read(path).unwrap();
    assert!(kept == bytes, "images of the same component are other ones than they were: that is a new version");
    fuzz(&kept).unwrap()
}

#[test]
fn the_format_stays() {
    assert_eq!(kept("version-1.0.rtcr", &small()).header.machine, ARM);
}

/// What is kept for the fuzzer to begin with, and what it has found.
#[test]
fn what_is_kept_does_no_harm() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/images");
    for file in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        _ = (fuzz(&bytes), fuzz_behind_checksum(&bytes));
    }
}

/// Images in which one thing is wrong each: where a fuzzer begins.
#[test]
fn a_page_of_zeros_and_a_run_cut_in_two() {
    let made = small();
    let bytes = made.encode().unwrap();
    let body = |section| {
        let place = TABLE.iter().position(|known| known.section == section).unwrap();
        parts(&bytes)[place].1.clone()
    };
    let contents = body(Section::Contents);
    let mut zero = bytes.clone();
    zero[contents.start..contents.start + 4096].fill(0);
    let fault = fuzz_behind_checksum(&zero).unwrap_err();
    assert!(matches!(fault, Fault::Page { fault: PageFault::Zero, .. }), "{fault}");
    let inventory = body(Section::Inventory);
    let mut cut = bytes.clone();
    // Number, kind and count of the first run, a byte each.
    cut[inventory.start + 2] -= 1;
    let fault = fuzz_behind_checksum(&cut).unwrap_err();
    assert!(matches!(fault, Fault::Page { fault: PageFault::Run, .. }), "{fault}");
}
