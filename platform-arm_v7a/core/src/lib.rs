//! Core: the root task. It alone holds the kernel's capabilities.
//!
//! The library is what any root task starts with; the executable `rtcr-core` (`main.rs`) runs a scenario with it, and
//! the on-target tests of the kernel are root tasks of their own.
//!
//! * [`start`]: stack, heap, [`root_task!`](crate::root_task).
//! * [`begin`](mod@begin): what every root task does first.
//! * [`objects`]: kernel objects made from untyped memory, and capability slots.
//! * [`window`]: frames mapped for the root task itself.
//! * [`resources`]: slots, frames and objects that are given back and used again; core's own.
//! * [`modules`]: the boot modules.
//! * [`console`]: the two serial lines.
//! * [`guardian`]: reports a root task that fails.
//! * [`facts`]: what the kernel underneath does.
//! * [`insist`](mod@insist): calls of the kernel that nothing stands in the way of.
//! * [`place`]: where a stopped thread was.
//! * [`system`]: what core keeps for components, and what is done to it.
//! * [`meeting`]: how one thread comes to wait for another's answer.
//! * [`serve`]: requests of components, answered.
//! * [`trace`]: what happens in core, recorded, if it is built for that.
//! * [`clock`], [`judge`]: the limit and the verdict of a run.
#![no_std]

extern crate alloc;
// For copying and filling memory, which the compiler calls.
use blocks as _;

pub mod begin;
pub mod clock;
pub mod console;
pub mod facts;
pub mod first;
pub mod guardian;
pub mod insist;
pub mod judge;
pub mod meeting;
pub mod modules;
pub mod objects;
pub mod place;
pub mod resources;
pub mod serve;
pub mod start;
pub mod system;
pub mod trace;
pub mod window;

/// Ends the run for good: nothing below the caller's priority runs again, and the host, having read the verdict, ends
/// the machine.
pub fn halt() -> ! {
    loop {
        core::hint::spin_loop();
    }
}
