//! Messages, badges, capabilities in messages, signals, and calls that nobody answers.

use core::hint::black_box;

use ground::{Failure, Ground, Outcome, Probe, Test, Thread, ensure, ensure_eq, ground::PRIORITY, tests};
use sel4::{
    Badge, Cap, CapData, Endpoint, Error, Fault, Message, Notification, ObjectKind, Received, Reply, Rights,
    ThreadState, boot,
    fault::LookupFailure,
    message::{self, MAX_LABEL, MAX_WORDS},
    reply,
};

/// Their list.
pub const TESTS: &[Test] = tests! { messages:
    every_length_goes_there_and_back,
    labels_have_20_bits,
    badges_have_28_bits,
    badged_capability_gets_no_other_badge,
    one_capability_is_transferred,
    capabilities_of_the_called_endpoint_are_unwrapped,
    without_receive_slot_nothing_is_transferred,
    send_waits_and_nb_send_does_not,
    caller_kept_is_answered_later,
    caller_is_answered_once,
    caller_without_grant_is_never_woken,
    sending_without_write_right_does_nothing,
    signals_are_ored_and_taken_at_once,
    signal_wakes_one_waiter,
    bound_signal_sets_only_the_badge,
    bound_signal_before_receive_comes_first,
    call_on_empty_slot_is_an_error,
    call_on_a_number_without_slot_is_a_fault,
    receive_at_empty_slot_is_a_fault,
    call_on_a_notification_returns_at_once,
    clients_of_a_dead_server,
};

fn badge(number: u32) -> Badge {
    Badge::new(number).unwrap_or_default()
}

fn endpoint(probe: &Probe) -> Cap<Endpoint> {
    Cap::new(probe.get(0))
}

fn stop() -> ! {
    loop {
        black_box(());
    }
}

/// The probe of a thread that works with `cap`.
fn probe_with<T>(ground: &Ground, cap: Cap<T>) -> &'static Probe {
    let probe = ground.probe();
    probe.set(0, cap.number());
    probe
}

/// Answers with label + 1 and each word plus its index; leaves the badge in word 1.
extern "C" fn echoes(probe: &'static Probe) -> ! {
    let mut words = [0; MAX_WORDS];
    let mut received = endpoint(probe).recv();
    loop {
        let answer = match received {
            Received::Message(badge, message) => {
                probe.set(1, badge.number());
                let count = message.read(&mut words);
                words.iter_mut().zip(0..).for_each(|(word, index)| *word = word.wrapping_add(index));
                Message::long(message.label() + 1, &words[..count])
            }
            Received::Signal(_) => None,
        };
        received = endpoint(probe).reply_recv(answer.unwrap_or(Message::new(0, [])));
    }
}

/// Messages of 0 to 120 words, each answered by as many: all words arrive, in both directions.
pub fn every_length_goes_there_and_back(ground: &mut Ground) -> Outcome {
    let server = ground.objects.make::<Endpoint>()?;
    let client = ground.badged(server, 0x1234)?;
    let probe = probe_with(ground, server);
    ground.spawn(echoes, probe)?;
    let mut words = [0; MAX_WORDS];
    for length in 0..=MAX_WORDS {
        let sent = |index: usize| (length as u32) << 16 ^ (index as u32) << 8 ^ 0xa500_005a;
        words.iter_mut().enumerate().for_each(|(index, word)| *word = sent(index));
        let Some(message) = Message::long(length as u32, &words[..length]) else {
            ensure!(false, "{length} words are too many");
            return Ok(());
        };
        let answer = client.call(message);
        let count = answer.read(&mut words);
        ensure_eq!((answer.label(), answer.len(), count), (length as u32 + 1, length, length));
        for (index, word) in words[..length].iter().enumerate() {
            ensure_eq!(*word, sent(index).wrapping_add(index as u32), "word {index} of {length}");
        }
        ensure_eq!(probe.get(1), 0x1234);
    }
    ensure!(Message::long(0, &[0; MAX_WORDS + 1]).is_none());
    Ok(())
}

/// All 20 bits of a label arrive.
pub fn labels_have_20_bits(ground: &mut Ground) -> Outcome {
    let server = ground.objects.make::<Endpoint>()?;
    let probe = probe_with(ground, server);
    ground.spawn(echoes, probe)?;
    for label in [0, 1, 0x5_5555, MAX_LABEL - 1] {
        ensure_eq!(server.call(Message::new(label, [])).label(), label + 1);
    }
    Ok(())
}

/// All 28 bits of a badge arrive; without one it is 0.
pub fn badges_have_28_bits(ground: &mut Ground) -> Outcome {
    let server = ground.objects.make::<Endpoint>()?;
    let probe = probe_with(ground, server);
    ground.spawn(echoes, probe)?;
    ensure!(Badge::new(Badge::MAX.number() + 1).is_none());
    ensure_eq!(Badge::MAX.number(), 0x0fff_ffff);
    for number in [1, 0x0555_5555, Badge::MAX.number()] {
        ground.badged(server, number)?.call(Message::new(1, []));
        ensure_eq!(probe.get(1), number);
    }
    server.call(Message::new(1, []));
    ensure_eq!(probe.get(1), 0);
    Ok(())
}

/// A capability with a badge is copied with it, and gets no other.
pub fn badged_capability_gets_no_other_badge(ground: &mut Ground) -> Outcome {
    let server = ground.objects.make::<Endpoint>()?;
    let badged = ground.badged(server, 5)?;
    let slot = ground.slot()?;
    for data in [badge(6).into(), CapData::None] {
        let result = badged.slot(boot::CNODE).mint_to(slot, Rights::ALL, data);
        ensure_eq!(result, Err(Error::IllegalOperation), "{data:?}");
    }
    let probe = probe_with(ground, server);
    ground.spawn(echoes, probe)?;
    ground.copy(badged, Rights::ALL)?.cap().call(Message::new(1, []));
    ensure_eq!(probe.get(1), 5);
    Ok(())
}

/// Receives with the slot of word 1 as place for a capability; leaves what came in the words from 2 on.
extern "C" fn receives_capabilities(probe: &'static Probe) -> ! {
    if probe.get(1) != 0 {
        message::set_receive_slot(Cap::<Notification>::new(probe.get(1)).slot(boot::CNODE));
    }
    let mut received = endpoint(probe).recv();
    loop {
        if let Received::Message(_, message) = received {
            probe.set(2, message.info.capabilities() as u32);
            for index in 0..3 {
                let badge = message::badge_of_capability(&message, index);
                probe.set(3 + index, badge.map_or(!0, Badge::number));
            }
            probe.set(6, message.word(0).unwrap_or(!0));
        }
        received = endpoint(probe).reply_recv(Message::new(0, []));
    }
}

/// What a receiver finds of three capabilities: how many, and the badge of each that was unwrapped.
fn transfer<const N: usize>(
    ground: &mut Ground,
    server: Cap<Endpoint>,
    slot: u32,
    capabilities: [Cap<Endpoint>; N],
) -> Result<(u32, [Option<u32>; 3]), Failure> {
    let probe = probe_with(ground, server);
    probe.set(1, slot);
    let thread = ground.spawn(receives_capabilities, probe)?;
    ground.settle();
    for (index, capability) in capabilities.into_iter().enumerate() {
        message::set_capability(index, capability);
    }
    let message = Message::new(1, [0xaa]);
    server.call(Message { info: message.info.with_capabilities(N), ..message });
    thread.tcb.suspend()?;
    let unwrapped = [3, 4, 5].map(|index| Some(probe.get(index)).filter(|badge| *badge != !0));
    Ok((if probe.get(6) == 0xaa { probe.get(2) } else { !0 }, unwrapped))
}

/// Of several capabilities to other objects only the first arrives, as a capability in the receive slot; the message ends
/// there.
pub fn one_capability_is_transferred(ground: &mut Ground) -> Outcome {
    let server = ground.objects.make::<Endpoint>()?;
    let notification = ground.objects.make::<Notification>()?;
    let badged = ground.badged(notification, 0x10)?;
    let other = ground.objects.make::<Endpoint>()?;
    let slot = ground.slot()?;
    let (count, unwrapped) = transfer(ground, server, slot.index, [badged.cast(), other, server])?;
    ensure_eq!((count, unwrapped), (1, [None; 3]));
    slot.cap::<Notification>().signal();
    ensure_eq!(notification.poll(), Some(badge(0x10)));
    // A slot that is taken receives nothing.
    let (count, _) = transfer(ground, server, slot.index, [other])?;
    ensure_eq!(count, 0);
    Ok(())
}

/// Of capabilities to the very endpoint that is called only the badges arrive, as many as there are, beside one that is
/// transferred.
pub fn capabilities_of_the_called_endpoint_are_unwrapped(ground: &mut Ground) -> Outcome {
    let server = ground.objects.make::<Endpoint>()?;
    let (one, two) = (ground.badged(server, 0x41)?, ground.badged(server, 0x42)?);
    let other = ground.objects.make::<Endpoint>()?;
    let foreign = ground.badged(other, 0x43)?;
    let slot = ground.slot()?;
    let (count, unwrapped) = transfer(ground, server, slot.index, [one, foreign, two])?;
    ensure_eq!((count, unwrapped), (3, [Some(0x41), None, Some(0x42)]));
    let (count, unwrapped) = transfer(ground, server, 0, [one, two, one])?;
    ensure_eq!((count, unwrapped), (3, [Some(0x41), Some(0x42), Some(0x41)]));
    Ok(())
}

/// Who names no receive slot gets no capability; the words arrive.
pub fn without_receive_slot_nothing_is_transferred(ground: &mut Ground) -> Outcome {
    let server = ground.objects.make::<Endpoint>()?;
    let other = ground.objects.make::<Endpoint>()?;
    ensure_eq!(transfer(ground, server, 0, [other])?, (0, [None; 3]));
    Ok(())
}

/// Sends word 1 to word 0, and counts word 2.
extern "C" fn sends(probe: &'static Probe) -> ! {
    endpoint(probe).send(Message::new(7, [probe.get(1)]));
    probe.count(2);
    stop()
}

/// Send waits for a receiver; NBSend without one is lost.
pub fn send_waits_and_nb_send_does_not(ground: &mut Ground) -> Outcome {
    let server = ground.objects.make::<Endpoint>()?;
    server.nb_send(Message::new(1, []));
    ensure!(server.nb_recv().is_none());
    let probe = probe_with(ground, server);
    probe.set(1, 0x99);
    ground.spawn(sends, probe)?;
    ground.settle();
    ensure_eq!(probe.get(2), 0);
    ensure_eq!(word_of(server.nb_recv()), Some(0x99));
    // Nobody waits for an answer.
    reply(Message::new(0, []));
    ground.run_for(100);
    ensure_eq!(probe.get(2), 1);
    Ok(())
}

/// Calls with word 1, leaves the answer's label in word 2 and its first word in word 3, and counts word 4.
extern "C" fn calls(probe: &'static Probe) -> ! {
    let answer = endpoint(probe).call(Message::new(8, [probe.get(1)]));
    probe.set(2, answer.label());
    probe.set(3, answer.word(0).unwrap_or(0));
    probe.set(5, answer.len() as u32);
    probe.count(4);
    stop()
}

fn caller(ground: &mut Ground, server: Cap<Endpoint>, word: u32) -> Result<(Thread, &'static Probe), Failure> {
    let probe = probe_with(ground, server);
    probe.set(1, word);
    Ok((ground.spawn(calls, probe)?, probe))
}

/// The first word of a message from a sender without badge.
fn word_of(received: Option<Received>) -> Option<u32> {
    match received {
        Some(Received::Message(Badge::NONE, message)) => message.word(0),
        _ => None,
    }
}

/// A server that keeps its caller's reply capability answers in the order that it likes.
pub fn caller_kept_is_answered_later(ground: &mut Ground) -> Outcome {
    let server = ground.objects.make::<Endpoint>()?;
    let mut callers = [None; 3];
    for (word, place) in (0..).zip(&mut callers) {
        let (_, probe) = caller(ground, server, word)?;
        ground.settle();
        ensure_eq!(word_of(server.nb_recv()), Some(word));
        let slot = ground.slot()?;
        slot.save_caller()?;
        *place = Some((slot.cap::<Reply>(), probe));
    }
    for (kept, probe) in callers.into_iter().flatten().rev() {
        kept.answer(Message::new(9, [probe.get(1) + 0x50]));
        ground.run_for(100);
        ensure_eq!((probe.get(2), probe.get(3), probe.get(4)), (9, probe.get(1) + 0x50, 1));
    }
    Ok(())
}

/// The second answer goes nowhere.
pub fn caller_is_answered_once(ground: &mut Ground) -> Outcome {
    let server = ground.objects.make::<Endpoint>()?;
    let (_, probe) = caller(ground, server, 1)?;
    ground.settle();
    ensure_eq!(word_of(server.nb_recv()), Some(1));
    reply(Message::new(9, [1]));
    reply(Message::new(10, [2]));
    ground.run_for(100);
    ensure_eq!((probe.get(2), probe.get(3), probe.get(4)), (9, 1, 1));
    Ok(())
}

/// A client capability without the grant right: the call is received, but the caller is inactive and stays so.
pub fn caller_without_grant_is_never_woken(ground: &mut Ground) -> Outcome {
    let server = ground.objects.make::<Endpoint>()?;
    let client = ground.copy(server, Rights::WRITE)?.cap();
    let (thread, probe) = caller(ground, client, 3)?;
    ground.settle();
    ensure_eq!(word_of(server.nb_recv()), Some(3));
    let (_, info) = thread.tcb.read_registers_and_info(false)?;
    ensure_eq!(info.map(|info| info.state), Some(ThreadState::Inactive));
    reply(Message::new(9, [1]));
    ground.run_for(100);
    ensure_eq!(probe.get(4), 0);
    Ok(())
}

/// Without the write right nothing is sent: a send goes on as if it had been, a call is answered by the kernel, with the
/// label of an error.
pub fn sending_without_write_right_does_nothing(ground: &mut Ground) -> Outcome {
    let server = ground.objects.make::<Endpoint>()?;
    let client = ground.copy(server, Rights::READ)?.cap();
    client.nb_send(Message::new(1, []));
    client.send(Message::new(1, []));
    let answer = client.call(Message::new(1, []));
    ensure_eq!(answer.label(), Error::InvalidCapability as u32);
    ensure!(server.nb_recv().is_none());
    let notification = ground.objects.make::<Notification>()?;
    let badged = ground.badged(notification, 1)?;
    ground.copy(badged, Rights::READ)?.cap().signal();
    ensure_eq!(notification.poll(), None);
    Ok(())
}

/// Signals are ORed; waiting and polling take all of them.
pub fn signals_are_ored_and_taken_at_once(ground: &mut Ground) -> Outcome {
    let notification = ground.objects.make::<Notification>()?;
    let (one, four) = (ground.badged(notification, 1)?, ground.badged(notification, 4)?);
    ensure_eq!(notification.poll(), None);
    one.signal();
    four.signal();
    one.signal();
    ensure_eq!(notification.poll(), Some(badge(5)));
    ensure_eq!(notification.poll(), None);
    four.signal();
    one.signal();
    ensure_eq!(notification.wait(), badge(5));
    ensure_eq!(notification.poll(), None);
    Ok(())
}

/// Waits at word 0, leaves the badge in word 1, and counts word 2.
extern "C" fn waits(probe: &'static Probe) -> ! {
    loop {
        probe.set(1, Cap::<Notification>::new(probe.get(0)).wait().number());
        probe.count(2);
    }
}

/// One signal wakes one of two waiters, the one that has waited longer.
pub fn signal_wakes_one_waiter(ground: &mut Ground) -> Outcome {
    let notification = ground.objects.make::<Notification>()?;
    let probes = [probe_with(ground, notification), probe_with(ground, notification)];
    for probe in probes {
        ground.spawn(waits, probe)?;
        ground.settle();
    }
    let badged = ground.badged(notification, 0x70)?;
    badged.signal();
    ground.settle();
    ensure_eq!(probes.map(|probe| probe.get(2)), [1, 0]);
    ensure_eq!(probes[0].get(1), 0x70);
    badged.signal();
    ground.settle();
    ensure_eq!(probes.map(|probe| probe.get(2)), [1, 1]);
    Ok(())
}

/// Receives; tells messages (word 1: badge, word 2: count) from signals (words 3 and 4).
extern "C" fn tells_apart(probe: &'static Probe) -> ! {
    let mut received = endpoint(probe).recv();
    loop {
        match received {
            Received::Message(badge, _) => {
                probe.set(1, badge.number());
                probe.count(2);
            }
            Received::Signal(badge) => {
                probe.set(3, badge.number());
                probe.count(4);
            }
        }
        // A long answer leaves all kinds of things in the registers.
        received = endpoint(probe).reply_recv(Message::new(MAX_LABEL, [!0; 4]));
    }
}

/// A signal that arrives at a thread that receives from its endpoint sets the badge and nothing else; the typed layer
/// still tells it from a message, whatever the badges are.
pub fn bound_signal_sets_only_the_badge(ground: &mut Ground) -> Outcome {
    let server = ground.objects.make::<Endpoint>()?;
    let notification = ground.objects.make::<Notification>()?;
    let probe = probe_with(ground, server);
    let thread = ground.spawn(tells_apart, probe)?;
    thread.tcb.bind_notification(notification)?;
    ensure_eq!(thread.tcb.bind_notification(notification), Err(Error::IllegalOperation));
    ground.settle();
    let counts = || (probe.get(2), probe.get(4));
    for (round, number) in (1..).zip([0x11, 0, Badge::MAX.number()]) {
        let (sender, signaller) = (ground.badged(server, number)?, ground.badged(notification, number)?);
        signaller.signal();
        ground.settle();
        ensure_eq!((counts(), probe.get(3)), ((round - 1, round), number));
        sender.call(Message::new(MAX_LABEL, [1, 2, 3, 4]));
        ground.settle();
        ensure_eq!((counts(), probe.get(1)), ((round, round), number));
    }
    thread.tcb.unbind_notification()?;
    ground.badged(notification, 2)?.signal();
    ground.settle();
    ensure_eq!(counts(), (3, 3));
    ensure_eq!(notification.poll(), Some(badge(2)));
    Ok(())
}

/// A signal that came before is received before a message that waits.
pub fn bound_signal_before_receive_comes_first(ground: &mut Ground) -> Outcome {
    let server = ground.objects.make::<Endpoint>()?;
    let notification = ground.objects.make::<Notification>()?;
    let (client, client_probe) = caller(ground, server, 1)?;
    ground.settle();
    ground.badged(notification, 0x21)?.signal();
    let probe = probe_with(ground, server);
    let thread = ground.make_thread(PRIORITY + 1, None)?;
    thread.tcb.bind_notification(notification)?;
    thread.start(tells_apart, probe)?;
    ground.run_for(100);
    ensure_eq!((probe.get(3), probe.get(4), probe.get(2)), (0x21, 1, 1));
    ensure_eq!(client_probe.get(2), MAX_LABEL);
    client.tcb.suspend()?;
    Ok(())
}

/// Calling an empty slot is answered by the kernel, at once, with the label of an error; sending to it does nothing.
pub fn call_on_empty_slot_is_an_error(ground: &mut Ground) -> Outcome {
    let empty = ground.slot()?.cap::<Endpoint>();
    ensure_eq!(empty.call(Message::new(8, [1])).label(), Error::InvalidCapability as u32);
    empty.send(Message::new(8, [1]));
    empty.cast::<Notification>().signal();
    Ok(())
}

/// The fault of a thread that runs `entry` with `number`, and its pc.
fn fault_of(
    ground: &mut Ground,
    entry: extern "C" fn(&'static Probe) -> !,
    number: u32,
) -> Result<(Option<Fault>, u32), Failure> {
    let faults = ground.objects.make::<Endpoint>()?;
    let handler = ground.badged(faults, 0xfb)?;
    let thread = ground.make_thread(PRIORITY, Some(handler))?;
    thread.start(entry, probe_with(ground, Cap::<Endpoint>::new(number)))?;
    let received = ground.receive(faults)?.filter(|(from, message)| (*from, message.label()) == (badge(0xfb), 1));
    // Its words from the fourth on are overwritten by the next call into the kernel.
    let fault = received.and_then(|(_, message)| Fault::decode(&message));
    Ok((fault, thread.tcb.read_registers(false)?.pc))
}

/// Calling a number that leads nowhere is no error but a fault: label 1, the number, how far the lookup came.
pub fn call_on_a_number_without_slot_is_a_fault(ground: &mut Ground) -> Outcome {
    let number = 1 << 31 | 5;
    let (fault, pc) = fault_of(ground, calls, number)?;
    let failure = LookupFailure::GuardMismatch { bits_left: 32, guard: 0, guard_bits: 16 };
    ensure_eq!(fault, Some(Fault::Capability { pc, number, receiving: false, failure }));
    Ok(())
}

/// Receiving at an empty slot is a fault, in the receive phase. Answered with label 0, when the slot has been filled, the
/// thread receives anew.
pub fn receive_at_empty_slot_is_a_fault(ground: &mut Ground) -> Outcome {
    let empty = ground.slot()?;
    let (fault, pc) = fault_of(ground, echoes, empty.index)?;
    let failure = LookupFailure::MissingCapability { bits_left: 0 };
    ensure_eq!(fault, Some(Fault::Capability { pc, number: empty.index, receiving: true, failure }));
    let server = ground.objects.make::<Endpoint>()?;
    server.slot(boot::CNODE).copy_to(empty, Rights::ALL)?;
    reply(Message::new(0, []));
    ground.settle();
    ensure_eq!(server.call(Message::new(5, [7])).label(), 6);
    Ok(())
}

/// Calling a notification signals it and returns at once, label 0, length 0.
pub fn call_on_a_notification_returns_at_once(ground: &mut Ground) -> Outcome {
    let notification = ground.objects.make::<Notification>()?;
    let badged = ground.badged(notification, 0x8)?;
    let (_, probe) = caller(ground, badged.cast(), 3)?;
    ground.run_for(100);
    ensure_eq!((probe.get(2), probe.get(5), probe.get(4)), (0, 0, 1));
    ensure_eq!(notification.poll(), Some(badge(8)));
    Ok(())
}

/// Receives once and never answers.
extern "C" fn never_answers(probe: &'static Probe) -> ! {
    endpoint(probe).recv();
    probe.count(1);
    endpoint(probe).recv();
    stop()
}

/// When a server's thread and endpoint are deleted, a client whose call was received stays blocked for ever; one that was
/// queued makes its call anew, on a slot that is empty, and gets an error.
pub fn clients_of_a_dead_server(ground: &mut Ground) -> Outcome {
    let server = ground.loose::<Endpoint>(ObjectKind::Endpoint)?;
    let probe = probe_with(ground, server.cap());
    let server_thread = ground.spawn(never_answers, probe)?;
    let state = |thread: Thread| -> Result<Option<ThreadState>, Error> {
        Ok(thread.tcb.read_registers_and_info(false)?.1.map(|info| info.state))
    };
    let (received, received_probe) = caller(ground, server.cap(), 1)?;
    ground.settle();
    server_thread.tcb.suspend()?;
    let (queued, queued_probe) = caller(ground, server.cap(), 2)?;
    ground.settle();
    ensure_eq!(probe.get(1), 1);
    ensure_eq!(state(received)?, Some(ThreadState::BlockedOnReply));
    ensure_eq!(state(queued)?, Some(ThreadState::BlockedOnSend));

    // SAFETY: the thread does not run any more, and nothing refers to it.
    unsafe { server_thread.tcb.slot(boot::CNODE).delete() }?;
    ground.settle();
    ensure_eq!(state(received)?, Some(ThreadState::BlockedOnReply));
    ensure_eq!(state(queued)?, Some(ThreadState::BlockedOnSend));

    server.delete()?;
    ground.run_for(100);
    ensure_eq!(state(received)?, Some(ThreadState::BlockedOnReply));
    ensure_eq!((received_probe.get(4), queued_probe.get(4)), (0, 1));
    ensure_eq!(queued_probe.get(2), Error::InvalidCapability as u32);
    Ok(())
}
