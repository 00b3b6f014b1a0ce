//! PD: a component's protection domain, as seen by the component.

use crate::interface;

/// PD: a component's protection domain, as seen by the component.
#[interface(id = 1)]
pub trait Pd {
    /// Ends the component with `code`; 0 means that it did what it should.
    #[operation(1, unanswered)]
    fn exit(&mut self, code: i32);

    /// Ends the component, which has panicked; its message is in LOG, and the place is where its thread is.
    #[operation(2, unanswered)]
    fn panicked(&mut self);
}
