//! PD: a component's protection domain, as seen by the component.

use crate::interface;

/// Exit code of a component that panicked, as on hosted systems.
pub const PANIC: i32 = 101;

/// PD: a component's protection domain, as seen by the component.
#[interface(id = 1)]
pub trait Pd {
    /// Ends the component with `code`; 0 means that it did what it should.
    #[operation(1, unanswered)]
    fn exit(&mut self, code: i32);
}
