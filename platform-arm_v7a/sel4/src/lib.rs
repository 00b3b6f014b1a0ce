//! seL4 with types. Each item says which call of the kernel it stands for and where the manual (seL4 5.0.0) describes it.
//!
//! The kernel knows objects (threads, endpoints, frames, …), and a thread names an object by the number of a slot in its
//! *capability space* that holds a *capability* to it. [`Cap<T>`](Cap) is such a number together with what the program
//! takes the object for; methods exist for the kinds that have them. The kernel checks every call against what the slot
//! really holds, so a wrong type or number is an [`Error`], never damage.
//!
//! | module | what |
//! |---|---|
//! | [`boot`] | what the root task starts with |
//! | [`cap`] | capabilities and kinds of objects |
//! | [`fault`] | the messages that the kernel sends when a thread faults |
//! | [`ipc`] | endpoints and notifications: send, call, receive, reply, signal, wait |
//! | [`irq`] | interrupts |
//! | [`memory`] | frames, page tables, address spaces |
//! | [`message`] | what messages consist of |
//! | [`registers`] | a thread's registers |
//! | [`slot`] | slots as places: copy, mint, move, delete, revoke |
//! | [`thread`] | threads and their domains |
//! | [`untyped`] | making objects from memory |
//! | [`value`] | rights, badges, guards |
//!
//! # What is unsafe, and what every thread must have
//! Calls travel through registers and the calling thread's *message buffer* (the manual's IPC buffer). Every thread that
//! runs Rust code must have been started with one, mapped readable and writable and used for nothing else; the root task
//! has it from the kernel. That is the duty of whoever starts the thread, so the functions that say where a thread runs
//! are `unsafe`: [`Cap::<Tcb>::configure`](Cap#method.configure), `set_space`, `set_message_buffer`, `write_registers`,
//! `copy_registers`. In return, everything that only talks is safe.
//!
//! `unsafe` are further the calls that can change or take away memory under a reference: [mapping](Cap#method.map),
//! remapping and unmapping frames, unmapping page tables, discarding cached data, and [deleting](slot::Slot::delete) or
//! [revoking](slot::Slot::revoke) capabilities (which unmaps). For frames and address spaces that only other protection
//! domains use, their conditions hold trivially; whoever manages such objects says so once, in a type of its own.
//!
//! Everything else is safe: making objects (they are empty, and memory that is still in use cannot be retyped), copying
//! and moving capabilities, suspending and resuming threads (a suspended thread goes on where it was), priorities,
//! domains, notifications, interrupts.
//!
//! # Cost
//! Each method is one system call, inlined, without memory traffic for messages of up to four words. A call with them and
//! its answer costs 310 ns, most methods 400 to 1,800. Times in this crate are virtual time of the release kernel, where one
//! nanosecond is one instruction, and were taken in C; `cargo rtcr bench kernel` prints what the same operations cost in
//! Rust, with the loop around them.
#![no_std]

pub mod boot;
pub mod cap;
mod error;
pub mod fault;
pub mod ipc;
pub mod irq;
pub mod memory;
pub mod message;
pub mod registers;
pub mod slot;
pub mod thread;
pub mod untyped;
pub mod value;

#[cfg(feature = "faults")]
pub use sel4_raw::faults;

pub use boot::BootInfo;
pub use cap::{
    AsidControl, AsidPool, CNode, Cap, DomainControl, Endpoint, Frame, IrqControl, IrqHandler, Notification,
    PageDirectory, PageTable, Reply, Tcb, Untyped,
};
pub use error::Error;
pub use fault::Fault;
pub use ipc::{reply, yield_now};
pub use memory::{FrameSize, VmAttributes};
pub use message::{Message, MessageInfo, Received};
pub use registers::UserContext;
pub use slot::{Node, Slot};
pub use thread::{ThreadInfo, ThreadState};
pub use untyped::ObjectKind;
pub use value::{Badge, CapData, Guard, Priority, Rights};
