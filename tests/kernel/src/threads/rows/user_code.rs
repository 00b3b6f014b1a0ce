//! Threads that make no system call: in user code, and stopped by a memory fault.

use ground::{Failure, Ground, Outcome, Thread, ensure, ensure_eq, ground::PRIORITY};
use sel4::{Cap, Endpoint, Fault, Frame, Message, Rights, UserContext, VmAttributes, boot};

use super::super::{
    row::{How, Row},
    step::{Act, Step, nothing_waits, past, same, start_with, take},
};

/// How long a thread counts.
const MICROSECONDS: u32 = 20;

/// Counts for ever, in r12 and in memory.
pub struct UserCode {
    step: &'static Step,
    thread: Thread,
}

impl UserCode {
    /// The pc is exact: between adding and storing, and only there, the register is one ahead of memory.
    fn check_at(&self, seen: UserContext) -> Outcome {
        let before = self.step.before(Act::Spin);
        let offset = seen.pc.wrapping_sub(before.pc);
        ensure!([0, 4, 8].contains(&offset), "pc is {:#x}", seen.pc);
        same(seen, UserContext { pc: seen.pc, r12: seen.r12, ..before })?;
        ensure_eq!(seen.r12, self.step.count() + u32::from(offset == 4));
        Ok(())
    }
}

impl Row for UserCode {
    fn enter(ground: &mut Ground) -> Result<Self, Failure> {
        let step = Step::with(ground)?;
        let thread = start_with(ground, step, Act::Spin, PRIORITY, None)?;
        ground.run_for(MICROSECONDS);
        Ok(Self { step, thread })
    }

    fn thread(&self) -> Thread {
        self.thread
    }

    fn check(&self, seen: UserContext) -> Outcome {
        ensure!(self.step.count() > 0);
        self.check_at(seen)
    }

    fn complete(self, ground: &mut Ground, thread: Thread, _: How) -> Outcome {
        let before = self.step.count();
        ground.run_for(MICROSECONDS);
        ensure!(self.step.count() > before);
        self.check_at(thread.tcb.read_registers(true)?)
    }
}

/// Stores to an address where nothing is mapped; the fault is received, not answered.
pub struct MemoryFault {
    step: &'static Step,
    thread: Thread,
    faults: Cap<Endpoint>,
    badged: Cap<Endpoint>,
    frame: Cap<Frame>,
    address: u32,
}

impl MemoryFault {
    const BADGE: u32 = 0xfa;

    fn is_reported(&self) -> Outcome {
        let (badge, message) = take(self.faults)?;
        ensure_eq!(badge, Self::BADGE);
        // Bit 11: a write. 7: no page.
        let fault = Fault::Memory { pc: Act::Touch.address(), address: self.address, fetch: false, status: 0x807 };
        ensure_eq!(Fault::decode(&message), Some(fault));
        Ok(())
    }
}

impl Row for MemoryFault {
    fn enter(ground: &mut Ground) -> Result<Self, Failure> {
        let faults = ground.objects.make::<Endpoint>()?;
        let badged = ground.badged(faults, Self::BADGE)?;
        let (frame, address) = ground.page()?;
        let address = address.addr() as u32;
        // SAFETY: nobody refers to the new page.
        unsafe { frame.unmap() }?;
        let step = Step::touching(ground, address)?;
        let thread = start_with(ground, step, Act::Touch, PRIORITY, Some(badged))?;
        ground.settle();
        let row = Self { step, thread, faults, badged, frame, address };
        row.is_reported()?;
        Ok(row)
    }

    fn thread(&self) -> Thread {
        self.thread
    }

    fn faults(&self) -> Option<Cap<Endpoint>> {
        Some(self.badged)
    }

    fn check(&self, seen: UserContext) -> Outcome {
        same(seen, self.step.before(Act::Touch))
    }

    fn complete(self, ground: &mut Ground, _: Thread, how: How) -> Outcome {
        ground.settle();
        self.step.is_pending()?;
        if how != How::Thawed {
            // The first report can no longer be answered; it touches the address again.
            self.is_reported()?;
        }
        // SAFETY: nobody refers to the page, and nothing else is mapped there.
        unsafe { self.frame.map(boot::ADDRESS_SPACE, self.address, Rights::READ_WRITE, VmAttributes::DATA) }?;
        sel4::reply(Message::new(0, []));
        ground.settle();
        let before = self.step.before(Act::Touch);
        self.step.is_done_with(past(before))?;
        // SAFETY: mapped above.
        ensure_eq!(unsafe { (self.address as *const u32).read_volatile() }, before.r1);
        nothing_waits(self.faults)
    }
}
