//! A channel, and everything that somebody can send who should not.

use handover::{Epoch, Message};
use node_agent::{
    channel::{Channel, Ends, Fault, Key, MAX_RECORD, MAX_WAITING},
    packet::{PIECE, Packet, VERSION},
};

/// Private and public keys of the two, and those of somebody else.
const KEYS: [(&str, &str); 3] = [
    (
        "27dec96113d86c8b77d6d965b464e9ff24aad81e18970a881c6e3cec068b8fe3",
        "6054a1dcc853d7a41f7ecc342df22fb5b44cda7020a7dece46df33d3c50ff067",
    ),
    (
        "12d77d2ed55abc1925a66d9ef3af982568a4f5fc1f212d1c45686c1e6ce16f2b",
        "13b4325da9b9bc8482c09254544c8f89c712bc89e537d2bb6988bce03410e11c",
    ),
    (
        "086275855c8507f87db37507700114eefaa50c26849491975131264be1897045",
        "f493dfcb7bb44dbd7ea3ed6b1446ef4a1083ab9d5d3f299f2966c7c870dba869",
    ),
];

fn key(text: &str) -> Key {
    let mut key = [0; 32];
    for (place, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).expect("hexadecimal");
    }
    key
}

fn ends(own: usize, peer: usize) -> Ends {
    Ends { nodes: (own as u8, peer as u8), keys: (key(KEYS[own].0), key(KEYS[peer].1)), begins: own > peer }
}

fn pair() -> (Channel, Channel) {
    let make = |own, peer| Channel::new(ends(own, peer), 1, 1).expect("keys make sense");
    (make(0, 1), make(1, 0))
}

/// What waits on one side is taken by the other, a few bytes at a time.
fn pass(from: &mut Channel, to: &mut Channel, mut hear: impl FnMut(Packet<'_>)) -> Result<(), Fault> {
    while from.waiting() > 0 {
        let count = to.wants().min(from.to_send().len()).clamp(1, 7);
        let bytes = from.to_send()[..count.min(from.to_send().len())].to_vec();
        from.sent(bytes.len());
        to.take(&bytes, &mut hear)?;
    }
    Ok(())
}

fn opened() -> (Channel, Channel) {
    let (mut a, mut b) = pair();
    pass(&mut b, &mut a, |_| panic!("nothing is said yet")).expect("it is known");
    pass(&mut a, &mut b, |_| panic!("nothing is said yet")).expect("it is known");
    assert!(a.is_open() && b.is_open());
    (a, b)
}

const LOST: Packet<'static> = Packet::Message(Message::Lost(Epoch(8)));

/// The bytes of what is said.
fn said(channel: &mut Channel, packet: &Packet<'_>) -> Vec<u8> {
    channel.say(packet).expect("there is room");
    let bytes = channel.to_send().to_vec();
    assert_eq!(bytes.len(), channel.waiting(), "they lie together");
    channel.sent(bytes.len());
    bytes
}

fn take(channel: &mut Channel, mut bytes: &[u8]) -> Result<usize, Fault> {
    let mut count = 0;
    while !bytes.is_empty() && channel.wants() > 0 {
        let (now, later) = bytes.split_at(channel.wants().min(bytes.len()));
        channel.take(now, &mut |_| count += 1)?;
        bytes = later;
    }
    Ok(count)
}

#[test]
fn both_ways_in_order() {
    let (mut a, mut b) = opened();
    let piece = [7; PIECE];
    for number in 0..5 {
        a.say(&Packet::Piece(Epoch(number), &piece)).expect("there is room");
    }
    let mut heard = Vec::new();
    pass(&mut a, &mut b, |packet| match packet {
        Packet::Piece(Epoch(number), bytes) => heard.push((number, bytes == piece)),
        other => panic!("{other:?}"),
    })
    .expect("it is open");
    assert_eq!(heard, [(0, true), (1, true), (2, true), (3, true), (4, true)]);
    let bytes = said(&mut b, &LOST);
    assert_eq!(take(&mut a, &bytes), Ok(1));
}

#[test]
fn nobody_reads_it_on_its_way() {
    let (mut a, _) = opened();
    let text = b"a secret of the component's";
    let bytes = said(&mut a, &Packet::Piece(Epoch(1), text));
    assert!(!bytes.windows(8).any(|window| text.windows(8).any(|secret| secret == window)));
}

#[test]
fn who_is_not_known_gets_nothing() {
    // Somebody else, who says that it is the other.
    let mut stranger = Channel::new(Ends { keys: (key(KEYS[2].0), key(KEYS[0].1)), ..ends(1, 0) }, 1, 1).expect("keys");
    let (mut a, _) = pair();
    let bytes = stranger.to_send().to_vec();
    assert_eq!(take(&mut a, &bytes), Err(Fault::Unknown));
    assert_eq!((a.waiting(), a.is_open()), (0, false));
    stranger.sent(bytes.len());
    // And one that does not know this one.
    let (_, mut b) = pair();
    let mut other = Channel::new(Ends { keys: (key(KEYS[0].0), key(KEYS[2].1)), ..ends(0, 1) }, 1, 1).expect("keys");
    let bytes = b.to_send().to_vec();
    b.sent(bytes.len());
    assert_eq!(take(&mut other, &bytes), Err(Fault::Unknown));
}

#[test]
fn another_version_is_told_apart() {
    let (mut a, _) = pair();
    let mut b = Channel::of_version(ends(1, 0), 1, 1, VERSION + 1).expect("keys");
    let bytes = b.to_send().to_vec();
    b.sent(bytes.len());
    assert_eq!(take(&mut a, &bytes), Err(Fault::Version(VERSION + 1)));
    // The other is told too.
    let bytes = a.to_send().to_vec();
    assert_eq!(take(&mut b, &bytes), Err(Fault::Version(VERSION)));
    assert!(!a.is_open() && !b.is_open());
}

#[test]
fn another_node_is_told_apart() {
    let mut a = Channel::new(Ends { nodes: (0, 2), ..ends(0, 1) }, 1, 1).expect("keys");
    let (_, b) = pair();
    assert_eq!(take(&mut a, b.to_send()), Err(Fault::Node(1)));
}

#[test]
fn a_huge_length_takes_no_memory() {
    for is_open in [false, true] {
        let (mut a, _) = if is_open { opened() } else { pair() };
        let length = (MAX_RECORD + 1) as u16;
        assert_eq!(take(&mut a, &length.to_be_bytes()), Err(Fault::TooLong(MAX_RECORD + 1)));
        assert_eq!(take(&mut a, &[0; 100]), Ok(0), "it is over");
    }
}

#[test]
fn garbage_ends_it() {
    for byte in 0..=255 {
        let (mut a, _) = pair();
        let mut bytes = vec![0, 96];
        bytes.extend([byte; 96]);
        assert_eq!(take(&mut a, &bytes), Err(Fault::Unknown));
    }
    let (mut a, _) = opened();
    assert_eq!(take(&mut a, &[0, 0]), Err(Fault::Damaged), "an empty record");
}

#[test]
fn what_is_changed_repeated_or_left_out_ends_it() {
    let (mut a, mut b) = opened();
    let mut bytes = said(&mut a, &LOST);
    *bytes.last_mut().expect("it is not empty") ^= 1;
    assert_eq!(take(&mut b, &bytes), Err(Fault::Damaged), "changed");

    let (mut a, mut b) = opened();
    let bytes = said(&mut a, &LOST);
    assert_eq!(take(&mut b, &bytes), Ok(1));
    assert_eq!(take(&mut b, &bytes), Err(Fault::Damaged), "repeated");

    let (mut a, mut b) = opened();
    said(&mut a, &LOST);
    let second = said(&mut a, &LOST);
    assert_eq!(take(&mut b, &second), Err(Fault::Damaged), "the first is missing");
}

#[test]
fn an_old_session_cannot_be_played_back() {
    let (mut a, mut b) = pair();
    let mut recorded = b.to_send().to_vec();
    pass(&mut b, &mut a, |_| ()).expect("it is known");
    pass(&mut a, &mut b, |_| ()).expect("it is known");
    recorded.extend(said(&mut b, &LOST));
    // This node's next connection has other keys, though what was recorded is the same.
    let mut later = Channel::new(ends(0, 1), 1, 2).expect("keys");
    assert_eq!(take(&mut later, &recorded), Err(Fault::Damaged));
}

#[test]
fn who_does_not_take_what_it_is_sent_is_given_up() {
    let (mut a, _) = opened();
    let piece = [0; PIECE];
    let fault = (0..100).find_map(|number| {
        assert!(a.waiting() <= MAX_WAITING + 2);
        a.say(&Packet::Piece(Epoch(number), &piece)).err()
    });
    assert_eq!(fault, Some(Fault::Deaf));
    assert_eq!(a.waiting(), 0);
}
