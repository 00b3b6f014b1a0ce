//! The device and its one user, and the frames that pass between them.

use alloc::{string::String, sync::Arc};

use base::{
    Env,
    client::Session,
    memory::{Attachment, Dataspace},
    rpc::Slot,
    service::{Opening, Refused},
    session::{
        device::{dma, io_mem, irq},
        link::{Address, Link, LinkError, MAX_FRAME, MTU, State, rings::RingError},
        pd::{ANY, Cache, FrameSize, Memory, PAGE},
        rm::Placement,
    },
    sync::Mutex,
};
use ethernet::{Frame, Port};

use crate::{
    descriptors::{BUFFER, PAGES, Rings},
    registers::{Registers, event},
};

/// Frames of each direction that are passed on before others have their turn.
const AT_ONCE: usize = 64;

/// The driver. Used by the first thread only; the lock is for the compiler.
pub struct Driver {
    env: Env,
    registers: Attachment,
    interrupt: Session<irq::Client>,
    memory: Attachment,
    _dataspace: Dataspace,
    rings: Rings,
    user: Option<User>,
    /// The signal by which it is called again.
    again: Slot,
    has_cable: bool,
    buffer: Frame,
}

struct User {
    client: String,
    port: Port,
    /// It has broken its session and is not listened to any more.
    broken: bool,
    sent: u64,
    received: u64,
    /// Frames for which there was no room.
    dropped: u64,
}

/// What stands in the way, for people.
pub type Failure = &'static str;

impl Driver {
    /// Resets the device, and has it work.
    ///
    /// # Errors
    /// What is missing.
    pub fn start(env: Env, address: Option<Address>, [io_mem, irq]: [&str; 2]) -> Result<Self, Failure> {
        let registers = env.open::<io_mem::Client>("io_mem", io_mem.as_bytes()).map_err(|_| "registers")?;
        let page = registers.open(ANY).map_err(|_| "registers")?;
        let registers = env.attach(&page, Placement::ANYWHERE).map_err(|_| "room for registers")?;
        // Before memory is found that a driver before may have told the device of.
        Registers(registers.words()).reset();
        let interrupt = env.open::<irq::Client>("irq", irq.as_bytes()).map_err(|_| "interrupt")?;
        let dma =
            env.open::<dma::Client>("dma", b"").map_err(|_| "permission to let a device read and write memory")?;
        let uncached = Memory { cache: Cache::Uncached, largest: FrameSize::Small };
        let dataspace = env.allocate_as(PAGES * PAGE as usize, uncached).map_err(|_| "memory")?;
        let memory = env.attach(&dataspace, Placement::ANYWHERE).map_err(|_| "room for memory")?;
        let mut pages = [0; PAGES];
        for (number, page) in (0..).zip(&mut pages) {
            *page = dma.address(dataspace.slot(), number).map_err(|_| "addresses of memory")?;
        }
        let rings = Rings::new(memory.words(), pages);
        let device = Registers(registers.words());
        if let Some(address) = address {
            device.set_address(address);
        }
        device.start(rings.addresses(), BUFFER as u32);
        let has_cable = device.has_cable();
        let (user, again, buffer) = (None, Slot(0), [0; MAX_FRAME]);
        Ok(Self { env, registers, interrupt, memory, _dataspace: dataspace, rings, user, again, has_cable, buffer })
    }

    /// Is to be [called](Self::pump) by that signal from now on.
    ///
    /// # Errors
    /// The interrupt cannot raise it.
    pub fn call_by(&mut self, signal: Slot) -> Result<(), Failure> {
        self.again = signal;
        self.interrupt.handle(signal).map_err(|_| "signal")
    }

    fn device(&self) -> Registers<'_> {
        Registers(self.registers.words())
    }

    /// The port's address.
    pub fn address(&self) -> Address {
        self.device().address()
    }

    /// Looks whether a cable is plugged in.
    pub fn look(&mut self) {
        self.has_cable = self.device().has_cable();
        if let Some(user) = &mut self.user {
            user.port.plug(self.has_cable && !user.broken);
        }
    }

    /// Passes on what was received and what is to be sent.
    pub fn pump(&mut self) {
        if self.device().take_events() & event::BUS != 0 {
            log::error!("the bus has refused the device memory; it begins anew");
            self.begin_anew();
        }
        let more = self.receive() | self.send();
        // Nobody hangs on it: the session is this component's own.
        let _ = self.interrupt.acknowledge();
        if more {
            let _ = self.env.signal().raise(self.again);
        }
    }

    fn begin_anew(&mut self) {
        let address = self.address();
        self.device().reset();
        self.device().set_address(address);
        self.rings = self.rings.anew(self.memory.words());
        self.device().start(self.rings.addresses(), BUFFER as u32);
    }

    /// Tells whether there may be more.
    fn receive(&mut self) -> bool {
        let mut count = 0;
        while count < AT_ONCE
            && let Some(length) = self.rings.receive(self.memory.words(), &mut self.buffer)
        {
            count += 1;
            let Some(user) = self.user.as_mut().filter(|user| !user.broken && length > 0) else { continue };
            match user.port.send(self.buffer.get(..length).unwrap_or_default()) {
                Ok(()) => user.received += 1,
                Err(RingError::Broken) => user.breaks(),
                Err(RingError::Full | RingError::Length) => user.dropped += 1,
            }
        }
        if count > 0 {
            self.device().received_some();
        }
        count == AT_ONCE
    }

    /// Tells whether there may be more.
    fn send(&mut self) -> bool {
        let Some(user) = self.user.as_mut().filter(|user| !user.broken) else { return false };
        let mut count = 0;
        // When there is no room, the device tells when there is.
        while count < AT_ONCE && self.rings.has_room(self.memory.words()) {
            match user.port.receive(&mut self.buffer) {
                Ok(Some(length)) => {
                    let frame = self.buffer.get(..length).unwrap_or_default();
                    count += usize::from(self.rings.send(self.memory.words(), frame));
                }
                Ok(None) => break,
                Err(_) => {
                    user.breaks();
                    break;
                }
            }
        }
        user.sent += count as u64;
        if count > 0 {
            self.device().send_some();
        }
        count == AT_ONCE
    }

    /// The device stops: it does not touch memory any more.
    pub fn stop(&self) {
        self.device().reset();
    }
}

impl User {
    fn breaks(&mut self) {
        if !core::mem::replace(&mut self.broken, true) {
            log::warn!("{} has broken its session", self.client);
            self.port.plug(false);
        }
    }
}

/// The session of the one user.
pub struct Seat(Arc<Mutex<Driver>>);

impl Seat {
    /// The port for a client, if nobody has it.
    ///
    /// # Errors
    /// Somebody has, or there is not what it needs.
    pub fn take(driver: &Arc<Mutex<Driver>>, opening: &Opening<'_>) -> Result<Self, Refused> {
        let mut locked = driver.lock();
        if let Some(user) = &locked.user {
            log::warn!("no port for {}: {} has it", opening.client, user.client);
            return Err(Refused);
        }
        let heard = Arc::clone(driver);
        let port = Port::new(locked.env, opening, move |_| heard.lock().pump()).map_err(|error| {
            log::warn!("no port for {}: {error:?}", opening.client);
            Refused
        })?;
        let client = opening.client.into();
        locked.user = Some(User { client, port, broken: false, sent: 0, received: 0, dropped: 0 });
        locked.look();
        Ok(Self(Arc::clone(driver)))
    }

    fn with<R>(&self, use_it: impl FnOnce(&mut Port) -> Result<R, LinkError>) -> Result<R, LinkError> {
        self.0.lock().user.as_mut().map_or(Err(LinkError::Handle), |user| use_it(&mut user.port))
    }
}

impl Link for Seat {
    fn memory(&mut self) -> Result<u32, LinkError> {
        self.with(|port| port.memory())
    }

    fn bell(&mut self) -> Result<u32, LinkError> {
        self.with(|port| port.bell())
    }

    fn listen(&mut self, handle: u32) -> Result<(), LinkError> {
        let heard = self.with(|port| port.listen(handle));
        // Also what was sent or has arrived before.
        self.0.lock().pump();
        heard
    }

    fn state(&mut self) -> State {
        let driver = self.0.lock();
        State { address: driver.address(), mtu: MTU, up: driver.has_cable }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut driver = self.0.lock();
        let (user, wrong) = (driver.user.take(), driver.rings.wrong);
        drop(driver);
        // Its signal's function has the lock's other end, so it goes when nothing is locked.
        if let Some(User { client, sent, received, dropped, .. }) = user {
            log::info!(
                "{client} has left: {sent} frames sent, {received} received, {dropped} without room, {wrong} damaged"
            );
        }
    }
}
