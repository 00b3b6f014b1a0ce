//! What each method sends: capability, label, words and capabilities, against the order of the kernel's interface files,
//! written out by hand.
#![cfg(not(target_arch = "arm"))]

use sel4::{thread::*, *};
use sel4_raw::{
    self as raw,
    scripted::{Answer, Entry, run},
};

/// Runs a method that succeeds, and checks what it sent.
#[track_caller]
fn sends(method: impl FnOnce() -> Result<(), Error>, to: u32, label: u32, words: &[u32], capabilities: &[u32]) {
    let (result, entries) = run([Answer::message(0, &[])], method);
    assert_eq!(result, Ok(()));
    let info = raw::seL4_MessageInfo_t::new(label, 0, capabilities.len() as u32, words.len() as u32);
    let expected = Entry {
        number: raw::seL4_SysCall,
        capability: to,
        info,
        words: words.to_vec(),
        capabilities: capabilities.to_vec(),
    };
    assert_eq!(entries, [expected]);
}

const ROOT: Cap<CNode> = Cap::new(2);

#[test]
fn objects_are_made() {
    let untyped = Cap::<Untyped>::new(50);
    sends(|| untyped.retype(ObjectKind::Tcb, ROOT, 100, 3), 50, 1, &[1, 0, 0, 0, 100, 3], &[2]);
    let node = ROOT.node_at(7, 16);
    sends(|| untyped.retype(ObjectKind::CNode { bits: 8 }, node, 0, 1), 50, 1, &[4, 8, 7, 16, 0, 1], &[2]);
    for (number, kind) in [
        (2, ObjectKind::Endpoint),
        (3, ObjectKind::Notification),
        (5, ObjectKind::Frame(FrameSize::Small)),
        (6, ObjectKind::Frame(FrameSize::Large)),
        (7, ObjectKind::Frame(FrameSize::Section)),
        (8, ObjectKind::Frame(FrameSize::SuperSection)),
        (9, ObjectKind::PageTable),
        (10, ObjectKind::PageDirectory),
    ] {
        sends(|| untyped.retype(kind, ROOT, 1, 256), 50, 1, &[number, 0, 0, 0, 1, 256], &[2]);
    }
    sends(|| untyped.retype(ObjectKind::Untyped { bits: 12 }, ROOT, 1, 1), 50, 1, &[0, 12, 0, 0, 1, 1], &[2]);
    let sizes = [ObjectKind::Tcb, ObjectKind::CNode { bits: 8 }, ObjectKind::PageDirectory, ObjectKind::PageTable];
    assert_eq!(sizes.map(ObjectKind::memory_bits), [9, 12, 14, 10]);
    assert_eq!(FrameSize::ALL.map(FrameSize::bytes), [4096, 65536, 1 << 20, 1 << 24]);
}

#[test]
fn slots_are_places() {
    let own = Cap::<Endpoint>::new(0x1234).slot(ROOT);
    let child = Cap::<CNode>::new(60).slot_at(5, 8);
    let badge = CapData::Badge(Badge::new(0xabc).unwrap());
    let guard = CapData::Guard(Guard::new(0x15, 24).unwrap());
    sends(|| own.copy_to(child, Rights::CALL), 60, raw::CNodeCopy, &[5, 8, 0x1234, 32, 0b101], &[2]);
    sends(|| own.mint_to(child, Rights::READ, badge), 60, raw::CNodeMint, &[5, 8, 0x1234, 32, 0b010, 0xabc], &[2]);
    let word = 1 << 31 | 0x15 << 8 | 24 << 3;
    sends(|| own.mutate_to(child, guard), 60, raw::CNodeMutate, &[5, 8, 0x1234, 32, word], &[2]);
    sends(|| own.move_to(child), 60, raw::CNodeMove, &[5, 8, 0x1234, 32], &[2]);
    sends(
        || own.rotate(child, badge, own, CapData::None),
        2,
        raw::CNodeRotate,
        &[0x1234, 32, 0, 5, 8, 0xabc, 0x1234, 32],
        &[60, 2],
    );
    // SAFETY: there is no memory in these tests.
    sends(|| unsafe { child.delete() }, 60, raw::CNodeDelete, &[5, 8], &[]);
    // SAFETY: there is no memory in these tests.
    sends(|| unsafe { own.revoke() }, 2, raw::CNodeRevoke, &[0x1234, 32], &[]);
    sends(|| own.cancel_badged_sends(), 2, raw::CNodeCancelBadgedSends, &[0x1234, 32], &[]);
    sends(|| own.save_caller(), 2, raw::CNodeSaveCaller, &[0x1234, 32], &[]);
    assert_eq!(own.cap::<Endpoint>(), Cap::new(0x1234));
}

const REGISTERS: [u32; 17] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17];

#[test]
fn threads_are_set_up() {
    let tcb = Cap::<Tcb>::new(70);
    let space = Space {
        fault_endpoint: 9,
        root: Cap::new(71),
        root_data: Guard::filling(16).unwrap().into(),
        address_space: Cap::new(72),
    };
    let priority = Priority { own: 100, controlled: 7 };
    let buffer = Some(MessageBuffer { address: 0x1_0200, frame: Cap::new(73) });
    let guard = 1 << 31 | 16 << 3;
    // SAFETY: there are no threads in these tests.
    let configure = || unsafe { tcb.configure(space, priority, buffer) };
    sends(configure, 70, raw::TCBConfigure, &[9, 7 << 8 | 100, guard, 0, 0x1_0200], &[71, 72, 73]);
    // SAFETY: as above; nothing runs or is mapped.
    sends(
        || unsafe { tcb.configure(space, Priority::new(5), None) },
        70,
        raw::TCBConfigure,
        &[9, 5, guard, 0, 0],
        &[71, 72, 0],
    );
    // SAFETY: as above; nothing runs or is mapped.
    sends(|| unsafe { tcb.set_space(space) }, 70, raw::TCBSetSpace, &[9, guard, 0], &[71, 72]);
    // SAFETY: as above; nothing runs or is mapped.
    sends(|| unsafe { tcb.set_message_buffer(buffer) }, 70, raw::TCBSetIPCBuffer, &[0x1_0200], &[73]);
    sends(|| tcb.set_priority(9), 70, raw::TCBSetPriority, &[9], &[]);
    sends(|| tcb.set_controlled_priority(9), 70, raw::TCBSetMCPriority, &[9], &[]);
    sends(|| tcb.resume(), 70, raw::TCBResume, &[], &[]);
    sends(|| tcb.suspend(), 70, raw::TCBSuspend, &[], &[]);
    sends(|| tcb.bind_notification(Cap::new(74)), 70, raw::TCBBindNotification, &[], &[74]);
    sends(|| tcb.unbind_notification(), 70, raw::TCBUnbindNotification, &[], &[]);
    sends(|| boot::DOMAIN.set(1, tcb), 11, raw::DomainSetSet, &[1], &[70]);

    let registers = UserContext::from_words(REGISTERS);
    let words = [&[1, 17], &REGISTERS[..]].concat();
    // SAFETY: as above; nothing runs or is mapped.
    sends(|| unsafe { tcb.write_registers(true, &registers) }, 70, raw::TCBWriteRegisters, &words, &[]);
    let what = CopyRegisters { resume_destination: true, integer: true, ..CopyRegisters::default() };
    // SAFETY: as above; nothing runs or is mapped.
    sends(|| unsafe { tcb.copy_registers(Cap::new(75), what) }, 70, raw::TCBCopyRegisters, &[0b1010], &[75]);
}

#[test]
fn registers_are_read_in_the_kernels_order() {
    let tcb = Cap::<Tcb>::new(70);
    let (result, entries) = run([Answer::message(0, &REGISTERS)], || tcb.read_registers(true));
    let registers = result.unwrap();
    assert_eq!(entries[0].words, [1, 17]);
    assert_eq!(entries[0].info.get_label(), raw::TCBReadRegisters);
    assert_eq!(registers.to_words(), REGISTERS);
    let UserContext { pc, sp, cpsr, r0, r1, r8, r12, r2, r7, lr, .. } = registers;
    assert_eq!([pc, sp, cpsr, r0, r1, r8, r12, r2, r7, lr], [1, 2, 3, 4, 5, 6, 10, 11, 16, 17]);
}

#[test]
fn thread_info_is_told_only_by_a_kernel_that_has_it() {
    let read = |words: &[u32]| {
        let (result, entries) = run([Answer::message(0, words)], || Cap::<Tcb>::new(70).read_registers_and_info(false));
        assert_eq!((entries[0].capability, entries[0].words.as_slice()), (70, &[0, 17][..]));
        assert_eq!(entries[0].info, raw::seL4_MessageInfo_t::new(raw::TCBReadRegisters, 0, 0, 2));
        result
    };
    let registers = UserContext::from_words(REGISTERS);
    assert_eq!(read(&REGISTERS), Ok((registers, None)));
    let info = |words: [u32; 5]| read(&[&REGISTERS[..], &words].concat());
    let mut expected =
        ThreadInfo { thread: 90, state: ThreadState::BlockedOnSend, blocking_object: 91, badge: 92, caller: Some(93) };
    assert_eq!(info([90, 4, 91, 92, 93]), Ok((registers, Some(expected))));
    expected.caller = None;
    assert_eq!(info([90, 4, 91, 92, 0]), Ok((registers, Some(expected))));
    assert_eq!(info([90, 8, 91, 92, 93]), Err(Error::Foreign));
    assert_eq!(read(&REGISTERS[..16]), Err(Error::Foreign));
}

#[test]
fn memory_is_mapped() {
    let frame = Cap::<Frame>::new(80);
    let space = Cap::<PageDirectory>::new(81);
    let table = Cap::<PageTable>::new(82);
    // SAFETY: there is no memory in these tests.
    let map = || unsafe { frame.map(space, 0x4000, Rights::READ_WRITE, VmAttributes::DATA) };
    sends(map, 80, raw::ARMPageMap, &[0x4000, 3, 7], &[81]);
    // SAFETY: as above; nothing runs or is mapped.
    sends(
        || unsafe { frame.remap(space, Rights::READ, VmAttributes::EXECUTABLE) },
        80,
        raw::ARMPageRemap,
        &[2, 3],
        &[81],
    );
    // SAFETY: as above; nothing runs or is mapped.
    sends(|| unsafe { frame.unmap() }, 80, raw::ARMPageUnmap, &[], &[]);
    sends(|| frame.clean(1..9), 80, raw::ARMPageClean_Data, &[1, 9], &[]);
    // SAFETY: as above; nothing runs or is mapped.
    sends(|| unsafe { frame.invalidate(1..9) }, 80, raw::ARMPageInvalidate_Data, &[1, 9], &[]);
    sends(|| frame.clean_invalidate(1..9), 80, raw::ARMPageCleanInvalidate_Data, &[1, 9], &[]);
    sends(|| frame.unify_instruction(1..9), 80, raw::ARMPageUnify_Instruction, &[1, 9], &[]);
    sends(|| space.clean(1..9), 81, raw::ARMPDClean_Data, &[1, 9], &[]);
    // SAFETY: as above; nothing runs or is mapped.
    sends(|| unsafe { space.invalidate(1..9) }, 81, raw::ARMPDInvalidate_Data, &[1, 9], &[]);
    sends(|| space.clean_invalidate(1..9), 81, raw::ARMPDCleanInvalidate_Data, &[1, 9], &[]);
    sends(|| space.unify_instruction(1..9), 81, raw::ARMPDUnify_Instruction, &[1, 9], &[]);
    sends(|| table.map(space, 0x10_0000), 82, raw::ARMPageTableMap, &[0x10_0000, 3], &[81]);
    // SAFETY: as above; nothing runs or is mapped.
    sends(|| unsafe { table.unmap() }, 82, raw::ARMPageTableUnmap, &[], &[]);
    sends(|| boot::ASID_POOL.assign(space), 6, raw::ARMASIDPoolAssign, &[], &[81]);
    let dst = ROOT.slot_at(99, 16);
    sends(|| boot::ASID_CONTROL.make_pool(Cap::new(83), dst), 5, raw::ARMASIDControlMakePool, &[99, 16], &[83, 2]);
    let (address, entries) = run([Answer::message(0, &[0x1000_0000])], || frame.address());
    assert_eq!((address, entries[0].info.get_label()), (Ok(0x1000_0000), raw::ARMPageGetAddress));
}

#[test]
fn interrupts_are_handed_out() {
    let handler = Cap::<IrqHandler>::new(90);
    sends(|| boot::IRQ_CONTROL.get(87, ROOT.slot_at(1, 16)), 4, raw::IRQIssueIRQHandler, &[87, 1, 16], &[2]);
    sends(|| handler.acknowledge(), 90, raw::IRQAckIRQ, &[], &[]);
    sends(|| handler.set_notification(Cap::new(91)), 90, raw::IRQSetIRQHandler, &[], &[91]);
    sends(|| handler.clear(), 90, raw::IRQClearIRQHandler, &[], &[]);
}

#[test]
fn refusals_are_told_apart() {
    let refused = |label| run([Answer::message(label, &[])], || Cap::<Tcb>::new(70).resume()).0.unwrap_err();
    let errors = [
        Error::InvalidArgument,
        Error::InvalidCapability,
        Error::IllegalOperation,
        Error::RangeError,
        Error::AlignmentError,
        Error::FailedLookup,
        Error::TruncatedMessage,
        Error::DeleteFirst,
        Error::RevokeFirst,
        Error::NotEnoughMemory,
        Error::Foreign,
        Error::Foreign,
    ];
    assert_eq!([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0xf_ffff].map(refused), errors);
}
