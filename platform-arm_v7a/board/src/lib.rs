//! The sabrelite board: where its devices lie, and the few of them that loader and core drive themselves.
//!
//! Register names and offsets are those of the *i.MX 6Dual/6Quad Applications Processor Reference Manual* (IMX6DQRM).
//! A device is addressed through wherever its owner has mapped it: the loader runs on physical addresses, core maps the
//! device's frame.
#![no_std]

pub mod epit;
pub mod gpt;
mod register;
pub mod time;
pub mod uart;
