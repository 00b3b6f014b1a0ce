//! An Ethernet in memory: ports, each two of them joined by a cable. It offers LINK, so that whoever uses it cannot tell it from
//! a device, and does to frames what cables do: it takes time, and loses, repeats, reorders, damages them or is cut, by
//! the scenario's values and a seed. All of that is decided by the frames' order and times and the seed alone, so a run is the
//! same again.
//!
//! Clients say by the argument of their session which port they are. The values:
//!
//! | value | says | else |
//! |---|---|---|
//! | `ports` | the names of the ports, with spaces between | `a b` |
//! | `mac_PORT` | the address of a port | `02:00:00:00:00:01` for the first one, and so on |
//! | `seed` | where what is random comes from | 1 |
//! | `speed` | bits per second of a cable, each way | 100000000 |
//! | `delay` | microseconds from the end of a frame's departure to its arrival | 0 |
//! | `loss` | how many of a million frames are lost | 0 |
//! | `duplication` | how many of a million arrive twice | 0 |
//! | `reordering` | how many of a million are held up so that others overtake them | 0 |
//! | `held_up` | for up to so many microseconds | 1000 |
//! | `corruption` | how many of a million arrive with one bit changed | 0 |
//! | `cable_0`, `cable_1`, ... | what is different on one cable: `a-b delay=5000 loss=0` | |
//! | `cut_0`, `cut_1`, ... | from when to when a cable is cut: `a-b 1000 2000` in microseconds from the start, `a-b 1000` for good | |
//!
//! A cable is two ports with `-` between, or `a>b` for the one way only; `*` stands for any port. A frame that is addressed to a
//! port takes the cable to that one, others take all. A cable carries one frame after the other, each with the 24 bytes around it
//! that a wire wants (preamble, checksum, gap) and no shorter than 84 with these. What a cable cannot carry yet stays in the
//! sender's ring; what arrives where the ring is full is lost. A frame that is on a cable when that is cut is lost. A port none of whose cables is
//! whole is down.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod cable;
pub mod network;
pub mod plan;
mod ports;

use alloc::sync::Arc;

use base::{Env, service::Refused, session::link::Server, sync::Mutex};
use plan::Plan;
use ports::{Ports, Seat};

/// The service.
const SERVICE: &str = "link";

/// Called once, with everything that the component has.
pub fn construct(env: &mut Env) {
    let env = *env;
    let plan = match Plan::read(|key| env.parent().value(key).ok().flatten()) {
        Ok(plan) => plan,
        Err(error) => {
            log::error!("{error}");
            env.exit(1)
        }
    };
    let ports = Arc::new(Mutex::new(env, Ports::new(env, plan)));
    let shared = Arc::clone(&ports);
    // It lives for as long as the component.
    let alarm = env.on_signal(move |_| shared.lock().pump()).expect("there are signals enough for the first one");
    ports.lock().wake_by(alarm.slot());
    let open = move |opening: &base::service::Opening<'_>| match Seat::take(&ports, opening) {
        Ok(seat) => Ok(Server(seat)),
        Err(error) => {
            log::warn!("no port for {}: {error}", opening.client);
            Err(Refused)
        }
    };
    env.serve(SERVICE, open).expect("nobody else here offers it");
}
