//! A network stack: smoltcp over a port, and a thread that waits for whatever comes first.

use core::fmt;

use base::{
    Env,
    rpc::{CallError, Slot},
    session::{signal::CreateError, timer::TimeoutError},
    signal::Signal,
};
use smoltcp::{
    iface::{Config, Interface, PollResult, SocketSet},
    time::Instant,
    wire::{EthernetAddress, IpCidr},
};

use crate::{Ethernet, LinkFailure};

/// A stack with its sockets. It is used by the thread that has made it, which alone can wait for it.
///
/// ```ignore
/// let mut stack = Stack::open(env, "link", b"left", "10.0.0.1/24".parse()?, seed)?;
/// let socket = stack.sockets.add(udp::Socket::new(..));
/// loop {
///     stack.poll();
///     // ... what there is to do ...
///     stack.wait(None)?;
/// }
/// ```
pub struct Stack {
    env: Env,
    /// The port.
    pub ethernet: Ethernet,
    /// Addresses and routes.
    pub interface: Interface,
    /// The sockets.
    pub sockets: SocketSet<'static>,
    // After the port, whose server raises it.
    signal: Signal,
}

/// Why there is no stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackError {
    /// There is no signal to wait for.
    Signal(CallError<CreateError>),
    /// There is no port.
    Link(LinkFailure),
    /// The port's address is none that one port can have.
    Address,
}

impl Stack {
    /// Opens a port, and a stack on it with one address. From the seed come the stack's random numbers (initial sequence
    /// numbers, local ports): what must not be guessed by others needs more than that.
    ///
    /// # Errors
    /// Why there is none.
    pub fn open(env: Env, service: &str, argument: &[u8], address: IpCidr, seed: u64) -> Result<Self, StackError> {
        let signal = env.own_signal().map_err(StackError::Signal)?;
        let mut ethernet = Ethernet::open(env, service, argument, signal.slot()).map_err(StackError::Link)?;
        let own = ethernet.state().address;
        // The stack takes a group's address for a mistake of its user's, and panics.
        if !own.is_single() {
            return Err(StackError::Address);
        }
        let mut config = Config::new(EthernetAddress(own.0).into());
        config.random_seed = seed;
        let mut interface = Interface::new(config, &mut ethernet, now(env));
        // There is room for one.
        interface.update_ip_addrs(|addresses| _ = addresses.push(address));
        Ok(Self { env, ethernet, interface, sockets: SocketSet::new(alloc::vec::Vec::new()), signal })
    }

    /// The session's time, as the stack wants it.
    pub fn now(&self) -> Instant {
        now(self.env)
    }

    /// The signal by which the thread is woken. Others can raise it too.
    pub const fn signal(&self) -> Slot {
        self.signal.slot()
    }

    /// Does what there is to do: frames that have come, frames to be sent, timeouts. Tells whether a socket may have changed.
    pub fn poll(&mut self) -> bool {
        let now = self.now();
        self.interface.poll(now, &mut self.ethernet, &mut self.sockets) == PollResult::SocketStateChanged
    }

    /// Waits until there is something to do for the stack, until that time, or until somebody raises the signal. May
    /// return earlier, for nothing.
    ///
    /// # Errors
    /// There is no timeout.
    pub fn wait(&mut self, until: Option<Instant>) -> Result<(), CallError<TimeoutError>> {
        let now = self.now();
        let next = self.interface.poll_at(now, &self.sockets);
        // What cannot be sent, because there is no room, is no reason to look again; that there is room again is a signal. And
        // a session that is broken has nothing to do any more.
        let next = next.filter(|_| self.ethernet.room().is_ok_and(|room| room > 0));
        if matches!(self.ethernet.is_empty(), Ok(false)) {
            return Ok(());
        }
        match [next, until].into_iter().flatten().min() {
            Some(next) if next <= now => return Ok(()),
            Some(next) => {
                self.env.timer().once(self.signal.slot(), (next - now).micros().saturating_mul(1000))?;
            }
            None => _ = self.env.timer().cancel(self.signal.slot())?,
        }
        self.signal.wait();
        Ok(())
    }
}

fn now(env: Env) -> Instant {
    // A component whose TIMER does not answer has no time that passes.
    let nanoseconds = env.timer().now().unwrap_or(0);
    Instant::from_micros(i64::try_from(nanoseconds / 1000).unwrap_or(i64::MAX))
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack").field("ethernet", &self.ethernet).finish_non_exhaustive()
    }
}
