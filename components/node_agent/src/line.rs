//! A connection to another node, made again whenever it is gone.

use alloc::{string::String, vec};

use ethernet::{
    Stack,
    smoltcp::{
        iface::SocketHandle,
        socket::tcp::{Socket, SocketBuffer},
        time::{Duration, Instant},
        wire::{IpAddress, Ipv4Address},
    },
};

use crate::{
    channel::{Channel, Ends, Fault},
    packet::Packet,
};

/// Room for what comes and what goes.
const ROOM: usize = 32 << 10;
/// Port of an agent.
const PORT: u16 = 7070;
/// How long nobody tries again.
const PAUSE: Duration = Duration::from_millis(5);
/// How long a connection without any answer lives: longer than the stack waits before it sends something again.
const SILENCE: Duration = Duration::from_millis(2000);

/// A connection.
pub struct Line {
    socket: SocketHandle,
    to: Ipv4Address,
    ends: Ends,
    seed: u64,
    /// How many there were.
    count: u16,
    channel: Option<Channel>,
    /// When it may be tried again.
    again: Instant,
    /// What was wrong last, so that the same is said once.
    said: Option<String>,
}

impl Line {
    pub fn new(stack: &mut Stack, to: Ipv4Address, ends: Ends, seed: u64) -> Self {
        let buffer = || SocketBuffer::new(vec![0; ROOM]);
        let mut socket = Socket::new(buffer(), buffer());
        socket.set_timeout(Some(SILENCE));
        socket.set_keep_alive(Some(SILENCE / 4));
        socket.set_nagle_enabled(false);
        socket.set_ack_delay(None);
        let socket = stack.sockets.add(socket);
        Self { socket, to, ends, seed, count: 0, channel: None, again: Instant::ZERO, said: None }
    }

    /// Whether it is known who is at the other end.
    pub fn is_open(&self) -> bool {
        self.channel.as_ref().is_some_and(Channel::is_open)
    }

    /// Whether everything that was said has left.
    pub fn is_empty(&self) -> bool {
        self.channel.as_ref().is_none_or(|channel| channel.waiting() == 0)
    }

    /// Says something; it is lost if nobody is there.
    pub fn say(&mut self, stack: &mut Stack, packet: &Packet<'_>) {
        if let Some(channel) = &mut self.channel
            && let Err(fault) = channel.say(packet)
        {
            self.give_up(stack, fault);
        }
    }

    /// Does what there is to do; what comes is given to `hear`.
    pub fn work(&mut self, stack: &mut Stack, hear: &mut dyn FnMut(Packet<'_>)) {
        let now = stack.now();
        let socket = stack.sockets.get_mut::<Socket>(self.socket);
        if !socket.is_open() {
            if self.channel.take().is_some() {
                log::debug!("The connection to node {} is gone.", self.ends.nodes.1);
                self.again = now + PAUSE;
            }
            if now >= self.again {
                self.again = now + PAUSE;
                self.connect(stack);
            }
            return;
        }
        if socket.may_send() && self.channel.is_none() {
            self.count = self.count.wrapping_add(1);
            match Channel::new(self.ends, self.seed, self.count.into()) {
                Ok(channel) => self.channel = Some(channel),
                Err(fault) => return self.give_up(stack, fault),
            }
        }
        if let Err(fault) = self.receive(stack, hear) {
            return self.give_up(stack, fault);
        }
        self.send(stack);
        let socket = stack.sockets.get_mut::<Socket>(self.socket);
        if !socket.may_recv() && !socket.can_recv() && self.channel.is_some() {
            // The other has closed it.
            socket.abort();
        }
    }

    fn connect(&mut self, stack: &mut Stack) {
        let socket = stack.sockets.get_mut::<Socket>(self.socket);
        let done = if self.ends.begins {
            self.count = self.count.wrapping_add(1);
            let local = 49_152 + self.count % 16_384;
            let to = (IpAddress::Ipv4(self.to), PORT + u16::from(self.ends.nodes.0));
            socket.connect(stack.interface.context(), to, local).is_ok()
        } else {
            socket.listen(PORT + u16::from(self.ends.nodes.1)).is_ok()
        };
        if !done {
            log::debug!("There is no connection to node {}.", self.ends.nodes.1);
        }
    }

    fn receive(&mut self, stack: &mut Stack, hear: &mut dyn FnMut(Packet<'_>)) -> Result<(), Fault> {
        let socket = stack.sockets.get_mut::<Socket>(self.socket);
        let Some(channel) = &mut self.channel else { return Ok(()) };
        let was_open = channel.is_open();
        while socket.can_recv() {
            let taken = socket.recv(|bytes| {
                let count = bytes.len().min(channel.wants());
                (count, channel.take(&bytes[..count], hear))
            });
            taken.unwrap_or(Ok(()))?;
        }
        if channel.is_open() && !was_open {
            self.said = None;
            log::info!("Node {} is there.", self.ends.nodes.1);
        }
        Ok(())
    }

    fn send(&mut self, stack: &mut Stack) {
        let socket = stack.sockets.get_mut::<Socket>(self.socket);
        let Some(channel) = &mut self.channel else { return };
        while channel.waiting() > 0 && socket.can_send() {
            match socket.send_slice(channel.to_send()) {
                Ok(count @ 1..) => channel.sent(count),
                _ => break,
            }
        }
    }

    fn give_up(&mut self, stack: &mut Stack, fault: Fault) {
        // What is said about it reaches the other if it can.
        self.send(stack);
        let text = alloc::format!("{fault}");
        if self.said.as_ref() != Some(&text) {
            log::warn!("The connection to node {} is closed: {text}.", self.ends.nodes.1);
            self.said = Some(text);
        }
        let socket = stack.sockets.get_mut::<Socket>(self.socket);
        match fault {
            Fault::Version(_) | Fault::Node(_) => socket.close(),
            _ => socket.abort(),
        }
        self.channel = None;
        self.again = stack.now() + PAUSE;
    }
}
