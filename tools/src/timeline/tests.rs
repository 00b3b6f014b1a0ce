//! A small run, told as core tells it, as text and as a picture.
//!
//! The golden files are written anew with `GOLDEN=write`; look at what has changed.

use std::{env, fs, path::Path};

use base::{
    rpc::ThreadNumber,
    session::pd::{Note, Shape, Unit},
};
use wire::{
    record::{Access, Cause},
    trace::{Event, FaultEnd, Moment, Names, Piece, Ring},
};

use super::{Recorded, Timeline, What, Window, picture};

const DONE: u32 = 0x8000;
/// Kinds of notes.
const KINDS: [&str; 4] = ["checkpoint", "freeze", "pages", "memory saved"];

/// Records as core does, and tells it.
fn told(overwritten: u64, events: &[(u64, u16, Event)]) -> Recorded {
    let (ring, names) = (Ring::<64>::new(), Names::<8>::new());
    let name_of = [0, 1, 2, 1].map(|number| if number == 0 { 0 } else { names.number(["worker", "init"][number - 1]) });
    names.number("sleeper");
    for &(time, domain, event) in events {
        ring.push(Moment { time, domain, name: name_of[usize::from(domain)], event }.words());
    }
    let mut recorded = Recorded::default();
    let kinds = Names::<8>::new();
    KINDS.iter().for_each(|kind| _ = kinds.number(kind));
    wire::trace::tell(&ring, &names, &kinds, |piece| {
        let piece = match piece {
            Piece::Begin { recorded, kept } => Piece::Begin { recorded: recorded + overwritten, kept },
            piece => piece,
        };
        recorded.take(piece).unwrap();
    });
    recorded
}

fn request(interface: u8, operation: u8) -> Event {
    Event::Request { thread: 0, interface, operation, session: 1 }
}

fn answer(interface: u8, operation: u8, status: u32) -> Event {
    Event::Answer { thread: 0, interface, operation, status: Some(status) }
}

fn note(kind: u8, shape: Shape, unit: Unit, value: u32) -> Event {
    Event::Note(Note { kind, thread: ThreadNumber::new(1).unwrap(), shape, unit, value })
}

/// Core makes `init` (2), which makes `worker` (1); another `worker` (3) comes later.
fn example() -> Recorded {
    let made = |thread| Event::ThreadMade { thread, name: 3, priority: 100 };
    told(
        5,
        &[
            (1_000_000, 1, answer(2, 1, DONE)),
            (1_001_000, 2, request(1, 9)),
            (1_001_400, 1, Event::DomainMade { parent: 2 }),
            (1_003_000, 2, answer(1, 9, DONE)),
            (1_004_000, 2, request(3, 3)),
            (1_004_800, 1, Event::Mapped { page: 0x1000, pages: 32, managed: false }),
            (1_009_000, 2, answer(3, 3, 0x8101)),
            (1_010_000, 2, request(4, 1)),
            (1_010_500, 1, made(1)),
            (1_011_000, 2, answer(4, 1, DONE)),
            (1_011_500, 1, Event::ThreadStarted { thread: 1 }),
            (1_012_000, 1, Event::Request { thread: 1, interface: 6, operation: 1, session: 6 }),
            (1_012_400, 1, Event::Answer { thread: 1, interface: 6, operation: 1, status: Some(DONE) }),
            (51_012_400, 0, Event::Interrupt { lines: 1 }),
            (51_012_900, 1, Event::Signal { cookie: 7, rings: true }),
            (
                51_014_000,
                1,
                Event::Fault { thread: 1, access: Access::Write, end: FaultEnd::Waits, address: 0x1000_0010 },
            ),
            (51_016_000, 1, Event::Continued { thread: 1 }),
            (51_020_000, 1, Event::Frozen { threads: 2, depth: 1 }),
            (51_024_000, 1, Event::Thawed { threads: 2, depth: 0 }),
            (51_024_100, 2, note(1, Shape::Begin, Unit::Nothing, 0)),
            (51_024_200, 2, note(2, Shape::Step, Unit::Nothing, 0)),
            (51_024_700, 2, note(3, Shape::Step, Unit::Nothing, 0)),
            (51_025_300, 2, note(4, Shape::Instant, Unit::Bytes, 8192)),
            (51_025_600, 2, note(1, Shape::End, Unit::Nothing, 0)),
            (51_025_800, 2, note(9, Shape::Instant, Unit::Operation, 0x3_0102)),
            (51_026_000, 3, Event::DomainMade { parent: 2 }),
            (51_027_000, 3, Event::exception(0, Cause::SystemCall { number: 77 })),
            (51_029_000, 3, Event::DomainFreed),
            (51_030_000, 2, request(11, 1)),
        ],
    )
}

fn golden(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/timeline/golden").join(name);
    if env::var_os("GOLDEN").is_some_and(|value| value == "write") {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap();
    assert!(text == expected, "{name} has changed:\n{text}");
}

#[test]
fn the_example_as_text() {
    golden("example.txt", &Timeline::new(&example(), Window::ALL).to_string());
}

#[test]
fn the_example_as_a_picture() {
    golden("example.svg", &picture::svg(&Timeline::new(&example(), Window::ALL), "example"));
}

#[test]
fn answers_belong_to_the_request_before_them() {
    let timeline = Timeline::new(&example(), Window::ALL);
    let asked = |entry: &super::Entry| match entry.what {
        What::Request { interface, operation, end, .. } => Some((interface, operation, end.map(|end| end.time))),
        _ => None,
    };
    let requests: Vec<_> = timeline.entries.iter().filter_map(asked).collect();
    let ended = [(1, 9, 1_003_000), (3, 3, 1_009_000), (4, 1, 1_011_000), (6, 1, 1_012_400)];
    assert_eq!(requests[..4], ended.map(|(interface, operation, end)| (interface, operation, Some(end))));
    assert_eq!(requests[4..], [(11, 1, None)]);
    let names: Vec<_> = timeline.lanes.iter().map(|lane| lane.name.as_str()).collect();
    assert_eq!(names, ["core", "worker", "init", "init/1", "worker (2)"]);
    assert_eq!(timeline.overwritten, 5);
}

#[test]
fn what_is_noted_lasts_until_it_ends() {
    let timeline = Timeline::new(&example(), Window::ALL);
    let span = |entry: &super::Entry| match entry.what {
        What::Span { note, end } => Some((note.kind, entry.time, end)),
        _ => None,
    };
    let spans: Vec<_> = timeline.entries.iter().filter_map(span).collect();
    let (begin, end) = (51_024_100, Some(51_025_600));
    assert_eq!(spans, [(1, begin, end), (2, begin + 100, Some(begin + 600)), (3, begin + 600, end)]);
    // An end without a beginning, a step of nothing, and a beginning without an end.
    let odd = [note(1, Shape::End, Unit::Nothing, 0), note(2, Shape::Step, Unit::Nothing, 0)];
    let odd = [(1, 2, odd[0]), (2, 2, odd[1]), (3, 2, note(1, Shape::Begin, Unit::Nothing, 0))];
    let spans: Vec<_> = Timeline::new(&told(0, &odd), Window::ALL).entries.iter().filter_map(span).collect();
    assert_eq!(spans, [(2, 2, None), (1, 3, None)]);
}

#[test]
fn a_window_shows_what_reaches_into_it() {
    let window = "0.001005..0.0010105".parse().unwrap();
    let timeline = Timeline::new(&example(), window);
    let times: Vec<_> = timeline.entries.iter().map(|entry| entry.time).collect();
    assert_eq!(times, [1_004_000, 1_010_000, 1_010_500]);
    let empty = Timeline::new(&example(), "2..3".parse().unwrap());
    assert!(empty.entries.is_empty() && picture::svg(&empty, "x").contains("nothing happened"));
}

#[test]
fn names_cannot_break_the_picture() {
    let mut recorded = Recorded::default();
    recorded.take(Piece::Begin { recorded: 1, kept: 1 }).unwrap();
    recorded.take(Piece::Name { number: 1, name: "</text><script>\"&\u{1b}" }).unwrap();
    let words = Moment { time: 1, domain: 1, name: 1, event: Event::DomainFreed }.words();
    let bytes: Vec<_> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    recorded.take(Piece::Events(&bytes)).unwrap();
    let svg = picture::svg(&Timeline::new(&recorded, Window::ALL), "<&>");
    assert!(!svg.contains("<script>") && !svg.contains('\u{1b}') && svg.contains("&lt;/text&gt;"), "{svg}");
}

#[test]
fn what_is_no_trace_is_refused() {
    let begun = || {
        let mut recorded = Recorded::default();
        recorded.take(Piece::Begin { recorded: 1, kept: 1 }).unwrap();
        recorded
    };
    assert!(begun().take(Piece::Events(&[0; 15])).is_err(), "half an event");
    assert!(begun().take(Piece::Events(&[0xff; 16])).is_err(), "no event");
    let words = Moment { time: 1, domain: 1, name: 1, event: Event::DomainFreed }.words();
    let bytes: Vec<_> = words.iter().chain(&words).flat_map(|word| word.to_le_bytes()).collect();
    assert!(begun().take(Piece::Events(&bytes)).is_err(), "more than were promised");
}

#[test]
fn a_long_run_gives_a_picture_of_bounded_size() {
    let mut recorded = Recorded::default();
    recorded.take(Piece::Begin { recorded: 60_000, kept: 60_000 }).unwrap();
    for index in 0..30_000u64 {
        let moment = |time, event| Moment { time, domain: 1, name: 0, event }.words();
        let events = [moment(index * 3_000, request(1, 2)), moment(index * 3_000 + 1_000, answer(1, 2, DONE))];
        let bytes: Vec<_> = events.as_flattened().iter().flat_map(|word| word.to_le_bytes()).collect();
        recorded.take(Piece::Events(&bytes)).unwrap();
    }
    let svg = picture::svg(&Timeline::new(&recorded, Window::ALL), "long");
    assert!(svg.len() < 4 << 20, "{} bytes", svg.len());
}
