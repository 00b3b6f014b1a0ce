//! Sends datagrams and a stream to a peer over a network and has them back; or is that peer. It shows that a network works, be it a
//! link in memory or a device.
//!
//! | value | says | else |
//! |---|---|---|
//! | `port` | the argument of its session of `link` | its name |
//! | `address` | its own address, with the length of the network's part | `10.0.0.1/24` |
//! | `peer` | whom it sends to; without it, it sends back what others send | |
//! | `rounds` | how many datagrams | 10 |
//! | `interval` | microseconds between two | 1000 |
//! | `patience` | microseconds until it sends a datagram again | 100000 |
//! | `bytes` | how long the stream is | 100000 |
//! | `figures` | whether it says how long all took, which only a machine in virtual time does alike each time | `true` |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod peer;
mod sender;

use base::Env;
use ethernet::{
    Stack,
    smoltcp::wire::{IpCidr, Ipv4Cidr},
};

/// Port of both services: what is sent there comes back.
const ECHO: u16 = 7;
/// Room for datagrams and streams, each way.
const ROOM: usize = 16 << 10;
/// Longest datagram.
const DATAGRAM: usize = 1400;

/// Called once, with everything that the component has.
pub fn construct(env: &mut Env) {
    let env = *env;
    let address = text(env, "address").unwrap_or_else(|| "10.0.0.1/24".try_into().unwrap_or_default());
    let Ok(address) = address.parse::<Ipv4Cidr>() else { give_up(env, "the value `address` is no address") };
    let port = text(env, "port").unwrap_or_else(|| env.name().as_str().try_into().unwrap_or_default());
    let seed = env.value("seed").unwrap_or(1);
    let mut stack = match Stack::open(env, "link", port.as_bytes(), IpCidr::Ipv4(address), seed) {
        Ok(stack) => stack,
        Err(error) => {
            log::error!("no network: {error:?}");
            env.exit(1)
        }
    };
    match text(env, "peer") {
        None => peer::run(&mut stack),
        Some(peer) => match peer.parse() {
            Ok(peer) => sender::run(env, &mut stack, peer),
            Err(_) => give_up(env, "the value `peer` is no address"),
        },
    }
}

fn text(env: Env, key: &str) -> Option<base::session::parent::Value> {
    env.parent().value(key).ok().flatten()
}

fn give_up(env: Env, why: &str) -> ! {
    log::error!("{why}");
    env.exit(1)
}
