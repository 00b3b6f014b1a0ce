//! The one that sends, and wants it back.

use alloc::{format, vec};

use base::Env;
use ethernet::{
    Stack,
    smoltcp::{
        iface::SocketHandle,
        socket::{tcp, udp},
        time::{Duration, Instant},
        wire::{IpAddress, Ipv4Address},
    },
};

use crate::{DATAGRAM, ECHO, ROOM, give_up};

/// Where both sockets send from.
const LOCAL: u16 = 50_000;

/// Sends datagrams, then a stream, and exits.
pub fn run(env: Env, stack: &mut Stack, peer: Ipv4Address) -> ! {
    let micros = |key, other| Duration::from_micros(env.value(key).unwrap_or(other));
    let (interval, patience) = (micros("interval", 1000), micros("patience", 100_000));
    let figures = env.value("figures").unwrap_or(true);
    let to = (IpAddress::Ipv4(peer), ECHO);

    let packets = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 8], vec![0; ROOM]);
    let mut datagrams = udp::Socket::new(packets(), packets());
    // A port that is not 0, and a socket that nobody has bound.
    let _ = datagrams.bind(LOCAL);
    let datagrams = stack.sockets.add(datagrams);
    for round in 1..=env.value::<u32>("rounds").unwrap_or(10) {
        let text = format!("ping {round}");
        let (mut tries, began) = (0, stack.now());
        loop {
            tries += 1;
            let sent = stack.now();
            // There is room: what is not sent at once is sent again anyway.
            let _ = stack.sockets.get_mut::<udp::Socket>(datagrams).send_slice(text.as_bytes(), to);
            if comes_back(env, stack, datagrams, text.as_bytes(), sent + patience) {
                break;
            }
        }
        let again = if tries == 1 { "" } else { ", sent again" };
        match figures {
            true => log::info!("{text}: {} us{again}", (stack.now() - began).total_micros()),
            false => log::info!("{text}: back"),
        }
        let next = stack.now() + interval;
        wait_until(env, stack, next);
    }
    stream(env, stack, to, figures);
    env.exit(0)
}

/// Whether that datagram comes back until then. Others may come: those that were sent again.
fn comes_back(env: Env, stack: &mut Stack, socket: SocketHandle, sent: &[u8], until: Instant) -> bool {
    let mut space = vec![0; DATAGRAM];
    loop {
        stack.poll();
        while let Ok((length, _)) = stack.sockets.get_mut::<udp::Socket>(socket).recv_slice(&mut space) {
            if space.get(..length) == Some(sent) {
                return true;
            }
        }
        if stack.now() >= until {
            return false;
        }
        wait(env, stack, Some(until));
    }
}

fn wait_until(env: Env, stack: &mut Stack, until: Instant) {
    while stack.now() < until {
        wait(env, stack, Some(until));
        stack.poll();
    }
}

fn wait(env: Env, stack: &mut Stack, until: Option<Instant>) {
    if stack.wait(until).is_err() {
        give_up(env, "no time");
    }
}

/// Sends a stream, and has it back.
fn stream(env: Env, stack: &mut Stack, to: (IpAddress, u16), figures: bool) {
    let bytes = env.value::<usize>("bytes").unwrap_or(100_000);
    let socket = tcp::Socket::new(tcp::SocketBuffer::new(vec![0; ROOM]), tcp::SocketBuffer::new(vec![0; ROOM]));
    let handle = stack.sockets.add(socket);
    let (mut sent, mut back, began) = (0, 0, stack.now());
    let mut space = vec![0; DATAGRAM];
    let connected = stack.sockets.get_mut::<tcp::Socket>(handle).connect(stack.interface.context(), to, LOCAL);
    if connected.is_err() {
        give_up(env, "no connection");
    }
    while back < bytes {
        stack.poll();
        let socket = stack.sockets.get_mut::<tcp::Socket>(handle);
        if !socket.is_open() {
            give_up(env, "the connection is closed");
        }
        while socket.can_send() && sent < bytes {
            let length = (bytes - sent).min(space.len());
            let part = space.get_mut(..length).unwrap_or_default();
            part.iter_mut().zip(sent..).for_each(|(byte, at)| *byte = content(at));
            let Ok(length) = socket.send_slice(part) else { break };
            sent += length;
        }
        while let Ok(length @ 1..) = socket.recv_slice(&mut space) {
            let is_same = space.iter().take(length).zip(back..).all(|(byte, at)| *byte == content(at));
            if !is_same {
                give_up(env, "the stream has come back changed");
            }
            back += length;
        }
        // What was put into the socket goes before it waits.
        stack.poll();
        if back < bytes {
            wait(env, stack, None);
        }
    }
    match figures {
        true => log::info!("{bytes} bytes there and back: {} us", (stack.now() - began).total_micros()),
        false => log::info!("{bytes} bytes there and back"),
    }
    stack.sockets.get_mut::<tcp::Socket>(handle).close();
    stack.poll();
}

/// What the stream has at a place.
fn content(at: usize) -> u8 {
    (at as u32).wrapping_mul(0x9e37_79b9).to_le_bytes()[3]
}
