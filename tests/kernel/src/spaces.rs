//! Capability spaces and address spaces beside the root task's own.

use core::{hint::black_box, ptr};

use ground::{
    AddressSpace, Failure, Ground, Loose, Outcome, Probe, Test, Thread, ensure, ensure_eq,
    ground::PRIORITY,
    supplies::{read, write},
    tests,
};
use sel4::{
    Badge, CNode, Cap, CapData, Endpoint, Error, Fault, Frame, FrameSize, Guard, Message, Notification, ObjectKind,
    Received, Rights, Slot, ThreadState, boot, reply,
    thread::{MessageBuffer, Space},
};
use wire::layout::PAGE;

/// Their list.
pub const TESTS: &[Test] = tests! { spaces:
    plain_number_is_the_slot_behind_a_guard,
    without_guard_the_highest_bits_are_the_slot,
    depth_is_the_bits_of_the_node,
    removed_capability_is_gone,
    two_levels_resolve_32_bits,
    two_levels_in_the_root_tasks_own_space,
    fault_endpoint_is_in_the_threads_own_space,
    fault_endpoint_needs_grant,
    thread_moves_between_address_spaces_while_it_runs,
};

/// Slots of a small space: 2^6.
const BITS: u8 = 6;

/// Signals the number in word 0 of its probe.
extern "C" fn signals(probe: &'static Probe) -> ! {
    Cap::<Notification>::new(probe.get(0)).signal();
    loop {
        black_box(());
    }
}

/// Writes to address 0, where nothing is.
extern "C" fn faults(_: &'static Probe) -> ! {
    // SAFETY: nothing is there; the thread faults.
    unsafe { core::arch::asm!("str {0}, [{0}]", in(reg) 0) };
    loop {
        black_box(());
    }
}

fn badge(number: u32) -> Badge {
    Badge::new(number).unwrap_or_default()
}

fn guard(bits: u32, size: u8) -> CapData {
    Guard::new(bits, size).map_or(CapData::None, CapData::Guard)
}

/// A thread in the root task's address space, with a capability space of its own.
fn thread_in(
    ground: &mut Ground,
    root: Cap<CNode>,
    root_data: CapData,
    fault_endpoint: u32,
) -> Result<Thread, Failure> {
    let thread = ground.make_thread(PRIORITY, None)?;
    let space = Space { fault_endpoint, root, root_data, address_space: boot::ADDRESS_SPACE };
    // SAFETY: the address space stays the one that it had.
    unsafe { thread.tcb.set_space(space) }?;
    Ok(thread)
}

/// What arrives at `notification` when a thread with that capability space signals `number`.
fn signalled(
    ground: &mut Ground,
    (root, root_data): (Cap<CNode>, CapData),
    number: u32,
    notification: Cap<Notification>,
) -> Result<Option<Badge>, Failure> {
    let thread = thread_in(ground, root, root_data, 0)?;
    let probe = ground.probe();
    probe.set(0, number);
    thread.start(signals, probe)?;
    ground.run_for(100);
    thread.tcb.suspend()?;
    Ok(notification.poll())
}

fn filling(bits: u8) -> CapData {
    Guard::filling(bits).map_or(CapData::None, CapData::Guard)
}

/// A capability minted into another space, through its capability without guard and with its bits as depth, is what a
/// thread there names by the plain number, behind a guard of zeros.
pub fn plain_number_is_the_slot_behind_a_guard(ground: &mut Ground) -> Outcome {
    let node = ground.objects.make_cnode(BITS)?;
    let notification = ground.objects.make::<Notification>()?;
    notification.slot(boot::CNODE).mint_to(node.slot_at(5, BITS), Rights::WRITE, badge(0x31).into())?;
    let space = (node, filling(BITS));
    ensure_eq!(signalled(ground, space, 5, notification)?, Some(badge(0x31)));
    ensure_eq!(signalled(ground, space, 6, notification)?, None, "slot 6 is empty");
    ensure_eq!(signalled(ground, space, 5 | 1 << BITS, notification)?, None, "the guard is zero");
    Ok(())
}

/// Without a guard the highest bits of a number choose the slot, and the kernel overlooks the rest: what seems to be slot
/// 5 is slot 0.
pub fn without_guard_the_highest_bits_are_the_slot(ground: &mut Ground) -> Outcome {
    let node = ground.objects.make_cnode(BITS)?;
    let notification = ground.objects.make::<Notification>()?;
    for slot in [0, 5] {
        let badge = badge(0x30 + slot);
        notification.slot(boot::CNODE).mint_to(node.slot_at(slot, BITS), Rights::WRITE, badge.into())?;
    }
    let space = (node, CapData::None);
    ensure_eq!(signalled(ground, space, 5, notification)?, Some(badge(0x30)));
    ensure_eq!(signalled(ground, space, 5 << (32 - BITS), notification)?, Some(badge(0x35)));
    Ok(())
}

/// The depth of a place in a node without guard is the node's bits; the target must be empty, the source not.
pub fn depth_is_the_bits_of_the_node(ground: &mut Ground) -> Outcome {
    let node = ground.objects.make_cnode(BITS)?;
    let notification = ground.objects.make::<Notification>()?;
    let source = notification.slot(boot::CNODE);
    for (depth, error) in [
        (0, Error::RangeError),
        (BITS - 1, Error::FailedLookup),
        (BITS + 1, Error::FailedLookup),
        (32, Error::FailedLookup),
        (33, Error::RangeError),
    ] {
        let result = source.copy_to(Slot { root: node, index: 5, depth }, Rights::ALL);
        ensure_eq!(result, Err(error), "depth {depth}");
    }
    source.copy_to(node.slot_at(5, BITS), Rights::ALL)?;
    ensure_eq!(source.copy_to(node.slot_at(5, BITS), Rights::ALL), Err(Error::DeleteFirst));
    ensure_eq!(node.slot_at(6, BITS).copy_to(node.slot_at(7, BITS), Rights::ALL), Err(Error::FailedLookup));
    node.slot_at(5, BITS).move_to(node.slot_at(6, BITS))?;
    ensure_eq!(node.slot_at(5, BITS).copy_to(node.slot_at(7, BITS), Rights::ALL), Err(Error::FailedLookup));
    // Objects are made right there, too.
    ground.untyped(4)?.cap().retype(ObjectKind::Endpoint, node, 9, 1)?;
    ensure_eq!(source.copy_to(node.slot_at(9, BITS), Rights::ALL), Err(Error::DeleteFirst));
    Ok(())
}

/// What is deleted in another space is gone there, and only there.
pub fn removed_capability_is_gone(ground: &mut Ground) -> Outcome {
    let node = ground.objects.make_cnode(BITS)?;
    let notification = ground.objects.make::<Notification>()?;
    notification.slot(boot::CNODE).mint_to(node.slot_at(5, BITS), Rights::WRITE, badge(1).into())?;
    let space = (node, filling(BITS));
    ensure_eq!(signalled(ground, space, 5, notification)?, Some(badge(1)));
    // SAFETY: a notification is no memory.
    unsafe { node.slot_at(5, BITS).delete() }?;
    ensure_eq!(signalled(ground, space, 5, notification)?, None);
    ground.badged(notification, 2)?.signal();
    ensure_eq!(notification.poll(), Some(badge(2)));
    Ok(())
}

/// Two levels of 2^8 slots: the number is (first << 8) | second behind 16 zeros.
pub fn two_levels_resolve_32_bits(ground: &mut Ground) -> Outcome {
    let (first, second) = (ground.objects.make_cnode(8)?, ground.objects.make_cnode(8)?);
    second.slot(boot::CNODE).copy_to(first.slot_at(0x7a, 8), Rights::ALL)?;
    let notification = ground.objects.make::<Notification>()?;
    // Through both levels: 16 bits from the first one's capability without guard.
    let place = Slot { root: first, index: 0x7a2b, depth: 16 };
    notification.slot(boot::CNODE).mint_to(place, Rights::WRITE, badge(0x52).into())?;
    let space = (first, filling(16));
    ensure_eq!(signalled(ground, space, 0x7a2b, notification)?, Some(badge(0x52)));
    ensure_eq!(signalled(ground, space, 0x7a2c, notification)?, None);
    ensure_eq!(signalled(ground, space, 0x7b2b, notification)?, None);
    // The same slot, named through the second level alone.
    let occupied = notification.slot(boot::CNODE).copy_to(second.slot_at(0x2b, 8), Rights::ALL);
    ensure_eq!(occupied, Err(Error::DeleteFirst));
    // And objects are made in the node that the path leads to.
    ground.untyped(4)?.cap().retype(ObjectKind::Endpoint, first.node_at(0x7a, 8), 0x2c, 1)?;
    ensure_eq!(second.slot_at(0x2c, 8).copy_to(second.slot_at(0x2d, 8), Rights::ALL), Ok(()));
    Ok(())
}

/// A thread whose space is two levels wide with all 32 bits in use, guards on both levels, invokes objects and names
/// places in it with depth 32, as core is to do.
pub fn two_levels_in_the_root_tasks_own_space(ground: &mut Ground) -> Outcome {
    // 4 bits of guard (0), 12 of the first level, 8 of guard (0), 8 of the second.
    let (first, second) = (ground.objects.make_cnode(12)?, ground.objects.make_cnode(8)?);
    const NUMBER: u32 = 0x0abc_0021;
    const ITSELF: u32 = 0x0abc_0022;
    const COPY: u32 = 0x0abc_0023;
    second.slot(boot::CNODE).mint_to(first.slot_at(0xabc, 12), Rights::ALL, guard(0, 8))?;
    let notification = ground.objects.make::<Notification>()?;
    notification.slot(boot::CNODE).mint_to(second.slot_at(0x21, 8), Rights::WRITE, badge(0x77).into())?;
    // The root with its guard, in the space itself, so that the thread can name places from there.
    first.slot(boot::CNODE).mint_to(second.slot_at(0x22, 8), Rights::ALL, guard(0, 4))?;
    let thread = thread_in(ground, first, guard(0, 4), 0)?;
    let probe = ground.probe();
    for (index, number) in [NUMBER, ITSELF, COPY].into_iter().enumerate() {
        probe.set(index, number);
    }
    thread.start(copies_and_signals, probe)?;
    ground.run_for(100);
    ensure_eq!((probe.get(3), probe.get(4)), (1, 1));
    ensure_eq!(notification.poll(), Some(badge(0x77)));
    Ok(())
}

/// Copies slot word 0 to slot word 2 of the space whose root is word 1, and signals the copy.
extern "C" fn copies_and_signals(probe: &'static Probe) -> ! {
    let root = Cap::<CNode>::new(probe.get(1));
    let from = Cap::<Notification>::new(probe.get(0)).slot(root);
    let to = Cap::<Notification>::new(probe.get(2)).slot(root);
    probe.set(3, if from.copy_to(to, Rights::ALL).is_ok() { 1 } else { 2 });
    to.cap::<Notification>().signal();
    probe.count(4);
    loop {
        black_box(());
    }
}

/// The number of the fault endpoint is one of the faulting thread's own space.
pub fn fault_endpoint_is_in_the_threads_own_space(ground: &mut Ground) -> Outcome {
    let node = ground.objects.make_cnode(BITS)?;
    let endpoint = ground.objects.make::<Endpoint>()?;
    endpoint.slot(boot::CNODE).mint_to(node.slot_at(3, BITS), Rights::CALL, badge(0xfa).into())?;
    let thread = thread_in(ground, node, filling(BITS), 3)?;
    thread.start(faults, ground.probe())?;
    ground.settle();
    let Some(Received::Message(from, message)) = endpoint.nb_recv() else {
        ensure!(false, "no fault message");
        return Ok(());
    };
    ensure_eq!((from, message.label(), message.len()), (badge(0xfa), 5, 4));
    ensure!(matches!(Fault::decode(&message), Some(Fault::Memory { address: 0, fetch: false, status: 0x807, .. })));
    Ok(())
}

/// Without the grant right at the fault endpoint the thread stops and nobody is told.
pub fn fault_endpoint_needs_grant(ground: &mut Ground) -> Outcome {
    let endpoint = ground.objects.make::<Endpoint>()?;
    for rights in [Rights::WRITE, Rights::new(true, false, true)] {
        let handler = ground.copy(endpoint, rights)?;
        let thread = ground.make_thread(PRIORITY, Some(handler.cap()))?;
        thread.start(faults, ground.probe())?;
        ground.settle();
        ensure!(endpoint.nb_recv().is_none(), "{rights:?}");
        let (_, info) = thread.tcb.read_registers_and_info(false)?;
        ensure_eq!(info.map(|info| info.state), Some(ThreadState::Inactive), "{rights:?}");
    }
    Ok(())
}

/// Pages that the moving thread writes.
const PAGES: u32 = 64;

/// Writes a new number to each page in turn, from the address in word 0 on, having found the last one there; counts rounds
/// in word 1, and what it did not find in word 2.
extern "C" fn writes_pages(probe: &'static Probe) -> ! {
    let base = probe.get(0);
    let mut round = 0;
    loop {
        for page in 0..PAGES {
            let word = (base + page * PAGE) as *mut u32;
            // SAFETY: a test's own memory.
            unsafe {
                if ptr::read_volatile(word) != round {
                    probe.count(2);
                }
                ptr::write_volatile(word, round + 1);
            }
        }
        round += 1;
        probe.set(1, round);
    }
}

/// Two address spaces over the same frames; the thread is moved over while it runs. In the other space each page is
/// read-only, so the first write to each faults, once; nothing that it wrote is lost, and back again.
pub fn thread_moves_between_address_spaces_while_it_runs(ground: &mut Ground) -> Outcome {
    let mut spaces = [AddressSpace::with_image(ground)?, AddressSpace::with_image(ground)?];
    let base = ground.megabyte()?;
    let (stack, buffer) = (base + PAGES * PAGE, base + (PAGES + 1) * PAGE);
    let mut frames = [const { alloc::vec::Vec::<Loose<Frame>>::new() }; 2];
    let mut buffer_frame = None;
    for page in (base..).step_by(PAGE as usize).take(PAGES as usize + 2) {
        let frame = ground.frame(FrameSize::Small)?;
        frame.map(page, Rights::READ_WRITE)?;
        let shared = page >= stack;
        for (index, (space, frames)) in spaces.iter_mut().zip(&mut frames).enumerate() {
            let rights = if index == 0 || shared { Rights::READ_WRITE } else { Rights::READ };
            let copy = space.map(ground, frame.cap(), page, rights)?;
            if !shared {
                frames.push(copy);
            }
        }
        if page == buffer {
            buffer_frame = Some(MessageBuffer { address: page, frame: frame.cap() });
        }
    }
    let endpoint = ground.objects.make::<Endpoint>()?;
    let handler = ground.badged(endpoint, 0xfa)?;
    let probe = ground.probe();
    probe.set(0, base);
    let thread = ground.make_thread(PRIORITY, None)?;
    // SAFETY: the image, the stack and the message buffer lie in both spaces where they lie in the root task's.
    unsafe {
        thread.tcb.set_space(spaces[0].space(handler.number()))?;
        thread.tcb.set_message_buffer(buffer_frame)?;
    }
    Thread { stack_top: stack + PAGE, ..thread }.start(writes_pages, probe)?;
    // As long as the thread cannot have started a round.
    ensure_eq!(read(base), 0);
    ground.run_for(200);
    for flip in 0..5 {
        let before = probe.get(1);
        ensure!(before > 0 && endpoint.nb_recv().is_none(), "flip {flip}");
        let to = (flip + 1) % 2;
        // SAFETY: as above.
        unsafe { thread.tcb.set_space(spaces[to].space(handler.number())) }?;
        let mut seen = 0u64;
        for expected in 0..PAGES {
            ground.settle();
            let received = endpoint.nb_recv();
            let fault = match &received {
                Some(Received::Message(_, message)) => Fault::decode(message),
                _ => None,
            };
            let Some(Fault::Memory { address, status: 0x80f, .. }) = fault else {
                ensure!(false, "flip {flip}, after {expected} faults: {fault:x?}");
                return Ok(());
            };
            let page = (address - base) / PAGE;
            ensure!(page < PAGES && seen & 1 << page == 0, "flip {flip}, again {address:#x}");
            seen |= 1 << page;
            spaces[to].remap(frames[to][page as usize], Rights::READ_WRITE)?;
            reply(Message::new(0, []));
        }
        // What was left is armed again while the thread runs.
        for frame in &frames[1 - to] {
            spaces[1 - to].remap(*frame, Rights::READ)?;
        }
        ground.run_for(200);
        ensure!(endpoint.nb_recv().is_none(), "flip {flip}: more faults than pages");
        ensure!(probe.get(1) > before + 1, "flip {flip}: {before} rounds, then {}", probe.get(1));
        ensure_eq!(probe.get(2), 0, "flip {flip}: writes were lost");
    }
    thread.tcb.suspend()?;
    let rounds = probe.get(1);
    for page in (base..).step_by(PAGE as usize).take(PAGES as usize) {
        ensure!(read(page) == rounds || read(page) == rounds + 1);
    }
    write(base, 0);
    Ok(())
}
