//! The sessions, and the frames that pass between them.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::fmt;

use base::{
    Env,
    rpc::Slot,
    service::Opening,
    session::link::{Link, LinkError, MAX_FRAME, MTU, State, rings::RingError},
    sync::Mutex,
};
use ethernet::{Frame, Port, PortError};

use crate::{
    network::{self, Network},
    plan::Plan,
};

/// The network, and who has which port. Used by the first thread only; the lock is for the compiler.
pub struct Ports {
    env: Env,
    plan: Plan,
    network: Network,
    seats: Vec<Option<Taken>>,
    alarm: Slot,
    buffer: Frame,
}

struct Taken {
    client: String,
    port: Port,
    /// Frames for which there was no room.
    dropped: u64,
    /// It has broken its session and is not listened to any more.
    broken: bool,
}

impl Ports {
    /// Nobody has any.
    pub fn new(env: Env, plan: Plan) -> Self {
        let network = plan.network(now(env));
        let seats = (0..plan.ports()).map(|_| None).collect();
        Self { env, plan, network, seats, alarm: Slot(0), buffer: [0; MAX_FRAME] }
    }

    /// Is to be [pumped](Self::pump) when that signal is raised.
    pub const fn wake_by(&mut self, alarm: Slot) {
        self.alarm = alarm;
    }

    /// Does what is due: frames that arrive, frames that are sent, cables that are cut or mended. Then waits for the next of
    /// these.
    ///
    /// It ends: a port sends until it is some frames ahead of its cables, and these take time.
    pub fn pump(&mut self) {
        let now = now(self.env);
        self.deliver(now);
        let mut next = self.network.next_change(now);
        for number in 0..self.seats.len() {
            let Self { network, seats, buffer, .. } = self;
            let Some(Some(taken)) = seats.get_mut(number) else { continue };
            taken.port.plug(!taken.broken && network.is_up(number, now));
            let wakes = taken.send_all(network, (number, now), buffer);
            next = [next, wakes].into_iter().flatten().min();
        }
        // Without delay what was sent a moment ago has not arrived before it has departed, so not now.
        next = [next, self.network.next_arrival()].into_iter().flatten().min();
        let set = match next {
            Some(at) => self.env.timer().once(self.alarm, at.saturating_sub(now).max(1)),
            None => self.env.timer().cancel(self.alarm).map(|_| ()),
        };
        if let Err(error) = set {
            log::error!("no alarm: {error:?}");
        }
    }

    fn deliver(&mut self, now: u64) {
        while let Some((to, frame)) = self.network.arrived(now) {
            let Some(Some(taken)) = self.seats.get_mut(to) else { continue };
            match taken.port.send(&frame) {
                Ok(()) => {}
                Err(RingError::Full | RingError::Length) => taken.dropped += 1,
                Err(RingError::Broken) => taken.breaks(),
            }
        }
    }
}

impl Taken {
    /// Sends what the client has put in, as far as its cables take it; tells when they take more, if there is more.
    fn send_all(
        &mut self,
        network: &mut Network,
        (number, now): (network::Port, u64),
        buffer: &mut Frame,
    ) -> Option<u64> {
        while !self.broken {
            let ready = network.ready(number);
            if ready > now {
                return matches!(self.port.is_empty(), Ok(false)).then_some(ready);
            }
            match self.port.receive(buffer) {
                Ok(Some(length)) => network.send(now, number, buffer.get(..length).unwrap_or_default()),
                Ok(None) => return None,
                Err(_) => self.breaks(),
            }
        }
        None
    }

    fn breaks(&mut self) {
        if !core::mem::replace(&mut self.broken, true) {
            log::warn!("{} has broken its session", self.client);
            self.port.plug(false);
        }
    }
}

fn now(env: Env) -> u64 {
    // A component whose TIMER does not answer has no time that passes.
    env.timer().now().unwrap_or(0)
}

/// A session: somebody has a port.
pub struct Seat {
    ports: Arc<Mutex<Ports>>,
    number: network::Port,
}

/// Why somebody has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoSeat {
    /// There is no port of that name.
    Name(String),
    /// Somebody else has it.
    Taken(String),
    /// There is not what a port needs.
    Port(PortError),
}

impl fmt::Display for NoSeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "there is no port `{name}`"),
            Self::Taken(by) => write!(f, "{by} has it"),
            Self::Port(error) => write!(f, "{error:?}"),
        }
    }
}

impl core::error::Error for NoSeat {}

impl Seat {
    /// The port that a client asks for by its argument.
    pub fn take(ports: &Arc<Mutex<Ports>>, opening: &Opening<'_>) -> Result<Self, NoSeat> {
        let name = String::from_utf8_lossy(opening.argument);
        let mut locked = ports.lock();
        let number = locked.plan.port(&name).ok_or_else(|| NoSeat::Name(name.into_owned()))?;
        if let Some(Some(taken)) = locked.seats.get(number) {
            return Err(NoSeat::Taken(taken.client.clone()));
        }
        let heard = Arc::clone(ports);
        let port = Port::new(locked.env, opening, move |_| heard.lock().pump()).map_err(NoSeat::Port)?;
        let mut taken = Taken { client: opening.client.into(), port, dropped: 0, broken: false };
        let now = now(locked.env);
        taken.port.plug(locked.network.is_up(number, now));
        if let Some(address) = locked.network.address(number) {
            log::info!("{} has port {}, {address}", opening.client, locked.plan.name(number));
        }
        if let Some(seat) = locked.seats.get_mut(number) {
            *seat = Some(taken);
        }
        Ok(Self { ports: Arc::clone(ports), number })
    }

    fn with<R>(&self, use_it: impl FnOnce(&mut Taken) -> Result<R, LinkError>) -> Result<R, LinkError> {
        match self.ports.lock().seats.get_mut(self.number) {
            Some(Some(taken)) => use_it(taken),
            _ => Err(LinkError::Handle),
        }
    }
}

impl Link for Seat {
    fn memory(&mut self) -> Result<u32, LinkError> {
        self.with(|taken| taken.port.memory())
    }

    fn bell(&mut self) -> Result<u32, LinkError> {
        self.with(|taken| taken.port.bell())
    }

    fn listen(&mut self, handle: u32) -> Result<(), LinkError> {
        let heard = self.with(|taken| taken.port.listen(handle));
        // Also what was sent or has arrived before.
        self.ports.lock().pump();
        heard
    }

    fn state(&mut self) -> State {
        let ports = self.ports.lock();
        let address = ports.network.address(self.number).unwrap_or(base::session::link::Address([0; 6]));
        State { address, mtu: MTU, up: ports.network.is_up(self.number, now(ports.env)) }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut ports = self.ports.lock();
        let taken = ports.seats.get_mut(self.number).and_then(Option::take);
        let network::Counts { sent, lost, arrived } = ports.network.counts(self.number);
        let name = ports.plan.name(self.number);
        drop(ports);
        // Its signal's function has the lock's other end, so it goes when nothing is locked.
        if let Some(Taken { client, dropped, .. }) = taken {
            log::info!(
                "{client} has left port {name}: {sent} frames sent, {lost} lost, {arrived} arrived, {dropped} without room"
            );
        }
    }
}
