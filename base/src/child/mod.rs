//! Parents and children: how a component is made, served and ended by another one.
//!
//! * [`Child`] is mechanism: a protection domain, its program, its first thread, its sessions. Dropping it frees all of it.
//! * [`ChildPolicy`] is a trait of questions: where does a session go, may it have more, what now that it has ended.
//! * [`ByScenario`] is the policy that a scenario writes down (feature `runtime`).
//! * [`Family`] serves PARENT for all children of a component, and asks the policy.
//! * [`Book`] keeps the sessions that siblings have of each other's services; it knows no machine.
//! * [`Badge`] tells which child a request is from, and of which interface.
//! * [`Window`] is the part of a parent's numbers that stands for those of a child.
//!
//! What a parent calls takes bounded time, so it serves all its children with one thread, above their priorities. It never
//! calls a child; it rings.

mod badge;
mod book;
mod family;
mod life;
mod load;
mod logs;
mod parent;
mod policy;
mod quiet;
mod restarts;
#[cfg(feature = "runtime")]
mod scenario;
mod start;
mod window;

#[cfg(test)]
mod tests;

pub use badge::Badge;
pub use book::{Book, Dead, Handed, Known, MAX_OPEN, MAX_SERVICES, Member, Opened};
pub use family::Family;
pub use load::{LoadError, Program};
pub use logs::Logs;
pub use policy::{ChildPolicy, Life, Route};
pub use quiet::Quiet;
pub use restarts::Restarts;
#[cfg(feature = "runtime")]
pub use scenario::{ByScenario, NoScenario, NoStart, start_all};
pub use start::{Child, ChildError, Room, Settings, Standing, Way};
pub use window::{Numbers, Taken, Window};
