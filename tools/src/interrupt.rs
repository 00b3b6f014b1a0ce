//! Ctrl-C and SIGTERM: end what was started, remove what is half-written, exit with status 130.
//!
//! The handler is the process's, so what it has to do is kept here, in one list for the process.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

/// Exit status after Ctrl-C, as shells have it (128 + SIGINT).
pub const STATUS: i32 = 130;

type Action = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Actions {
    next: u64,
    waiting: Vec<(u64, Action)>,
}

fn actions() -> MutexGuard<'static, Actions> {
    static ACTIONS: OnceLock<Mutex<Actions>> = OnceLock::new();
    ACTIONS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// An action that is due on Ctrl-C for as long as this lives.
#[must_use = "the action is forgotten when this is dropped"]
pub struct Registration(u64);

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registration({})", self.0)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        actions().waiting.retain(|(number, _)| *number != self.0);
    }
}

/// Has `action` done on Ctrl-C. It may neither block for long nor register or drop others.
pub fn on_interrupt(action: impl FnOnce() + Send + 'static) -> Registration {
    let mut actions = actions();
    actions.next += 1;
    let number = actions.next;
    actions.waiting.push((number, Box::new(action)));
    Registration(number)
}

/// Takes over SIGINT, SIGTERM and SIGHUP of this process.
pub fn install() {
    let handler = || {
        // The lock is kept, so that nothing new is started or written after this.
        let mut actions = actions();
        for (_, action) in actions.waiting.drain(..).rev() {
            action();
        }
        std::process::exit(STATUS);
    };
    // It fails when a handler is there already, which then does its work.
    let _ = ctrlc::set_handler(handler);
}
