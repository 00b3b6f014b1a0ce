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

    /// Is a child that has ended like this to be started again? Asked before [`event`](Self::event), which is not told then.
    fn again(&mut self, _child: &str, _event: &Event) -> bool {
        false
    }

    /// Something has become of a component: a child, or one below.
    fn event(&mut self, component: &str, event: Event);

    /// The last child has ended. Serving goes on if this returns.
    fn all_ended(&mut self);
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
