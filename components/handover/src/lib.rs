//! Which node runs a component: migration and takeover, as transitions without side effects.
//!
//! [`step()`] takes what a node knows of one component, the time, and what has happened, and returns what it knows then and
//! what is to be done, in order. The node agent does that on the board; a model checker and a simulation do it on the host, with the
//! same function. The protocol is described in `docs/src/design/nodes.md`.
//!
//! * [`Epoch`]: the number of a tenure. Each change of who runs the component has a number of its own, and they only grow.
//! * [`Message`]: what nodes tell each other. Sessions are authenticated and fresh: what was sent in a session of a node that
//!   has ended is never delivered. Apart from that messages may be lost, repeated, and overtake each other.
//! * [`State`]: nothing of it needs to outlive the node. One that starts learns from all others what there is.
//! * [`worst_case`]: how old a state can be and how long nobody runs, from the scenario's figures.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod bound;
mod learn;
mod lease;
mod message;
mod number;
mod source;
mod state;
mod step;
mod target;

pub use bound::{Figures, WorstCase, worst_case};
pub use message::{Message, Report, Standing, Why};
pub use number::{Epoch, Node, Time};
pub use state::{Body, Config, Phase, Rule, State, Timing};
pub use step::{Action, Event, From, Tale, step};
