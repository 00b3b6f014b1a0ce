//! Decides with the agents of other nodes where a component runs, and moves it there.
//!
//! It keeps to what [`handover::step`] says, and does what that wants: over a session of CUSTODY with the component, over an
//! Ethernet (LINK) with the others. What leaves it is encrypted and goes to nobody who has not proved who it is.
//!
//! | value | says | else |
//! |---|---|---|
//! | `component` | the component's name, as its parent knows it | needed |
//! | `node` | this node's number: 0 or 1 for the two that share the component, 2 for a witness | needed |
//! | `home` | the number of the node where the component begins | 0 |
//! | `port` | the argument of its session of `link` | its name |
//! | `address` | this node's address, with the length of the network's part | needed |
//! | `peer`, `peer_key` | the other's address and public key, 64 hexadecimal digits | needed |
//! | `key` | this node's private key, 64 hexadecimal digits | needed |
//! | `seed` | what makes its random numbers others in each run | 1 |
//! | `renew` | microseconds until something that was not answered is said again | 5000 |
//! | `patience` | microseconds that a partner of a migration is waited for | 1000000 |
//! | `moves` | how often the component is moved away from here | 0 |
//! | `move_after` | microseconds that it runs here before each time | 10000 |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod agent;
pub mod channel;
mod config;
mod entropy;
mod line;
pub mod packet;
mod ward;

use base::Env;

/// Called once, with everything that the component has.
pub fn construct(env: &mut Env) {
    let env = *env;
    let run = config::Settings::of(env).and_then(|settings| agent::Agent::new(env, settings));
    match run {
        Ok(mut agent) => agent.run(),
        Err(reason) => {
            log::error!("{reason}");
            env.exit(1)
        }
    }
}
