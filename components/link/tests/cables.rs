//! What the network does to frames, whatever is sent when.

use std::collections::{BTreeMap, BTreeSet};

use base::session::{link::MAX_FRAME, parent::Value};
use link::{
    cable::{Conditions, Cut},
    network::Network,
    plan::Plan,
};
use proptest::prelude::*;

const START: u64 = 1_000_000;

fn plan(values: &[(&str, &str)]) -> Plan {
    try_plan(values).unwrap_or_else(|error| panic!("{error}"))
}

fn try_plan(values: &[(&str, &str)]) -> Result<Plan, link::plan::Nonsense> {
    Plan::read(|key| {
        let value = values.iter().find(|(known, _)| *known == key)?.1;
        Some(Value::try_from(value).unwrap())
    })
}

/// A frame to a port, or to all: the addresses are those that ports have by themselves.
fn frame(to: u8, number: u32, length: usize) -> Vec<u8> {
    let to = if to == 0 { [0xff; 6] } else { [2, 0, 0, 0, 0, to] };
    let number = number.to_le_bytes();
    to.into_iter()
        .chain([2, 0, 0, 0, 0, 9, 8, 0])
        .chain(number)
        .chain((0..).map(|at| at as u8))
        .take(length.max(18))
        .collect()
}

/// Frames that were sent, each with its time, and that arrived, likewise.
type Seen = Vec<(u64, usize, Vec<u8>)>;

/// Sends each frame when the port is ready and the pause before it has passed.
fn exchange(network: &mut Network, sends: &[(usize, u8, usize, u64)]) -> (Seen, Seen) {
    let (mut now, mut sent, mut arrived) = (START, Vec::new(), Vec::new());
    let mut until = |network: &mut Network, now: &mut u64, end: u64| {
        while let Some(at) = network.next_arrival().filter(|at| *at <= end) {
            *now = at.max(*now);
            while let Some((to, frame)) = network.arrived(*now) {
                arrived.push((*now, to, frame));
            }
        }
        *now = end.max(*now);
    };
    for (number, (from, to, length, pause)) in (0..).zip(sends) {
        let at = (now + pause).max(network.ready(*from));
        until(network, &mut now, at);
        let frame = frame(*to, number, *length);
        network.send(now, *from, &frame);
        sent.push((now, *from, frame));
    }
    until(network, &mut now, u64::MAX);
    (sent, arrived)
}

fn number(frame: &[u8]) -> u32 {
    u32::from_le_bytes(frame[14..18].try_into().unwrap())
}

fn sends(ports: usize) -> impl Strategy<Value = Vec<(usize, u8, usize, u64)>> {
    prop::collection::vec((0..ports, 0..=ports as u8, 18..=MAX_FRAME, 0..300_000u64), 0..120)
}

proptest! {
    #[test]
    fn without_faults_all_arrives_in_order_and_in_time(sends in sends(3), speed in 1_000_000..1_000_000_000u64, delay in 0..5000u64) {
        let plan = plan(&[("ports", "a b c"), ("speed", &speed.to_string()), ("delay", &delay.to_string())]);
        let (sent, arrived) = exchange(&mut plan.network(START), &sends);
        let mut expected = BTreeMap::<(usize, usize), Vec<Vec<u8>>>::new();
        for (from, to, frame) in sent.iter().zip(&sends).map(|((_, from, frame), (_, to, ..))| (*from, *to, frame)) {
            let to = if to == 0 { 0..3 } else { usize::from(to) - 1..usize::from(to) };
            to.filter(|to| *to != from).for_each(|to| expected.entry((from, to)).or_default().push(frame.clone()));
        }
        let mut seen = BTreeMap::<(usize, usize), Vec<Vec<u8>>>::new();
        let mut last = BTreeMap::<(usize, usize), u64>::new();
        for (at, to, frame) in arrived {
            let (sent_at, from, _) = &sent[number(&frame) as usize];
            let time = (frame.len() as u64 + 24).max(84) * 8 * 1_000_000_000 / speed;
            prop_assert!(at >= sent_at + time + delay * 1000, "nothing is faster than the cable");
            let before = last.insert((*from, to), at).unwrap_or(0);
            prop_assert!(at >= before + time, "one after the other");
            seen.entry((*from, to)).or_default().push(frame);
        }
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn nothing_is_invented(
        sends in sends(2), seed: u32, loss in 0..600_000u32, duplication in 0..600_000u32,
        reordering in 0..600_000u32, corruption in 0..600_000u32,
    ) {
        let text = [seed, loss, duplication, reordering, corruption].map(|value| value.to_string());
        let keys = ["seed", "loss", "duplication", "reordering", "corruption"];
        let values: Vec<_> = keys.iter().copied().zip(text.iter().map(String::as_str)).collect();
        let (sent, arrived) = exchange(&mut plan(&values).network(START), &sends);
        let mut times = BTreeMap::<u32, u32>::new();
        let mut damaged = 0;
        for (_, to, frame) in &arrived {
            // The one that differs least: one bit at most.
            let differs = |sent: &[u8]| -> u32 { sent.iter().zip(frame).map(|(a, b)| (a ^ b).count_ones()).sum() };
            let like = sent.iter().filter(|(_, from, sent)| from != to && sent.len() == frame.len());
            let (of, bits) = like.map(|(_, _, sent)| (number(sent), differs(sent))).min_by_key(|(_, bits)| *bits).unwrap();
            prop_assert!(bits <= 1);
            damaged += bits;
            *times.entry(of).or_default() += 1;
        }
        prop_assert!(arrived.len() <= sent.len() * 2);
        if corruption == 0 {
            prop_assert_eq!(damaged, 0);
            prop_assert!(times.values().all(|times| *times <= 2));
        }
        // The same again is the same.
        prop_assert_eq!(exchange(&mut plan(&values).network(START), &sends).1, arrived);
    }

    #[test]
    fn only_what_is_held_up_is_overtaken(sends in sends(2), loss in 0..300_000u32, duplication in 0..300_000u32) {
        let (loss, duplication) = (loss.to_string(), duplication.to_string());
        let plan = plan(&[("loss", &loss), ("duplication", &duplication)]);
        let (sent, arrived) = exchange(&mut plan.network(START), &sends);
        for port in 0..2 {
            let numbers: Vec<_> = arrived.iter().filter(|(_, to, _)| *to == port).map(|(_, _, frame)| number(frame)).collect();
            prop_assert!(numbers.is_sorted(), "{numbers:?} of {}", sent.len());
        }
    }

    #[test]
    fn what_is_on_a_cable_that_is_cut_is_lost(sends in sends(2), from in 0..20_000u64, length in 1..20_000u64) {
        let cut = format!("a-b {from} {}", from + length);
        let plan = plan(&[("delay", "300"), ("cut_0", &cut)]);
        let (sent, arrived) = exchange(&mut plan.network(START), &sends);
        let cut = (START + from * 1000)..(START + (from + length) * 1000);
        for (at, _, frame) in &arrived {
            let departed = sent[number(frame) as usize].0;
            prop_assert!(*at < cut.start || departed >= cut.end || *at >= cut.end && departed + 4 * 130_000 >= cut.end);
        }
        let whole = |at: u64, frame: &[u8]| at + 4 * 130_000 + 430_000 + (frame.len() as u64) < cut.start || at >= cut.end;
        let (a, b) = (0, 1);
        let through = sent.iter().zip(&sends).filter(|((at, from, frame), (_, to, ..))| {
            let to = match (*to, *from) { (0, from) => 1 - from, (to, _) => usize::from(to) - 1 };
            whole(*at, frame) && to != *from && [a, b].contains(&to)
        });
        for ((_, _, frame), _) in through {
            prop_assert!(arrived.iter().any(|(_, _, seen)| seen == frame), "what has gone before or after is there");
        }
    }

    #[test]
    fn values_are_read_or_refused(key in "(ports|mac_a|seed|speed|delay|loss|cable_[0-9]|cut_[0-9])", value in "[ -~]{0,30}") {
        let _ = try_plan(&[(&key, &value)]).map(|plan| plan.network(0));
    }
}

#[test]
fn probabilities_are_what_they_say() {
    let sends: Vec<_> = (0..20_000).map(|_| (0, 2, 60, 0)).collect();
    let count = |key| {
        let mut network = plan(&[(key, "100000"), ("seed", "7")]).network(START);
        exchange(&mut network, &sends).1
    };
    let tenth = 1800..2200;
    assert!(tenth.contains(&(20_000 - count("loss").len())));
    assert!(tenth.contains(&(count("duplication").len() - 20_000)));
    let late = count("reordering").windows(2).filter(|pair| number(&pair[0].2) > number(&pair[1].2)).count();
    assert!(late > 1000, "{late}");
    let intact: BTreeSet<_> = (0..20_000).map(|number| frame(2, number, 60)).collect();
    let damaged = count("corruption").iter().filter(|(.., seen)| !intact.contains(seen)).count();
    assert!(tenth.contains(&damaged), "{damaged}");
}

#[test]
fn a_cable_carries_what_its_speed_says() {
    let sends: Vec<_> = (0..1000).map(|_| (0, 2, MAX_FRAME, 0)).collect();
    let (_, arrived) = exchange(&mut plan(&[]).network(START), &sends);
    let took = arrived.last().unwrap().0 - START;
    assert_eq!(took, 1000 * (1514 + 24) * 8 * 10, "at 100 Mbit/s, with what is around each frame and without pauses");
    assert_eq!(Conditions::default().time(14), 84 * 80, "no frame is shorter on the wire");
}

#[test]
fn rules_are_about_cables() {
    let plan = plan(&[
        ("ports", "a b w"),
        ("delay", "10"),
        ("cable_0", "a-b delay=20 speed=10000000"),
        ("cable_1", "a>b loss=5"),
        ("cut_0", "a-* 100 200"),
        ("cut_1", "w>b 150"),
        ("mac_w", "02:00:00:00:00:77"),
    ]);
    let [ab, ba, aw] = [(0, 1), (1, 0), (0, 2)].map(|(from, to)| plan.conditions(from, to));
    assert_eq!((ab.delay, ab.speed, ab.loss), (20_000, 10_000_000, 5));
    assert_eq!((ba.delay, ba.speed, ba.loss), (20_000, 10_000_000, 0));
    assert_eq!((aw.delay, aw.speed, aw.loss), (10_000, 100_000_000, 0));
    let network = plan.network(0);
    assert_eq!(network.address(2).unwrap().to_string(), "02:00:00:00:00:77");
    for (port, at, up) in
        [(0, 99_999, true), (0, 100_000, false), (0, 200_000, true), (1, 150_000, true), (2, 150_000, true)]
    {
        assert_eq!(network.is_up(port, at), up, "{port} at {at}");
    }
    assert_eq!(
        [0, 100_000, 150_000, 200_000].map(|at| network.next_change(at)),
        [Some(100_000), Some(150_000), Some(200_000), None]
    );
    assert!(Cut { from: 5, to: None }.is_at(u64::MAX) && !Cut { from: 5, to: Some(6) }.is_at(6));
}

#[test]
fn nonsense_is_named() {
    for (key, value) in [
        ("ports", "a a"),
        ("ports", "a-b"),
        ("ports", "a b c d e f g h i j k l m n o p q"),
        ("mac_a", "01:00:00:00:00:01"),
        ("mac_a", "02:00:00:00:00:02:"),
        ("mac_b", "02:00:00:00:00:01"),
        ("seed", "x"),
        ("speed", "0"),
        ("loss", "1000001"),
        ("loss", "-1"),
        ("cable_0", ""),
        ("cable_0", "a"),
        ("cable_0", "a-c"),
        ("cable_0", "a-b loss"),
        ("cable_0", "a-b los=1"),
        ("cable_3", "a-b speed=1"),
        ("cut_0", "a-b"),
        ("cut_0", "a-b 5 5"),
        ("cut_0", "a-b 5 6 7"),
        ("cut_15", "a-b x"),
    ] {
        let error = try_plan(&[(key, value)]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("the value `{key}` is `{value}`, which is not ")), "{error}");
    }
}
