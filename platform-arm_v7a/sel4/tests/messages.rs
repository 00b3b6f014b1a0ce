//! Messages, signals, faults and boot information, as the kernel leaves them.
#![cfg(not(target_arch = "arm"))]

use sel4::{fault::LookupFailure, message::*, *};
use sel4_raw::{
    self as raw,
    scripted::{Answer, Entry, run},
};

const ENDPOINT: Cap<Endpoint> = Cap::new(40);

fn badged(badge: u32, label: u32, words: &[u32]) -> Answer {
    Answer { badge, ..Answer::message(label, words) }
}

fn badge(number: u32) -> Badge {
    Badge::new(number).unwrap()
}

#[test]
fn a_call_takes_words_there_and_back() {
    let (answer, entries) = run([Answer::message(8, &[4, 5])], || ENDPOINT.call(Message::new(7, [1, 2, 3])));
    let [Entry { number, capability: 40, info, words, .. }] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!((*number, info.get_label(), words.as_slice()), (raw::seL4_SysCall, 7, &[1, 2, 3][..]));
    assert_eq!((answer.label(), answer.len()), (8, 2));
    assert_eq!([0, 1, 2, 500].map(|index| answer.word(index)), [Some(4), Some(5), None, None]);
}

#[test]
fn long_messages_use_the_buffer() {
    let words: Vec<u32> = (1000..1120).collect();
    let answer: Vec<u32> = (2000..2120).collect();
    let (received, entries) = run([Answer::message(0, &answer)], || ENDPOINT.call(Message::long(7, &words).unwrap()));
    assert_eq!(entries[0].words, words);
    assert_eq!(received.word(119), Some(2119));
    assert_eq!(received.word(120), None);
    let mut all = [0; 130];
    assert_eq!(received.read(&mut all), 120);
    assert_eq!((&all[..120], all[120]), (&answer[..], 0));
    let mut few = [0; 3];
    assert_eq!((received.read(&mut few), few), (3, [2000, 2001, 2002]));
    assert_eq!(received.read(&mut []), 0);
    assert_eq!(Message::long(7, &[0; 121]), None);
    assert_eq!(Message::long(7, &[1, 2]), Some(Message::new(7, [1, 2])));
}

#[test]
fn signals_and_messages_are_told_apart() {
    let signal = Answer { badge: 0x11, ..Answer::default() };
    let message = badged(5, 9, &[1]);
    let expected = |received| match received {
        Received::Message(from, message) => (from.number(), message.label(), message.word(0)),
        Received::Signal(from) => (from.number(), u32::MAX, None),
    };
    let (received, entries) = run([message.clone(), signal.clone(), message.clone(), signal.clone()], || {
        // An answer of each length and with the largest label must not hide a signal.
        let longest = Message { info: MessageInfo::new(MAX_LABEL, MAX_WORDS), words: [9; 4] };
        [ENDPOINT.recv(), ENDPOINT.recv(), ENDPOINT.reply_recv(longest), ENDPOINT.reply_recv(Message::new(0, []))]
    });
    assert_eq!(
        received.map(expected),
        [(5, 9, Some(1)), (0x11, u32::MAX, None), (5, 9, Some(1)), (0x11, u32::MAX, None)]
    );
    assert_eq!(entries[2].info.get_label(), MAX_LABEL);
    assert_eq!((entries[2].info.get_length(), entries[2].info.get_extraCaps()), (120, 0));

    // A message that carries three capabilities, all unwrapped, is still a message.
    let info = raw::seL4_MessageInfo_t::new(1, 7, 3, 0);
    let (received, _) = run([Answer { badge: 5, info: Some(info), words: vec![] }], || ENDPOINT.recv());
    let Received::Message(_, message) = received else { panic!() };
    assert!(message.info.is_unwrapped(2) && !message.info.is_unwrapped(3));
    assert_eq!(message.info.capabilities(), 3);
}

#[test]
fn nothing_to_receive_is_none() {
    let (received, _) = run([Answer::default(), badged(0, 3, &[]), Answer { badge: 4, ..Answer::default() }], || {
        [ENDPOINT.nb_recv(), ENDPOINT.nb_recv(), ENDPOINT.nb_recv()]
    });
    let message = Received::Message(Badge::NONE, Message::new(3, []));
    assert_eq!(received, [None, Some(message), Some(Received::Signal(badge(4)))]);
    let notification = Cap::<Notification>::new(41);
    let (received, entries) = run(
        [Answer::default(), Answer { badge: 6, ..Answer::default() }, Answer { badge: 7, ..Answer::default() }],
        || (notification.poll(), notification.poll(), notification.wait()),
    );
    assert_eq!(received, (None, Some(badge(6)), badge(7)));
    assert_eq!(
        entries.iter().map(|entry| entry.number).collect::<Vec<_>>(),
        [raw::seL4_SysNBRecv, raw::seL4_SysNBRecv, raw::seL4_SysRecv]
    );
}

#[test]
fn sending_does_not_wait_for_an_answer() {
    let message = Message::new(7, [1, 2]);
    let ((), entries) = run([], || {
        ENDPOINT.send(message);
        ENDPOINT.nb_send(message);
        Cap::<Reply>::new(42).answer(message);
        reply(message);
        Cap::<Notification>::new(41).signal();
        yield_now();
    });
    let numbers: Vec<_> = entries.iter().map(|entry| (entry.number, entry.capability, entry.words.len())).collect();
    let expected = [
        (raw::seL4_SysSend, 40, 2),
        (raw::seL4_SysNBSend, 40, 2),
        (raw::seL4_SysSend, 42, 2),
        (raw::seL4_SysReply, 0, 2),
        (raw::seL4_SysSend, 41, 0),
        (raw::seL4_SysYield, 0, 0),
    ];
    assert_eq!(numbers, expected);
}

#[test]
fn capabilities_travel_with_messages() {
    let ((), entries) = run([], || {
        assert_eq!(set_capability(1, Cap::<Frame>::new(50)), Some(()));
        assert_eq!(set_capability(3, Cap::<Frame>::new(50)), None);
        set_receive_slot(boot::CNODE.slot_at(5, 16));
        let message = Message::new(7, []);
        ENDPOINT.send(Message { info: message.info.with_capabilities(2), ..message });
    });
    assert_eq!(entries[0].capabilities[1], 50);
    // SAFETY: the buffer is this thread's own.
    let path = unsafe {
        let buffer = raw::seL4_GetIPCBuffer();
        ((*buffer).receiveCNode, (*buffer).receiveIndex, (*buffer).receiveDepth)
    };
    assert_eq!(path, (2, 5, 16));
    let unwrapped = Message { info: MessageInfo::from_word(0b010 << 9 | 2 << 7), words: [0; 4] };
    assert_eq!(badge_of_capability(&unwrapped, 1), Some(badge(50)));
    assert_eq!(badge_of_capability(&unwrapped, 0), None);
    assert_eq!(badge_of_capability(&unwrapped, 3), None);
}

#[test]
fn faults_are_read_in_the_kernels_order() {
    let fault = |label: u32, words: &[u32]| {
        let (received, _) = run([badged(1, label, words)], || ENDPOINT.recv());
        let Received::Message(_, message) = received else { panic!() };
        Fault::decode(&message)
    };
    let memory = Fault::Memory { pc: 1, address: 2, fetch: true, status: 0x80f };
    assert_eq!(fault(5, &[1, 2, 1, 0x80f]), Some(memory));
    let capability = |failure| Some(Fault::Capability { pc: 1, number: 2, receiving: false, failure });
    assert_eq!(fault(1, &[1, 2, 0, 1]), capability(LookupFailure::InvalidRoot));
    assert_eq!(fault(1, &[1, 2, 0, 2, 8]), capability(LookupFailure::MissingCapability { bits_left: 8 }));
    let mismatch = LookupFailure::DepthMismatch { bits_left: 8, bits_found: 16 };
    assert_eq!(fault(1, &[1, 2, 0, 3, 8, 16]), capability(mismatch));
    let mismatch = LookupFailure::GuardMismatch { bits_left: 8, guard: 3, guard_bits: 4 };
    assert_eq!(fault(1, &[1, 2, 0, 4, 8, 3, 4]), capability(mismatch));
    let words: Vec<u32> = (10..23).collect();
    let registers = [10, 11, 12, 13, 14, 15, 16, 17];
    let call = Fault::SystemCall { registers, pc: 18, sp: 19, lr: 20, cpsr: 21, number: 22 };
    assert_eq!(fault(2, &words), Some(call));
    let exception = Fault::Exception { pc: 1, sp: 2, cpsr: 3, number: 4, code: 5 };
    assert_eq!(fault(3, &[1, 2, 3, 4, 5]), Some(exception));
    assert_eq!([memory, call, exception].map(|fault| fault.pc()), [1, 18, 1]);

    // Too short, and labels that are no fault.
    for (label, words) in
        [(5, &words[..3]), (2, &words[..12]), (3, &words[..4]), (1, &[1, 2, 0, 2]), (1, &[1, 2, 0, 5, 1, 1, 1])]
    {
        assert_eq!(fault(label, words), None, "{label}");
    }
    assert_eq!([0, 4, 6, 0x1_0005].map(|label| fault(label, &words)), [None; 4]);
}

#[test]
fn values_have_their_limits() {
    assert_eq!(Badge::new(0xfff_ffff), Some(Badge::MAX));
    assert_eq!(Badge::new(0x1000_0000), None);
    assert!(Guard::new(0x3_ffff, 18).is_some() && Guard::new(0, 0).is_some() && Guard::new(0, 31).is_some());
    for (bits, size) in [(0x4_0000, 31), (1, 0), (2, 1), (0, 32)] {
        assert_eq!(Guard::new(bits, size), None, "{bits} {size}");
    }
    assert_eq!(Guard::filling(8), Guard::new(0, 24));
    assert_eq!(Guard::filling(32), Guard::new(0, 0));
    assert_eq!((Guard::filling(0), Guard::filling(33)), (None, None));
    assert_eq!(MessageInfo::from_word(0x7f).length(), MAX_WORDS);
    assert_eq!(format!("{:?}", Cap::<Untyped>::new(0x20)), "Untyped(0x20)");
}

#[test]
#[should_panic(expected = "label has 20 bits")]
fn a_label_that_does_not_fit_is_refused() {
    let _ = Message::new(MAX_LABEL + 1, []);
}

#[test]
fn boot_information_is_read_where_the_kernel_puts_it() {
    let mut bytes = vec![0u8; size_of::<raw::seL4_BootInfo>() + 1];
    let regions = [(16, 0x9000), (20, 300), (24, 65536), (36, 12), (40, 20), (44, 20), (48, 21), (77, 100), (81, 102)];
    let sizes = [(68, 16), (69, 3)];
    let untypeds = [(85, 0x1000_0000), (89, 27 << 16), (93, 0x0218_8000), (97, 12 << 16 | 1 << 24)];
    for (offset, value) in regions.into_iter().chain(sizes).chain(untypeds) {
        bytes[1 + offset..1 + offset + 4].copy_from_slice(&u32::to_le_bytes(value));
    }
    // At an odd address: nothing in it is aligned.
    // SAFETY: the bytes have the size of the structure, and outlive it.
    let boot = unsafe { BootInfo::new(bytes.leak()[1..].as_ptr()) }.unwrap();
    assert_eq!((boot.message_buffer(), boot.cnode_bits(), boot.domain()), (0x9000, 16, 3));
    assert_eq!((boot.empty(), boot.untyped_slots()), (300..65536, 100..102));
    assert_eq!(boot.image_frames().map(Cap::number).collect::<Vec<_>>(), (12..20).collect::<Vec<_>>());
    assert_eq!(boot.image_tables().len(), 1);
    let untypeds: Vec<_> = boot.untypeds().map(|u| (u.cap.number(), u.address, u.bits, u.device)).collect();
    assert_eq!(untypeds, [(100, 0x1000_0000, 27, false), (101, 0x0218_8000, 12, true)]);
    // SAFETY: a null pointer is nothing.
    assert!(unsafe { BootInfo::new(std::ptr::null()) }.is_none());
}
