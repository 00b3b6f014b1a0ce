//! TROUBLE: what happens to a component from outside, which is not undone when it goes back to a checkpoint.

use base::interface;

/// TROUBLE: tells a component what happens to it next.
#[interface(id = 1007)]
pub trait Trouble {
    /// What happens to the component now: the number of one of [`KINDS`], or another number for nothing.
    #[operation(1)]
    fn next(&mut self) -> u32;
}

/// What can happen.
pub const KINDS: [&str; 8] = ["fault", "panic", "exit", "loop", "rot", "sleep", "work", "wait"];
