//! Checkpoint and restore of components that know nothing of it.
//!
//! A parent that serves all sessions of a component stands between it and the system. Built on this library it can stop
//! the component, write down what it is, end it, and make another instance that goes on from there. Everything is asked
//! of the parent's own sessions, over any [`Transport`](base::rpc::Transport), so nothing here knows a kernel or a
//! processor.
//!
//! * [`child`]: a component under checkpoint: one request in, one reply out.
//! * [`start`]: how such a component is made.
//! * [`session`]: one interposer for each interface, in which every operation is decided.
//! * [`object`]: functional objects, which own, and their information, which is a value.
//! * [`table`]: which number is which object.
//! * [`journal`]: what was asked for until the barrier, and what was answered.
//! * [`obstacle`]: what stands in the way of a checkpoint; `standing`: which thread waits for which.
//! * [`stop`]: the proof that all threads of a component stand still.
//! * [`checkpoint`], [`information`]: from objects to a value.
//! * [`image`]: a checkpoint as bytes, and back.
//! * [`compare()`](compare::compare): whether two checkpoints say the same.
//! * [`restore`]: from a value to objects, by replay or directly.
//! * [`storage`]: what the caller brings.
//! * [`store`]: images that are kept where they outlive the system.
//! * [`surroundings`]: what the library asks of whoever embeds it.
//! * [`notes`]: what is done, as events of a trace.
//! * [`upstream`]: the parent's own sessions.
//!
//! Whoever embeds it has one thread for each child, which receives a request, calls
//! [`Child::serve`](child::Child::serve) and sends the answer; between two requests it may call
//! [`Child::checkpoint`](child::Child::checkpoint).
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod checkpoint;
pub mod child;
pub mod compare;
pub mod image;
pub mod information;
pub mod journal;
pub mod notes;
pub mod object;
pub mod obstacle;
pub mod restore;
pub mod session;
mod standing;
pub mod start;
pub mod statistics;
pub mod stop;
pub mod storage;
pub mod store;
pub mod surroundings;
pub mod table;
pub mod upstream;
