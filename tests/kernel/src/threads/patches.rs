//! What the kernel's patches mend beyond the rows of the table.

use ground::{Failure, Ground, Outcome, Probe, Test, ensure, ensure_eq, ground::PRIORITY, tests};
use sel4::{Cap, Endpoint, Frame, Message, Notification, Rights, VmAttributes, boot};

use super::step::{Act, Step, SystemCall, is_message, message, nothing_waits, past, start_with, take};

const QUESTION: Message = message(0x1100);
/// Priority of a server above its client.
const HIGHER: u8 = 200;

/// A thread that has touched memory that is not there, so that its fault is queued; then it calls.
struct Faulted {
    frame: Cap<Frame>,
    address: u32,
    faults: Cap<Endpoint>,
    endpoint: Cap<Endpoint>,
    touch: &'static Step,
    call: &'static Step,
    thread: ground::Thread,
}

fn faulted(ground: &mut Ground) -> Result<Faulted, Failure> {
    let (faults, endpoint) = (ground.objects.make::<Endpoint>()?, ground.objects.make::<Endpoint>()?);
    let (frame, address) = ground.page()?;
    let address = address.addr() as u32;
    // SAFETY: nobody refers to the new page.
    unsafe { frame.unmap() }?;
    let touch = Step::touching(ground, address)?;
    let call = Step::new(ground, SystemCall::Call, endpoint, &QUESTION)?;
    touch.then(call);
    let thread = start_with(ground, touch, Act::Touch, PRIORITY, Some(faults))?;
    ground.settle();
    touch.is_pending()?;
    Ok(Faulted { frame, address, faults, endpoint, touch, call, thread })
}

impl Faulted {
    /// Its next call arrives as what it is.
    fn calls(&self, ground: &mut Ground) -> Outcome {
        ground.settle();
        nothing_waits(self.faults)?;
        is_message(take(self.endpoint)?, 0, &QUESTION)?;
        sel4::reply(Message::new(0, []));
        ground.settle();
        ensure_eq!(self.call.count(), 1);
        Ok(())
    }
}

/// A thread is suspended while its fault waits to be received, the page is mapped, the thread resumed: the fault is
/// forgotten, and its next call arrives as what it sent, not as that fault.
pub fn suspending_forgets_a_queued_fault(ground: &mut Ground) -> Outcome {
    let faulted = faulted(ground)?;
    faulted.thread.tcb.suspend()?;
    // SAFETY: nobody refers to the page, and nothing else is mapped there.
    unsafe { faulted.frame.map(boot::ADDRESS_SPACE, faulted.address, Rights::READ_WRITE, VmAttributes::DATA) }?;
    faulted.thread.tcb.resume()?;
    ground.settle();
    faulted.touch.is_done_with(past(faulted.touch.before(Act::Touch)))?;
    faulted.calls(ground)
}

/// The same when registers are written with `resume` instead.
pub fn writing_registers_forgets_a_queued_fault(ground: &mut Ground) -> Outcome {
    let faulted = faulted(ground)?;
    // SAFETY: the step is the thread's new stack.
    unsafe { faulted.thread.tcb.write_registers(true, &faulted.call.before(Act::Trap)) }?;
    faulted.calls(ground)?;
    faulted.touch.is_pending()
}

/// Calls of the client; words 0: endpoint, 1: how many, 2: done.
extern "C" fn client(probe: &'static Probe) -> ! {
    let endpoint = Cap::<Endpoint>::new(probe.get(0));
    for _ in 0..probe.get(1) {
        endpoint.call(Message::new(0, []));
        probe.count(2);
    }
    loop {
        Cap::<Notification>::new(probe.get(7)).wait();
    }
}

extern "C" fn server(probe: &'static Probe) -> ! {
    let endpoint = Cap::<Endpoint>::new(probe.get(0));
    endpoint.recv();
    loop {
        if probe.get(3) != 0 {
            Cap::<Notification>::new(probe.get(3)).signal();
        }
        endpoint.reply_recv(Message::new(0, []));
    }
}

/// Waits for the server's signal (word 3), then notes how many calls the client has behind it.
extern "C" fn rival(probe: &'static Probe) -> ! {
    let notification = Cap::<Notification>::new(probe.get(3));
    loop {
        notification.wait();
        probe.set(4, probe.get(2));
        probe.count(5);
    }
}

const ROUNDS: u32 = 256;

/// Steps of the clock that [`ROUNDS`] calls take.
fn cost(ground: &mut Ground, of_server: u8, of_client: u8) -> Result<u32, Failure> {
    let probe = ground.probe();
    probe.set(0, ground.objects.make::<Endpoint>()?.number());
    probe.set(1, ROUNDS);
    probe.set(7, ground.objects.make::<Notification>()?.number());
    ground.spawn_at(of_server, server, probe)?;
    ground.settle();
    ground.spawn_at(of_client, client, probe)?;
    let start = ground.now();
    ground.settle();
    let steps = ground.now().wrapping_sub(start);
    ensure_eq!(probe.get(2), ROUNDS);
    Ok(steps)
}

/// A call to a server of higher priority and back takes at most half as long again as between equals, so its answer takes
/// the short path too.
///
/// Whether the short path is taken shows in nothing but how many instructions the kernel executes: both paths leave the
/// same state. In virtual time the clock counts instructions, so this is the same in every run; without the patch it is
/// three times as long. It says nothing where the clock is that of the host.
pub fn answer_to_a_lower_priority_is_short(ground: &mut Ground) -> Outcome {
    let equal = cost(ground, PRIORITY, PRIORITY)?;
    let rising = cost(ground, HIGHER, PRIORITY)?;
    ensure!(rising * 2 <= equal * 3, "{ROUNDS} calls: {equal} steps between equals, {rising} with rising priorities");
    Ok(())
}

/// Where the short path must not be taken: the server has woken a thread of a priority between itself and its client.
/// That one runs first.
pub fn answer_does_not_pass_a_higher_thread(ground: &mut Ground) -> Outcome {
    let probe = ground.probe();
    probe.set(0, ground.objects.make::<Endpoint>()?.number());
    probe.set(1, 3);
    probe.set(3, ground.objects.make::<Notification>()?.number());
    probe.set(7, ground.objects.make::<Notification>()?.number());
    ground.spawn_at(HIGHER, server, probe)?;
    ground.spawn_at(PRIORITY + 1, rival, probe)?;
    ground.settle();
    ground.spawn_at(PRIORITY, client, probe)?;
    ground.settle();
    // Three times it ran, the last time with two calls behind the client.
    ensure_eq!((probe.get(2), probe.get(5), probe.get(4)), (3, 3, 2));
    Ok(())
}

/// Names and tests.
pub const TESTS: &[Test] = tests! { threads::patches:
    suspending_forgets_a_queued_fault, writing_registers_forgets_a_queued_fault, answer_to_a_lower_priority_is_short,
    answer_does_not_pass_a_higher_thread,
};
