//! Calls, signals, capabilities in messages.
//!
//! Client and servers are threads of one address space unless the name says otherwise. A round trip is Call by the client
//! and ReplyRecv by the server, with as many words there and back. Words beyond the fourth are moved by the kernel from
//! buffer to buffer; filling and reading the buffers is not part of it.

use alloc::format;

use ground::{AddressSpace, Failure, Ground, Probe};
use rtcr_core::guardian::OWN_PRIORITY;
use sel4::{
    Cap, Endpoint, Error, FrameSize, Message, MessageInfo, Notification, Priority, Received, Rights, UserContext, boot,
    message, thread::MessageBuffer,
};
use wire::layout::PAGE;

use crate::meter::Meter;

const ROUNDS: u32 = 1_000;
const LENGTHS: [usize; 4] = [0, 4, 20, 120];
/// Rising priorities.
const CORE: u8 = 255;
const PARENT: u8 = 200;
const CLIENT: u8 = 100;

fn plain(length: usize) -> Message {
    Message { info: MessageInfo::new(0, length), words: [0; 4] }
}

fn length(received: Received) -> usize {
    match received {
        Received::Message(_, message) => message.len(),
        Received::Signal(_) => 0,
    }
}

/// Answers at the endpoint of word 0, with as many words as came.
extern "C" fn core(probe: &'static Probe) -> ! {
    let endpoint = Cap::<Endpoint>::new(probe.get(0));
    let mut received = endpoint.recv();
    loop {
        received = endpoint.reply_recv(plain(length(received)));
    }
}

/// The same, after passing the message on to the endpoint of word 1.
extern "C" fn parent(probe: &'static Probe) -> ! {
    let (endpoint, core) = (Cap::<Endpoint>::new(probe.get(0)), Cap::<Endpoint>::new(probe.get(1)));
    let mut received = endpoint.recv();
    loop {
        let answer = core.call(plain(length(received)));
        received = endpoint.reply_recv(plain(answer.len()));
    }
}

/// Answers, and deletes the capability that came into the slot of word 1, if one did.
extern "C" fn takes_capabilities(probe: &'static Probe) -> ! {
    let endpoint = Cap::<Endpoint>::new(probe.get(0));
    let slot = Cap::<Endpoint>::new(probe.get(1)).slot(boot::CNODE);
    message::set_receive_slot(slot);
    let mut received = endpoint.recv();
    loop {
        if let Received::Message(_, message) = received
            && message.info.capabilities() == 1
            && !message.info.is_unwrapped(0)
        {
            // SAFETY: an endpoint is no memory. What could fail is that the slot does not exist.
            let _ = unsafe { slot.delete() };
        }
        received = endpoint.reply_recv(plain(0));
    }
}

/// A server, waiting for its first call.
fn serve(
    ground: &mut Ground,
    priority: u8,
    entry: extern "C" fn(&'static Probe) -> !,
    word: u32,
) -> Result<Cap<Endpoint>, Failure> {
    let endpoint = ground.objects.make::<Endpoint>()?;
    let probe = ground.probe();
    probe.set(0, endpoint.number());
    probe.set(1, word);
    ground.spawn_at(priority, entry, probe)?;
    ground.settle();
    Ok(endpoint)
}

fn calls(meter: &mut Meter, server: Cap<Endpoint>, what: &str) -> Result<(), Failure> {
    for length in LENGTHS {
        meter.each(&format!("call/{length} words/{what}"), ROUNDS, |_| {
            server.call(plain(length));
            Ok(())
        })?;
    }
    Ok(())
}

/// All of them.
pub fn measure(meter: &mut Meter) -> Result<(), Failure> {
    let server = serve(&mut meter.ground, OWN_PRIORITY, core, 0)?;
    calls(meter, server, "equal priorities")?;
    let relay = serve(&mut meter.ground, OWN_PRIORITY, parent, server.number())?;
    calls(meter, relay, "through a parent, equal priorities")?;
    meter.ground.clear()?;

    let server = serve(&mut meter.ground, CORE, core, 0)?;
    let relay = serve(&mut meter.ground, PARENT, parent, server.number())?;
    let slot = meter.ground.slot()?;
    let taker = serve(&mut meter.ground, PARENT, takes_capabilities, slot.index)?;
    let far = serve_elsewhere(&mut meter.ground, CORE)?;
    boot::TCB.set_priority(CLIENT)?;
    calls(meter, server, "rising priorities")?;
    calls(meter, relay, "through a parent, rising priorities")?;
    calls(meter, far, "rising priorities, other address space")?;
    capabilities(meter, taker)?;
    boot::TCB.set_priority(OWN_PRIORITY)?;
    meter.ground.clear()?;
    signals(meter)
}

/// A server that lives in an address space of its own.
fn serve_elsewhere(ground: &mut Ground, priority: u8) -> Result<Cap<Endpoint>, Failure> {
    let mut space = AddressSpace::with_image(ground)?;
    let address = ground.megabyte()?;
    let [stack, buffer] = [address, address + PAGE];
    let mut last = None;
    for page in [stack, buffer] {
        let frame = ground.frame(FrameSize::Small)?;
        space.map(ground, frame.cap(), page, Rights::READ_WRITE)?;
        last = Some(MessageBuffer { address: page, frame: frame.cap() });
    }
    let endpoint = ground.objects.make::<Endpoint>()?;
    let probe = ground.probe();
    probe.set(0, endpoint.number());
    let thread = ground.make_thread(priority, None)?;
    let registers = UserContext {
        pc: core as *const () as u32,
        sp: stack + PAGE,
        cpsr: ground::ground::USER_MODE,
        r0: ::core::ptr::from_ref(probe).addr() as u32,
        ..UserContext::default()
    };
    // SAFETY: stack and message buffer are the thread's own and lie in its space, as does the root task's image.
    unsafe {
        thread.tcb.configure(space.space(0), Priority::new(priority), last)?;
        thread.tcb.write_registers(true, &registers)?;
    }
    ground.settle();
    Ok(endpoint)
}

fn capabilities(meter: &mut Meter, server: Cap<Endpoint>) -> Result<(), Failure> {
    let own = meter.ground.badged(server, 0x55)?;
    let other = meter.ground.objects.make::<Endpoint>()?;
    for (name, capability) in [
        ("call/4 words and no capability", None),
        ("call/4 words and a capability unwrapped", Some(own)),
        ("call/4 words and a capability transferred, then deleted", Some(other)),
    ] {
        meter.each(name, ROUNDS, |_| {
            let mut message = plain(4);
            if let Some(capability) = capability {
                message::set_capability(0, capability);
                message.info = message.info.with_capabilities(1);
            }
            server.call(message);
            Ok(())
        })?;
    }
    Ok(())
}

/// Waits at the notification of word 0.
extern "C" fn waits(probe: &'static Probe) -> ! {
    loop {
        Cap::<Notification>::new(probe.get(0)).wait();
    }
}

fn signals(meter: &mut Meter) -> Result<(), Failure> {
    let notification = meter.ground.objects.make::<Notification>()?;
    let badged = meter.ground.badged(notification, 1)?;
    meter.each("signal/nobody waits", ROUNDS, |_| {
        badged.signal();
        Ok(())
    })?;
    meter.each("signal/and poll", ROUNDS, |_| {
        badged.signal();
        notification.poll().map(|_| ()).ok_or(Error::Foreign)
    })?;
    let probe = meter.ground.probe();
    probe.set(0, notification.number());
    meter.ground.spawn_at(CORE, waits, probe)?;
    meter.ground.settle();
    meter.each("signal/wakes a higher thread, which waits again", ROUNDS, |_| {
        badged.signal();
        Ok(())
    })
}
