//! A parent that stands between: requests of a child become requests of the parent's own.
//!
//! A [`Ward`] is what the parent keeps about one child: the [window](crate::child::Window) of its own numbers that stands
//! for the child's, and which of them are in use. Every argument that is a number is translated, and so is every result;
//! what makes something names the child's protection domain as the account, so the child pays. Every operation of every
//! interface is decided here, and what a parent cannot stand between is refused:
//!
//! * `PD.connect`, with which a protection domain would get a session past the parent;
//! * the other direction of what the parent does itself: exceptions of the child's own protection domain, the clock's offset.
//!
//! Nothing else is kept: signals and their contexts, timeouts, threads and memory are whoever serves the parent's, under
//! the parent's numbers. A signal's doorbell is the child's own notification, which the parent has made and knows.

mod cpu;
mod others;
mod pd;
mod rm;
mod serve;
mod ward;

#[cfg(test)]
mod tests;

pub use serve::serve;
pub use ward::Ward;
