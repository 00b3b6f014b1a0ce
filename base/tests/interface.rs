//! An interface with everything that a definition can say, from client through interposer to server.

use std::{
    num::NonZeroU8,
    sync::{Arc, Mutex},
};

use base::rpc::{
    Answer, Arguments, Body, Buffer, Call, CallError, Caller, Connection, Decision, Label, Long, MAX_BYTES, MAX_WORDS,
    Never, Registers, Reply, Request, Selector, Slot, Status, ThreadNumber, Transport,
};
use proptest::prelude::*;

mod sample {
    use base::{
        ErrorCode, Words, interface,
        rpc::{CallError, Slot},
    };
    use serde::{Deserialize, Serialize};

    /// SAMPLE: everything that can be said.
    #[interface(id = 60000)]
    pub trait Sample {
        /// Nothing.
        #[operation(1, idempotent)]
        fn nothing(&mut self);

        /// Four words each way.
        #[operation(255)]
        fn four(&mut self, signed: i32, wide: u64, slot: Slot) -> [u32; 4];

        /// Values that not every word is.
        #[operation(2, idempotent)]
        fn picky(&mut self, flag: bool, small: u8, negative: Option<i16>) -> Shade;

        /// A sum that may not fit.
        #[operation(3)]
        fn add(&mut self, pair: Pair) -> Result<u32, AddError>;

        /// May be answered with any status.
        #[operation(4)]
        fn status(&mut self, label: u32) -> Result<u32, CallError<AddError>>;

        /// Never answered.
        #[operation(5, unanswered)]
        fn end(&mut self, code: i32);

        /// Bytes as they are.
        #[operation(6, encoded)]
        fn bytes(&mut self, bytes: &[u8]);

        /// Encoded, and bytes behind it.
        #[operation(7, encoded)]
        fn mixed(&mut self, name: &str, record: Record, rest: &[u8]) -> Result<Record, AddError>;

        /// Encoded only.
        #[operation(8, encoded, idempotent)]
        fn text(&mut self, inner: &[u8], number: i64) -> heapless::String<40>;

        /// A result that may be too long.
        #[operation(9, encoded)]
        fn fill(&mut self, length: u16) -> heapless::Vec<u8, 600>;

        /// Never answered, encoded.
        #[operation(10, encoded, unanswered)]
        fn last_words(&mut self, text: &str);
    }

    /// Two words.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Words)]
    pub struct Pair {
        /// One.
        pub a: u32,
        /// The other.
        pub b: u32,
    }

    /// A newtype.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Words)]
    pub struct Address(pub u32);

    /// One word, of which few are.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Words)]
    pub enum Shade {
        /// None at all.
        Dark = 0,
        /// All of it.
        Light = 0x7fff_ffff,
    }

    /// Why there is no sum.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
    pub enum AddError {
        /// It does not fit.
        Overflow = 1,
        /// The server is tired.
        Tired = 255,
    }

    /// Something larger.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Record {
        /// Some.
        pub numbers: heapless::Vec<u64, 8>,
        /// Perhaps.
        pub name: Option<heapless::String<16>>,
    }
}

use sample::{AddError, Pair, Record, Sample, Shade};

/// Remembers what it was asked, and answers from its arguments alone.
#[derive(Default)]
struct Server {
    heard: Vec<String>,
}

fn shade(flag: bool, small: u8) -> Shade {
    if flag && small > 100 { Shade::Light } else { Shade::Dark }
}

impl Sample for Server {
    fn nothing(&mut self) {
        self.heard.push("nothing".into());
    }

    fn four(&mut self, signed: i32, wide: u64, slot: Slot) -> [u32; 4] {
        self.heard.push(format!("{signed} {wide} {slot:?}"));
        [signed.cast_unsigned(), wide as u32, (wide >> 32) as u32, slot.0]
    }

    fn picky(&mut self, flag: bool, small: u8, negative: Option<i16>) -> Shade {
        self.heard.push(format!("{flag} {small} {negative:?}"));
        shade(flag, small)
    }

    fn add(&mut self, Pair { a, b }: Pair) -> Result<u32, AddError> {
        self.heard.push(format!("{a} {b}"));
        a.checked_add(b).ok_or(AddError::Overflow)
    }

    fn status(&mut self, label: u32) -> Result<u32, CallError<AddError>> {
        match Status::from_label(label) {
            Status::Done => Ok(label),
            status => Err(CallError::of(status)),
        }
    }

    fn end(&mut self, code: i32) {
        self.heard.push(format!("end {code}"));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.heard.push(format!("{bytes:?}"));
    }

    fn mixed(&mut self, name: &str, record: Record, rest: &[u8]) -> Result<Record, AddError> {
        self.heard.push(format!("{name} {record:?} {rest:?}"));
        if name == "tired" { Err(AddError::Tired) } else { Ok(record) }
    }

    fn text(&mut self, inner: &[u8], number: i64) -> heapless::String<40> {
        self.heard.push(format!("{inner:?} {number}"));
        format!("{number}").as_str().try_into().unwrap()
    }

    fn fill(&mut self, length: u16) -> heapless::Vec<u8, 600> {
        std::iter::repeat_n(7, usize::from(length).min(600)).collect()
    }

    fn last_words(&mut self, text: &str) {
        self.heard.push(text.into());
    }
}

/// What a wire saw of a request.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    label: Label,
    words: Vec<u32>,
    answer: Option<(u32, Vec<u32>)>,
}

/// A wire to whoever handles requests; what is never answered comes back with the kernel's label 0.
struct Wire<F> {
    handle: F,
    caller: Mutex<Caller>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl<F: for<'s> Fn(&Request<'_>, &'s mut Buffer) -> Option<Reply<'s>> + Sync> Wire<F> {
    fn new(thread: u8, handle: F) -> Self {
        let caller = Caller::new(ThreadNumber::new(thread).unwrap());
        Self { handle, caller: Mutex::new(caller), seen: Arc::default() }
    }

    fn send(&self, selector: Selector, words: &[u32], reply: &mut [u32]) -> Answer {
        let label = self.caller.lock().unwrap().label(selector);
        let body = Registers::from_slice(words).map_or(Body::Long(words), Body::Short);
        let mut space = Buffer::new();
        let answer = (self.handle)(&Request { label, body }, &mut space);
        let answer = answer.map(|reply| (reply.status.label(), reply.body.words().to_vec()));
        self.seen.lock().unwrap().push(Seen { label, words: words.to_vec(), answer: answer.clone() });
        let (status, words) = answer.unwrap_or_default();
        // As the kernel has it: registers beyond the length hold anything.
        let mut registers = [0xdead_beef; 4];
        registers.iter_mut().zip(&words).for_each(|(register, word)| *register = *word);
        if words.len() > 4 {
            reply.iter_mut().zip(&words).for_each(|(place, word)| *place = *word);
        }
        Answer::new(status, words.len(), registers)
    }
}

impl<F: for<'s> Fn(&Request<'_>, &'s mut Buffer) -> Option<Reply<'s>> + Sync> Transport for Wire<F> {
    fn call(&self, to: Slot, selector: Selector, request: Registers) -> Answer {
        assert_eq!(to, Slot(9));
        self.send(selector, request.words(), &mut [])
    }

    fn call_long(&self, to: Slot, selector: Selector, request: Long<'_>, reply: &mut [u32]) -> Answer {
        assert_eq!(to, Slot(9));
        let mut words = [u32::MAX; MAX_WORDS];
        match request.write(&mut words) {
            Some(length) => self.send(selector, &words[..length], reply),
            None => Answer::unsent(Status::TooLong),
        }
    }
}

/// Forwards, refuses, handles; one of each.
struct Between {
    added: Vec<Pair>,
}

#[base::interposer(forward(nothing, four, status, bytes, mixed, text, fill), refuse(picky, last_words))]
impl sample::Interposer for Between {
    fn add(&mut self, (pair,): Arguments<'_, sample::call::Add>) -> Decision<sample::call::Add> {
        self.added.push(pair);
        if pair.a == 0 { Decision::Answer(Ok(77)) } else { Decision::Forward }
    }

    fn end(&mut self, _: Arguments<'_, sample::call::End>) -> Decision<sample::call::End> {
        Decision::Forward
    }
}

/// Runs `test` with a client of a server, alone.
fn with_server(test: impl FnOnce(&sample::Client<&dyn Transport>, &Mutex<Server>, &Mutex<Vec<Seen>>)) {
    let server = Mutex::new(Server::default());
    let wire =
        Wire::new(5, |request: &Request<'_>, space| sample::dispatch(&mut *server.lock().unwrap(), request, space));
    test(&sample::Client::new(&wire, Slot(9)), &server, &wire.seen);
}

/// Runs `test` with a client of an interposer before a server; the last two are what came to each.
fn with_interposer(
    test: impl FnOnce(&sample::Client<&dyn Transport>, &Mutex<Between>, &Mutex<Vec<Seen>>, &Mutex<Vec<Seen>>),
) {
    let server = Mutex::new(Server::default());
    let upper =
        Wire::new(1, |request: &Request<'_>, space| sample::dispatch(&mut *server.lock().unwrap(), request, space));
    let between = Mutex::new(Between { added: Vec::new() });
    let upstream = Connection { transport: &upper, slot: Slot(9) };
    let lower = Wire::new(2, |request: &Request<'_>, space| {
        sample::interpose(&mut *between.lock().unwrap(), &upstream, request, space)
    });
    test(&sample::Client::new(&lower, Slot(9)), &between, &lower.seen, &upper.seen);
}

fn record() -> impl Strategy<Value = Record> {
    let numbers = prop::collection::vec(any::<u64>(), 0..8);
    let name = prop::option::of("[a-z]{0,16}");
    (numbers, name).prop_map(|(numbers, name)| Record {
        numbers: numbers.into_iter().collect(),
        name: name.map(|name| name.as_str().try_into().unwrap()),
    })
}

proptest! {
    #[test]
    fn words_arrive_and_come_back(signed: i32, wide: u64, slot: u32, flag: bool, small: u8, negative: Option<i16>, a: u32, b: u32) {
        with_server(|client, server, _| {
            let four = [signed.cast_unsigned(), wide as u32, (wide >> 32) as u32, slot];
            assert_eq!(client.four(signed, wide, Slot(slot)), Ok(four));
            assert_eq!(client.picky(flag, small, negative), Ok(shade(flag, small)));
            assert_eq!(client.add(Pair { a, b }), a.checked_add(b).ok_or(CallError::Error(AddError::Overflow)));
            let heard = &server.lock().unwrap().heard;
            assert_eq!(heard[0], format!("{signed} {wide} {:?}", Slot(slot)));
            assert_eq!(heard[1], format!("{flag} {small} {negative:?}"));
            assert_eq!(heard[2], format!("{a} {b}"));
        });
    }

    #[test]
    fn what_is_encoded_arrives_and_comes_back(
        name in "\\PC{0,20}", record in record(), rest in prop::collection::vec(any::<u8>(), 0..200), number: i64,
    ) {
        with_server(|client, server, _| {
            let mixed = if name == "tired" { Err(CallError::Error(AddError::Tired)) } else { Ok(record.clone()) };
            assert_eq!(client.mixed(&name, record.clone(), &rest), mixed);
            assert_eq!(client.bytes(&rest), Ok(()));
            assert_eq!(client.text(&rest, number).unwrap().as_str(), number.to_string());
            let heard = &server.lock().unwrap().heard;
            assert_eq!(heard[0], format!("{name} {record:?} {rest:?}"));
            assert_eq!(heard[1], format!("{rest:?}"));
            assert_eq!(heard[2], format!("{rest:?} {number}"));
        });
    }

    #[test]
    fn any_request_is_answered_or_refused(
        label in 0u32..1 << 20, operation in prop::option::of(0u8..12), words in prop::collection::vec(any::<u32>(), 0..130),
        length in prop::option::of(0u32..500),
    ) {
        let mut words = words;
        if let (Some(first), Some(length)) = (words.first_mut(), length) {
            *first = length;
        }
        // As often as not an operation that there is.
        let label = operation.map_or(label, |operation| {
            let idempotent = [1, 2, 8].contains(&operation);
            Label::new(Selector::new(operation, idempotent), ThreadNumber::FIRST, Default::default()).number()
        });
        let request = Request { label: Label::received(label), body: Body::Long(&words) };
        let mut server = Server::default();
        let mut space = Buffer::new();
        let answer = sample::dispatch(&mut server, &request, &mut space);
        let known = sample::INTERFACE.operation(request.label.selector().operation());
        match (known, answer.map(|answer| answer.status)) {
            (None, status) => prop_assert_eq!(status, Some(Status::UnknownOperation)),
            (Some(known), None) => prop_assert!(known.unanswered),
            (Some(known), Some(Status::Malformed)) if known.name != "status" => prop_assert!(server.heard.is_empty()),
            (Some(_), Some(_)) => {}
        }
    }

    #[test]
    fn any_answer_is_read_or_refused(label in 0x7ff8u32..0x8210, words in prop::collection::vec(any::<u32>(), 0..130)) {
        let wire = Wire::new(0, |_: &Request<'_>, space: &mut Buffer| {
            let length = words.len().min(MAX_WORDS);
            space.words()[..length].copy_from_slice(&words[..length]);
            Some(Reply { status: Status::from_label(label), body: Body::Long(&space.words()[..length]) })
        });
        let client = sample::Client::new(&wire, Slot(9));
        let _ = client.mixed("", Record { numbers: Default::default(), name: None }, &[]);
        let _ = client.text(&[], 0);
        let done = label == Status::Done.label();
        prop_assert_eq!(client.nothing().is_ok(), done && words.is_empty());
        prop_assert_eq!(client.four(0, 0, Slot(0)).is_ok(), done && words.len() == 4);
        prop_assert_eq!(client.picky(true, 0, None).is_ok(), done && matches!(words[..], [0 | 0x7fff_ffff]));
        prop_assert!(matches!(client.end(0), CallError::Foreign(_)) != (0x8001..0x8008).contains(&label));
    }

    #[test]
    fn an_interposer_forwards_words_unchanged(
        signed: i32, wide: u64, name in "[a-z]{0,20}", record in record(), rest in prop::collection::vec(any::<u8>(), 0..200),
        label in 0u32..0x8300, length in 0u16..600,
    ) {
        with_interposer(|client, _, lower, upper| {
            let _ = client.nothing();
            let _ = client.four(signed, wide, Slot(3));
            let _ = client.bytes(&rest);
            let _ = client.mixed(&name, record.clone(), &rest);
            let _ = client.text(&rest, 7);
            let _ = client.status(label);
            let _ = client.fill(length);
            let (lower, upper) = (lower.lock().unwrap(), upper.lock().unwrap());
            assert_eq!((lower.len(), upper.len()), (7, 7));
            for (below, above) in lower.iter().zip(&*upper) {
                assert_eq!((&below.words, &below.answer), (&above.words, &above.answer));
                assert_eq!(below.label.selector(), above.label.selector());
                assert_eq!((below.label.thread().number(), above.label.thread().number()), (2, 1));
            }
        });
    }
}

#[test]
fn a_request_says_who_asks_and_when() {
    with_server(|client, _, seen| {
        for round in 0..70 {
            client.nothing().unwrap();
            let label = seen.lock().unwrap().last().unwrap().label;
            assert_eq!(label.selector(), Selector::new(1, true));
            assert_eq!((label.thread().number(), label.sequence().number()), (5, round % 32));
        }
    });
}

#[test]
fn the_first_words_are_as_documented() {
    with_server(|client, _, seen| {
        client.four(-1, 0x0000_0002_0000_0001, Slot(3)).unwrap();
        client.bytes(b"abcde").unwrap();
        client.bytes(b"").unwrap();
        client.picky(true, 2, None).unwrap();
        let _ = client.mixed("x", Record { numbers: Default::default(), name: None }, b"yz");
        let seen: Vec<_> = seen.lock().unwrap().iter().map(|seen| seen.words.clone()).collect();
        assert_eq!(seen[0], [u32::MAX, 1, 2, 3]);
        assert_eq!(seen[1], [5, 0x6463_6261, 0x65]);
        assert_eq!(seen[2], []);
        assert_eq!(seen[3], [1, 2, 0, 0]);
        // Length of "x", "x", no numbers, no name, then the bytes as they are.
        assert_eq!(seen[4], [6, u32::from_le_bytes([1, b'x', 0, 0]), u32::from_le_bytes([b'y', b'z', 0, 0])]);
    });
}

#[test]
fn words_that_no_value_has_are_refused() {
    let cases: &[(Selector, &[&[u32]])] = &[
        (sample::call::Nothing::SELECTOR, &[&[0], &[0; 5]]),
        (sample::call::Four::SELECTOR, &[&[], &[0; 3], &[0; 5], &[0; MAX_WORDS]]),
        // 2 is no flag, 256 no byte, 40000 no i16; what is not there is all zero.
        (
            sample::call::Picky::SELECTOR,
            &[&[2, 0, 0, 0], &[0, 256, 0, 0], &[0, 0, 2, 0], &[0, 0, 1, 40000], &[0, 0, 0, 1]],
        ),
        (sample::call::Add::SELECTOR, &[&[1], &[1, 2, 3]]),
        // No payload, one that lies, a string that is none, something behind it.
        (sample::call::Text::SELECTOR, &[&[], &[1], &[3, 0x0000_0005], &[3, 0]]),
        (sample::call::LastWords::SELECTOR, &[&[], &[2, 0xff01], &[3, 0x0061_6101]]),
    ];
    for (selector, requests) in cases {
        for words in *requests {
            let label = Label::new(*selector, ThreadNumber::FIRST, Default::default());
            let mut server = Server::default();
            let mut space = Buffer::new();
            let answer = sample::dispatch(&mut server, &Request { label, body: Body::Long(words) }, &mut space);
            assert_eq!(answer, Some(Reply::of(Status::Malformed)), "{label:?} {words:?}");
            assert!(server.heard.is_empty());
        }
    }
}

#[test]
fn numbers_and_marks_must_be_those_of_the_definition() {
    for operation in 0..=255 {
        for idempotent in [false, true] {
            let selector = Selector::new(operation, idempotent);
            let label = Label::new(selector, ThreadNumber::FIRST, Default::default());
            let mut space = Buffer::new();
            let answer = sample::dispatch(&mut Server::default(), &Request { label, body: Body::EMPTY }, &mut space);
            let status = answer.map(|answer| answer.status);
            match sample::INTERFACE.operation(operation) {
                None => assert_eq!(status, Some(Status::UnknownOperation)),
                Some(known) if known.idempotent != idempotent => assert_eq!(status, Some(Status::Malformed)),
                Some(_) => assert_ne!(status, Some(Status::UnknownOperation)),
            }
        }
    }
}

#[test]
fn every_status_reaches_the_client() {
    with_server(|client, _, _| {
        for label in (0..0x20).chain(0x7ff0..0x8210) {
            let result = client.status(label);
            match Status::from_label(label) {
                Status::Done => assert_eq!(result, Ok(label)),
                Status::Error(code) if code.get() == 1 => assert_eq!(result, Err(CallError::Error(AddError::Overflow))),
                Status::Error(code) if code == NonZeroU8::MAX => assert_eq!(result, Err(AddError::Tired.into())),
                Status::Error(_) | Status::Foreign(_) => assert_eq!(result, Err(CallError::Foreign(label))),
                status => assert_eq!(result.unwrap_err().status(), status),
            }
        }
    });
}

#[test]
fn what_does_not_fit_is_said_on_both_sides() {
    with_server(|client, server, _| {
        assert_eq!(client.bytes(&[1; MAX_BYTES]), Ok(()));
        assert_eq!(client.bytes(&[1; MAX_BYTES + 1]), Err(CallError::TooLong));
        let small = Record { numbers: Default::default(), name: None };
        assert!(client.mixed("", small.clone(), &[1; MAX_BYTES - 3]).is_ok());
        assert_eq!(client.mixed("", small.clone(), &[1; MAX_BYTES - 2]), Err(CallError::TooLong));
        assert_eq!(client.mixed(&"x".repeat(MAX_BYTES), small, &[]), Err(CallError::TooLong));
        // Two bytes say how many there are.
        assert_eq!(client.fill(474).unwrap().len(), 474);
        assert_eq!(client.fill(475), Err(CallError::TooLong));
        assert_eq!(server.lock().unwrap().heard.len(), 2);
    });
}

#[test]
fn what_is_never_answered_is_not() {
    with_server(|client, server, seen| {
        // The wire says what a kernel says where nobody answers.
        assert_eq!(client.end(-3), CallError::Foreign(0));
        assert_eq!(client.last_words("good bye"), CallError::Foreign(0));
        assert_eq!(server.lock().unwrap().heard, ["end -3", "good bye"]);
        assert!(seen.lock().unwrap().iter().all(|seen| seen.answer.is_none()));
    });
}

#[test]
fn an_interposer_decides() {
    with_interposer(|client, between, _, upper| {
        assert_eq!(client.picky(true, 1, None), Err(CallError::Refused));
        assert_eq!(client.last_words("x"), CallError::Refused);
        // What is never answered is not forwarded, whatever a method decides: nobody would come back.
        assert_eq!(client.end(0), CallError::Refused);
        assert_eq!(client.add(Pair { a: 0, b: 1 }), Ok(77));
        assert!(upper.lock().unwrap().is_empty());
        assert_eq!(client.add(Pair { a: u32::MAX, b: 1 }), Err(CallError::Error(AddError::Overflow)));
        assert_eq!(between.lock().unwrap().added, [Pair { a: 0, b: 1 }, Pair { a: u32::MAX, b: 1 }]);
        assert_eq!(upper.lock().unwrap().len(), 1);
    });
}

#[test]
fn an_interposer_forwards_nothing_that_it_cannot_read() {
    let mut between = Between { added: Vec::new() };
    let wire = Wire::new(0, |_: &Request<'_>, _: &mut Buffer| panic!("this should not have been forwarded"));
    let upstream = Connection { transport: &wire, slot: Slot(9) };
    for (selector, words) in [
        (sample::call::Nothing::SELECTOR, &[1][..]),
        (sample::call::Bytes::SELECTOR, &[0]),
        (sample::call::Add::SELECTOR, &[1]),
        (Selector::new(1, false), &[]),
        (Selector::new(0, false), &[]),
        (Selector::new(99, true), &[]),
    ] {
        let label = Label::new(selector, ThreadNumber::FIRST, Default::default());
        let mut space = Buffer::new();
        let answer =
            sample::interpose(&mut between, &upstream, &Request { label, body: Body::Long(words) }, &mut space);
        let status = answer.unwrap().status;
        assert!(matches!(status, Status::Malformed | Status::UnknownOperation), "{status:?}");
    }
}

#[test]
fn the_definition_as_data() {
    let interface = sample::INTERFACE;
    assert_eq!(
        (interface.id, interface.name, interface.doc),
        (60000, "Sample", "SAMPLE: everything that can be said.")
    );
    assert_eq!(interface.operations.len(), 11);
    let operation = interface.operation(7).unwrap();
    assert_eq!((operation.name, operation.doc), ("mixed", "Encoded, and bytes behind it."));
    assert_eq!(operation.arguments, ["name", "record", "rest"]);
    assert_eq!(operation.errors, [(1, "Overflow"), (255, "Tired")]);
    assert!(operation.encoded && !operation.idempotent && !operation.unanswered);
    assert!(interface.operation(1).unwrap().idempotent && interface.operation(5).unwrap().unanswered);
    assert_eq!(interface.operation(0), None);
    let _: Option<<sample::call::End as Call>::Error> = None::<Never>;
}

#[test]
fn a_newtype_is_its_field() {
    assert_eq!(Registers::of(sample::Address(7)), Registers::of(7u32));
    assert_eq!(Registers::of(7u32).value(), Some(sample::Address(7)));
    assert_eq!(Registers::of((1u32, 2u32)).value(), Some(Pair { a: 1, b: 2 }));
    assert_eq!(Registers::of(1u32).value::<Shade>(), None);
}
