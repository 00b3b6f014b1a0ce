//! What the root task starts with.

use board::{epit, gpt, uart};
use ground::{Ground, Outcome, Test, ensure, ensure_eq, supplies, tests};
use rtcr_core::modules;
use sel4::{
    Cap, Error, Frame, FrameSize, ObjectKind, Rights,
    boot::{self, UntypedInfo},
    thread::MessageBuffer,
};
use wire::layout::{CORE_VIRTUAL, KERNEL_RAM, PAGE, RAM};

/// Their list.
pub const TESTS: &[Test] = tests! { boot:
    sizes,
    ram_is_handed_out_once,
    upper_half_of_ram_is_one_device_untyped,
    upper_half_of_ram_holds_no_kernel_objects,
    devices_are_untypeds,
    untypeds_are_all_described,
    image_frames_are_the_image,
};

const MEBIBYTE: u64 = 1 << 20;
const UPPER_HALF: u32 = 0x3000_0000;

fn end(untyped: &UntypedInfo) -> u64 {
    u64::from(untyped.address) + (1 << untyped.bits)
}

fn covers(untyped: &UntypedInfo, address: u32) -> bool {
    (untyped.address.into()..end(untyped)).contains(&u64::from(address))
}

/// The capability space is as large as the kernel was configured, the empty slots are its last, and the domain is the one
/// that is scheduled.
pub fn sizes(ground: &mut Ground) -> Outcome {
    ensure_eq!(ground.boot_info.cnode_bits(), 16);
    ensure_eq!(ground.boot_info.empty().end, 1 << 16);
    ensure!(ground.boot_info.empty().start < 1 << 12);
    ensure_eq!(ground.boot_info.domain(), 0);
    Ok(())
}

/// RAM untypeds lie in the kernel's part of the RAM, overlap nothing, and are all of it but kernel and image: 510 MiB, the
/// largest 128.
pub fn ram_is_handed_out_once(ground: &mut Ground) -> Outcome {
    let ram = || ground.boot_info.untypeds().filter(|untyped| !untyped.device);
    for untyped in ram() {
        ensure!(untyped.address >= KERNEL_RAM.start && end(&untyped) <= KERNEL_RAM.end.into(), "{untyped:x?}");
        ensure!(untyped.address.is_multiple_of(1 << untyped.bits), "{untyped:x?}");
        let overlapping = ram().filter(|other| covers(other, untyped.address)).count();
        ensure_eq!(overlapping, 1, "{untyped:x?}");
    }
    let total: u64 = ram().map(|untyped| 1 << untyped.bits).sum();
    ensure!(total > 505 * MEBIBYTE && total < 511 * MEBIBYTE, "{total:#x} bytes");
    ensure_eq!(ram().map(|untyped| untyped.bits).max(), Some(27));
    ensure!((20..50).contains(&ram().count()), "{} untypeds", ram().count());
    Ok(())
}

/// The RAM that the kernel does not manage is a device untyped of 512 MiB, and its frames are memory like any other.
pub fn upper_half_of_ram_is_one_device_untyped(ground: &mut Ground) -> Outcome {
    let upper = ground.boot_info.untypeds().find(|untyped| untyped.address == UPPER_HALF);
    let Some(upper) = upper else {
        ensure!(false, "no untyped at {UPPER_HALF:#x}: patch 0005");
        return Ok(());
    };
    ensure!(upper.device);
    ensure_eq!((upper.bits, end(&upper)), (29, u64::from(RAM.end)));
    let kind = ObjectKind::Frame(FrameSize::Section);
    let slot = ground.slot()?;
    upper.cap.retype(kind, boot::CNODE, slot.index, 1)?;
    let frame = ground.copy::<Frame>(slot.cap(), Rights::ALL)?;
    ensure_eq!(frame.cap().address(), Ok(UPPER_HALF));
    let address = ground.addresses(1 << 20);
    frame.map(address, Rights::READ_WRITE)?;
    for offset in (0..1 << 20).step_by(PAGE as usize) {
        supplies::write(address + offset, !offset);
    }
    for offset in (0..1 << 20).step_by(PAGE as usize) {
        ensure_eq!(supplies::read(address + offset), !offset);
    }
    Ok(())
}

/// Device memory becomes frames only, and no message buffer.
pub fn upper_half_of_ram_holds_no_kernel_objects(ground: &mut Ground) -> Outcome {
    let upper = ground.boot_info.untypeds().find(|untyped| untyped.address == UPPER_HALF && untyped.device);
    let Some(upper) = upper else {
        ensure!(false, "no untyped at {UPPER_HALF:#x}: patch 0005");
        return Ok(());
    };
    let slot = ground.slot()?;
    for kind in [ObjectKind::Endpoint, ObjectKind::Tcb, ObjectKind::PageTable, ObjectKind::CNode { bits: 4 }] {
        ensure_eq!(upper.cap.retype(kind, boot::CNODE, slot.index, 1), Err(Error::InvalidArgument), "{kind:?}");
    }
    upper.cap.retype(ObjectKind::Frame(FrameSize::Small), boot::CNODE, slot.index, 1)?;
    let thread = ground.make_thread(ground::ground::PRIORITY, None)?;
    let buffer = MessageBuffer { address: 0x1000, frame: slot.cap() };
    // SAFETY: the thread never runs.
    let result = unsafe { thread.tcb.set_message_buffer(Some(buffer)) };
    ensure_eq!(result, Err(Error::IllegalOperation));
    Ok(())
}

/// Every device that this project drives or means to drive is handed out; what the kernel drives is not.
pub fn devices_are_untypeds(ground: &mut Ground) -> Outcome {
    let device = |address| ground.boot_info.untypeds().any(|untyped| untyped.device && covers(&untyped, address));
    const ENET: u32 = 0x0218_8000;
    const CCM: u32 = 0x020c_4000;
    const SRC: u32 = 0x020d_8000;
    const UART3_TO_5: [u32; 3] = [0x021e_c000, 0x021f_0000, 0x021f_4000];
    const OCRAM: u32 = 0x0090_0000;
    const USDHC1_TO_4: [u32; 4] = [0x0219_0000, 0x0219_4000, 0x0219_8000, 0x0219_c000];
    let devices = [ENET, gpt::ADDRESS, CCM, SRC, uart::CONTROL, uart::CONSOLE, OCRAM];
    for address in devices.into_iter().chain(epit::ADDRESSES).chain(UART3_TO_5).chain(USDHC1_TO_4) {
        ensure!(device(address), "{address:#010x}");
    }
    // Interrupt controller with the private timers, and the controller of the second-level cache.
    const PRIVATE: u32 = 0x00a0_0000;
    const L2_CONTROLLER: u32 = 0x00a0_2000;
    for address in [PRIVATE, PRIVATE + 0x1000, L2_CONTROLLER] {
        ensure!(!device(address), "{address:#010x}");
    }
    Ok(())
}

/// The list has room for every untyped capability; none is in a slot without a description.
pub fn untypeds_are_all_described(ground: &mut Ground) -> Outcome {
    ensure_eq!(ground.boot_info.untypeds().count(), ground.boot_info.untyped_slots().len());
    ensure!(ground.boot_info.untypeds().all(|untyped| untyped.bits >= 4));
    Ok(())
}

/// The image's frames are those from its first page to the end of the modules, one after the other in memory; the
/// message buffer follows.
pub fn image_frames_are_the_image(ground: &mut Ground) -> Outcome {
    let frames = ground.boot_info.image_frames();
    let Ok(archive) = modules::archive() else {
        ensure!(false, "no modules");
        return Ok(());
    };
    let last = archive.bytes().as_ptr_range().end.addr() as u32 - 1;
    let pages = last / PAGE - CORE_VIRTUAL / PAGE + 1;
    ensure_eq!(frames.len(), pages as usize);
    ensure_eq!(ground.boot_info.message_buffer(), CORE_VIRTUAL + pages * PAGE);
    let addresses = frames.map(Cap::<Frame>::address);
    let mut expected = None;
    for address in addresses {
        let address = address?;
        ensure_eq!(address, expected.unwrap_or(address));
        expected = Some(address + PAGE);
    }
    Ok(())
}
