//! Frames mapped with rights, faults, and what happens to a mapping when it is changed.

use core::{hint::black_box, ptr};

use ground::{
    Ground, Outcome, Probe, Test, Thread, ensure, ensure_eq,
    ground::PRIORITY,
    supplies::{self, read, write},
    tests,
};
use sel4::{
    Badge, Cap, Endpoint, Error, Fault, FrameSize, Message, MessageInfo, Received, Rights, VmAttributes, boot, reply,
};
use wire::layout::PAGE;

/// Their list.
pub const TESTS: &[Test] = tests! { memory:
    unmapped_read_faults,
    unmapped_write_faults,
    write_to_read_only_faults,
    read_without_right_faults,
    fetch_without_right_faults,
    fetch_of_executable_page_runs,
    rights_of_capability_limit_mapping,
    write_fault_is_cured_by_one_remap,
    remap_changes_rights_in_place,
    unmap_takes_away,
    large_frames_are_memory,
    large_frames_are_aligned,
    missing_page_table_is_failed_lookup,
    mapped_capability_is_not_mapped_again,
    occupied_page_is_replaced,
    occupied_section_is_refused,
    deleting_the_mapping_capability_unmaps,
    kernel_writes_into_read_only_message_buffer,
};

/// Data fault status: a write to what may only be read (ARM ARM B3.13.3: permission, page; bit 11 for the write).
const WRITE_TO_READ_ONLY: u32 = 0x80f;
/// Nothing mapped, in a megabyte without page table (translation, section).
const NO_TABLE: u32 = 0x5;
/// Nothing mapped, in a megabyte with page table (translation, page).
const NO_PAGE: u32 = 0x7;
/// Permission, page.
const NOT_ALLOWED: u32 = 0xf;
/// Permission, section.
const NOT_ALLOWED_SECTION: u32 = 0xd;
const WRITE: u32 = 0x800;
/// Badge of the fault endpoint capability.
const FAULTS: u32 = 0xfa;

/// Reads the word at the address in word 0 of its probe, into word 1.
extern "C" fn reads(probe: &'static Probe) -> ! {
    // SAFETY: a test's own memory, or none, which ends in a fault that the test receives.
    probe.set(1, unsafe { ptr::read_volatile(probe.get(0) as *const u32) });
    probe.set(2, 1);
    stop()
}

/// Writes word 1 to the address in word 0, and counts word 2.
extern "C" fn writes(probe: &'static Probe) -> ! {
    // SAFETY: as in `reads`.
    unsafe { ptr::write_volatile(probe.get(0) as *mut u32, probe.get(1)) };
    probe.set(2, 1);
    stop()
}

/// Calls the function at the address in word 0, and counts word 2.
extern "C" fn runs(probe: &'static Probe) -> ! {
    // SAFETY: as in `reads`; a test puts a `bx lr` there.
    unsafe { core::arch::asm!("blx {}", in(reg) probe.get(0), out("lr") _) };
    probe.set(2, 1);
    stop()
}

fn stop() -> ! {
    loop {
        black_box(());
    }
}

/// `bx lr`.
const RETURN: u32 = 0xe12f_ff1e;

/// A thread whose faults this test receives.
struct Victim {
    thread: Thread,
    probe: &'static Probe,
    faults: Cap<Endpoint>,
}

impl Victim {
    fn start(
        ground: &mut Ground,
        entry: extern "C" fn(&'static Probe) -> !,
        address: u32,
        word: u32,
    ) -> Result<Self, ground::Failure> {
        let faults = ground.objects.make::<Endpoint>()?;
        let handler = ground.badged(faults, FAULTS)?;
        let probe = ground.probe();
        probe.set(0, address);
        probe.set(1, word);
        let thread = ground.make_thread(PRIORITY, Some(handler))?;
        thread.start(entry, probe)?;
        Ok(Self { thread, probe, faults })
    }

    /// The fault that it has; none if it goes on.
    fn fault(&self, ground: &mut Ground) -> Option<Fault> {
        ground.settle();
        match self.faults.nb_recv() {
            Some(Received::Message(badge, message)) if badge == Badge::new(FAULTS).unwrap_or_default() => {
                Fault::decode(&message)
            }
            _ => None,
        }
    }

    /// Whether it got past its access; a fault would be received.
    fn is_done(&self, ground: &mut Ground) -> bool {
        ground.run_for(100);
        self.faults.nb_recv().is_none() && self.probe.get(2) == 1
    }
}

/// One access that must fault, with the words of the fault message.
fn must_fault(
    ground: &mut Ground,
    entry: extern "C" fn(&'static Probe) -> !,
    address: u32,
    expected: (bool, u32),
) -> Outcome {
    let victim = Victim::start(ground, entry, address, 1)?;
    let Some(Fault::Memory { pc, address: at, fetch, status }) = victim.fault(ground) else {
        ensure!(false, "another fault, or none");
        return Ok(());
    };
    ensure_eq!(at, address);
    ensure_eq!((fetch, status), expected, "status {status:#x}");
    ensure_eq!(victim.thread.tcb.read_registers(false)?.pc, pc);
    ensure_eq!(victim.probe.get(2), 0);
    Ok(())
}

/// Reading where nothing is: label 5, the address, status 5 without and 7 with a page table.
pub fn unmapped_read_faults(ground: &mut Ground) -> Outcome {
    let nothing = ground.addresses(1 << 20);
    must_fault(ground, reads, nothing + 0x1004, (false, NO_TABLE))?;
    let table = ground.megabyte()?;
    must_fault(ground, reads, table + 0x1004, (false, NO_PAGE))
}

/// Writing where nothing is.
pub fn unmapped_write_faults(ground: &mut Ground) -> Outcome {
    let nothing = ground.addresses(1 << 20);
    must_fault(ground, writes, nothing + 0x1004, (false, WRITE | NO_TABLE))?;
    let table = ground.megabyte()?;
    must_fault(ground, writes, table + 0x1004, (false, WRITE | NO_PAGE))
}

/// Writing to what is mapped read-only: status 0x80f, and reading works. In a section 0x80d.
pub fn write_to_read_only_faults(ground: &mut Ground) -> Outcome {
    let address = ground.megabyte()?;
    ground.frame(FrameSize::Small)?.map(address, Rights::READ)?;
    ensure_eq!(read(address + 8), 0);
    must_fault(ground, writes, address + 8, (false, WRITE_TO_READ_ONLY))?;
    ensure_eq!(read(address + 8), 0);
    let section = ground.addresses(1 << 20);
    ground.frame(FrameSize::Section)?.map(section, Rights::READ)?;
    must_fault(ground, writes, section + 8, (false, WRITE | NOT_ALLOWED_SECTION))
}

/// Without the read right a frame is the kernel's only, also with the write right alone.
pub fn read_without_right_faults(ground: &mut Ground) -> Outcome {
    let address = ground.megabyte()?;
    for (rights, page) in [(Rights::NONE, 0), (Rights::WRITE, PAGE)] {
        ground.frame(FrameSize::Small)?.map(address + page, rights)?;
        must_fault(ground, reads, address + page, (false, NOT_ALLOWED))?;
        must_fault(ground, writes, address + page, (false, WRITE | NOT_ALLOWED))?;
    }
    Ok(())
}

/// A fetch from a page that is not executable: the fault says so, and where.
pub fn fetch_without_right_faults(ground: &mut Ground) -> Outcome {
    let address = ground.megabyte()?;
    ground.frame(FrameSize::Small)?.map(address, Rights::READ_WRITE)?;
    write(address, RETURN);
    must_fault(ground, runs, address, (true, NOT_ALLOWED))?;
    must_fault(ground, runs, address + PAGE, (true, NO_PAGE))
}

/// From an executable one it runs.
pub fn fetch_of_executable_page_runs(ground: &mut Ground) -> Outcome {
    let address = ground.megabyte()?;
    let frame = ground.frame(FrameSize::Small)?;
    frame.map_as(address, Rights::READ_WRITE, VmAttributes::EXECUTABLE)?;
    write(address, RETURN);
    frame.cap().unify_instruction(0..PAGE)?;
    let victim = Victim::start(ground, runs, address, 0)?;
    ensure!(victim.is_done(ground));
    Ok(())
}

/// A read-only capability maps read-only whatever is asked for.
pub fn rights_of_capability_limit_mapping(ground: &mut Ground) -> Outcome {
    let address = ground.megabyte()?;
    let frame = ground.frame(FrameSize::Small)?;
    let read_only = ground.copy(frame.cap(), Rights::READ)?;
    read_only.map(address, Rights::READ_WRITE)?;
    must_fault(ground, writes, address, (false, WRITE_TO_READ_ONLY))?;
    read_only.remap(Rights::READ_WRITE)?;
    must_fault(ground, writes, address, (false, WRITE_TO_READ_ONLY))
}

/// A write fault, cured by Remap and answered with label 0: the thread goes on, and faults once.
pub fn write_fault_is_cured_by_one_remap(ground: &mut Ground) -> Outcome {
    let address = ground.megabyte()?;
    let frame = ground.frame(FrameSize::Small)?;
    frame.map(address, Rights::READ)?;
    let victim = Victim::start(ground, writes, address, 0xbeef)?;
    ensure!(matches!(victim.fault(ground), Some(Fault::Memory { status: WRITE_TO_READ_ONLY, .. })));
    frame.remap(Rights::READ_WRITE)?;
    reply(Message { info: MessageInfo::new(0, 0), words: [0; 4] });
    ensure!(victim.is_done(ground));
    ensure_eq!(read(address), 0xbeef);
    Ok(())
}

/// Remap changes rights where the frame is, both ways, and what it holds stays.
pub fn remap_changes_rights_in_place(ground: &mut Ground) -> Outcome {
    let address = ground.megabyte()?;
    let frame = ground.frame(FrameSize::Small)?;
    ensure_eq!(frame.remap(Rights::READ), Err(Error::InvalidCapability));
    frame.map(address, Rights::READ_WRITE)?;
    write(address, 7);
    frame.remap(Rights::READ)?;
    must_fault(ground, writes, address, (false, WRITE_TO_READ_ONLY))?;
    ensure_eq!(read(address), 7);
    frame.remap(Rights::READ_WRITE)?;
    write(address, 8);
    ensure_eq!(read(address), 8);
    Ok(())
}

/// What is unmapped is no longer there; unmapping twice is no error.
pub fn unmap_takes_away(ground: &mut Ground) -> Outcome {
    let address = ground.megabyte()?;
    let frame = ground.frame(FrameSize::Small)?;
    frame.map(address, Rights::READ_WRITE)?;
    write(address, 7);
    frame.unmap()?;
    must_fault(ground, reads, address, (false, NO_PAGE))?;
    frame.unmap()?;
    frame.map(address + PAGE, Rights::READ)?;
    ensure_eq!(read(address + PAGE), 7);
    Ok(())
}

/// Frames of 64 KiB, 1 MiB and 16 MiB are mapped as a whole: different words from the first to the last page.
pub fn large_frames_are_memory(ground: &mut Ground) -> Outcome {
    for size in [FrameSize::Large, FrameSize::Section, FrameSize::SuperSection] {
        let frame = ground.frame(size)?;
        let address = if size == FrameSize::Large { ground.megabyte()? } else { ground.addresses(size.bytes()) };
        frame.map(address, Rights::READ_WRITE)?;
        let pages = || (address..address + size.bytes()).step_by(PAGE as usize);
        for page in pages() {
            ensure_eq!((read(page), read(page + PAGE - 4)), (0, 0));
            write(page, page);
            write(page + PAGE - 4, !page);
        }
        for page in pages() {
            ensure_eq!((read(page), read(page + PAGE - 4)), (page, !page));
        }
        frame.remap(Rights::READ)?;
        ensure_eq!(read(address + size.bytes() - PAGE), address + size.bytes() - PAGE);
        let status = if size == FrameSize::Large { NOT_ALLOWED } else { NOT_ALLOWED_SECTION };
        must_fault(ground, writes, address + size.bytes() - 4, (false, WRITE | status))?;
        frame.unmap()?;
        must_fault(ground, reads, address, (false, if size == FrameSize::Large { NO_PAGE } else { NO_TABLE }))?;
    }
    Ok(())
}

/// Frames are mapped at multiples of their size only.
pub fn large_frames_are_aligned(ground: &mut Ground) -> Outcome {
    let table = ground.megabyte()?;
    let area = ground.addresses(1 << 25);
    for (size, address) in [
        (FrameSize::Small, table + 0x10),
        (FrameSize::Large, table + PAGE),
        (FrameSize::Section, area + 0x1_0000),
        (FrameSize::SuperSection, area + (1 << 20)),
    ] {
        let frame = ground.frame(size)?;
        ensure_eq!(frame.map(address, Rights::READ), Err(Error::AlignmentError), "{size:?}");
    }
    Ok(())
}

/// A page, small or large, where no page table is: FailedLookup.
pub fn missing_page_table_is_failed_lookup(ground: &mut Ground) -> Outcome {
    let address = ground.addresses(1 << 20);
    for size in [FrameSize::Small, FrameSize::Large] {
        let frame = ground.frame(size)?;
        ensure_eq!(frame.map(address, Rights::READ), Err(Error::FailedLookup), "{size:?}");
    }
    Ok(())
}

/// A capability that is mapped is not mapped at another address; a copy of it is.
pub fn mapped_capability_is_not_mapped_again(ground: &mut Ground) -> Outcome {
    let address = ground.megabyte()?;
    let frame = ground.frame(FrameSize::Small)?;
    frame.map(address, Rights::READ_WRITE)?;
    ensure_eq!(frame.map(address + PAGE, Rights::READ_WRITE), Err(Error::InvalidCapability));
    let copy = ground.copy(frame.cap(), Rights::ALL)?;
    copy.map(address + PAGE, Rights::READ)?;
    write(address, 5);
    ensure_eq!(read(address + PAGE), 5);
    must_fault(ground, writes, address + PAGE, (false, WRITE_TO_READ_ONLY))
}

/// Another frame over an occupied small page replaces it without a word.
pub fn occupied_page_is_replaced(ground: &mut Ground) -> Outcome {
    let address = ground.megabyte()?;
    let (one, other) = (ground.frame(FrameSize::Small)?, ground.frame(FrameSize::Small)?);
    one.map(address, Rights::READ_WRITE)?;
    write(address, 1);
    other.map(address, Rights::READ_WRITE)?;
    ensure_eq!(read(address), 0);
    write(address, 2);
    // The first one's capability still believes to be mapped there, but unmapping it does not take the second one away.
    one.unmap()?;
    ensure_eq!(read(address), 2);
    Ok(())
}

/// A section is not mapped over a page table, nor a page table over a section, nor a section over one.
pub fn occupied_section_is_refused(ground: &mut Ground) -> Outcome {
    let address = ground.megabyte()?;
    let section = ground.frame(FrameSize::Section)?;
    ensure_eq!(section.map(address, Rights::READ), Err(Error::DeleteFirst));
    let free = ground.addresses(1 << 20);
    section.map(free, Rights::READ)?;
    let table = ground.objects.make::<sel4::PageTable>()?;
    ensure_eq!(table.map(boot::ADDRESS_SPACE, free), Err(Error::DeleteFirst));
    ensure_eq!(table.map(boot::ADDRESS_SPACE, address), Err(Error::DeleteFirst));
    Ok(())
}

/// Deleting the capability by which a frame is mapped unmaps it, although other capabilities to it are left.
pub fn deleting_the_mapping_capability_unmaps(ground: &mut Ground) -> Outcome {
    let address = ground.megabyte()?;
    let frame = ground.frame(FrameSize::Small)?;
    let copy = ground.copy(frame.cap(), Rights::ALL)?;
    copy.map(address, Rights::READ_WRITE)?;
    write(address, 3);
    copy.delete()?;
    must_fault(ground, reads, address, (false, NO_PAGE))?;
    frame.map(address, Rights::READ)?;
    ensure_eq!(read(address), 3);
    Ok(())
}

/// Receives five words; its message buffer is mapped read-only.
extern "C" fn receives(probe: &'static Probe) -> ! {
    let received = Cap::<Endpoint>::new(probe.get(0)).recv();
    if let Received::Message(_, message) = received {
        probe.set(1, message.word(4).unwrap_or(0));
    }
    stop()
}

/// The kernel writes a message into the receiver's buffer although its mapping is read-only, and nobody gets a fault: such
/// a page is changed without its owner's doing.
pub fn kernel_writes_into_read_only_message_buffer(ground: &mut Ground) -> Outcome {
    let address = ground.megabyte()?;
    let frame = ground.frame(FrameSize::Small)?;
    frame.map(address, Rights::READ)?;
    let faults = ground.objects.make::<Endpoint>()?;
    let thread = ground.make_thread(PRIORITY, Some(faults))?;
    let buffer = sel4::thread::MessageBuffer { address, frame: frame.cap() };
    // SAFETY: the thread only receives and reads.
    unsafe { thread.tcb.set_message_buffer(Some(buffer)) }?;
    let endpoint = ground.objects.make::<Endpoint>()?;
    let probe = ground.probe();
    probe.set(0, endpoint.number());
    thread.start(receives, probe)?;
    ground.settle();
    if let Some(message) = Message::long(1, &[1, 2, 3, 4, 0xabcd]) {
        endpoint.nb_send(message);
    }
    ground.run_for(100);
    ensure!(faults.nb_recv().is_none());
    ensure_eq!(probe.get(1), 0xabcd);
    // Word 0 of the buffer is its tag, so message word 4 is the sixth.
    ensure_eq!(supplies::read(address + 20), 0xabcd);
    Ok(())
}
