//! What a parent is asked about its children.

use alloc::string::String;

use crate::session::parent::{Event, Value};

/// The questions that a parent decides. Children are named as their parent names them.
pub trait ChildPolicy {
    /// Where does a child's session of a service go?
    fn route(&self, child: &str, service: &str) -> Route;

    /// May a child have a session of core's with that label? Asked when [`route`](Self::route) says that it goes there.
    fn may_connect(&self, child: &str, service: &str, label: &str) -> bool;

    /// What does a child find under this name?
    fn value(&self, child: &str, key: &str) -> Option<Value>;

    /// May a child have more?
    fn grants(&self, child: &str, ram: u32, caps: u32) -> bool;

    /// A child has got so much more.
    fn granted(&mut self, child: &str, ram: u32, caps: u32);

    /// Is `component` below that child, so that the child may report what became of it?
    fn is_below(&self, component: &str, child: &str) -> bool;

    /// Is a child that has ended like this to be started again, and after how many nanoseconds? Asked before
    /// [`event`](Self::event), which is not told then.
    fn again(&mut self, _child: &str, _event: &Event, _life: Life) -> Option<u64> {
        None
    }

    /// How long has a child that is asked to exit to do so, in nanoseconds?
    fn grace(&self, _child: &str) -> u64 {
        100_000_000
    }

    /// After how many nanoseconds is a child to be asked to exit?
    fn stop_after(&self, _child: &str) -> Option<u64> {
        None
    }

    /// When which others have ended is a child to be asked to exit? For none it is not.
    fn stop_with(&self, _child: &str) -> &[String] {
        &[]
    }

    /// Something has become of a component: a child, or one below.
    fn event(&mut self, component: &str, event: Event);

    /// The last child has ended. Serving goes on if this returns.
    fn all_ended(&mut self);
}

/// How long an instance of a child was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// The time, in nanoseconds.
    pub now: u64,
    /// How long it lived, in nanoseconds.
    pub lived: u64,
}

/// Where a session goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To another child.
    Sibling(String),
    /// To whoever serves PD, which serves this too.
    Core,
    /// To whom the parent's own parent says; the session is the parent's, and handed on.
    Upward,
    /// Nowhere.
    Nobody,
}
