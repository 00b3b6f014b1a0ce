//! Being asked to exit.
//!
//! A parent asks by a signal of its own at the component's doorbell, with the cookie [`EXIT`]. The first thread hears of it
//! whenever it waits: in its entrypoint, for another thread, for an answer or for a signal. A component that does nothing
//! about it exits then; one with a handler goes on until its first thread serves, and ends with what the handler says. One
//! that does neither is ended by its parent after a while.

use alloc::boxed::Box;
use core::sync::atomic::{AtomicBool, Ordering::SeqCst};

#[cfg(doc)]
use crate::session::signal::EXIT;
use crate::{Env, sync::Lock};

type Handler = Box<dyn FnOnce() -> i32 + Send>;

/// What a component does when it is asked to exit.
pub(crate) struct Exit {
    handler: Lock<Option<Handler>>,
    asked: AtomicBool,
}

impl Exit {
    pub const fn new() -> Self {
        Self { handler: Lock::new(None), asked: AtomicBool::new(false) }
    }
}

impl Env {
    /// Has a function called when the parent asks this component to exit: by the first thread, between requests, once
    /// construction is over. The component exits with the code that it returns, and is ended if it takes too long.
    ///
    /// Without one it exits with 0, also during construction, when its first thread waits. A handler takes the place of
    /// one that was set before.
    pub fn on_exit(&self, handler: impl FnOnce() -> i32 + Send + 'static) {
        let before = self.runtime().exit.handler.lock(*self).replace(Box::new(handler));
        // Not while the lock is held: it may own anything.
        drop(before);
    }

    /// The parent has asked this component to exit. Asked again, it is at it already.
    pub(crate) fn asked_to_exit(&self) {
        let exit = &self.runtime().exit;
        let is_first = !exit.asked.swap(true, SeqCst);
        let has_handler = exit.handler.lock(*self).is_some();
        if is_first && !has_handler {
            self.exit(0);
        }
    }

    /// Exits if it was asked to, and the handler has not run yet.
    pub(crate) fn handle_exit(&self) {
        let exit = &self.runtime().exit;
        if exit.asked.load(SeqCst) {
            let handler = exit.handler.lock(*self).take();
            if let Some(handler) = handler {
                self.exit(handler());
            }
        }
    }
}
