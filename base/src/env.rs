//! What a component has from its first instruction.

use core::fmt::Write;

use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::{
    rpc::{Shared, Slot},
    session,
};

/// Slot of a component's own protection domain.
pub const PD: Slot = Slot(1);
/// Slot of its LOG session.
pub const LOG: Slot = Slot(2);
/// Slot of its doorbell, the notification on which its first thread waits when it has nothing to do.
pub const DOORBELL: Slot = Slot(4);

/// A component's environment: its sessions, and the way to them.
#[derive(Clone, Copy)]
pub struct Env {
    transport: Shared,
}

impl Env {
    /// The environment over a platform's transport.
    pub const fn new(transport: Shared) -> Self {
        Self { transport }
    }

    /// The component's own protection domain.
    pub fn pd(&self) -> session::pd::Client {
        session::pd::Client::new(self.transport, PD)
    }

    /// The session that prints. Most components use the macros of the crate `log` instead, which end here.
    pub fn log(&self) -> session::log::Client {
        session::log::Client::new(self.transport, LOG)
    }

    /// Ends the component with `code`; 0 means that it did what it should.
    pub fn exit(&self, code: i32) -> ! {
        loop {
            // Never answered: whoever serves the request takes the component down. Asked again should a parent answer
            // all the same.
            let _ = self.pd().exit(code);
        }
    }

    /// Ends the component after a panic, whose message has been printed.
    pub fn panicked(&self) -> ! {
        loop {
            // As in `exit`.
            let _ = self.pd().panicked();
        }
    }
}

/// Backend of the crate `log`: a line per message, in the LOG session.
///
/// [`Level::Info`] is what a component has to say, and stands alone; other levels stand before their message.
#[derive(Clone, Copy)]
pub struct Logger {
    env: Env,
}

impl Logger {
    /// Prints through `env`.
    pub const fn new(env: Env) -> Self {
        Self { env }
    }

    /// Makes it the backend of this component's `log` macros, once.
    pub fn install(&'static self) {
        // Only the first counts, which is what "once" asks for.
        if log::set_logger(self).is_ok() {
            log::set_max_level(LevelFilter::Info);
        }
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        let client = self.env.log();
        let mut writer = session::log::Writer::new(&client);
        // The writer never fails; a message's own Display may, and then the line ends there.
        let _ = match record.level() {
            Level::Info => write!(writer, "{}", record.args()),
            level => write!(writer, "{level}: {}", record.args()),
        };
        let _ = writer.write_str("\n");
    }

    fn flush(&self) {}
}
